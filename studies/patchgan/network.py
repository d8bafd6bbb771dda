"""Discriminators that judge patches: 4x4 convolutions, the last of them with a stride of 1."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 256


class PatchGAN(nn.Module):
    """One discriminator under one reading of its listing.

    Input (N, channels, 256, 256), output a map of one score for each patch.

    Args:
        maps: of its convolutions in turn, as listed (C64-C128-...); one to a single map follows.
        kernel: side of all kernels, 4 or 1.
        strides: "last-is-1" gives the last listed convolution a stride of 1, as the authors'
            program does; "all-2" gives all of them 2, as the text says.
        halved: whether the image is first halved by averages of 3x3.
        channels: of the image, or of the images that are judged together.
    """

    def __init__(
        self,
        *,
        maps: list[int],
        kernel: int,
        strides: Literal["last-is-1", "all-2"],
        halved: bool,
        channels: int,
    ) -> None:
        super().__init__()
        self.channels = channels
        pad = 1 if kernel > 1 else 0
        self.halve = nn.AvgPool2d(3, 2, padding=1) if halved else nn.Identity()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        inputs = channels
        for number, out in enumerate(maps, start=1):
            stride = 1 if kernel == 1 or (strides == "last-is-1" and number == len(maps)) else 2
            layers[f"c{number}"] = nn.Conv2d(inputs, out, kernel, stride, padding=pad)
            inputs = out
        self.listed = nn.Sequential(layers)
        self.scores = nn.Conv2d(inputs, 1, kernel, padding=pad)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image, or pair of them, on the current default device."""
        return (torch.rand(1, self.channels, SIDE, SIDE),)

    def forward(self, images: Tensor) -> Tensor:
        """A score, before the sigmoid, of every patch."""
        x = self.halve(images)
        for layer in self.listed:
            x = functional.leaky_relu(layer(x), 0.2)
        out: Tensor = self.scores(x)
        return out
