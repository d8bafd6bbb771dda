"""LeNet-5, with what re-implementations do differently as constructor arguments.

Layers have the paper's names in lower case: c1, s2, c3, s4, c5, f6 and the output. A module that
is no convolution and no full connection says with ``connections_per_output`` how many links, the
bias included, lead into each of its outputs.
"""

from __future__ import annotations

from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

# Table I: the maps of S2 that each map of C3 sees, by the number of maps seen.
THREE = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5]]
FOUR = [
    *([0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [0, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 5]),
    *([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5]),
]
UNITS = 84
CLASSES = 10


class Squash(nn.Module):
    """The paper's scaled hyperbolic tangent, A tanh(S a) with A = 1.7159 and S = 2/3."""

    kind = "activation"

    def forward(self, x: Tensor) -> Tensor:
        """Squash every element."""
        return 1.7159 * torch.tanh(x * 2 / 3)


class Subsample(nn.Module):
    """Sum of 2 x 2 neighbours, times a trainable coefficient, plus a trainable bias."""

    kind = "pool"
    connections_per_output = 5

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, maps: Tensor) -> Tensor:
        """Halve height and width."""
        summed = 4 * functional.avg_pool2d(maps, 2)
        return summed * self.coefficient[:, None, None] + self.bias[:, None, None]


class Average(nn.AvgPool2d):
    """Plain average of 2 x 2 neighbours, with nothing to train."""

    connections_per_output = 4

    def __init__(self) -> None:
        super().__init__(2)


class SparseC3(nn.Module):
    """C3 as in Table I: 6 maps that see three maps of S2, 9 that see four, 1 that sees all."""

    def __init__(self) -> None:
        super().__init__()
        # A group of channels for each output map: every kernel holds only the weights it has.
        self.three = nn.Conv2d(18, 6, 5, groups=6)
        self.four = nn.Conv2d(36, 9, 5, groups=9)
        self.six = nn.Conv2d(6, 1, 5)

    def forward(self, maps: Tensor) -> Tensor:
        """The 16 maps of C3."""
        three = self.three(maps[:, list(chain(*THREE))])
        four = self.four(maps[:, list(chain(*FOUR))])
        return torch.cat([three, four, self.six(maps)], dim=1)


class Radial(nn.Module):
    """Euclidean radial basis functions: squared distance to a pattern for each class."""

    connections_per_output = UNITS

    def __init__(self, *, trainable: bool) -> None:
        super().__init__()
        # The paper draws the patterns by hand; which signs they have changes no count.
        patterns = torch.ones(CLASSES, UNITS)
        patterns[:, ::2] = -1
        self.patterns = nn.Parameter(patterns, requires_grad=trainable)

    def forward(self, units: Tensor) -> Tensor:
        """Distances to the patterns of the classes."""
        return (units[:, None, :] - self.patterns).square().sum(dim=2)


class LeNet5(nn.Module):
    """The network of the paper under one reading.

    Input (N, 1, 32, 32), output (N, 10), or (N, 84) without an output layer.

    Args:
        c3: "sparse" as in Table I, or "full": every map of C3 sees every map of S2.
        subsampling: "trainable" as in the paper, or "average" with nothing to train.
        output: "radial" with fixed patterns as in the paper, "radial-trained", "linear", or "none".
    """

    def __init__(
        self,
        *,
        c3: Literal["sparse", "full"],
        subsampling: Literal["trainable", "average"],
        output: Literal["radial", "radial-trained", "linear", "none"],
    ) -> None:
        super().__init__()
        trainable = subsampling == "trainable"
        self.c1 = nn.Conv2d(1, 6, 5)
        self.squash1 = Squash()
        self.s2 = Subsample(6) if trainable else Average()
        self.squash2 = Squash()
        self.c3 = SparseC3() if c3 == "sparse" else nn.Conv2d(6, 16, 5)
        self.squash3 = Squash()
        self.s4 = Subsample(16) if trainable else Average()
        self.squash4 = Squash()
        self.c5 = nn.Conv2d(16, 120, 5)
        self.squash5 = Squash()
        self.f6 = nn.Linear(120, UNITS)
        self.squash6 = Squash()
        if output == "linear":
            self.output: nn.Module = nn.Linear(UNITS, CLASSES)
        elif output != "none":
            self.output = Radial(trainable=output == "radial-trained")

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 1, 32, 32),)

    def forward(self, images: Tensor) -> Tensor:
        """Run the layers in the order in which they were built."""
        x = images
        for name, layer in self.named_children():
            x = layer(x.flatten(1) if name == "f6" else x)
        return x
