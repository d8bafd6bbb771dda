"""T5, an encoder and a decoder without biases, in blocks that hold their own matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BUCKETS = 32
"""Distances that a head tells apart, in the encoder and in the decoder."""
TOKENS = 2


class Block(nn.Module):
    """One or two attentions and a perceptron, each after a normalisation, added to its own input.

    The matrices of queries, keys and values of an attention are one.

    Args:
        width: elements of a token's vector.
        inner: of all heads together.
        heads: heads of an attention.
        ffn: width inside the perceptron.
        attentions: 1 in the encoder, 2 in the decoder.
    """

    def __init__(self, width: int, inner: int, heads: int, ffn: int, attentions: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Parameter(torch.zeros(attentions, 3, inner, width))
        self.out = nn.Parameter(torch.zeros(attentions, width, inner))
        self.up = nn.Parameter(torch.zeros(ffn, width))
        self.down = nn.Parameter(torch.zeros(width, ffn))
        self.norms = nn.Parameter(torch.ones(attentions + 1, width))

    def forward(self, x: Tensor, bias: Tensor, memory: Tensor | None = None) -> Tensor:
        """(N, T, width) in and out; a second attention reads the memory."""
        for number, (qkv, out) in enumerate(zip(self.qkv, self.out, strict=True)):
            y = functional.rms_norm(x, x.shape[-1:], self.norms[number])
            read = y if memory is None or not number else memory
            q, k, v = (
                functional.linear(of, weight).unflatten(2, (self.heads, -1)).transpose(1, 2)
                for of, weight in zip((y, read, read), qkv, strict=True)
            )
            scores = q @ k.transpose(2, 3)
            mixed = (scores if number else scores + bias).softmax(3) @ v
            x = x + functional.linear(mixed.transpose(1, 2).flatten(2), out)
        y = functional.rms_norm(x, x.shape[-1:], self.norms[-1])
        return x + functional.linear(functional.linear(y, self.up).relu(), self.down)


class T5(nn.Module):
    """The network of the paper.

    Input (N, 2) tokens of a source and of a target, output (N, 2, vocabulary).

    Args:
        layers: blocks of the encoder, and of the decoder.
        width: elements of a token's vector.
        inner: elements of all heads together.
        heads: heads of an attention.
        ffn: width inside the perceptrons.
        vocabulary: tokens there are; inputs and output share one table.
    """

    def __init__(
        self, *, layers: int, width: int, inner: int, heads: int, ffn: int, vocabulary: int
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.distances = nn.Parameter(torch.zeros(2, BUCKETS, heads))
        sizes = width, inner, heads, ffn
        self.encoder = nn.ModuleList(Block(*sizes, 1) for _ in range(layers))
        self.decoder = nn.ModuleList(Block(*sizes, 2) for _ in range(layers))
        self.encoder_norm, self.decoder_norm = nn.RMSNorm(width), nn.RMSNorm(width)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Two tokens each, on the current default device: no count of parameters asks for more."""
        tokens = torch.zeros(1, TOKENS, dtype=torch.long)
        return tokens, tokens.clone()

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores of the next token at every place of the target."""
        places = torch.arange(TOKENS, device=source.device)
        apart = (places[None] - places[:, None]).abs()
        inside, outside = (table[apart].permute(2, 0, 1) for table in self.distances)
        memory, x = self.tokens(torch.cat([source, target])).chunk(2)
        for block in self.encoder:
            memory = block(memory, inside)
        memory = self.encoder_norm(memory)
        for block in self.decoder:
            x = block(x, outside, memory)
        return functional.linear(self.decoder_norm(x), self.tokens.weight)
