"""MobileNet and MobileNetV2, with the strides that their tables print twice as arguments.

Blocks carry the numbers of the tables' rows. Rectifiers have no count and are functions.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Kind = Literal["v1", "v1-full", "v1-shallow", "v2"]
Strides = Literal["printed", "corrected"]
# Maps and stride of the separable blocks of Table 1; the last stride is what the table prints.
V1 = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2)]
SHALLOW = [block for block in V1 if block != (512, 1)]
LAST = {"printed": 2, "corrected": 1}
# Expansion, maps, repetitions and stride of the rows of MobileNetV2's Table 2.
V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
V2_END = [(6, 160, 3, 2), (6, 320, 1, 1)]
FIRST_VERSION = {64: 1, 96: 2}
"""The strides that the first version of the paper prints for these maps, as the threads say."""


class Unit(nn.Module):
    """A convolution without a bias and, where they are built, its normalisation."""

    def __init__(
        self,
        inputs: int,
        maps: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        extras: bool,
        rectified: bool = True,
    ) -> None:
        super().__init__()
        self.rectified = rectified
        pad = kernel // 2
        self.conv = nn.Conv2d(inputs, maps, kernel, stride, pad, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(maps) if extras else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; (N, maps, H / stride, W / stride) out, rounded up."""
        x = self.conv(x)
        x = x if self.norm is None else self.norm(x)
        return functional.relu6(x) if self.rectified else x


class Separable(nn.Module):
    """A depthwise 3x3 convolution and a pointwise one."""

    def __init__(self, inputs: int, maps: int, stride: int, *, extras: bool) -> None:
        super().__init__()
        self.depthwise = Unit(inputs, inputs, 3, stride, groups=inputs, extras=extras)
        self.pointwise = Unit(inputs, maps, 1, extras=extras)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; (N, maps, H / stride, W / stride) out."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


class Bottleneck(nn.Module):
    """MobileNetV2's block: expand, filter, project; added to its input where the size is kept."""

    def __init__(
        self, inputs: int, maps: int, stride: int, expansion: int, *, extras: bool
    ) -> None:
        super().__init__()
        inner = inputs * expansion
        self.adds = stride == 1 and inputs == maps
        self.expand = Unit(inputs, inner, 1, extras=extras) if expansion > 1 else nn.Identity()
        self.depthwise = Unit(inner, inner, 3, stride, groups=inner, extras=extras)
        self.project = Unit(inner, maps, 1, extras=extras, rectified=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) in; (N, maps, H / stride, W / stride) out."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


def divisible(maps: float) -> int:
    """The nearest multiple of 8, at least nine tenths of ``maps`` (the authors' program)."""
    found = max(8, int(maps + 4) // 8 * 8)
    return found + 8 if found < 0.9 * maps else found


class MobileNet(nn.Module):
    """One of the networks of the two papers.

    Input (N, 3, size, size), output (N, 1000).

    Args:
        kind: "v1", "v1-full" with ordinary convolutions for separable ones, "v1-shallow" without
            the five blocks of 512 maps, or "v2".
        width: multiplier of all maps.
        size: side of the image.
        strides: as the tables print them, or as the sizes beside them want.
        extras: whether there are normalisations, and a bias in the last layer.
    """

    def __init__(
        self, *, kind: Kind, width: float, size: int, strides: Strides, extras: bool
    ) -> None:
        super().__init__()
        self.size = size
        blocks = self._v2(width, strides, extras) if kind == "v2" else None
        self.blocks = blocks or self._v1(kind, width, strides, extras)
        last = int(1024 * width) if kind != "v2" else max(1280, divisible(1280 * width))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(last, 1000, bias=extras)

    @staticmethod
    def _v1(kind: Kind, width: float, strides: Strides, extras: bool) -> nn.Sequential:
        inputs = int(32 * width)
        layers = nn.Sequential()
        layers.add_module("first", Unit(3, inputs, 3, 2, extras=extras))
        rows = SHALLOW if kind == "v1-shallow" else V1
        for number, (maps, stride) in enumerate([*rows, (1024, LAST[strides])], start=1):
            out = int(maps * width)
            block: nn.Module = Separable(inputs, out, stride, extras=extras)
            if kind == "v1-full":
                block = Unit(inputs, out, 3, stride, extras=extras)
            layers.add_module(f"block{number}", block)
            inputs = out
        return layers

    @staticmethod
    def _v2(width: float, strides: Strides, extras: bool) -> nn.Sequential:
        inputs = divisible(32 * width)
        layers = nn.Sequential()
        layers.add_module("first", Unit(3, inputs, 3, 2, extras=extras))
        for number, (expansion, maps, count, stride) in enumerate([*V2, *V2_END], start=1):
            given = FIRST_VERSION.get(maps, stride) if strides == "printed" else stride
            for place in range(count):
                out, step = divisible(maps * width), 1 if place else given
                block = Bottleneck(inputs, out, step, expansion, extras=extras)
                layers.add_module(f"row{number}-{place + 1}", block)
                inputs = out
        last = max(1280, divisible(1280 * width))
        layers.add_module("last", Unit(inputs, last, 1, extras=extras))
        return layers

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, self.size, self.size),)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of 1000 classes."""
        out: Tensor = self.fc(self.pool(self.blocks(images)).flatten(1))
        return out
