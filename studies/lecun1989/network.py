"""The zip-code network of 1989, with what its counts depend on as constructor arguments.

Layers have the paper's names in lower case. A map's kernel is one convolution; biases belong to
single units, as the paper says, unless a reading shares them.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

MAPS = 12
SEEN = 8
"""Maps of H1 that each map of H2 sees; which ones the paper leaves open, and no count asks."""


class Biases(nn.Module):
    """A bias for every unit of a layer, or one for every map, added to what goes in."""

    connections_per_output = 1

    def __init__(self, side: int, *, shared: bool) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(MAPS, *((1, 1) if shared else (side, side))))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 12, side, side) in and out."""
        return x + self.bias


class Kernels(nn.Module):
    """Twelve maps of 5x5 kernels every two pixels, each over some of the maps below.

    Args:
        inputs: maps below.
        seen: how many of them each map sees.
    """

    def __init__(self, inputs: int, seen: int) -> None:
        super().__init__()
        self.chosen = [sorted((start + i) % inputs for i in range(seen)) for start in range(MAPS)]
        self.maps = nn.ModuleList(
            nn.Conv2d(seen, 1, 5, stride=2, padding=2, bias=False) for _ in range(MAPS)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, side, side) in, (N, 12, side / 2, side / 2) out."""
        pairs = zip(self.maps, self.chosen, strict=True)
        return torch.cat([kernel(x[:, chosen]) for kernel, chosen in pairs], 1)


class ZipCodes(nn.Module):
    """The network of section 3 under one reading.

    Input (N, 1, 16, 16), output (N, 10).

    Args:
        biases: "units" for one a unit in H1 and H2, "maps" for one a map.
        h2: the maps of H1 that a map of H2 sees, "eight" or "all".
    """

    def __init__(self, *, biases: Literal["units", "maps"], h2: Literal["eight", "all"]) -> None:
        super().__init__()
        shared = biases == "maps"
        self.h1_kernels = Kernels(1, 1)
        self.h1_biases = Biases(8, shared=shared)
        self.h2_kernels = Kernels(MAPS, SEEN if h2 == "eight" else MAPS)
        self.h2_biases = Biases(4, shared=shared)
        self.h3 = nn.Linear(MAPS * 4 * 4, 30)
        self.output = nn.Linear(30, 10)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 1, 16, 16),)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of the ten digits."""
        x = torch.tanh(self.h1_biases(self.h1_kernels(images)))
        x = torch.tanh(self.h2_biases(self.h2_kernels(x)))
        return torch.tanh(self.output(torch.tanh(self.h3(x.flatten(1)))))
