"""The Transformer of Table 3, with one embedding for source, target and output."""

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Projections of queries, keys, values and output, and the products between them."""

    def __init__(self, d: int, h: int, dk: int, dv: int, *, biases: bool) -> None:
        super().__init__()
        self.h, self.dk = h, dk
        self.q = nn.Linear(d, h * dk, bias=biases)
        self.k = nn.Linear(d, h * dk, bias=biases)
        self.v = nn.Linear(d, h * dv, bias=biases)
        self.o = nn.Linear(h * dv, d, bias=biases)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """(N, T, d) in and out; what `other` says is mixed."""
        q, k, v = (
            layer(of).unflatten(-1, (self.h, -1)).transpose(1, 2)
            for layer, of in ((self.q, x), (self.k, other), (self.v, other))
        )
        mixed = (q @ k.transpose(-1, -2) / self.dk**0.5).softmax(-1) @ v
        out: Tensor = self.o(mixed.transpose(1, 2).flatten(2))
        return out


class Layer(nn.Module):
    """Attentions and a perceptron, each added to its input and normalised."""

    def __init__(
        self, d: int, ff: int, h: int, dk: int, dv: int, attentions: int, *, biases: bool
    ) -> None:
        super().__init__()
        own = [Attention(d, h, dk, dv, biases=biases) for _ in range(attentions)]
        self.attentions = nn.ModuleList(own)
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(attentions + 1))
        self.ff = nn.Sequential(nn.Linear(d, ff), nn.ReLU(), nn.Linear(ff, d))

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """(N, T, d) in and out; a second attention reads the memory."""
        for i, attention in enumerate(self.attentions):
            x = self.norms[i](x + attention(x, memory if i else x))
        out: Tensor = self.norms[-1](x + self.ff(x))
        return out


class Transformer(nn.Module):
    """Encoder and decoder of n layers."""

    def __init__(
        self, *, n: int, d: int, ff: int, h: int, dk: int, dv: int, tokens: int, biases: bool
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, d)
        self.encoder = nn.ModuleList(Layer(d, ff, h, dk, dv, 1, biases=biases) for _ in range(n))
        self.decoder = nn.ModuleList(Layer(d, ff, h, dk, dv, 2, biases=biases) for _ in range(n))

    def example_inputs(self) -> tuple[Tensor, Tensor]:
        """Three tokens of a source and two of a target."""
        return torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 2, dtype=torch.long)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores of the next tokens."""
        memory, x = self.embed(source), self.embed(target)
        for layer in self.encoder:
            memory = layer(memory, memory)
        for layer in self.decoder:
            x = layer(x, memory)
        return x @ self.embed.weight.T
