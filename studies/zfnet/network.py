"""The network of Zeiler and Fergus, with what Figure 3 leaves open as constructor arguments.

Fixed here is what the figure states: kernels of 7, 5, 3, 3 and 3 pixels, strides of 2 in the first
two layers, 96, 256, 384, 384 and 256 maps, max pooling of 3 pixels every 2, and 4096 units twice.
The maps of layers 3 to 5 keep their size, so their padding is 1.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from reconcile.layers import Conv2d, MaxPool2d, Rule

HIDDEN = 4096
CLASSES = 1000


class ZFNet(nn.Module):
    """The network of the paper under one reading.

    Input (N, 3, 224, 224), output (N, 1000).

    Args:
        conv1_padding: zeros on each side of layer 1's input, in pixels.
        conv2_padding: the same for layer 2.
        pool_padding: the same for the pooling after layers 1 and 2.
        conv_rule: how a convolution treats windows that do not fit, "floor" or "ceil".
        pool_rule: the same for pooling.
    """

    def __init__(
        self,
        *,
        conv1_padding: int,
        conv2_padding: int,
        pool_padding: int,
        conv_rule: Rule,
        pool_rule: Rule,
    ) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, 96, 7, stride=2, padding=conv1_padding, rule=conv_rule)
        self.relu1 = nn.ReLU()
        self.pool1 = MaxPool2d(3, stride=2, padding=pool_padding, rule=pool_rule)
        # "Contrast normalized across feature maps"; its constants are those of AlexNet.
        self.norm1 = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.conv2 = Conv2d(96, 256, 5, stride=2, padding=conv2_padding, rule=conv_rule)
        self.relu2 = nn.ReLU()
        self.pool2 = MaxPool2d(3, stride=2, padding=pool_padding, rule=pool_rule)
        self.norm2 = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.conv3 = Conv2d(256, 384, 3, padding=1, rule=conv_rule)
        self.relu3 = nn.ReLU()
        self.conv4 = Conv2d(384, 384, 3, padding=1, rule=conv_rule)
        self.relu4 = nn.ReLU()
        self.conv5 = Conv2d(384, 256, 3, padding=1, rule=conv_rule)
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
        state = {name: value.to("meta") for name, value in self.state_dict().items()}
        image = torch.empty(1, 3, 224, 224, device="meta")
        return cast("Tensor", torch.func.functional_call(self, state, (image,))).numel()

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, 224, 224),)

    def forward(self, images: Tensor) -> Tensor:
        """Run the layers in the order in which they were built."""
        x = images
        for name, layer in self.named_children():
            x = layer(x.flatten(1) if name == "fc6" else x)
        return x
