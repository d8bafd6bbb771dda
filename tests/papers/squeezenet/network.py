"""SqueezeNet with the side of its image and the rule that rounds sizes as arguments."""

from typing import Any

import torch
from torch import Tensor, nn

from reconcile.layers import Conv2d, MaxPool2d


class Fire(nn.Module):
    """1x1 convolutions that squeeze, then 1x1 and 3x3 ones that expand."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.one = nn.Conv2d(squeeze, expand, 1)
        self.three = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.out = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Both expansions, one after the other."""
        x = self.squeeze(x).relu()
        out: Tensor = self.out(torch.cat([self.one(x), self.three(x)], 1).relu())
        return out


class SqueezeNet(nn.Module):
    """The network of Table 1, modules named as its rows."""

    def __init__(self, *, size: int, rule: Any) -> None:
        super().__init__()
        self.size = size
        self.conv1 = Conv2d(3, 96, 7, stride=2, rule=rule)
        self.maxpool1 = MaxPool2d(3, stride=2, rule=rule)
        self.fire2 = Fire(96, 16, 64)
        self.fire3 = Fire(128, 16, 64)
        self.fire4 = Fire(128, 32, 128)
        self.maxpool4 = MaxPool2d(3, stride=2, rule=rule)
        self.fire5 = Fire(256, 32, 128)
        self.fire6 = Fire(256, 48, 192)
        self.fire7 = Fire(384, 48, 192)
        self.fire8 = Fire(384, 64, 256)
        self.maxpool8 = MaxPool2d(3, stride=2, rule=rule)
        self.fire9 = Fire(512, 64, 256)
        self.conv10 = nn.Conv2d(512, 1000, 1)
        self.avgpool10 = nn.AdaptiveAvgPool2d(1)

    def example_inputs(self) -> tuple[Tensor]:
        """One image."""
        return (torch.rand(1, 3, self.size, self.size),)

    def forward(self, x: Tensor) -> Tensor:
        """All rows in their order."""
        for layer in self.children():
            x = layer(x)
        return x
