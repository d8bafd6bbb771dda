"""Measure thousands of similar networks: a layer that was executed once is not executed again.

The networks of a sweep differ in a few layers. On the meta device, where only shapes and counts
matter, a layer (a module without modules) that was built before with equal arguments is restored
rather than built, and one that was executed before on an equal input answers with what it returned
then, multiply-adds included. Every shape still comes from an execution; a layer that was changed
after it was built, that is hooked, or that takes anything but one tensor, is executed as it stands,
and so is everything between the layers.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from reconcile import layers
from reconcile.measure.building import checked_inputs, load_class, preserved_state
from reconcile.measure.closed_forms import CrossCheckError
from reconcile.measure.counting import Row, Watch, count_layers
from reconcile.measure.crediting import Counter, Work

MOST_REMEMBERED = 20_000
"""Layers and executions kept; beyond that they are forgotten and executed again."""
SIMPLE = (bool, int, float, str, type(None))
_CONTAINERS = (dict, list, set)


@dataclass(slots=True)
class _Built:
    """A layer as its constructor left it.

    Attributes:
        plain: attributes that are no container.
        compared: names and values of those that must be the same for the layer to be recalled.
        containers: the others, without parameters; each copy gets its own.
        parameters: its parameters, by name.
        executed: what it returned, by input.
    """

    plain: dict[str, Any]
    compared: tuple[tuple[str, ...], tuple[Any, ...]]
    containers: dict[str, Any]
    parameters: dict[str, nn.Parameter | None]
    executed: dict[Any, _Executed]


@dataclass(slots=True)
class _Executed:
    """One execution: the output (no memory stands behind it), and what operators did.

    ``output`` is None where the layer handed on its own input.
    """

    output: Tensor | None
    work: Work


class _Memory:
    """What the layers of earlier networks did; one for the process."""

    def __init__(self) -> None:
        self.active = False
        self.installed = False
        self.watch: Watch | None = None
        self.modules: dict[nn.Module, str] | None = None
        self.built: dict[Any, _Built] = {}
        self.executions = 0

    def forget_if_full(self) -> None:
        if max(len(self.built), self.executions) > MOST_REMEMBERED:
            self.built.clear()
            self.executions = 0


_MEMORY = _Memory()
_BUILT = "_reconcile_built"
_PLAIN_CALL = nn.Module.__call__


def recalled_rows(file: Path, name: str, arguments: dict[str, Any]) -> list[Row] | None:
    """The rows of a network from a run on the meta device with the layers that are remembered.

    Args:
        file: the study's network file; it is imported once, and again when it was changed.
        name: the class in it.
        arguments: what its constructor takes.

    Returns:
        The same rows as ``count_layers``; None where the network cannot be built or run there.

    Raises:
        CrossCheckError: a count disagrees with its closed form.
    """
    try:
        with preserved_state(), recalling():
            network = _class_of(file, name)
            with torch.device("meta"):
                model = network(**arguments)
                inputs = checked_inputs(model.example_inputs())  # type: ignore[operator]
            return count_layers(_evaluating(model), inputs, watched)[0]
    except CrossCheckError:
        raise
    except (Exception, SystemExit):
        return None


def _evaluating(model: nn.Module) -> nn.Module:
    """The model as ``eval`` leaves it, sooner where no module has a way of its own to get there."""
    modules = list(model.modules())
    if not all(map(_switches_plainly, modules)):
        return model.eval()
    for module in modules:
        module.__dict__["training"] = False
    return model


def _switches_plainly(module: nn.Module) -> bool:
    kind, own = type(module), module.__dict__
    if kind.train is not nn.Module.train or kind.eval is not nn.Module.eval:
        return False
    return "train" not in own and "eval" not in own


def _class_of(file: Path, name: str) -> type[nn.Module]:
    found = file.stat()
    key = file, name, found.st_mtime_ns, found.st_size
    if key not in _CLASSES:
        network = _CLASSES[key] = load_class(file, name)
        _remember_layers(vars(sys.modules[network.__module__]).values(), network.__module__)
    return _CLASSES[key]


_CLASSES: dict[tuple[Path, str, int, int], type[nn.Module]] = {}


def executions() -> int:
    """How many layers were executed and are remembered."""
    return _MEMORY.executions


@contextmanager
def recalling() -> Iterator[None]:
    """Build and run with the layers that are remembered, on the meta device."""
    if not _MEMORY.installed:
        _install()
    _MEMORY.forget_if_full()
    _MEMORY.active = True
    try:
        yield
    finally:
        _MEMORY.active = False


@contextmanager
def watched(modules: Sequence[nn.Module], watch: Watch) -> Iterator[None]:
    """As ``counting.hooked``, for networks that are built within ``recalling``."""
    _MEMORY.watch, _MEMORY.modules = watch, dict.fromkeys(modules, "")
    try:
        yield
    finally:
        _MEMORY.watch = _MEMORY.modules = None


def _install() -> None:
    """Let the constructors of known layers, and calls of modules, look into the memory first."""
    _remember_layers(vars(nn).values(), "torch.nn.modules.")
    _remember_layers(vars(layers).values(), layers.__name__)
    nn.Module.__call__ = _call  # type: ignore[method-assign]
    _MEMORY.installed = True


def _remember_layers(values: Iterable[Any], where: str) -> None:
    """Let the constructors of the modules that are defined somewhere look into the memory."""
    public = (v for v in values if isinstance(v, type))
    # The constructor of dropout, say, is that of a class without a public name.
    for kind in dict.fromkeys(base for known in public for base in known.__mro__):
        own = issubclass(kind, nn.Module) and kind.__module__.startswith(where)
        if own and "__init__" in vars(kind) and "container" not in kind.__module__:
            kind.__init__ = _remembering(kind.__init__)  # type: ignore[misc]


def _remembering(build: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(build)
    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        outermost = kind.__init__ is init
        if not (_MEMORY.active and outermost and _simple(args) and _simple(kwargs.values())):
            build(self, *args, **kwargs)
            return
        key = kind, torch.get_default_dtype(), repr(args), repr(kwargs)
        found = _MEMORY.built.get(key)
        if found is None:
            build(self, *args, **kwargs)
            _remember(self, key)
        else:
            _restore(self, found)

    return init


def _simple(values: Any) -> bool:
    return all(
        isinstance(v, SIMPLE) or (isinstance(v, list | tuple) and _simple(v)) for v in values
    )


def _remember(layer: nn.Module, key: Any) -> None:
    state = layer.__dict__
    tensors = [t for t in (*layer._parameters.values(), *layer._buffers.values()) if t is not None]
    # A lazy layer gets its size when it runs.
    if layer._modules or any(is_lazy(t) or not t.is_meta for t in tensors):
        return
    containers = {
        k: v.copy() for k, v in state.items() if isinstance(v, _CONTAINERS) and k != "_parameters"
    }
    plain = {k: v for k, v in state.items() if k not in containers and k != "_parameters"}
    names = tuple(name for name in plain if name != "training")
    compared = names, tuple(plain[name] for name in names)
    # Copies: what a network does to its own, freezing them say, is not how they were built.
    built = _Built(plain, compared, containers, _copies(layer._parameters), {})
    _MEMORY.built[key] = built
    state[_BUILT] = built


def _restore(layer: nn.Module, built: _Built) -> None:
    state = layer.__dict__
    state.update(built.plain)
    for name, container in built.containers.items():
        state[name] = container.copy()
    state["_parameters"] = _copies(built.parameters)
    # Two layers keep two tensors each, though no memory stands behind them.
    buffers = built.containers["_buffers"]
    state["_buffers"] = {k: b if b is None else _copy(Tensor, b) for k, b in buffers.items()}
    state[_BUILT] = built


def _copies(parameters: dict[str, nn.Parameter | None]) -> dict[str, nn.Parameter | None]:
    return {
        name: None if p is None else nn.Parameter(torch.empty_like(p), p.requires_grad)
        for name, p in parameters.items()
    }


def _copy(kind: type[Tensor], tensor: Tensor, requires_grad: bool = False) -> Any:
    """A tensor of its own with the same shape, made past the modes that watch torch's functions."""
    return Tensor._make_subclass(kind, tensor, requires_grad)


