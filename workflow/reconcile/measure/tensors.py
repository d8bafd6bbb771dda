"""What each tensor of a network is for: which parts it belongs to, whether it is trained and used.

Papers count with or without parts: embeddings, biases, the classifier, the statistics of a batch
normalisation. A part is found from what a layer is and does where that tells it (its kind, the
order in which layers ran, the sides of a weight, what was read); positions, learned tokens,
shortcuts and auxiliary heads are known by their names besides, as the usual networks call them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from reconcile.measure.counting import Row, elements_of, layer_names
from reconcile.measure.weights import holders
from reconcile.tables.contract import BUFFER, FROZEN, TRAINABLE

_POSITION = re.compile(r"(?:^|[._])(?:wpe|pos(?:ition(?:s|al)?)?|rel(?:ative)?_pos\w*)(?![a-z])")
_TOKEN = re.compile(r"(?:^|[._])(?:\w+_)?tokens?$|(?:^|[._])class_embedding$")
_SHORTCUT = re.compile(r"(?:^|.*\.)(?:downsample|shortcut|skip|proj_shortcut)(?=\.|$)")
_AUXILIARY = re.compile(r"(?:^|\.)aux\w*(?:\.|$)", re.IGNORECASE)
_STATISTICS = ("running_mean", "running_var")


@dataclass(frozen=True)
class _Held:
    """A tensor where it is counted: in the row of the first layer that holds it."""

    row: Row
    module: nn.Module
    name: str
    tensor: Tensor

    @property
    def path(self) -> str:
        return f"{self.row.layer}.{self.name}"


def tensor_rows(model: nn.Module, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row of tensors.csv for each parameter and buffer of a network that ran, by its rows."""
    held = list(_held(model, rows))
    layers = Counter(id(tensor) for module in model.modules() for _, tensor in _tensors(module))
    prefixes = _shortcuts(held)
    ran = [row for row in rows if row.macs and row.calls]
    ends = {"first": ran[0].layer, "classifier": ran[-1].layer} if len(ran) > 1 else {}
    return [_cells(one, _parts(one, ends, prefixes), layers[id(one.tensor)]) for one in held]


def _held(model: nn.Module, rows: Iterable[Row]) -> Iterator[_Held]:
    """Every tensor once, in the order in which layers count them."""
    names = layer_names(model)
    part_of = holders(names)
    by_layer: dict[str, list[nn.Module]] = {}
    for module in names:
        by_layer.setdefault(names[part_of.get(module, module)], []).append(module)
    seen: set[int] = set()
    for row in rows:
        for module in by_layer.get(row.layer, ()):
            own = names[module].removeprefix(row.layer).lstrip(".")
            for name, tensor in _tensors(module):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield _Held(row, module, f"{own}.{name}".lstrip("."), tensor)


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        if tensor is not None and not is_lazy(tensor):
            yield name, tensor


def _shortcuts(held: Iterable[_Held]) -> set[str]:
    """The modules on a shortcut that project: their name says so, and a kernel of one pixel."""
    found = set()
    for one in held:
        match = _SHORTCUT.match(one.row.layer)
        kernel = one.tensor.shape[2:]
        if match and one.row.kind == "conv" and kernel and set(kernel) == {1}:
            found.add(match[0])
    return found


def _parts(one: _Held, ends: dict[str, str], shortcuts: set[str]) -> list[str]:
    if not isinstance(one.tensor, nn.Parameter):
        return [_kind_of_buffer(one)]
    layer, row = one.row.layer, one.row
    match = _SHORTCUT.match(layer)
    told = {
        "biases": _is_bias(one),
        "norms": _is_norm(one),
        "shifts": _is_norm(one) and one.name.endswith("bias"),
        "embeddings": row.kind == "embedding" and not _is_position(one),
        "positions": _is_position(one),
        "tokens": _TOKEN.search(one.name) is not None and row.kind != "embedding",
        "fully-connected": row.kind == "fc",
        "shortcuts": match is not None and match[0] in shortcuts,
        "auxiliary": _AUXILIARY.search(layer) is not None,
        **{part: layer == name for part, name in ends.items()},
    }
    return [part for part, holds in told.items() if holds]


def _kind_of_buffer(one: _Held) -> str:
    if one.name.rpartition(".")[2] in _STATISTICS:
        return "statistics"
    counts = one.tensor.is_floating_point() or one.tensor.is_complex()
    return "buffers" if counts else "counters"


def _is_bias(one: _Held) -> bool:
    flat = one.tensor.ndim == 1
    return flat and "bias" in one.name.rpartition(".")[2] and not _is_norm(one)


def _is_norm(one: _Held) -> bool:
    """A normalisation by its kind; of a study's own class by the name, and that it scales only."""
    if one.row.kind == "norm":
        return True
    scales = not one.row.macs and one.tensor.ndim == 1
    return scales and "norm" in type(one.module).__name__.lower()


def _is_position(one: _Held) -> bool:
    """A table of positions: an embedding so called, or a parameter beside the layers."""
    if one.row.kind == "embedding":
        return _POSITION.search(one.row.layer) is not None
    return _POSITION.search(one.name) is not None


def _cells(one: _Held, parts: list[str], layers: int) -> dict[str, Any]:
    trained, parameter = one.tensor.requires_grad, isinstance(one.tensor, nn.Parameter)
    unread = id(one.tensor) in one.row.unread
    more = {"frozen": not trained, "unused": unread, "shared": layers > 1}
    parts = [*parts, *(part for part, holds in more.items() if holds and parameter)]
    return {
        "layer": one.row.layer,
        "tensor": one.name,
        "parts": " ".join(parts),
        "elements": elements_of(one.tensor),
        "held": (TRAINABLE if trained else FROZEN) if parameter else BUFFER,
        "used": "no" if unread else "yes",
        "layers": layers,
    }
