"""GoogLeNet, with what decides the counts of its Table 1 as constructor arguments.

Modules carry the names of the table's rows. Auxiliary classifiers are discarded at inference and
in no row, so they are not built.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

MULTIPLIER = 8
"""Maps that a separable first convolution makes of each colour (Ioffe and Szegedy, appendix)."""
# Maps of each branch: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection (Table 1).
MODULES: dict[str, tuple[int, int, int, int, int, int] | None] = {
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "pool3": None,
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "pool4": None,
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}


class Concat(nn.Module):
    """The maps of all branches, one after the other."""

    def forward(self, *branches: Tensor) -> Tensor:
        """(N, C_i, H, W) each; (N, sum of C_i, H, W) out."""
        return torch.cat(branches, 1)


class Inception(nn.Module):
    """An Inception module with dimension reductions (Figure 2b).

    Args:
        inputs: maps of the input.
        maps: as in ``MODULES``.
        large: side of the kernel of the branch that the table calls 5x5.
        biases: whether convolutions have biases.
    """

    def __init__(
        self, inputs: int, maps: tuple[int, int, int, int, int, int], *, large: int, biases: bool
    ) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, projection = maps
        self.one = nn.Conv2d(inputs, one, 1, bias=biases)
        self.reduce3 = nn.Conv2d(inputs, reduce3, 1, bias=biases)
        self.three = nn.Conv2d(reduce3, three, 3, padding=1, bias=biases)
        self.reduce5 = nn.Conv2d(inputs, reduce5, 1, bias=biases)
        self.five = nn.Conv2d(reduce5, five, large, padding=large // 2, bias=biases)
        self.pool = nn.MaxPool2d(3, 1, padding=1)
        self.projection = nn.Conv2d(inputs, projection, 1, bias=biases)
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; the maps of all branches out, of the same size."""
        relu = functional.relu
        out: Tensor = self.concat(
            relu(self.one(x)),
            relu(self.three(relu(self.reduce3(x)))),
            relu(self.five(relu(self.reduce5(x)))),
            relu(self.projection(self.pool(x))),
        )
        return out


def first_convolution(kind: Literal["ordinary", "separable"], *, biases: bool) -> nn.Sequential:
    """7x7 with a stride of 2 to 64 maps; a separable one has its biases at the end only."""
    if kind == "ordinary":
        return nn.Sequential(OrderedDict(full=nn.Conv2d(3, 64, 7, 2, padding=3, bias=biases)))
    maps = 3 * MULTIPLIER
    depthwise = nn.Conv2d(3, maps, 7, 2, padding=3, groups=3, bias=False)
    return nn.Sequential(
        OrderedDict(depthwise=depthwise, pointwise=nn.Conv2d(maps, 64, 1, bias=biases))
    )


class GoogLeNet(nn.Module):
    """The network of the paper under one reading.

    Input (N, 3, 224, 224), output (N, 1000).

    Args:
        conv1: the first convolution, "ordinary" or "separable" (7x7 for each colour, then 1x1).
        biases: whether convolutions and the last layer have biases.
        large: side of the kernels in the branch that the table calls 5x5.
        kilo: what the paper's K stands for. Its claims ask for that; the network is the same.
    """

    def __init__(
        self,
        *,
        conv1: Literal["ordinary", "separable"],
        biases: bool,
        large: int,
        kilo: int,
    ) -> None:
        super().__init__()
        self.kilo = kilo
        self.conv1 = first_convolution(conv1, biases=biases)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Sequential(
            OrderedDict(
                reduce=nn.Conv2d(64, 64, 1, bias=biases),
                relu=nn.ReLU(),
                full=nn.Conv2d(64, 192, 3, padding=1, bias=biases),
            )
        )
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        inputs = 192
        for name, maps in MODULES.items():
            if maps is None:
                self.add_module(name, nn.MaxPool2d(3, 2, ceil_mode=True))
            else:
                self.add_module(name, Inception(inputs, maps, large=large, biases=biases))
                inputs = maps[0] + maps[2] + maps[4] + maps[5]
        self.pool5 = nn.AvgPool2d(7, 1)
        self.linear = nn.Linear(inputs, 1000, bias=biases)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, 224, 224),)

    def forward(self, images: Tensor) -> Tensor:
        """Run the rows of the table in their order."""
        x = images
        for name, layer in self.named_children():
            x = layer(x.flatten(1) if name == "linear" else x)
        return x