def _as_built(layer: nn.Module, built: _Built) -> bool:
    """Whether a layer still is what its constructor made it, apart from sharing its parameters."""
    state = layer.__dict__
    if state["_forward_hooks"] or state["_forward_pre_hooks"] or "forward" in state:
        return False
    names, values = built.compared
    if not all(map(operator.is_, map(state.get, names), values)):
        return False
    parameters = state["_parameters"]
    return parameters.keys() == built.parameters.keys() and all(
        own is p or (own is not None and p is not None and _alike(own, p))
        for own, p in zip(parameters.values(), built.parameters.values(), strict=True)
    )


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.device == other.device


def _call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """What stands for ``nn.Module.__call__``: tells the watch, and recalls known layers."""
    if not _MEMORY.active:
        return _PLAIN_CALL(module, *args, **kwargs)
    watch, modules = _MEMORY.watch, _MEMORY.modules
    if watch is None or modules is None or module not in modules:
        return _run(module, args, kwargs, None)
    watch.before(module, args)
    output = _run(module, args, kwargs, watch)
    watch.after(module, args, output)
    return output


def _run(module: nn.Module, args: Any, kwargs: Any, watch: Watch | None) -> Any:
    built: _Built | None = module.__dict__.get(_BUILT)
    if built is None or kwargs or len(args) != 1 or not _plain_tensor(args[0]):
        return _PLAIN_CALL(module, *args, **kwargs)
    if not _as_built(module, built):
        return _PLAIN_CALL(module, *args)
    given = args[0]
    key = module.training, given.shape, given.stride(), given.dtype
    found = built.executed.get(key)
    if found is None:
        return _execute(module, given, built, key)
    if watch is not None:
        watch.credit(module, found.work)
    return given if found.output is None else _copy(Tensor, found.output)


def _plain_tensor(value: Any) -> bool:
    return type(value) is Tensor and value.is_meta


def _execute(module: nn.Module, given: Tensor, built: _Built, key: Any) -> Any:
    before = given.shape, given.stride()
    counter = Counter(running=[module])
    counter.weights.own(module, module._parameters.values())
    with counter:
        output = _PLAIN_CALL(module, given)
    unchanged = (given.shape, given.stride()) == before
    if type(output) is Tensor and output.is_meta and unchanged:
        kept = None if output is given else output.detach()
        work = counter.of(module)
        held = module._parameters.items()
        work.reads = frozenset(name for name, p in held if id(p) in counter.weights.used)
        built.executed[key] = _Executed(kept, work)
        _MEMORY.executions += 1
    return output
