"""What a layer is, what the axes of its output are, and the closed form of its count.

A kind follows from a layer's class, or from what it does with weights of its own. Axes follow from
what a layer is, never from how many dimensions a tensor has: the output of a convolution has
channels and one to three axes of a map, that of a linear layer tokens and features. A layer that
works on each element keeps the axes of what came in. What is not known has no name.

Every executed count is checked against a closed form. Sources: convolution arithmetic as in
Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), relationship 6;
the ceiling form from cuda-convnet's layer.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from reconcile.layers import Conv2d
from reconcile.tables.contract import KINDS

Axes = tuple[str, ...]
"""A word for each dimension of a tensor."""

BATCH, CHANNELS, TOKENS, FEATURES = "batch", "channels", "tokens", "features"
MAPS: dict[int, Axes] = {
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}
"""The axes of a map by how many it has."""

_CLASSES: tuple[tuple[str, tuple[type[nn.Module], ...]], ...] = (
    ("conv", (nn.modules.conv._ConvNd,)),
    ("fc", (nn.Linear, nn.Bilinear)),
    ("recurrent", (nn.RNNBase, nn.RNNCellBase)),
    ("attention", (nn.MultiheadAttention,)),
    ("embedding", (nn.Embedding, nn.EmbeddingBag)),
    ("dropout", (nn.modules.dropout._DropoutNd,)),
    (
        "pool",
        (
            nn.modules.pooling._MaxPoolNd,
            nn.modules.pooling._MaxUnpoolNd,
            nn.modules.pooling._AvgPoolNd,
            nn.modules.pooling._AdaptiveAvgPoolNd,
            nn.modules.pooling._AdaptiveMaxPoolNd,
            nn.modules.pooling._LPPoolNd,
            nn.FractionalMaxPool2d,
            nn.FractionalMaxPool3d,
        ),
    ),
    (
        "norm",
        (
            nn.modules.batchnorm._NormBase,
            nn.LocalResponseNorm,
            nn.CrossMapLRN2d,
            nn.LayerNorm,
            nn.GroupNorm,
            nn.RMSNorm,
        ),
    ),
)
_KIND_OF: dict[type[nn.Module], str | None] = {}
_MAP_OF: dict[type[nn.Module], int] = {}
_SHAPES = 1000
"""Shapes that are remembered: most layers of a network return one that another returned before."""
_OF_TOKENS = ("fc", "embedding", "attention", "recurrent")
_KNOWN = (nn.Conv2d.forward, Conv2d.forward, nn.Linear.forward)
"""A subclass with a forward of its own does something else than its class says."""


def kind_of(module: nn.Module) -> str:
    """The kind of a layer: its own ``kind`` attribute, else by its class."""
    named = named_kind(module)
    return named or ("functional" if holds_modules(module) else "other")


def named_kind(module: nn.Module) -> str | None:
    """The kind that a layer or its class says; None for a module of a study's own."""
    own = declared(module, "kind")
    if isinstance(own, str) and own in KINDS:
        return own
    kind = type(module)
    if kind not in _KIND_OF:
        if issubclass(kind, torch.jit.ScriptModule):
            kind = getattr(nn, str(module.original_name), nn.Module)
        _KIND_OF[kind] = _kind_of_class(kind)
    return _KIND_OF[kind]


def class_name(module: nn.Module) -> str:
    """The class of a layer, if that is itself one of ``torch.nn``: tools count those only."""
    kind = type(module)
    return kind.__name__ if getattr(nn, kind.__name__, None) is kind else ""


def _kind_of_class(kind: type[nn.Module]) -> str | None:
    for name, classes in _CLASSES:
        if issubclass(kind, classes):
            return name
    return "activation" if kind.__module__ == nn.modules.activation.__name__ else None


def declared(module: nn.Module, name: str) -> Any:
    """What a module or its class says of itself; a module's own lookup is slow where it fails."""
    return module.__dict__.get(name, getattr(type(module), name, None))


def holds_modules(module: nn.Module) -> bool:
    """Whether a module has others in it; what reparametrises or packs its weight is none."""
    return any(
        child is not None and name not in ("parametrizations", "_packed_params")
        for name, child in module._modules.items()
    )


def axes_of_layer(module: nn.Module, kind: str, shape: tuple[int, ...]) -> Axes | None:
    """The axes of what a layer returned, as far as the layer tells."""
    dimensions = _map_of(type(module))
    if dimensions:
        return axes_of_map(dimensions, shape)
    if kind in _OF_TOKENS:
        return axes_of_tokens(shape)
    if kind == "norm" and isinstance(module, nn.LayerNorm | nn.RMSNorm):
        return axes_of_tokens(shape) if len(module.normalized_shape) == 1 else None
    return None


def _map_of(kind: type[nn.Module]) -> int:
    """How many axes the map of a layer of torch's has, by the name of its class; 0 if unknown."""
    if kind not in _MAP_OF:
        names = (c.__name__ for c in kind.__mro__ if c.__module__.startswith("torch.nn.modules."))
        found = (re.search(r"([123])d$", name) for name in names)
        _MAP_OF[kind] = next((int(match[1]) for match in found if match), 0)
    return _MAP_OF[kind]


@lru_cache(_SHAPES)
def axes_of_map(dimensions: int, shape: tuple[int, ...]) -> Axes | None:
    """Batch, channels and the axes of the map; the batch may be missing.

    A normalisation or dropout of vectors has a class of one dimension and no map.
    """
    words = MAPS[dimensions]
    match len(shape) - dimensions:
        case 2:
            return (BATCH, CHANNELS, *words)
        case 1 if dimensions == 1:
            return (BATCH, FEATURES) if shape[0] == 1 else (CHANNELS, *words)
        case 1:
            return (CHANNELS, *words)
    return None


