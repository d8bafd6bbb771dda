"""How many multiply-adds an executed operator does.

torch.utils.flop_counter has a formula for most products. What it leaves out stands here, and what
has no formula at all is named, so that a total never leaves something out without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

_aten = torch.ops.aten


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Queries times keys, and the weights times values; heads may share keys and values."""
    return math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _rnn(sequence: Tensor, *weights: Tensor) -> int:
    """Each step multiplies the input and the state by their matrices; biases have one dimension."""
    steps = sequence.shape[0] * sequence.shape[1]
    return steps * sum(w.numel() for w in weights if w.ndim > 1)


_FORMULAS: dict[Any, Callable[..., int]] = {
    _aten.mv: lambda matrix, vector: matrix.numel(),
    _aten.addmv: lambda added, matrix, vector, **_: matrix.numel(),
    _aten.dot: lambda one, other: one.numel(),
    _aten.vdot: lambda one, other: one.numel(),
    _aten.addbmm: lambda added, one, other, **_: one.numel() * other.shape[-1],
    _aten._int_mm: lambda one, other: one.numel() * other.shape[-1],
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    _aten.mkldnn_rnn_layer: lambda sequence, w0, w1, *_: _rnn(sequence, w0, w1),
    _aten._cudnn_rnn: lambda sequence, weights, *_: _rnn(sequence, *weights),
}
_UNCOUNTED = frozenset(
    (
        "_cdist_forward",
        "_euclidean_dist",
        "_fft_c2c",
        "_fft_c2r",
        "_fft_r2c",
        "_grouped_mm",
        "_native_multi_head_attention",
        "_scaled_grouped_mm",
        "_transformer_encoder_layer_fwd",
        "_trilinear",
        "_weight_int4pack_mm",
        "_weight_int8pack_mm",
    )
)
_PLAIN_NAMESPACES = ("aten", "prim", "prims", "profiler")
"""Where torch's own operators live; nothing is known about those that a network brings along."""


def macs_of(func: Any, args: Any, kwargs: Any, result: Any) -> int | None:
    """Multiply-adds of one executed operator; None for one that has no formula."""
    packet = func.overloadpacket
    if packet in _FORMULAS:
        return _FORMULAS[packet](*args, **kwargs)
    formula = flop_registry.get(packet)
    if formula is None:
        return None
    # torch counts a multiply and an addition as two operations.
    return _flops(formula, args, kwargs, result) // 2


def _flops(formula: Callable[..., int], args: Any, kwargs: Any, result: Any) -> int:
    """What a formula of torch says; most are about shapes, which torch takes longer to find."""
    of_shapes = getattr(formula, "__wrapped__", None)
    if of_shapes is None:
        return int(formula(*args, **kwargs, out_val=result))
    named = {name: _shape(value) for name, value in kwargs.items()}
    return int(of_shapes(*map(_shape, args), **named, out_shape=_shape(result)))


def _shape(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.shape
    return type(value)(map(_shape, value)) if type(value) in (list, tuple) else value


def is_uncounted(func: Any) -> bool:
    """Whether an operator without a formula multiplies and adds all the same."""
    namespace, _, name = str(func.overloadpacket).partition(".")
    return name in _UNCOUNTED or namespace not in _PLAIN_NAMESPACES
