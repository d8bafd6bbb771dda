"""What layers see of the input: the field of every one, and what the first convolution misses.

Receptive field, effective stride and padding follow from the boxes that a run on the meta device
carries (``boxes``). Which pixels can influence the first convolution is found by gradient: the
layer is copied, its weights are set to one, and what it returns is differentiated with respect to
its input: a pixel with a zero gradient is never seen. The network itself stays as it is. Kernels of
ones are all alike, so the copy has one of them (one a group).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from reconcile.measure.boxes import EVERYTHING, NOTHING, Boxes, Tracker
from reconcile.measure.building import called
from reconcile.measure.counting import Row, first_tensor, hooked, layer_names, uncompiled
from reconcile.measure.kinds import MAPS, TOKENS
from reconcile.measure.recall import Execute, execute
from reconcile.measure.weights import PARAMETRIZATIONS


@dataclass(frozen=True)
class Field:
    """What the outputs of a layer see along one axis of the input.

    Attributes:
        size: positions that one output sees, were the input large enough; None if it sees all.
        stride: input positions from one output to the next; None where there is one output only,
            or where they do not follow each other evenly.
        padding: how far the first output reaches beyond the first position; None if it sees all.
    """

    size: int | None
    stride: int | None = None
    padding: int | None = None


def field_of(boxes: Boxes, whole: int) -> Field | None:
    """The field of a layer from the boxes of its output; None where it sees nothing of the input.

    Outputs whose windows differ (those of a transposed convolution) have the largest, and steps
    that differ have no stride. One that begins and ends where the input does sees all of it.

    Args:
        boxes: of the output.
        whole: size of the input along the axis.
    """
    pair = (boxes.low, boxes.high)
    low, high = (v.flatten() for v in (pair if boxes.constant else torch.broadcast_tensors(*pair)))
    seeing = low > NOTHING
    low, high = low[seeing], high[seeing]
    if not len(low):
        return None
    if bool(((low == EVERYTHING) | ((low == 0) & (high == whole - 1))).any()):
        return Field(None)
    starts = (-low).unique()
    steps = {*starts.diff().tolist()}
    stride = int(steps.pop()) if len(steps) == 1 else None
    return Field(int((low + high).amax()) + 1, stride, -int(starts[0]))


def fields_of(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    dimensions: Sequence[int],
    run: Execute = execute,
) -> dict[nn.Module, tuple[Field | None, ...]]:
    """What the outputs of every layer see along some dimensions of the first input.

    Args:
        model: the network, on the meta device.
        inputs: its inputs there.
        dimensions: of the first input: the axes of its map, or its tokens.
        run: executes an operator, or remembers what it gave.

    Returns:
        A field for each dimension, by module; None where it is not known, or differs from call to
        call. A module that saw nothing of the input is missing.
    """
    tracker = Tracker(run)
    tracker.start(inputs[0], dimensions)
    found: dict[nn.Module, tuple[Field | None, ...]] = {}
    unknown = (None,) * len(dimensions)
    sizes = [inputs[0].shape[d] for d in dimensions]
    last: dict[int, tuple[Boxes, Field | None]] = {}

    def field(axis: int, boxes: Boxes) -> Field | None:
        # A normalisation has the very boxes of the layer before it, a container those of its last.
        if axis not in last or last[axis][0] is not boxes:
            # Whoever looks on at the network need not look on at this.
            with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
                last[axis] = boxes, field_of(boxes, sizes[axis])
        return last[axis][1]

    def after(module: nn.Module, args: Any, output: Any) -> None:
        tensor = first_tensor(output)
        planes = tracker.of(tensor) if tensor is not None else None
        fields = unknown if planes is None else tuple(map(field, count(), planes))
        found[module] = fields if found.get(module, fields) == fields else unknown

    watched = hooked([*model.modules()], lambda module, args: None, after)
    with watched, torch.no_grad(), tracker, uncompiled(), _whole_operators():
        called(model, inputs)
    return found


@contextmanager
def _whole_operators() -> Iterator[None]:
    """Run without deterministic kernels, of which the meta device has none.

    For their sake torch takes operators apart: an interpolation into pixels, picked and weighed.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)


def add_fields(
    model: nn.Module, inputs: tuple[Tensor, ...], rows: Sequence[Row], run: Execute = execute
) -> None:
    """Put into the rows of a network what each layer sees of the axes of its input's map.

    The network and its inputs are on the meta device; the input's row is the first.
    """
    axes = rows[0].axes or ()
    dimensions = [d for d, word in enumerate(axes) if word in _SEEN]
    if several := axes.count(TOKENS) > 1:  # the batch of one may be one of them
        dimensions = [d for d in dimensions if inputs[0].shape[d] > 1]
    if not dimensions or (several and len(dimensions) > 1):
        return
    words = [axes[d] for d in dimensions]
    names = layer_names(model)
    fields = fields_of(model, inputs, dimensions, run)
    found = {names[module]: seen for module, seen in fields.items()}
    for row in rows[1:]:
        if row.layer in found:
            row.fields, row.sees_all = _cells(words, found[row.layer])


_SEEN = (TOKENS, *dict.fromkeys(word for words in MAPS.values() for word in words))


def _cells(
    words: Sequence[str], fields: Sequence[Field | None]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The columns of a layer's row, and the axes of which it sees all.

    A quantity without an axis is what all of them have in common.
    """
    cells: dict[str, int] = {}
    for quantity, part in _PARTS.items():
        values = [getattr(field, part) if field else None for field in fields]
        named = zip(words, values, strict=True) if len(words) > 1 else ()
        cells |= {f"{quantity}_{word}": value for word, value in named if value is not None}
        if values[0] is not None and len(set(values)) == 1:
            cells[quantity] = values[0]
    pairs = zip(words, fields, strict=True)
    return cells, tuple(word for word, field in pairs if field and field.size is None)


_PARTS = {"receptive_field": "size", "effective_stride": "stride", "effective_padding": "padding"}


def carry_fields(measured: Iterable[Mapping[str, Any]], cells: Iterable[dict[str, Any]]) -> None:
    """Take what layers see from the cells of a run on the meta device of the same network."""
    found = {row["layer"]: row for row in measured}
    for row in cells:
        seen = found.get(row["layer"], {})
        columns = ("sees_all", *_PARTS)
        row |= {column: value for column, value in seen.items() if column.startswith(columns)}


# What the first convolution sees.


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
    probe = _with_own_weight(layer).to_empty(device=device).requires_grad_(False)
    probe.out_channels = probe.groups
    for parameter in probe.parameters():
        parameter.data = parameter.data[: probe.groups]
        parameter.fill_(1.0)
    return probe


def _with_own_weight(layer: nn.Conv2d) -> nn.Conv2d:
    """A copy with a weight of its own, where the layer's is made of others."""
    made = {name: getattr(layer, name).detach() for name in getattr(layer, PARAMETRIZATIONS, ())}
    probe = copy.deepcopy(layer)
    if made:
        probe.__class__ = type(layer).__mro__[1]  # the one above is the layer's alone
        del probe._modules[PARAMETRIZATIONS]
    elif "weight" not in layer._parameters:
        made = {"weight": layer.weight.detach(), "bias": layer.bias}
        for kept in (probe._forward_pre_hooks, probe._parameters, probe._buffers):
            kept.clear()
        probe.__dict__.pop("weight", None)
    for name, tensor in made.items():
        probe.register_parameter(name, None if tensor is None else nn.Parameter(tensor))
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
