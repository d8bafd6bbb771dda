"""Small networks that public questions are about, as their papers describe them."""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn


def lenet_300_100() -> nn.Module:
    """The fully connected network of "Deep Compression" (Han et al., 2016), for 28 x 28 digits."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(),
        nn.Linear(100, 10),
    )  # fmt: skip


def lenet_5_of_caffe() -> nn.Module:
    """The LeNet that comes with Caffe, with 20 and 50 maps."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def resnet_50_of_the_paper() -> nn.Module:
    """ResNet-50 that strides in the first convolution of a block, as He et al. (2016) have it."""
    models: Any = importlib.import_module("torchvision.models")
    network: nn.Module = models.resnet50()
    for block in network.modules():
        if type(block).__name__ == "Bottleneck":
            first, second = block.get_submodule("conv1"), block.get_submodule("conv2")
            first.stride, second.stride = second.stride, first.stride
    return network
