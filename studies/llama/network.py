"""LLaMA and Llama 3, a transformer whose blocks hold their own matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

TOKENS = 2


def matrix(rows: int, columns: int) -> nn.Parameter:
    """A matrix that takes a vector of ``columns`` to one of ``rows``."""
    return nn.Parameter(torch.zeros(rows, columns))


class Block(nn.Module):
    """Attention and a gated perceptron, each after a normalisation, added to its own input.

    The matrices of queries, keys and values are one, and so are the two that the perceptron's gate
    multiplies. Rotary positions have no parameters and change no size, so they are left out.
    """

    def __init__(self, width: int, heads: int, kv_heads: int, ffn: int) -> None:
        super().__init__()
        self.head = width // heads
        self.sizes = [width, *[width // heads * kv_heads] * 2]
        self.wqkv, self.wo = matrix(sum(self.sizes), width), matrix(width, width)
        self.w13, self.w2 = matrix(2 * ffn, width), matrix(width, ffn)
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.ffn_norm = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, width) in and out."""
        y = functional.rms_norm(x, x.shape[-1:], self.attention_norm)
        q, k, v = (
            part.unflatten(2, (-1, self.head)).transpose(1, 2)
            for part in functional.linear(y, self.wqkv).split(self.sizes, 2)
        )
        k, v = (part.repeat_interleave(q.shape[1] // part.shape[1], 1) for part in (k, v))
        mixed = (q @ k.transpose(2, 3) / self.head**0.5).softmax(3) @ v
        x = x + functional.linear(mixed.transpose(1, 2).flatten(2), self.wo)
        y = functional.rms_norm(x, x.shape[-1:], self.ffn_norm)
        gate, inner = functional.linear(y, self.w13).chunk(2, -1)
        return x + functional.linear(functional.silu(gate) * inner, self.w2)


class Llama(nn.Module):
    """One network of the two papers.

    Input (N, 2) token numbers, output (N, 2, vocabulary).

    Args:
        layers: number of blocks.
        width: elements of a token's vector.
        heads: heads of the queries.
        kv_heads: heads of keys and values.
        ffn: width inside the perceptrons.
        vocabulary: tokens there are; the output has weights of its own.
    """

    def __init__(
        self, *, layers: int, width: int, heads: int, kv_heads: int, ffn: int, vocabulary: int
    ) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, width)
        self.blocks = nn.Sequential(*(Block(width, heads, kv_heads, ffn) for _ in range(layers)))
        self.norm = nn.RMSNorm(width)
        self.output = nn.Linear(width, vocabulary, bias=False)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Two tokens, on the current default device: no count of parameters asks for more."""
        return (torch.zeros(1, TOKENS, dtype=torch.long),)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at every place."""
        out: Tensor = self.output(self.norm(self.blocks(self.embeddings(tokens))))
        return out