def axes_of_tokens(shape: tuple[int, ...]) -> Axes:
    """Features last, whatever the order of tokens and batch before; a vector has no tokens."""
    if not shape:
        return ()
    before = len(shape) - 1
    if before == 1 and shape[0] == 1:
        return (BATCH, FEATURES)
    return (*(TOKENS,) * before, FEATURES)


@lru_cache(_SHAPES)
def sizes(axes: Axes | None, shape: tuple[int, ...]) -> Mapping[str, int]:
    """The sizes that the tables know, by column: of maps, of tokens with features, of vectors."""
    if axes is None:
        return {}
    found: dict[str, int] = {}
    for word, size in zip(axes, shape, strict=True):
        found[word] = found.get(word, 1) * size
    found.pop(BATCH, None)
    tokens, features = found.pop(TOKENS, None), found.get(FEATURES)
    if features is not None:
        found |= {CHANNELS: features, "height": tokens or 1, "width": 1}
    if tokens is not None:
        found["length"] = tokens
    return found


class KnownAxes:
    """The axes of the tensors that a pass has made so far, by their shape.

    A layer that works on each element keeps the shape, so the layer before of the same shape tells
    its axes.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[int, ...], Axes] = {}
        self._first: dict[tuple[int, ...], Axes] = {}
        self._alike: dict[tuple[int, ...], dict[tuple[int, ...], None]] = {}

    def learn(self, shape: tuple[int, ...], axes: Axes | None) -> None:
        """Note what the axes of a shape are from here on."""
        if axes is not None:
            self._last[shape] = axes
            self._first.setdefault(shape, axes)

    def learn_input(self, shape: tuple[int, ...], axes: Axes | None) -> None:
        """Note what the axes of what a layer was given are, unless another told before."""
        if axes is not None:
            self._first.setdefault(shape, axes)

    def relate(self, whole: tuple[int, ...], part: tuple[int, ...]) -> None:
        """Note that of two shapes one was cut out of the other, or is a side of it: axes stay."""
        if len(whole) == len(part) and whole != part:
            self._alike.setdefault(whole, {})[part] = None

    def of(self, shape: tuple[int, ...]) -> Axes | None:
        """The axes of the last tensor of a shape; a flat vector has features."""
        found = self._last.get(shape)
        return found or ((BATCH, FEATURES) if len(shape) == 2 and shape[0] == 1 else None)  # noqa: PLR2004

    def of_input(self, shape: tuple[int, ...]) -> Axes | None:
        """The axes of the network's input, which the first layer of its shape tells.

        Where none is given all of it, one tells that is given what was cut out of it.
        """
        asked = [shape]
        for one in asked:  # what is found on the way is asked in its turn
            if found := self._first.get(one) or self.of(one):
                return found
            asked += [part for part in self._alike.get(one, ()) if part not in asked]
        return None


# Closed forms.


class CrossCheckError(Exception):
    """What was executed disagrees with the closed form; one of the two is wrong."""


def output_size(size: int, kernel: int, stride: int, before: int, after: int, rule: str) -> int:
    """Number of windows along one axis, in windows.

    floor or ceil of (size + before + after - kernel) / stride, plus one; never below one window
    under "ceil", where zeros make up what is missing.
    """
    room = size + before + after - kernel
    if rule == "ceil":
        return max(-(-room // stride), 0) + 1
    return room // stride + 1


def check_row(
    module: nn.Module,
    name: str,
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
    macs: int,
) -> None:
    """Compare one executed call of a convolution or linear layer with its closed form.

    Args:
        module: the layer.
        name: its name, for the message.
        input_shape: shape of what went in, with the batch.
        output_shape: shape of what came out, with the batch.
        macs: multiply-adds that were executed.

    The weight is the one that the layer has, however it came about: cut, pruned, replaced by one of
    another size, or computed from others.

    Raises:
        CrossCheckError: sizes or multiply-adds differ.
    """
    if not _does_as_its_class(module) or not isinstance(weight := module.weight, Tensor):
        return
    if isinstance(module, nn.Conv2d):
        expected = math.prod(output_shape) * math.prod(tuple(weight.shape[1:]))
        _check_size(module, name, input_shape, output_shape)
    else:
        expected = math.prod(output_shape[:-1]) * weight.numel()
    _compare(name, "multiply-adds", macs, expected)


def _does_as_its_class(module: nn.Module) -> bool:
    """Whether nothing but the forward pass of torch's own class ran, or that of ``layers``."""
    if not isinstance(module, nn.Conv2d | nn.Linear):
        return False
    changed = type(module).forward not in _KNOWN or "forward" in module.__dict__
    hooked = module._forward_hooks or module._forward_pre_hooks
    if isinstance(module, nn.Conv2d):
        changed |= type(module)._conv_forward is not nn.Conv2d._conv_forward
    return not (changed or hooked)


def _check_size(
    module: nn.Conv2d, name: str, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
) -> None:
    # Subclasses other than ours may pad in their own way, and padding may be a word ("same").
    if not isinstance(module, Conv2d) or module.dilation != (1, 1):
        return
    before, after = module.sides
    for axis, label in ((0, "height"), (1, "width")):
        expected = output_size(
            input_shape[2 + axis],
            module.kernel_size[axis],
            module.stride[axis],
            before,
            after,
            module.rule,
        )
        _compare(name, label, output_shape[2 + axis], expected)


def _compare(name: str, what: str, executed: int, expected: int) -> None:
    if executed != expected:
        raise CrossCheckError(
            f"{name}: {executed:,} {what} were executed, the closed form gives {expected:,}"
        )
