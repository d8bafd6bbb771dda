"""Small networks of the kinds that papers have, for counting."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Shaped:
    """Says what its input is, as the network of a study does."""

    shape: tuple[int, ...]

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random input of the shape."""
        return (torch.rand(1, *self.shape),)


class Lenet(Shaped, nn.Sequential):
    """Convolutions, pooling and fully connected layers in a row."""

    shape = (1, 28, 28)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 84),
            nn.Linear(84, 10),
        )


class Grouped(Shaped, nn.Sequential):
    """Towers, response normalisation and no bias in one layer."""

    shape = (3, 31, 31)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 7, stride=3),
            nn.ReLU(),
            nn.LocalResponseNorm(5),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(8, 12, 3, groups=4, bias=False),
            nn.Flatten(),
            nn.Linear(48, 7),
        )


class Vgg(Shaped, nn.Sequential):
    """Pairs of 3 by 3 convolutions."""

    shape = (3, 16, 16)

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        channels = 3
        for width in (8, 16):
            for _ in range(2):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 5))


class Block(nn.Module):
    """A residual block with batch normalisation."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Conv2d(before, after, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Add what two convolutions found to what came in."""
        found = functional.relu(self.norm1(self.conv1(maps)))
        return functional.relu(self.norm2(self.conv2(found)) + self.shortcut(maps))


class Resnet(Shaped, nn.Sequential):
    """A stem and three residual blocks."""

    shape = (3, 32, 32)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            Block(8, 8, 1),
            Block(8, 16, 2),
            Block(16, 32, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 10),
        )


class Mobilenet(Shaped, nn.Sequential):
    """Depthwise and pointwise convolutions."""

    shape = (3, 24, 24)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.Hardswish(),
            nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False),
            nn.Conv2d(8, 16, 1),
            nn.ReLU6(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, 4),
        )


class Inception(Shaped, nn.Module):
    """Branches that are put side by side."""

    shape = (3, 20, 20)

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 4, 1)
        self.three = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 6, 3, padding=1))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 2, 1))
        self.fc = nn.Linear(12, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Run the branches on the same maps."""
        found = torch.cat([self.one(maps), self.three(maps), self.pool(maps)], dim=1)
        return self.fc(found.mean((2, 3)))


class Densenet(Shaped, nn.Module):
    """Every layer sees the outputs of all before it."""

    shape = (3, 12, 12)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 + 4 * i, 4, 3, padding=1) for i in range(3))
        self.fc = nn.Linear(15, 6)

    def forward(self, maps: Tensor) -> Tensor:
        """Concatenate as the maps come."""
        for layer in self.layers:
            maps = torch.cat([maps, functional.relu(layer(maps))], dim=1)
        return self.fc(maps.mean((2, 3)))


class Autoencoder(Shaped, nn.Sequential):
    """Transposed convolutions."""

    shape = (1, 16, 16)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 4, 3, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 2, 2),
            nn.Sigmoid(),
        )


class Sound(Shaped, nn.Sequential):
    """Convolutions in one dimension."""

    shape = (2, 100)

    def __init__(self) -> None:
        super().__init__(nn.Conv1d(2, 8, 9, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(184, 3))


class Video(Shaped, nn.Sequential):
    """Convolutions in three dimensions, dilated."""

    shape = (1, 6, 10, 10)

    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(1, 3, 3), nn.ReLU(), nn.Conv3d(3, 2, 2, dilation=2), nn.Flatten(),
            nn.Linear(144, 2),
        )  # fmt: skip


class Mixer(Shaped, nn.Module):
    """Fully connected layers over patches and over channels, with layer normalisation."""

    shape = (3, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 10, 2, 2)
        self.norm = nn.LayerNorm(10)
        self.tokens = nn.Linear(16, 16)
        self.channels = nn.Linear(10, 10)
        self.head = nn.Linear(10, 4)

    def forward(self, images: Tensor) -> Tensor:
        """Mix patches, then channels."""
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(functional.gelu(x))
        return self.head(x.mean(1))


class Squeeze(Shaped, nn.Module):
    """A channel's weight is computed from the maps themselves."""

    shape = (4, 9, 9)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3)
        self.down = nn.Linear(6, 2)
        self.up = nn.Linear(2, 6, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Scale every channel."""
        maps = self.conv(maps)
        gate = torch.sigmoid(self.up(functional.relu(self.down(maps.mean((2, 3))))))
        return maps * gate[:, :, None, None]


NETWORKS: list[type[nn.Module]] = [
    Lenet, Grouped, Vgg, Resnet, Mobilenet, Inception, Densenet, Autoencoder, Sound, Video,
    Mixer, Squeeze,
]  # fmt: skip
"""Twelve networks; the shape of an input without the batch is the attribute ``shape``."""
