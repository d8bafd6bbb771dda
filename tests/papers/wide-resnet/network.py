"""Wide residual networks for images of 32 pixels, without dropout."""

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions, each after a normalisation; a 1x1 one where the width changes."""

    def __init__(self, inputs: int, maps: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, maps, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(maps)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        changes = inputs != maps
        self.shortcut = nn.Conv2d(inputs, maps, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """The stack plus the shortcut."""
        y = self.bn1(x).relu()
        kept = x if self.shortcut is None else self.shortcut(y)
        out: Tensor = self.conv2(self.bn2(self.conv1(y)).relu()) + kept
        return out


class WideResNet(nn.Module):
    """WRN-depth-width."""

    def __init__(self, *, depth: int, width: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        inputs = 16
        for stage in range(3):
            for place in range((depth - 4) // 6):
                maps = 16 * width * 2**stage
                blocks.append(Block(inputs, maps, 2 if stage and not place else 1))
                inputs = maps
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs, classes)

    def example_inputs(self) -> tuple[Tensor]:
        """One image."""
        return (torch.rand(1, 3, 32, 32),)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 32, 32) in, (N, classes) out."""
        x = self.bn(self.blocks(self.conv(x))).relu()
        scores: Tensor = self.fc(x.mean((2, 3)))
        return scores
