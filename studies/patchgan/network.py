"""Discriminators that judge patches: 4x4 convolutions, the last of them with a stride of 1.

Four networks of other papers that print receptive fields stand beside them, as controls.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 256
# Kernel, stride and maps of convolutions that keep the size (with groups where there are some), and
# kernel and stride of pooling.
ALEXNET = ["conv 11 4 96", "pool 3 2", "conv 5 1 256 2", "pool 3 2", "conv 3 1 384"]
ALEXNET += ["conv 3 1 384 2", "conv 3 1 256 2"]
ZFNET = ["conv 7 2 96", "pool 3 2", "conv 5 2 256", "pool 3 2", "conv 3 1 384", "conv 3 1 384"]
ZFNET += ["conv 3 1 256"]
VGG16 = [*["conv 3 1 64"] * 2, "pool 2 2", *["conv 3 1 128"] * 2, "pool 2 2"]
VGG16 += [*["conv 3 1 256"] * 3, "pool 2 2", *["conv 3 1 512"] * 3, "pool 2 2"]
VGG16 += ["conv 3 1 512"] * 3
BACKBONES = {
    "fcn-alexnet": ([*ALEXNET, "pool 3 2", "full 6 1 4096", "full 1 1 4096"], 21),
    "fcn-vgg16": ([*VGG16, "pool 2 2", "full 7 1 4096", "full 1 1 4096"], 21),
    "rpn-zf": ([*ZFNET, "conv 3 1 256"], 54),
    "rpn-vgg16": ([*VGG16, "conv 3 1 512"], 54),
}
"""Layers of the controls, and the maps of scores that follow by a 1x1 convolution: of 21 classes,
or two scores and four sides for each of nine boxes."""


def layer_of(told: str, inputs: int) -> tuple[nn.Module, int]:
    """A layer of a backbone, and how many maps it gives; "full" is one without padding."""
    kind, *numbers = told.split()
    kernel, stride, *rest = map(int, numbers)
    if kind == "pool":
        return nn.MaxPool2d(kernel, stride), inputs
    maps, groups = (*rest, 1)[:2]
    pad = kernel // 2 if kind == "conv" else 0
    return nn.Conv2d(inputs, maps, kernel, stride, padding=pad, groups=groups), maps


class PatchGAN(nn.Module):
    """One discriminator under one reading of its listing, or a control.

    Input (N, channels, 256, 256), output a map of one score for each patch; of a control more.

    Args:
        maps: of its convolutions in turn, as listed (C64-C128-...); one to a single map follows.
        kernel: side of all kernels, 4 or 1.
        strides: "last-is-1" gives the last listed convolution a stride of 1, as the authors'
            program does; "all-2" gives all of them 2, as the text says.
        halved: whether the image is first halved by averages of 3x3.
        channels: of the image, or of the images that are judged together.
        backbone: of a control, whose layers do not depend on the other arguments.
    """

    def __init__(
        self,
        *,
        maps: list[int],
        kernel: int,
        strides: Literal["last-is-1", "all-2"],
        halved: bool,
        channels: int,
        backbone: str | None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.halve = nn.AvgPool2d(3, 2, padding=1) if halved else nn.Identity()
        if backbone is not None:
            self._control(*BACKBONES[backbone])
            return
        pad = 1 if kernel > 1 else 0
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        inputs = channels
        for number, out in enumerate(maps, start=1):
            stride = 1 if kernel == 1 or (strides == "last-is-1" and number == len(maps)) else 2
            layers[f"c{number}"] = nn.Conv2d(inputs, out, kernel, stride, padding=pad)
            inputs = out
        self.listed = nn.Sequential(layers)
        self.scores = nn.Conv2d(inputs, 1, kernel, padding=pad)

    def _control(self, listed: list[str], scores: int) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        maps = self.channels
        for number, told in enumerate(listed, start=1):
            layers[f"{told.split()[0]}{number}"], maps = layer_of(told, maps)
        self.listed = nn.Sequential(layers)
        self.scores = nn.Conv2d(maps, scores, 1)

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
