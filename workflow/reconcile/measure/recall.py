"""Count many similar networks: an operator that was executed once is not executed again.

The networks of a sweep differ in a few layers, and most networks repeat theirs. On the meta device
what an operator gives is a shape, strides and a type, and follows from those of what it takes;
torch works them out in Python, which is most of the time of a pass. Here one that meets equal
arguments again answers with what it gave before. Every shape still comes from an execution, and the
network's own code, hooks and the credit of every operator run each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

MOST_REMEMBERED = 20_000
"""Executions kept; beyond that they are forgotten and operators are executed again."""
_TENSORS = (Tensor, nn.Parameter)
Execute = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
"""What executes an operator with its arguments and keywords."""
_Made = tuple[torch.Size, tuple[int, ...], torch.dtype]
"""Shape, strides and type of a tensor that an operator made."""


class Recalled(TorchDispatchMode):
    """What the operators of the networks that one process builds and counts gave.

    Used as a mode it answers for the operators that are executed meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known: dict[Any, list[_Made] | _Made] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing here is compiled, and to say so takes longer than to answer

    def __len__(self) -> int:
        return len(self._known)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():
            return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What an operator gives for some arguments, executed or remembered.

        No mode that watches functions may be on.
        """
        key = self._key(func, args, kwargs)
        if key is None:
            return execute(func, args, kwargs)
        made = self._known.get(key)
        if made is None:
            result = execute(func, args, kwargs)
            self._keep(key, args, result)
            return result
        return tuple(map(_tensor, made)) if isinstance(made, list) else _tensor(made)

    def _key(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What decides the result; None where an operator must be executed."""
        if not _makes(func):
            return None
        key: list[Any] = [func, torch.get_default_dtype()]
        try:
            taken = _described(args, key) + _described(kwargs.values(), key)
            key += kwargs
            known = tuple(key)
            hash(known)
        except (TypeError, RuntimeError, NotImplementedError):
            return None  # symbols, or tensors without strides
        return known if taken else None

    def _keep(self, key: Any, args: tuple[Any, ...], result: Any) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        if _is_plain(result) and not any(result is value for value in args):
            self._known[key] = result.shape, result.stride(), result.dtype
        elif type(result) is tuple and all(map(_is_plain, result)):
            self._known[key] = [(t.shape, t.stride(), t.dtype) for t in result]


def execute(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Execute an operator; groups of matrices of any type also on the meta device."""
    grouped = func is torch.ops.aten._grouped_mm.default
    if not grouped or not args[0].is_meta or args[0].dtype == torch.bfloat16:
        return func(*args, **kwargs)
    brief = [a.to(torch.bfloat16) for a in args[:2]]
    return func(*brief, *args[2:], **kwargs).to(args[0].dtype)


@cache
def _makes(func: Any) -> bool:
    """Whether an operator makes new tensors of the tensors it takes, and does nothing else."""
    schema = getattr(func, "_schema", None)
    if schema is None or schema.is_mutable:
        return False
    fresh = all(str(r.type) == "Tensor" and r.alias_info is None for r in schema.returns)
    return fresh and any("Tensor" in str(argument.type) for argument in schema.arguments)


def _described(values: Any, key: list[Any]) -> int:
    """Add to a key what decides of some arguments; the number of tensors among them.

    Raises:
        TypeError: one that is no plain tensor on the meta device.
    """
    taken = 0
    for value in values:
        kind = type(value)
        if kind in _TENSORS:
            if not value.is_meta or value.dtype.is_complex:
                raise TypeError
            key += (value.shape, value.stride(), value.dtype)
            taken += 1
        elif kind is list or kind is tuple:
            key.append(len(value))
            taken += _described(value, key)
        elif isinstance(value, Tensor):
            raise TypeError
        else:  # 1, 1.0 and True are equal
            key += (kind, value)
    return taken


def _is_plain(value: Any) -> bool:
    return type(value) is Tensor and value.is_meta and not value.storage_offset()


def _tensor(made: _Made) -> Tensor:
    shape, stride, dtype = made
    return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
