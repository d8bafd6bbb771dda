"""Which input pixels can influence the first convolution, by gradient.

The layer is copied, its weights are set to one, and what it returns is differentiated with respect
to its input: a pixel with a zero gradient is never seen. The network itself stays as it is. Kernels
of ones are all alike, so the copy has one of them (one a group).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

EDGE_WINDOWS = 3
"""Windows recorded at each end of a row; those between differ only by the stride."""


@dataclass(frozen=True)
class SeenWindow:
    """The input columns that one output position of the middle row sees.

    Attributes:
        index: position of the window in its row, from 0.
        first: first input column with an influence.
        last: last input column with an influence.
        size: width of the kernel, in columns.
        zeros: columns of the kernel that lie outside the image.
    """

    index: int
    first: int
    last: int
    size: int
    zeros: int


@dataclass(frozen=True)
class Coverage:
    """How much of the input the first convolution sees, in pixels (height x width)."""

    height: int
    width: int
    seen: int
    windows_in_row: int
    windows: tuple[SeenWindow, ...]


def cover(layer: nn.Conv2d, input_shape: tuple[int, ...], device: torch.device) -> Coverage:
    """Measure the coverage of a convolution's input.

    Args:
        layer: the first convolution.
        input_shape: (1, channels, height, width) of what it is given.
        device: where to run.
    """
    probe = _ones(layer, device)
    images = torch.ones(input_shape, device=device, requires_grad=True)
    with torch.enable_grad():
        output = probe(images).sum(dim=1)[0]
        (gradient,) = torch.autograd.grad(output.sum(), images, retain_graph=True)
        windows = _edge_windows(output, images, layer)
    seen = int((gradient[0].abs().amax(dim=0) > 0).sum())
    return Coverage(input_shape[2], input_shape[3], seen, output.shape[1], windows)


def _ones(layer: nn.Conv2d, device: torch.device) -> nn.Conv2d:
    probe = copy.deepcopy(layer).to_empty(device=device).requires_grad_(False)
    probe.out_channels = probe.groups
    for parameter in probe.parameters():
        parameter.data = parameter.data[: probe.groups]
        parameter.fill_(1.0)
    return probe


def _edge_windows(output: Tensor, images: Tensor, layer: nn.Conv2d) -> tuple[SeenWindow, ...]:
    height, width = output.shape
    edges = sorted({*range(min(EDGE_WINDOWS, width)), *range(max(width - EDGE_WINDOWS, 0), width)})
    # The dilated extent of the kernel is what it spans in the image.
    size = (layer.kernel_size[1] - 1) * layer.dilation[1] + 1
    return tuple(_window(output[height // 2, index], images, index, size) for index in edges)


def _window(neuron: Tensor, images: Tensor, index: int, size: int) -> SeenWindow:
    (gradient,) = torch.autograd.grad(neuron, images, retain_graph=True)
    columns = torch.nonzero(gradient[0].abs().amax(dim=(0, 1))).flatten().tolist()
    if not columns:
        return SeenWindow(index, -1, -1, size, size)
    first, last = columns[0], columns[-1]
    return SeenWindow(index, first, last, size, size - (last - first + 1))
