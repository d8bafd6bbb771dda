"""Chinchilla and Gopher, with what decides their number of parameters as constructor arguments.

A transformer that normalises before each block and once at the end. What Gopher takes from
Transformer-XL (Dai et al. 2019) is one more projection a layer, of the relative positions, and two
vectors that stand for the query where only content or only position counts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT = 8
"""Tokens that are read at once; no parameter depends on them."""


class Attention(nn.Module):
    """Causal self-attention; with relative positions, or with a fifth matrix that has no use.

    Args:
        width: elements of a token's vector.
        heads: number of heads.
        kv_size: elements of a head's keys and values.
        fifth: "none"; "relative", for W_k,R of Transformer-XL; "unexplained", for a matrix of the
            same size that the best-fitting formula has and nobody gives a use.
        vectors: whether the queries of relative positions have the vectors u and v.
        biases: whether the projections have biases.
    """

    def __init__(
        self, width: int, heads: int, kv_size: int, *, fifth: str, vectors: bool, biases: bool
    ) -> None:
        super().__init__()
        inner = heads * kv_size
        self.split = (heads, kv_size)
        self.queries = nn.Linear(width, inner, bias=biases)
        self.keys = nn.Linear(width, inner, bias=biases)
        self.values = nn.Linear(width, inner, bias=biases)
        self.out = nn.Linear(inner, width, bias=biases)
        self.fifth = fifth
        if fifth != "none":
            self.positions = nn.Linear(width, inner, bias=False)
        if vectors:
            self.content_query = nn.Parameter(torch.zeros(heads, 1, kv_size))
            self.position_query = nn.Parameter(torch.zeros(heads, 1, kv_size))
        self.vectors = vectors

    def heads_of(self, x: Tensor) -> Tensor:
        """(N, T, inner) to (N, heads, T, kv_size)."""
        return x.unflatten(2, self.split).transpose(1, 2)

    def forward(self, x: Tensor, distances: Tensor) -> Tensor:
        """Attend to this and earlier tokens.

        Args:
            x: (N, T, width).
            distances: (1, T, width), a vector for each distance between two tokens.
        """
        q, k, v = (self.heads_of(p(x)) for p in (self.queries, self.keys, self.values))
        scores = (q + self.content_query if self.vectors else q) @ k.transpose(2, 3)
        if self.fifth == "relative":
            r = self.heads_of(self.positions(distances))
            places = (q + self.position_query if self.vectors else q) @ r.transpose(2, 3)
            scores = scores + places.gather(3, _distances(x.shape[1], places))
        elif self.fifth == "unexplained":
            v = v + self.heads_of(self.positions(x))
        scores = scores * self.split[1] ** -0.5
        later = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
        weights = scores.masked_fill(later, -torch.inf).softmax(3)
        out: Tensor = self.out((weights @ v).transpose(1, 2).flatten(2))
        return out


def _distances(tokens: int, like: Tensor) -> Tensor:
    """How far each earlier token lies back, for every row of scores; 0 for later ones."""
    place = torch.arange(tokens, device=like.device)
    return (place[:, None] - place).clamp(min=0).expand(like.shape)


class Block(nn.Module):
    """Attention and a perceptron, each added to its own input."""

    def __init__(
        self, width: int, ffw: int, attention: Attention, *, norm: str, biases: bool
    ) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = _norm(norm, width), _norm(norm, width)
        self.attention = attention
        self.up = nn.Linear(width, ffw, bias=biases)
        self.down = nn.Linear(ffw, width, bias=biases)

    def forward(self, x: Tensor, distances: Tensor) -> Tensor:
        """(N, T, width) in and out."""
        x = x + self.attention(self.norm_1(x), distances)
        out: Tensor = x + self.down(functional.gelu(self.up(self.norm_2(x))))
        return out


def _norm(kind: str, width: int) -> nn.Module:
    match kind:
        case "rms":
            return nn.RMSNorm(width)
        case "layer":
            return nn.LayerNorm(width)
        case "not counted":
            return nn.RMSNorm(width, elementwise_affine=False)
    raise ValueError(f"norm is {kind!r}: accepted are rms, layer, 'not counted'")


class Chinchilla(nn.Module):
    """The network of the paper under one reading.

    Input (N, 8) token numbers, output (N, 8, vocabulary). The output uses the input's embedding.

    Args:
        layers: number of blocks.
        width: elements of a token's vector (d_model).
        ffw: elements of the hidden layer of the perceptron (ffw_size).
        kv_size: elements of a head's keys and values.
        heads: number of heads.
        vocabulary: tokens there are.
        fifth: a fifth matrix in the attention: none, relative or unexplained.
        vectors: whether the queries of relative positions have the vectors u and v.
        biases: whether projections and perceptrons have biases.
        norm: "rms" or "layer" with its parameters, "not counted" without any.
        last_norm: whether there is one after the last block.
    """

    def __init__(
        self,
        *,
        layers: int,
        width: int,
        ffw: int,
        kv_size: int,
        heads: int,
        vocabulary: int,
        fifth: str,
        vectors: bool,
        biases: bool,
        norm: str,
        last_norm: bool,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.h = nn.ModuleList()
        for _ in range(layers):
            mixing = Attention(width, heads, kv_size, fifth=fifth, vectors=vectors, biases=biases)
            self.h.append(Block(width, ffw, mixing, norm=norm, biases=biases))
        self.last_norm = _norm(norm, width) if last_norm else nn.Identity()
        self.output = nn.Linear(width, vocabulary, bias=False)
        self.output.weight = self.embedding.weight

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Eight times the first token, on the current default device."""
        return (torch.zeros(1, CONTEXT, dtype=torch.long),)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at every place."""
        x = self.embedding(tokens)
        distances = torch.zeros_like(x[:1])
        for block in self.h:
            x = block(x, distances)
        out: Tensor = self.output(self.last_norm(x))
        return out
