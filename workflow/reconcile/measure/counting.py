"""Count what one forward pass really does, layer by layer.

A layer is a module that holds no other module, or that holds parameters of its own; what
reparametrises a weight is a part of the layer of that weight. Its row records the shapes and sizes
of all that it returned. Multiply-adds are counted from the operators that torch executed and
credited by ``crediting``, so functional operations count too; a bias addition, an activation, a
pooling or a normalisation is no multiply-add. Parameters count once by identity, in the row of the
layer that used them first.

Neurons are the same however a network is written down. A layer of torch's has those that it
returns, a recurrent one those of each of its layers at each step. A module that multiplies with
weights of its own (an attention with its projections, a study's own convolution) has those that
these products gave, as if each were a layer.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from reconcile.errors import visible
from reconcile.measure.building import called
from reconcile.measure.crediting import Counter, Functions, Result, Work
from reconcile.measure.kinds import (
    BATCH,
    TOKENS,
    Axes,
    CrossCheckError,
    axes_of_layer,
    axes_of_tokens,
    check_row,
    class_name,
    declared,
    holds_modules,
    kind_of,
    named_kind,
    sizes,
)
from reconcile.measure.recall import Execute, execute
from reconcile.measure.weights import (
    Weights,
    held_by,
    holders,
    is_parameter,
    packed_in,
    quant_state,
)
from reconcile.tables.contract import INPUT, NETWORK, ROOT


@dataclass
class Row:
    """What one layer did in one forward pass, for one input.

    Attributes:
        layer: its name, as ``layer_names`` gives it, or ``input``.
        kind: one of ``KINDS`` or ``input``.
        shape: shape of its first output without the batch, empty if it never ran.
        neurons: elements of its outputs, summed over its calls.
        parameters: trainable elements not already counted in an earlier row.
        macs: multiply-adds, summed over its calls.
        connections: links into its outputs, a bias counted as one.
        calls: how often it ran, or was used.
        first_input: shape of what it was given first, with the batch.
        bytes: memory of its outputs, summed over its calls.
        also: further names of the same layer.
        shapes: the different shapes of its outputs, without the batch, in order.
        sizes: channels, height and whatever else is known of all its outputs alike.
        all_parameters: elements of all its parameters, frozen ones too.
        buffers: elements of what it keeps and does not train, if they are no whole numbers.
        real_parameters: as ``parameters``; a complex element is two.
        used_parameters: of ``parameters``, those of tensors that an operator read.
        weight_bytes: memory of its parameters.
        data_macs: of ``macs``, those of products of data with data.
        class_name: its class, if that is one of ``torch.nn``.
        unread: parameters, by identity, that no operator read.
        uncounted: operators that may multiply and add and have no formula, with the number of
            elements that went in.
        notes: what should be known of its counts.
        axes: what the dimensions of the input are, in its row.
        fields: receptive field, stride and padding, by column (``measure.fields``).
        sees_all: axes of the input that each output sees whole.
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
    also: tuple[str, ...] = ()
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    all_parameters: int = 0
    buffers: int = 0
    real_parameters: int = 0
    used_parameters: int = 0
    weight_bytes: int = 0
    data_macs: int = 0
    class_name: str = ""
    unread: set[int] = field(default_factory=set, compare=False)
    uncounted: dict[str, int] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    axes: Axes | None = None
    fields: dict[str, int] = field(default_factory=dict)
    sees_all: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict)

    def returns(self, shape: tuple[int, ...], axes: Axes | None) -> None:
        """Note one output; a size in which two of them differ is not known."""
        plain = _without_batch(shape, axes)
        if plain in self.shapes:
            return
        found = sizes(axes, shape)
        if not self.shapes:
            self.shape, self.sizes = plain, found
        else:
            both = self.sizes.keys() | found.keys()
            self.sizes = {k: _agreed(self.sizes.get(k), found.get(k)) for k in both}
        self.shapes.append(plain)


def _agreed(one: int | None, other: int | None) -> int | None:
    return one if one == other else None


def _without_batch(shape: tuple[int, ...], axes: Axes | None) -> tuple[int, ...]:
    """The shape for one input; what has no batch (an embedding of positions) keeps all of it."""
    if axes is not None and BATCH in axes:
        place = axes.index(BATCH)
    elif axes is not None and TOKENS in axes and shape[0] != 1:
        place = shape[:-1].index(1) if 1 in shape[:-1] else -1
    else:
        place = 0
    return shape[:place] + shape[place + 1 :] if shape[place : place + 1] == (1,) else shape


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


