"""What people run to see how large a network is: torch, the network, torchinfo's summary."""

from __future__ import annotations

import sys

import torchinfo

sys.path.insert(0, "studies/resnet")

from network import ResNet

network = ResNet(depth=50, shortcut="projection", stride_at="3x3")
print(torchinfo.summary(network, input_size=(1, 3, 224, 224), verbose=0))
