"""AlexNet, with every choice that the paper leaves open as a constructor argument.

Fixed here is what the paper states: kernels of 11, 5, 3, 3 and 3 pixels, a stride of 4 in conv1,
max pooling of 3 pixels every 2, and layers of 4096, 4096 and 1000 units. The paper does not state
the padding of conv2 to conv5; the maps of 27 and 13 in Figure 2 follow only if these layers keep
the size of their input, so they do.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from reconcile.layers import Conv2d, MaxPool2d, Rule

HIDDEN = 4096
CLASSES = 1000


class TowerNorm(nn.LocalResponseNorm):
    """Response normalisation across the maps of one tower (section 3.3).

    Input and output (N, C, H, W); the C channels are ``towers`` equal shares, one on each GPU.
    """

    def __init__(self, towers: int) -> None:
        # PyTorch divides alpha by the size of the neighbourhood; the paper's sum does not.
        super().__init__(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.towers = towers

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each tower by itself."""
        split = maps.reshape(len(maps) * self.towers, -1, *maps.shape[2:])
        return super().forward(split).reshape(maps.shape)


class AlexNet(nn.Module):
    """The network of the paper under one reading.

    Input (N, 3, input_size, input_size), output (N, 1000).

    Args:
        input_size: side of the square input image, in pixels.
        conv1_padding: zeros around conv1's input, (left and top, right and bottom), in pixels.
        conv_rule: how a convolution treats windows that do not fit, "floor" or "ceil".
        pool_rule: the same for pooling.
        kernels: number of kernels in conv1 to conv5.
        towers: parts that conv2, conv4, conv5 and the normalisation are split into (the GPUs).
        response_normalization: whether conv1 and conv2 are followed by response normalisation.
    """

    def __init__(
        self,
        *,
        input_size: int,
        conv1_padding: list[int],
        conv_rule: Rule,
        pool_rule: Rule,
        kernels: list[int],
        towers: int,
        response_normalization: bool,
    ) -> None:
        super().__init__()
        self.image_shape = (3, input_size, input_size)
        k1, k2, k3, k4, k5 = kernels
        self.conv1 = Conv2d(3, k1, 11, stride=4, padding=conv1_padding, rule=conv_rule)
        self.relu1 = nn.ReLU()
        if response_normalization:
            self.norm1 = TowerNorm(towers)
        self.pool1 = MaxPool2d(3, stride=2, rule=pool_rule)
        self.conv2 = Conv2d(k1, k2, 5, padding=2, rule=conv_rule, groups=towers)
        self.relu2 = nn.ReLU()
        if response_normalization:
            self.norm2 = TowerNorm(towers)
        self.pool2 = MaxPool2d(3, stride=2, rule=pool_rule)
        self.conv3 = Conv2d(k2, k3, 3, padding=1, rule=conv_rule)
        self.relu3 = nn.ReLU()
        self.conv4 = Conv2d(k3, k4, 3, padding=1, rule=conv_rule, groups=towers)
        self.relu4 = nn.ReLU()
        self.conv5 = Conv2d(k4, k5, 3, padding=1, rule=conv_rule, groups=towers)
        self.relu5 = nn.ReLU()
        self.pool5 = MaxPool2d(3, stride=2, rule=pool_rule)
        self.fc6 = nn.Linear(self._reached(), HIDDEN)
        self.relu6 = nn.ReLU()
        self.dropout6 = nn.Dropout(0.5)
        self.fc7 = nn.Linear(HIDDEN, HIDDEN)
        self.relu7 = nn.ReLU()
        self.dropout7 = nn.Dropout(0.5)
        self.fc8 = nn.Linear(HIDDEN, CLASSES)

    def _reached(self) -> int:
        """Units that the layers built so far hand on, found by running them on the meta device."""
        image = torch.empty(1, *self.image_shape, device="meta")
        if self.conv1.weight.is_meta:
            return cast("Tensor", self(image)).numel()
        state = {name: value.to("meta") for name, value in self.state_dict().items()}
        return cast("Tensor", torch.func.functional_call(self, state, (image,))).numel()

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, *self.image_shape),)

    def forward(self, images: Tensor) -> Tensor:
        """Run the layers in the order in which they were built."""
        x = images
        for name, layer in self.named_children():
            x = layer(x.flatten(1) if name == "fc6" else x)
        return x