def is_layer(module: nn.Module) -> bool:
    """Whether a module gets a row: it holds no module, or holds parameters itself."""
    if not module._modules:
        return True
    own = any(parameter is not None for parameter in module._parameters.values())
    return own or not holds_modules(module)


def layer_names(model: nn.Module) -> dict[nn.Module, str]:
    """The name of every module: as torch spells it, ``root`` for the model itself.

    ``network`` means the whole and ``input`` what goes in, so a module of such a name, or one that
    the path from the root could be taken for, is named from the root: ``root.network``. What has
    no shape of its own in a name is spelled, as in every text that a study gives.
    """
    return {module: _from_root(name) for name, module in model.named_modules()}


def _further_names(model: nn.Module, modules: Iterable[nn.Module]) -> dict[nn.Module, list[str]]:
    """The names, after the first, of modules that stand in several places."""
    children = [child for m in modules for child in m._modules.values() if child is not None]
    if len(set(children)) == len(children):
        return {}
    found: dict[nn.Module, list[str]] = {}
    for name, module in _everywhere(model, "", ()):
        found.setdefault(module, []).append(name)
    return {m: [_from_root(name) for name in names[1:]] for m, names in found.items() if names[1:]}


def _everywhere(
    module: nn.Module, name: str, above: tuple[nn.Module, ...]
) -> Iterator[tuple[str, nn.Module]]:
    """Every place of every module; one that stands within itself is not followed further."""
    if module in above:
        return
    yield name, module
    for part, child in module._modules.items():
        if child is not None:
            yield from _everywhere(child, f"{name}.{part}" if name else part, (*above, module))


def _from_root(name: str) -> str:
    reserved = name in (NETWORK, INPUT) or name.partition(".")[0] == ROOT
    return visible(f"{ROOT}.{name}" if name and reserved else name or ROOT)


def tensors_of(value: Any) -> list[Tensor]:
    """The tensors in what a module returned, in whatever nest, each once."""
    if type(value) is Tensor:
        return [value]
    found: dict[int, Tensor] = {}
    _collect(value, found, set())
    return list(found.values())


