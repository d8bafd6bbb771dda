"""Count what one forward pass really does, layer by layer.

A layer is a module that holds no other module, or that holds parameters of its own. Its row records
the shape and size of what it returned. Multiply-adds are counted from the operators that torch
executed and credited to the module that was running, so functional operations count too; a bias
addition, an activation, a pooling or a normalisation is no multiply-add. Parameters count once by
identity, in the row of the layer that used them first.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from reconcile.errors import visible
from reconcile.measure.closed_forms import CrossCheckError, check_row
from reconcile.measure.operators import is_uncounted, macs_of
from reconcile.tables.contract import INPUT, KINDS, NETWORK, ROOT

_KINDS: tuple[tuple[str, tuple[type[nn.Module], ...]], ...] = (
    ("conv", (nn.modules.conv._ConvNd,)),
    ("fc", (nn.Linear,)),
    ("embedding", (nn.Embedding,)),
    ("dropout", (nn.modules.dropout._DropoutNd,)),
    (
        "pool",
        (
            nn.modules.pooling._MaxPoolNd,
            nn.modules.pooling._AvgPoolNd,
            nn.modules.pooling._AdaptiveAvgPoolNd,
            nn.modules.pooling._AdaptiveMaxPoolNd,
        ),
    ),
    ("norm", (nn.modules.batchnorm._NormBase, nn.LocalResponseNorm, nn.LayerNorm, nn.GroupNorm)),
)


@dataclass
class Row:
    """What one layer did in one forward pass, for one input.

    Attributes:
        layer: its name, as ``layer_names`` gives it, or ``input``.
        kind: one of ``KINDS`` or ``input``.
        shape: output shape without the batch, empty if the layer was never called.
        neurons: elements of its output, summed over its calls.
        parameters: trainable elements not already counted in an earlier row.
        macs: multiply-adds, summed over its calls.
        connections: links into its outputs, a bias counted as one.
        calls: how often it ran.
        first_input: shape of what it was given first, with the batch.
        bytes: memory of its output, summed over its calls.
        uncounted: operators that multiply and add and have no formula.
        more: what the functions of ``COUNTED_BY`` gave, by quantity.
    """

    layer: str
    kind: str
    shape: tuple[int, ...] = ()
    neurons: int = 0
    parameters: int = 0
    macs: int = 0
    connections: int = 0
    calls: int = 0
    first_input: tuple[int, ...] = ()
    bytes: int = 0
    uncounted: set[str] = field(default_factory=set)
    more: dict[str, int] = field(default_factory=dict)


COUNTED_BY: dict[str, Callable[[nn.Module, Row], int]] = {}
"""Further quantities, and what counts each of a layer from its module and its finished row."""


def count_by(functions: Mapping[str, str]) -> None:
    """Count further quantities from now on.

    Args:
        functions: ``module:function`` by quantity, as ``tables.contract.Quantity.counted_by``.

    Raises:
        ImportError: there is no such module.
        AttributeError: it has no such function.
    """
    for quantity, place in functions.items():
        module, _, name = place.partition(":")
        COUNTED_BY[quantity] = getattr(importlib.import_module(module), name)


def kind_of(module: nn.Module) -> str:
    """The kind of a layer: its own ``kind`` attribute, else by its class."""
    declared = _declared(module, "kind")
    if isinstance(declared, str) and declared in KINDS:
        return declared
    kind = type(module)
    if kind not in _KIND_OF:
        _KIND_OF[kind] = _kind_of_class(kind)
    return _KIND_OF[kind] or ("functional" if _holds_modules(module) else "other")


_KIND_OF: dict[type[nn.Module], str | None] = {}


def _kind_of_class(kind: type[nn.Module]) -> str | None:
    for name, classes in _KINDS:
        if issubclass(kind, classes):
            return name
    return "activation" if kind.__module__ == nn.modules.activation.__name__ else None


def _declared(module: nn.Module, name: str) -> Any:
    """What a module or its class says of itself; a module's own lookup is slow where it fails."""
    return module.__dict__.get(name, getattr(type(module), name, None))


