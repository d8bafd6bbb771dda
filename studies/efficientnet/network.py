"""EfficientNet-B0 to B7, with the strides that the paper's Table 1 printed in two versions.

Stages carry the numbers of the rows of Table 1. Activations and the products of the squeezed maps
have no count and are functions.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Strides = Literal["first", "later"]
STRIDES = {"first": (1, 2, 2, 1, 2, 2, 1), "later": (1, 2, 2, 2, 1, 2, 1)}
"""Strides of stages 2 to 8 by the resolutions of the first version and of later ones."""
# Expansion, kernel, maps and layers of stages 2 to 8 of Table 1.
STAGES = [(1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3)]
STAGES += [(6, 5, 112, 3), (6, 5, 192, 4), (6, 3, 320, 1)]


class Unit(nn.Module):
    """A convolution without a bias, its normalisation and, but for the last of a block, swish."""

    def __init__(
        self, inputs: int, maps: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> None:
        super().__init__()
        pad = kernel // 2
        self.conv = nn.Conv2d(inputs, maps, kernel, stride, pad, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(maps, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; (N, maps, H / stride, W / stride) out, rounded up."""
        out: Tensor = self.norm(self.conv(x))
        return out


class Squeeze(nn.Module):
    """What each map is multiplied with, found from the averages of all (squeeze and excitation)."""

    def __init__(self, maps: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(maps, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, maps, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, maps, H, W) in and out."""
        averages = functional.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.expand(functional.silu(self.reduce(averages))))


class Block(nn.Module):
    """MBConv: expand, filter, squeeze, project; added to its input where the size is kept."""

    def __init__(self, inputs: int, maps: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.adds = stride == 1 and inputs == maps
        self.expand = Unit(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = Unit(inner, inner, kernel, stride, groups=inner)
        self.squeeze = Squeeze(inner, inputs // 4)
        self.project = Unit(inner, maps, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; (N, maps, H / stride, W / stride) out."""
        y = x if self.expand is None else functional.silu(self.expand(x))
        y = self.squeeze(functional.silu(self.depthwise(y)))
        out: Tensor = self.project(y)
        return x + out if self.adds else out


def divisible(maps: float) -> int:
    """The nearest multiple of 8, at least nine tenths of ``maps`` (the authors' program)."""
    found = max(8, int(maps + 4) // 8 * 8)
    return found + 8 if found < 0.9 * maps else found


class EfficientNet(nn.Module):
    """One of the networks of the paper under one reading.

    Input (N, 3, size, size), output (N, 1000).

    Args:
        width: multiplier of all maps (w).
        depth: multiplier of the layers of a stage, rounded up (d).
        size: side of the image, pixels.
        strides: by the resolutions of the first version of Table 1, or of later ones.
    """

    def __init__(self, *, width: float, depth: float, size: int, strides: Strides) -> None:
        super().__init__()
        self.size = size
        inputs = divisible(32 * width)
        self.stage1 = Unit(3, inputs, 3, 2)
        self.blocks = nn.Sequential()
        rows = zip(STAGES, STRIDES[strides], strict=True)
        for number, ((expansion, kernel, maps, layers), stride) in enumerate(rows, start=2):
            for place in range(ceil(layers * depth)):
                out, step = divisible(maps * width), 1 if place else stride
                block = Block(inputs, out, kernel, step, expansion)
                self.blocks.add_module(f"stage{number}-{place + 1}", block)
                inputs = out
        last = divisible(1280 * width)
        self.stage9 = Unit(inputs, last, 1)
        self.fc = nn.Linear(last, 1000)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, self.size, self.size),)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of 1000 classes."""
        x = self.blocks(functional.silu(self.stage1(images)))
        x = functional.silu(self.stage9(x))
        out: Tensor = self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return out