def _collect(value: Any, found: dict[int, Tensor], seen: set[int]) -> None:
    if isinstance(value, Tensor):
        # Sequences of different lengths are one after another in a nested tensor.
        plain = value.values() if value.is_nested and type(value) is not Tensor else value
        found.setdefault(id(plain), plain)
        return
    if id(value) in seen or isinstance(value, str | bytes | int | float | nn.Module | type(None)):
        return
    seen.add(id(value))
    for part in _parts(value):
        _collect(part, found, seen)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, f.name, None) for f in dataclasses.fields(value)]
    plain = type(value).__module__ != "builtins" and not isinstance(value, type)
    return list(vars(value).values()) if plain and hasattr(value, "__dict__") else ()


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in what a module returned (a tensor, or a nest of tuples and dicts)."""
    if type(value) is tuple and value and type(value[0]) is Tensor:
        return value[0]
    return next(iter(tensors_of(value)), None)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    try:
        return tuple(tensor.shape)
    except RuntimeError:
        raise TypeError("a nested tensor has a shape only if its layout is jagged") from None


@contextmanager
def hooked(
    modules: Sequence[nn.Module],
    before: Callable[..., None],
    after: Callable[..., None],
) -> Iterator[None]:
    """Run with forward hooks on some modules; they are gone afterwards, whatever happens."""
    # Registered by hand, all under one number of torch's: a handle for each takes as long as a pass
    # over the meta device.
    number = RemovableHandle(OrderedDict()).id
    for module in modules:
        module._forward_pre_hooks[number] = before
        module._forward_hooks[number] = after
    try:
        yield
    finally:
        for module in modules:
            module._forward_pre_hooks.pop(number, None)
            module._forward_hooks.pop(number, None)


@contextmanager
def layers_apart() -> Iterator[None]:
    """Without the fast path of attention, which fuses a whole layer into one operator."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def uncompiled() -> AbstractContextManager[Any]:
    """Run what is compiled as it was written; only where somebody brought the compiler in."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    eager: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return eager


def count_layers(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    run: Execute = execute,
    ended: Callable[[str, Callable[[], Row]], None] = lambda layer, row: None,
) -> tuple[list[Row], Tensor]:
    """Run the model once and count every layer.

    Args:
        model: the network; it is neither moved nor changed.
        inputs: its inputs, each with a batch of one.
        run: executes an operator, or remembers what it gave.
        ended: is told of each layer that ran as soon as it returned; its row so far can be asked
            for, until the pass is over.

    Returns:
        A row for the first input and one for every layer in order of execution (layers that never
        ran last, with nothing but their parameters), and the model's output.

    Raises:
        CrossCheckError: a count disagrees with its closed form, or rows with the total.
        TypeError: the model returned no tensor.
    """
    one_pass = _Pass(model, ended, run)
    counter = one_pass.counter
    ended(INPUT, partial(one_pass.input_row, inputs))
    with (
        torch.no_grad(),
        layers_apart(),
        uncompiled(),
        one_pass.prepared(),
        hooked(list(one_pass.names), _unwatched(one_pass.before), _unwatched(one_pass.after)),
        Functions(counter),
        counter,
    ):
        output = first_tensor(called(model, inputs))
    if output is None:
        raise TypeError("the network returned no tensor")
    return [one_pass.input_row(inputs), *one_pass.finish()], output


def _unwatched(hook: Callable[..., None]) -> Callable[..., None]:
    """A hook whose questions to tensors are no functions of the network."""

    def run(*args: Any) -> None:
        with torch._C.DisableTorchFunction():
            hook(*args)

    return run


class _Pass:
    """One forward pass, seen from its modules."""

    def __init__(
        self, model: nn.Module, ended: Callable[[str, Callable[[], Row]], None], run: Execute
    ) -> None:
        self.model = model
        self._ended = ended
        self.names = layer_names(model)
        self.part_of = holders(self.names)
        self.rows: dict[nn.Module, Row] = {}
        self.counter = Counter(self._row, run)
        self.axes = self.counter.axes
        self._outputs: dict[nn.Module, tuple[int, ...]] = {}
        self._lazy: set[nn.Module] = set()
        self._layers = {module for module in self.names if is_layer(module)}
        self._parts = _parts_by_layer(self.part_of)
        self._first: dict[int, nn.Module] = {}
        for module in self.names:
            self._own(module)

    def _own(self, module: nn.Module) -> None:
        owner = self.part_of.get(module, module)
        held = held_by(module)
        made = [t for t in held if not is_lazy(t)]
        if len(made) < len(held):
            self._lazy.add(module)
        loose = [v for v in module.__dict__.values() if type(v) is Tensor]
        self.counter.weights.own(owner, made + loose)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Tell when hooks of the network's own run before a layer: they prepare its weights."""
        own = [m for m in self.names if m._forward_pre_hooks and m not in self._lazy]
        hooks = [m.register_forward_pre_hook(self._prepare, prepend=True) for m in own]
        hooks += [m.register_forward_pre_hook(self._is_prepared) for m in own]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _prepare(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self.counter.running.append(module)
        self.counter.preparing += 1

    def _is_prepared(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self.counter.running.pop()
        self.counter.preparing -= 1

    def _row(self, module: nn.Module) -> Row:
        row = self.rows.get(module)
        if row is None:
            row = self.rows[module] = Row(self.names[module], kind_of(module))
            row.class_name = class_name(module)
        return row

    def before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if module in self.part_of:
            self.counter.preparing += 1
        if module in self._lazy:  # its weights have come into being, or are about to
            self._own(module)
        self.counter.running.append(module)
        row = self._row(module)
        tensor = first_tensor(args)
        if tensor is not None and not row.first_input:
            row.first_input = _shape(tensor)

    def after(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.counter.running.pop()
        row = self.rows[module]
        row.calls += 1
        if module in self.part_of:
            self.counter.preparing -= 1
            return
        if module in self._lazy:
            held = (p for p in module._parameters.values() if p is not None)
            self.counter.weights.used |= set(map(id, held))
        if module not in self._layers and module not in self.counter.work:
            return  # a container that did nothing by itself gets no row
        tensors = tensors_of(output)
        if row.kind in ("recurrent", "attention"):
            # The state at the end is the last of the outputs; the weights of attention are looked
            # at and go nowhere.
            del tensors[1:]
        for tensor in tensors:
            self.counter.weights.release(tensor)
            shape = _shape(tensor)
            self._outputs.setdefault(module, shape)
            row.returns(shape, self._axes(module, row, shape))
            row.neurons += tensor.numel() * _depth(module)
            row.bytes += tensor.numel() * tensor.element_size()
        self._ended(row.layer, partial(self._so_far, module))

    def _so_far(self, module: nn.Module) -> Row:
        """The row of a layer that ran, in a pass that may never be over.

        A parameter counts in the row of the layer that was done with it first.
        """
        row = copy.copy(self.rows[module])
        row.shapes, row.unread = [*row.shapes], set(row.unread)
        held = [module, *self._parts.get(module, ())]
        tensors = [tensor for m in held for tensor in held_by(m)]
        first = self._first
        others = {id(t) for t in tensors if first.setdefault(id(t), module) is not module}
        self._take(module, row, self.counter.work.get(module, Work()))
        _count_parameters(held, row, others, self.counter.weights)
        row.connections = _connections(module, row)
        row.more = {quantity: count(module, row) for quantity, count in COUNTED_BY.items()}
        return row

    def _axes(self, module: nn.Module, row: Row, shape: tuple[int, ...]) -> Axes | None:
        found = axes_of_layer(module, row.kind, shape)
        work = self.counter.work.get(module)
        for result in work.results[-1:] if work else ():
            if found is None and _holds_features(result, shape):
                found = axes_of_tokens(shape)
        found = found or self.axes.of(shape)
        self.axes.learn(shape, found)
        if row.first_input:
            self.axes.learn_input(row.first_input, _axes_before(module, row, found))
        return found

    def input_row(self, inputs: tuple[Tensor, ...]) -> Row:
        given = tensors_of(inputs)
        shape = tuple(given[0].shape)
        row = Row(
            INPUT,
            INPUT,
            neurons=sum(t.numel() for t in given),
            calls=1,
            bytes=sum(t.numel() * t.element_size() for t in given),
        )
        row.axes = self.axes.of_input(shape)
        row.returns(shape, row.axes)
        if shape[:1] == (1,):
            row.shape = shape[1:]
        return row

    def finish(self) -> list[Row]:
        """Keep the layers, credit parameters by identity, check every count."""
        further = _further_names(self.model, self.names)
        seen: set[int] = set()
        kept = []
        for module in self.names:
            self._row(module)
        for module, row in self.rows.items():
            if module in self.part_of:
                continue
            work = self.counter.work.get(module, Work())
            self._take(module, row, work)
            row.also = tuple(further.get(module, ()))
            _count_parameters(
                [module, *self._parts.get(module, ())], row, seen, self.counter.weights
            )
            row.connections = _connections(module, row)
            row.more = {quantity: count(module, row) for quantity, count in COUNTED_BY.items()}
            if module in self._layers or row.macs or row.uncounted or is_layer(module):
                kept.append(row)
            if row.calls == 1 and not work.elsewhere and module in self._outputs:
                check_row(module, row.layer, row.first_input, self._outputs[module], row.macs)
        _check_total(self.model, kept)
        return sorted(kept, key=lambda row: row.calls == 0)

    def _take(self, module: nn.Module, row: Row, work: Work) -> None:
        """Put what operators did on a layer's behalf into its row."""
        row.macs, row.uncounted, row.notes = work.macs, work.uncounted, work.notes
        row.data_macs = 0 if row.kind == "recurrent" else work.macs - sum(work.by_kind.values())
        named = named_kind(module)
        products = named in (None, "attention") and (work.results or work.elsewhere)
        if named is None and work.by_kind:
            row.kind = max(work.by_kind, key=lambda kind: work.by_kind[kind])
        if products:
            row.neurons = sum(r.elements for r in (*work.results, *work.elsewhere))
        elif work.elsewhere:
            row.neurons += sum(result.elements for result in work.elsewhere)
        for result in work.elsewhere:
            row.calls += 1
            row.bytes += result.bytes
            row.returns(result.shape, result.axes)


def _holds_features(result: Result, shape: tuple[int, ...]) -> bool:
    """Whether what a module returned are the rows of a product, perhaps unfolded."""
    same = result.axes == axes_of_tokens(result.shape) and math.prod(shape) == result.elements
    return bool(shape and result.shape) and same and shape[-1] == result.shape[-1]


def _axes_before(module: nn.Module, row: Row, after: Axes | None) -> Axes | None:
    """The axes of what a layer was given: those of what it returns, where it has as many."""
    if row.kind == "embedding":
        return (BATCH, *(TOKENS,) * (len(row.first_input) - 1))
    return after if after is not None and len(after) == len(row.first_input) else None


def _depth(module: nn.Module) -> int:
    """How many layers of neurons a layer stands for: a recurrent one may be several in one."""
    return module.num_layers if isinstance(module, nn.RNNBase) else 1


def _parts_by_layer(part_of: Mapping[nn.Module, nn.Module]) -> dict[nn.Module, list[nn.Module]]:
    found: dict[nn.Module, list[nn.Module]] = {}
    for part, layer in part_of.items():
        found.setdefault(layer, []).append(part)
    return found


def _count_parameters(
    modules: Sequence[nn.Module], row: Row, seen: set[int], weights: Weights
) -> None:
    """Count the parameters and buffers of a layer that no row before has counted."""
    packed = packed_in(modules[0])
    row.all_parameters += sum(elements for elements, _ in packed)
    row.weight_bytes += sum(stored for _, stored in packed)
    for tensor in (tensor for module in modules for tensor in held_by(module)):
        if is_lazy(tensor) or id(tensor) in seen:
            continue
        seen.add(id(tensor))
        is_complex = tensor.is_complex()
        counts = is_complex or tensor.is_floating_point()
        if packed and not counts:
            continue
        elements = elements_of(tensor)
        if not is_parameter(tensor):
            row.buffers += elements if counts else 0
            continue
        used = id(tensor) in weights.used
        row.all_parameters += elements
        row.weight_bytes += tensor.numel() * tensor.element_size()
        if not used:
            row.unread.add(id(tensor))
        if tensor.requires_grad:
            row.parameters += elements
            row.real_parameters += elements * (2 if is_complex else 1)
            row.used_parameters += elements if used else 0


def elements_of(tensor: Tensor) -> int:
    """The elements of a parameter; of one that packs several into each, those that it stands for.

    bitsandbytes keeps the shape of the packed weight in ``quant_state``.
    """
    packed = getattr(quant_state(tensor), "shape", None)
    return math.prod(packed) if packed is not None else tensor.numel()


def _connections(module: nn.Module, row: Row) -> int:
    """Links into the outputs of a layer, as LeCun et al. (1998), section II.B, count them.

    A multiply-add is one link and so is a bias. A layer that multiplies nothing (a subsampling)
    says itself how many links each output has, in ``connections_per_output``; without it there are
    none.
    """
    own = declared(module, "connections_per_output")
    if isinstance(own, int):
        return own * row.neurons
    if not row.macs:
        return 0
    return row.macs + row.neurons * (getattr(module, "bias", None) is not None)


def _check_total(model: nn.Module, rows: list[Row]) -> None:
    # What the network holds after its pass: a layer that it made on the way has no row.
    held = {p for m in model.modules() for p in m._parameters.values() if p is not None}
    total = sum(elements_of(p) for p in held if p.requires_grad and not is_lazy(p))
    counted = sum(row.parameters for row in rows)
    if counted != total:
        raise CrossCheckError(f"rows sum to {counted:,} parameters, the network has {total:,}")


def cells_of(row: Row) -> dict[str, Any]:
    """The cells of a row in layers.csv, by column."""
    cells = {name: row.sizes.get(name) for name in _SIZES}
    return cells | {
        "layer": row.layer,
        "kind": row.kind,
        "also": " ".join(row.also),
        "outputs": " ".join("x".join(map(str, shape)) or "1" for shape in row.shapes),
        "uncounted": " ".join(uncounted_words(row.uncounted)),
        "note": "; ".join(sorted(row.notes)),
        "sees_all": " ".join(row.sees_all),
        "neurons": row.neurons,
        "macs": row.macs,
        "connections": row.connections,
        "layers": int(row.calls > 0 and row.kind != INPUT),
        "calls": row.calls,
        "parameters": row.parameters,
        "all_parameters": row.all_parameters,
        "frozen": row.all_parameters - row.parameters,
        "buffers": row.buffers,
        "real_parameters": row.real_parameters,
        "used_parameters": row.used_parameters,
        "weight_bytes": row.weight_bytes,
        "class": row.class_name,
        "inputs": math.prod(row.first_input) * row.calls,
        "data_macs": row.data_macs,
        "output_bytes": row.bytes,
        **row.fields,
        **row.more,
    }


_SIZES = ("channels", "depth", "height", "width", "length", "features")


def uncounted_words(uncounted: Mapping[str, int]) -> list[str]:
    """Operators that were not counted, each with the number of elements that went in."""
    return [f"{name}:{elements}" for name, elements in sorted(uncounted.items())]


def all_uncounted(cells: Iterable[str]) -> list[str]:
    """What was not counted in a whole network, from the cells of its layers."""
    total = Work()
    for word in (word for cell in cells for word in cell.split()):
        name, _, elements = word.rpartition(":")
        total.leave_out(name, int(elements))
    return uncounted_words(total.uncounted)
