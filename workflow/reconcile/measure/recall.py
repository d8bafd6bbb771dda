"""Count many similar networks: a layer that was executed once is not executed again.

The networks of a sweep differ in a few layers, and most networks repeat theirs. On the meta device,
where only shapes and counts matter, one of torch's own layers that meets an input which an equal
layer met before answers with what that one returned, multiply-adds included. Every shape still
comes from an execution. Equal means: of the same class with the same ``forward``, the same plain
attributes and tensors of the same shapes; a layer with hooks, or that takes anything but one tensor
of data, is executed each time. Only the instances of one network are touched, while it is counted.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reconcile import layers
from reconcile.measure.crediting import Counter, Functions, Work

MOST_REMEMBERED = 20_000
"""Executions kept; beyond that they are forgotten and layers are executed again."""
OURS = ("torch.nn.modules.", layers.__name__)
"""Where layers are defined that return the same for equal settings and input."""
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_PLAIN = (bool, int, float, str, type(None))


@dataclass(slots=True)
class _Executed:
    """One execution: what was returned (None: what went in), and what operators did."""

    output: tuple[torch.Size, tuple[int, ...], torch.dtype] | None
    work: Work


class Recalled:
    """What the layers of the networks that one process counts did."""

    def __init__(self) -> None:
        self._executed: dict[Any, _Executed] = {}

    def __len__(self) -> int:
        return len(self._executed)

    @contextmanager
    def by(self, model: nn.Module, counter: Counter) -> Iterator[None]:
        """Let the layers of a network answer from memory, and credit a pass with what they did."""
        if len(self._executed) > MOST_REMEMBERED:
            self._executed.clear()
        known = [(m, key) for m in model.modules() if (key := _settings(m)) is not None]
        for module, key in known:
            recall = functools.partial(self._answer, module, key, counter)
            module.__dict__["forward"] = recall
        try:
            yield
        finally:
            for module, _ in known:
                module.__dict__.pop("forward", None)

    def _answer(
        self, module: nn.Module, settings: Any, counter: Counter, *args: Any, **kwargs: Any
    ) -> Any:
        given: Any = args[0] if len(args) == 1 and not kwargs else None
        if not _is_data(given, counter) or _settings(module, running=True) != settings:
            return type(module).forward(module, *args, **kwargs)
        key = settings, given.shape, given.stride(), given.dtype
        found = self._executed.get(key)
        if found is None:
            return self._execute(module, given, key, counter)
        counter.credit(module, found.work)
        return given if found.output is None else _tensor(*found.output)

    def _execute(self, module: nn.Module, given: Tensor, key: Any, counter: Counter) -> Any:
        before = given.shape, given.stride()
        own = Counter(running=[module])
        own.weights.own(module, module._parameters.values())
        with Functions(own), own:
            output = type(module).forward(module, given)
        work = own.of(module)
        held = module._parameters.items()
        work.reads = frozenset(name for name, p in held if id(p) in own.weights.used)
        if _is_data(output, counter) and (given.shape, given.stride()) == before:
            made = None if output is given else (output.shape, output.stride(), output.dtype)
            self._executed[key] = _Executed(made, work)
        return output


def _is_data(value: Any, counter: Counter) -> bool:
    plain = type(value) is Tensor and value.is_meta
    return plain and counter.weights.of(value) is None


def _settings(module: nn.Module, *, running: bool = False) -> Any:
    """What decides what a layer returns; None for a module that must be executed."""
    own, kind = module.__dict__, type(module)
    if not kind.__module__.startswith(OURS) or own["_modules"]:
        return None
    if not running and ("forward" in own or any(own[name] for name in _HOOKS)):
        return None
    plain: list[Any] = []
    for name, value in own.items():
        if name.startswith("_") or name == "forward":
            continue
        if not _is_plain(value):
            return None
        plain.append((name, value))
    tensors = (*own["_parameters"].items(), *own["_buffers"].items())
    if any(t is not None and not _is_usual(t) for _, t in tensors):
        return None
    signature = tuple((n, t if t is None else (t.shape, t.dtype)) for n, t in tensors)
    return kind, kind.forward, tuple(plain), signature


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _is_usual(tensor: Tensor) -> bool:
    return type(tensor) in (Tensor, nn.Parameter) and tensor.is_meta and tensor.is_contiguous()


def _tensor(shape: torch.Size, stride: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A new tensor, made past the modes that watch the pass."""
    with torch._C._DisableTorchDispatch():
        return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
