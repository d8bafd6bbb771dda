"""The network of PAPER, with what the paper leaves open as constructor arguments."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from reconcile.layers import Conv2d


class Network(nn.Module):
    """One convolution and one fully connected layer.

    Input (N, 1, size, size), output (N, 10). Name layers as the paper does: claims refer to them.

    Args:
        size: side of the image, pixels.
        padding: zeros on each side of the image, pixels.
        rule: how sizes that do not divide are rounded, "floor" or "ceil".
    """

    def __init__(self, *, size: int, padding: int, rule: Literal["floor", "ceil"]) -> None:
        super().__init__()
        self.size = size
        self.conv1 = Conv2d(1, 6, 5, padding=padding, rule=rule)
        self.relu1 = nn.ReLU()
        side = size + 2 * padding - 4
        self.fc = nn.Linear(6 * side * side, 10)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """The inputs of one forward pass, each with a batch of one; values do not matter."""
        return (torch.rand(1, 1, self.size, self.size),)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of ten classes."""
        out: Tensor = self.fc(self.relu1(self.conv1(images)).flatten(1))
        return out
