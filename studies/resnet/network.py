"""Residual networks of 18 to 152 layers, with what Table 1 leaves open as constructor arguments."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
BOTTLENECK_FROM = 50
EXPANSION = 4

Shortcut = Literal["identity", "projection", "all-projections"]


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size but for its stride, without a bias."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Pad(nn.Module):
    """Option A: take every ``stride``-th pixel and fill the new maps with zeros."""

    def __init__(self, maps: int, stride: int) -> None:
        super().__init__()
        self.maps, self.stride = maps, stride

    def forward(self, x: Tensor) -> Tensor:
        """Subsample, then append maps of zeros."""
        kept = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.maps - kept.shape[1]))


class Block(nn.Module):
    """A residual block: a stack of convolutions, added to its own input.

    Args:
        inputs: maps of the input.
        maps: maps of the inner convolutions.
        stride: of the block.
        bottleneck: 1x1, 3x3, 1x1 convolutions in place of two of 3x3.
        stride_at: which of the bottleneck's first two convolutions has the stride.
        shortcut: what the block's input passes on its way to the sum.
    """

    def __init__(
        self,
        inputs: int,
        maps: int,
        stride: int,
        *,
        bottleneck: bool,
        stride_at: Literal["1x1", "3x3"],
        shortcut: Shortcut,
    ) -> None:
        super().__init__()
        outputs = maps * EXPANSION if bottleneck else maps
        first = stride if not bottleneck or stride_at == "1x1" else 1
        self.conv1 = convolution(inputs, maps, 1 if bottleneck else 3, first)
        self.bn1 = nn.BatchNorm2d(maps)
        self.relu1 = nn.ReLU()
        self.conv2 = convolution(maps, maps, 3, stride // first)
        self.bn2 = nn.BatchNorm2d(maps)
        if bottleneck:
            self.relu2 = nn.ReLU()
            self.conv3 = convolution(maps, outputs, 1)
            self.bn3 = nn.BatchNorm2d(outputs)
        changes = stride > 1 or inputs != outputs
        if shortcut == "all-projections" or (changes and shortcut == "projection"):
            self.shortcut: nn.Module = nn.Sequential(
                convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )
        else:
            self.shortcut = Pad(outputs, stride) if changes else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """The stack plus the shortcut, rectified."""
        y = x
        for name, layer in self.named_children():
            if name not in ("shortcut", "relu"):
                y = layer(y)
        out: Tensor = self.relu(y + self.shortcut(x))
        return out


class ResNet(nn.Module):
    """The network of the paper under one reading.

    Input (N, 3, 224, 224), output (N, 1000).

    Args:
        depth: 18, 34, 50, 101 or 152.
        shortcut: "identity" (option A: zeros for new maps), "projection" (option B: 1x1
            convolutions where the size changes) or "all-projections" (option C).
        stride_at: the convolution of a bottleneck that has the stride, "1x1" or "3x3".
    """

    def __init__(self, *, depth: int, shortcut: Shortcut, stride_at: Literal["1x1", "3x3"]) -> None:
        super().__init__()
        bottleneck = depth >= BOTTLENECK_FROM
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        inputs = 64
        for stage, count in enumerate(BLOCKS[depth]):
            maps = 64 * 2**stage
            blocks = nn.Sequential()
            for number in range(count):
                stride = 2 if stage and not number else 1
                blocks.append(
                    Block(
                        inputs,
                        maps,
                        stride,
                        bottleneck=bottleneck,
                        stride_at=stride_at,
                        shortcut=shortcut,
                    )
                )
                inputs = maps * EXPANSION if bottleneck else maps
            self.add_module(f"conv{stage + 2}_x", blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, 1000)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, 224, 224),)

    def forward(self, images: Tensor) -> Tensor:
        """Run the stages in the order in which they were built."""
        x = images
        for name, layer in self.named_children():
            x = layer(x.flatten(1) if name == "fc" else x)
        return x