def _holds_modules(module: nn.Module) -> bool:
    return any(child is not None for child in module._modules.values())


def is_layer(module: nn.Module) -> bool:
    """Whether a module gets a row: it holds no module, or holds parameters itself."""
    own = any(parameter is not None for parameter in module._parameters.values())
    return own or not _holds_modules(module)


def layer_names(model: nn.Module) -> dict[nn.Module, str]:
    """The name of every module: as torch spells it, ``root`` for the model itself.

    ``network`` means the whole and ``input`` what goes in, so a module of such a name, or one that
    the path from the root could be taken for, is named from the root: ``root.network``. What has
    no shape of its own in a name is spelled, as in every text that a study gives.
    """
    return {module: _from_root(name) for name, module in model.named_modules()}


def _from_root(name: str) -> str:
    reserved = name in (NETWORK, INPUT) or name.partition(".")[0] == ROOT
    return visible(f"{ROOT}.{name}" if name and reserved else name or ROOT)


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in what a module returned (a tensor, or a nest of tuples and dicts)."""
    if isinstance(value, Tensor):
        return value
    values = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        return next((t for t in map(first_tensor, values) if t is not None), None)
    return None


@contextmanager
def hooked(
    modules: Sequence[nn.Module],
    before: Callable[..., None],
    after: Callable[..., None],
) -> Iterator[None]:
    """Run with forward hooks on some modules; they are gone afterwards, whatever happens."""
    handles = [m.register_forward_pre_hook(before) for m in modules]
    handles += [m.register_forward_hook(after) for m in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@dataclass
class Counter(TorchDispatchMode):
    """Credits every executed operator to the module that is running."""

    running: list[nn.Module] = field(default_factory=list)
    macs: dict[nn.Module, int] = field(default_factory=dict)
    uncounted: dict[nn.Module, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self.running:
            module = self.running[-1]
            macs = macs_of(func, args, kwargs, result)
            if macs is not None:
                self.credit(module, macs)
            elif is_uncounted(func):
                self.credit(module, 0, {str(func.overloadpacket)})
        return result

    def credit(self, module: nn.Module, macs: int, uncounted: Iterable[str] = ()) -> None:
        """Add what a module did."""
        if macs:
            self.macs[module] = self.macs.get(module, 0) + macs
        if uncounted:
            self.uncounted.setdefault(module, set()).update(uncounted)


@dataclass(frozen=True)
class Watch:
    """Who is told of every call of a module: before it, after it, and what it did if recalled."""

    before: Callable[[nn.Module, tuple[Any, ...]], None]
    after: Callable[[nn.Module, tuple[Any, ...], Any], None]
    credit: Callable[[nn.Module, int, Iterable[str]], None]


@contextmanager
def _hooked(modules: Sequence[nn.Module], watch: Watch) -> Iterator[None]:
    with hooked(modules, watch.before, watch.after):
        yield


@contextmanager
def _layers_apart() -> Iterator[None]:
    """Without the fast path of attention, which fuses a whole layer into one operator."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def count_layers(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    watching: Callable[[Sequence[nn.Module], Watch], AbstractContextManager[None]] = _hooked,
) -> tuple[list[Row], Tensor]:
    """Run the model once and count every layer.

    Args:
        model: the network; it is neither moved nor changed.
        inputs: its inputs, each with a batch of one.
        watching: how calls of modules are noticed: by hooks, unless layers are recalled.

    Returns:
        A row for the first input and one for every layer in order of execution (layers that never
        ran last, with nothing but their parameters), and the model's output.

    Raises:
        CrossCheckError: a count disagrees with its closed form, or rows with the total.
        TypeError: the model returned no tensor.
    """
    names = layer_names(model)
    rows: dict[nn.Module, Row] = {}
    outputs: dict[nn.Module, tuple[int, ...]] = {}
    counter = Counter()

    def before(module: nn.Module, args: tuple[Any, ...]) -> None:
        counter.running.append(module)
        row = rows.get(module)
        if row is None:
            row = rows[module] = Row(names[module], kind_of(module))
        tensor = first_tensor(args)
        if tensor is not None and not row.first_input:
            row.first_input = tuple(tensor.shape)

    def after(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        counter.running.pop()
        tensor = first_tensor(output)
        row = rows[module]
        row.calls += 1
        if tensor is None:
            return
        outputs.setdefault(module, tuple(tensor.shape))
        row.shape = _without_batch(tensor)
        row.neurons += tensor.numel()
        row.bytes += tensor.numel() * tensor.element_size()

    watch = Watch(before, after, counter.credit)
    with torch.no_grad(), _layers_apart(), watching(list(names), watch), counter:
        output = first_tensor(model(*inputs))
    if output is None:
        raise TypeError("the network returned no tensor")
    counted = _finish(model, names, rows, outputs, counter)
    return [_input_row(inputs), *counted], output


def _without_batch(tensor: Tensor) -> tuple[int, ...]:
    """The shape for one input; what has no batch (an embedding of positions) keeps all of it."""
    shape = tuple(tensor.shape)
    return shape[1:] if shape[:1] == (1,) else shape


def _input_row(inputs: tuple[Tensor, ...]) -> Row:
    first = inputs[0]
    return Row(
        INPUT,
        INPUT,
        tuple(first.shape[1:]),
        neurons=sum(t[0].numel() for t in inputs),
        calls=1,
        bytes=sum(t.numel() * t.element_size() for t in inputs),
    )


def _finish(
    model: nn.Module,
    names: dict[nn.Module, str],
    rows: dict[nn.Module, Row],
    outputs: dict[nn.Module, tuple[int, ...]],
    counter: Counter,
) -> list[Row]:
    """Keep the layers, credit parameters by identity, check every count."""
    for module, name in names.items():
        if module not in rows:
            rows[module] = Row(name, kind_of(module))
    seen: set[int] = set()
    kept = []
    for module, row in rows.items():
        row.macs = counter.macs.get(module, 0)
        row.uncounted = counter.uncounted.get(module, set())
        own = [p for p in module._parameters.values() if p is not None and p.requires_grad]
        new = {id(p): p for p in own if id(p) not in seen}
        row.parameters = sum(p.numel() for p in new.values())
        seen.update(new)
        row.connections = _connections(module, row)
        row.more = {quantity: count(module, row) for quantity, count in COUNTED_BY.items()}
        if is_layer(module) or row.macs or row.uncounted:
            kept.append(row)
        if module in outputs and row.calls == 1:
            check_row(module, row.layer, row.first_input, outputs[module], row.macs)
    _check_total(model, kept)
    return sorted(kept, key=lambda row: row.calls == 0)


def _connections(module: nn.Module, row: Row) -> int:
    """Links into the outputs of a layer, as LeCun et al. (1998), section II.B, count them.

    A multiply-add is one link and so is a bias. A layer that multiplies nothing (a subsampling)
    says itself how many links each output has, in ``connections_per_output``; without it there are
    none.
    """
    declared = _declared(module, "connections_per_output")
    if isinstance(declared, int):
        return declared * row.neurons
    if not row.macs:
        return 0
    return row.macs + row.neurons * (getattr(module, "bias", None) is not None)


def _check_total(model: nn.Module, rows: list[Row]) -> None:
    # What the network holds after its pass: a layer that it made on the way has no row.
    held = {p for m in model.modules() for p in m._parameters.values() if p is not None}
    total = sum(p.numel() for p in held if p.requires_grad)
    counted = sum(row.parameters for row in rows)
    if counted != total:
        raise CrossCheckError(f"rows sum to {counted:,} parameters, the network has {total:,}")
