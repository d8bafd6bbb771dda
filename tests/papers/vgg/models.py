"""VGG's networks A to E as an installed package has them; the tests install it."""

from torch import Tensor, nn

NARROW = {
    "A": (1, 1, 2, 2, 2),
    "B": (2, 2, 2, 2, 2),
    "C": (2, 2, 3, 3, 3),
    "D": (2, 2, 3, 3, 3),
    "E": (2, 2, 4, 4, 4),
}
"""Convolutions of each stage."""


class VGG(nn.Module):
    """Stages of 3x3 convolutions, and three fully connected layers."""

    def __init__(self, configuration: str, num_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        maps = 3
        for stage, count in enumerate(NARROW[configuration]):
            out = min(64 * 2**stage, 512)
            for place in range(count):
                kernel = 1 if configuration == "C" and place == 2 else 3
                layers += [nn.Conv2d(maps, out, kernel, padding=kernel // 2), nn.ReLU()]
                maps = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 224, 224) in, (N, num_classes) out."""
        scores: Tensor = self.classifier(self.features(x).flatten(1))
        return scores


def vgg(configuration: str, num_classes: int = 1000) -> VGG:
    """One of the networks, without weights of any training."""
    return VGG(configuration, num_classes)
