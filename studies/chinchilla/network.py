"""Chinchilla and Gopher, with what decides their number of parameters as constructor arguments.

A transformer that normalises before each block and once at the end. What Gopher takes from
Transformer-XL (Dai et al. 2019) is one more projection a layer, of the relative positions, and two
vectors that stand for the query where only content or only position counts. The layers of a kind
keep their weights in one tensor, as programs do that scan over layers: fifty-seven networks of up
to eighty layers are then quickly built.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT = 8
"""Tokens that are read at once; no parameter depends on them."""

Weights = tuple[Tensor, Tensor | None]
"""The matrix of one projection, and its bias if it has one."""


class Projections(nn.Module):
    """A projection in each layer.

    Args:
        layers: how many there are.
        given: elements of a vector that goes in.
        returned: elements of one that comes out.
        biases: whether each has a bias.
    """

    def __init__(self, layers: int, given: int, returned: int, *, biases: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(layers, returned, given))
        self.bias = nn.Parameter(torch.zeros(layers, returned)) if biases else None

    def by_layer(self) -> list[Weights]:
        """The weights of each layer."""
        matrices = self.weight.unbind(0)
        biases = [None] * len(matrices) if self.bias is None else self.bias.unbind(0)
        return list(zip(matrices, biases, strict=True))


class Vectors(nn.Module):
    """The two vectors u and v of Transformer-XL, which each layer adds to its queries."""

    def __init__(self, layers: int, heads: int, kv_size: int) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.zeros(layers, heads, 1, kv_size))
        self.v = nn.Parameter(torch.zeros(layers, heads, 1, kv_size))

    def by_layer(self) -> list[tuple[Tensor, Tensor]]:
        """The vectors of each layer."""
        return list(zip(self.u.unbind(0), self.v.unbind(0), strict=True))


class Chinchilla(nn.Module):
    """The network of the paper under one reading; it reads one text at a time.

    Input (1, 8) token numbers, output (1, 8, vocabulary). The output uses the input's embedding,
    and normalisations have no parameters.

    Args:
        layers: number of blocks.
        width: elements of a token's vector (d_model).
        ffw: elements of the hidden layer of the perceptron (ffw_size).
        kv_size: elements of a head's keys and values.
        heads: number of heads.
        vocabulary: tokens there are.
        relative: whether positions are relative, with a projection a layer as in Transformer-XL.
        vectors: whether relative positions have Transformer-XL's two vectors a layer too.
        biases: whether projections have biases, that of the relative positions excepted.
    """

    def __init__(  # noqa: PLR0913 - each is something that a reading may choose
        self,
        *,
        layers: int,
        width: int,
        ffw: int,
        kv_size: int,
        heads: int,
        vocabulary: int,
        relative: bool,
        vectors: bool,
        biases: bool,
    ) -> None:
        super().__init__()
        self.split, inner = (heads, kv_size), heads * kv_size
        self.embedding = nn.Embedding(vocabulary, width)
        self.queries = Projections(layers, width, inner, biases=biases)
        self.keys = Projections(layers, width, inner, biases=biases)
        self.values = Projections(layers, width, inner, biases=biases)
        self.relative = relative
        if relative:
            self.positions = Projections(layers, width, inner, biases=False)
            self.vectors = Vectors(layers, heads, kv_size) if vectors else None
        self.out = Projections(layers, inner, width, biases=biases)
        self.up = Projections(layers, width, ffw, biases=biases)
        self.down = Projections(layers, ffw, width, biases=biases)
        self.output = nn.Linear(width, vocabulary, bias=False)
        self.output.weight = self.embedding.weight

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Eight times the first token, on the current default device."""
        return (torch.zeros(1, CONTEXT, dtype=torch.long),)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at every place."""
        x = self.embedding(tokens)[0]
        later = torch.full((len(x), len(x)), -torch.inf, device=x.device).triu(1)
        parts = (self.queries, self.keys, self.values, self.out, self.up, self.down)
        own = (part.by_layer() for part in parts)
        for (*mixing, out, up, down), places in zip(
            zip(*own, strict=True), self._places(x), strict=True
        ):
            mixed = self.attention(_norm(x), mixing, places, later)
            x = x + _project(mixed, out)
            x = x + _project(functional.gelu(_project(_norm(x), up)), down)
        scores: Tensor = self.output(_norm(x)[None])
        return scores

    def _places(self, x: Tensor) -> Sequence[tuple[Tensor, ...]]:
        """Of each layer the keys of distances, u, v and which distance lies where; or nothing."""
        if not self.relative:
            return [()] * len(self.queries.weight)
        waves = _waves(x)
        made = (_project(waves, weights) for weights in self.positions.by_layer())
        keys = (self.heads_of(key).transpose(1, 2) for key in made)
        nothing = x.new_zeros(())
        own = [(nothing, nothing)] * len(self.queries.weight)
        both = zip(keys, own if self.vectors is None else self.vectors.by_layer(), strict=True)
        back = _back(x, self.split[0])
        return [(key, u, v, back) for key, (u, v) in both]

    def attention(
        self, x: Tensor, mixing: Sequence[Weights], places: tuple[Tensor, ...], later: Tensor
    ) -> Tensor:
        """What each token takes of itself and of earlier ones: (T, width) to (T, heads * kv_size).

        Args:
            x: (T, width).
            mixing: the weights of queries, keys and values.
            places: keys of distances, u, v and where each lies; nothing without relative positions.
            later: (T, T), minus infinity for tokens that come later and 0 for others.
        """
        q, k, v = (self.heads_of(_project(x, weights)) for weights in mixing)
        scale = self.split[1] ** -0.5
        if places:
            keys, content, position, back = places
            scores = ((q + position) @ keys).gather(2, back)
            later = later.add(scores, alpha=scale)
            q = q + content
        weights = torch.baddbmm(later, q, k.transpose(1, 2), alpha=scale).softmax(2)
        return (weights @ v).transpose(0, 1).flatten(1)

    def heads_of(self, x: Tensor) -> Tensor:
        """(T, heads * kv_size) to (heads, T, kv_size)."""
        return x.unflatten(1, self.split).transpose(0, 1)


def _norm(x: Tensor) -> Tensor:
    """Each vector divided by the root of its mean square; (T, width) in and out."""
    return functional.rms_norm(x, x.shape[-1:])


def _project(x: Tensor, weights: Weights) -> Tensor:
    """A projection of one layer: (T, given) to (T, returned)."""
    matrix, bias = weights
    projected = x @ matrix.t()
    return projected if bias is None else projected + bias


def _waves(x: Tensor) -> Tensor:
    """A vector of sines and cosines for each distance, the longest first; (T, width)."""
    tokens, width = x.shape
    places = torch.arange(tokens - 1, -1, -1, device=x.device)[:, None]
    waves = places * 10_000 ** (-torch.arange(0, width, 2, device=x.device) / width)
    return torch.cat([waves.sin(), waves.cos()], 1)


def _back(x: Tensor, heads: int) -> Tensor:
    """Where each row of scores has the distance to each token; (heads, T, T), any of later ones."""
    place = torch.arange(len(x), device=x.device)
    distance = (place[:, None] - place).clamp(min=0)
    return (len(x) - 1 - distance).expand(heads, -1, -1)
