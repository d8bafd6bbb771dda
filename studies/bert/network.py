"""BERT with its pre-training heads, in blocks that hold their own matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS = 512
SEGMENTS = 2
TOKENS = 2


class Block(nn.Module):
    """Attention and a perceptron of four times the width, normalised after each is added.

    The matrices of queries, keys and values are one, of three times the width.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Parameter(torch.zeros(3 * width, width))
        self.qkv_bias = nn.Parameter(torch.zeros(3 * width))
        self.out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, width) in and out."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in functional.linear(x, self.qkv, self.qkv_bias).chunk(3, 2)
        )
        mixed = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(3) @ v
        x = self.attention_norm(x + self.out(mixed.transpose(1, 2).flatten(2)))
        out: Tensor = self.norm(x + self.down(functional.gelu(self.up(x))))
        return out


class Heads(nn.Module):
    """What is trained besides: masked tokens, by the input's own table, and next sentences."""

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.transform, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.next = nn.Linear(width, 2)

    def forward(self, x: Tensor, pooled: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of every token at every place (N, T, vocabulary), and of the sentence (N, 2)."""
        y = self.norm(functional.gelu(self.transform(x)))
        return functional.linear(y, table, self.bias), self.next(pooled)


class Bert(nn.Module):
    """The network of the paper with its pre-training heads.

    Input (N, 2) token numbers, output the scores of both heads.

    Args:
        layers: number of blocks (L).
        width: elements of a token's vector (H).
        heads: heads of the attention (A).
        vocabulary: tokens there are.
    """

    def __init__(self, *, layers: int, width: int, heads: int, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(POSITIONS, width)
        self.segments = nn.Embedding(SEGMENTS, width)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.pooler = nn.Linear(width, width)
        self.heads = Heads(width, vocabulary)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Two tokens, on the current default device: no count of parameters asks for more."""
        return (torch.zeros(1, TOKENS, dtype=torch.long),)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of masked tokens and of the next sentence."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.positions(places) + self.segments(torch.zeros_like(tokens))
        x = self.blocks(self.norm(x))
        out: tuple[Tensor, Tensor] = self.heads(
            x, torch.tanh(self.pooler(x[:, 0])), self.tokens.weight
        )
        return out
