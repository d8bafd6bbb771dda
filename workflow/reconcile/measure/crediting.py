"""Credit every executed operator to the layer whose work it is.

A product with a layer's weights is that layer's, wherever it was written; a product of data with
data is that of the module that is running. Among several owners of a weight the running one wins,
then one whose kind fits the product. A weight put together from those of several layers is shared
out by their elements. What a parametrisation or another hook computes from weights alone before a
layer runs prepares the weight and is no work of the pass; anywhere else it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from reconcile.measure.kinds import (
    BATCH,
    CHANNELS,
    MAPS,
    Axes,
    KnownAxes,
    axes_of_map,
    axes_of_tokens,
    named_kind,
)
from reconcile.measure.operators import (
    CONV,
    CONVOLVES,
    FC,
    MIXING,
    TURNED,
    Formula,
    Sort,
    sort_of,
)
from reconcile.measure.recall import Execute
from reconcile.measure.weights import CONSTANT, Mark, Part, Weights, tensors_in


class Result(NamedTuple):
    """What one product with a layer's own weights gave.

    Attributes:
        shape: of the result, with whatever was folded into it.
        elements: those that are this layer's.
        bytes: of them.
        axes: what the dimensions are.
    """

    shape: tuple[int, ...]
    elements: int
    bytes: int
    axes: Axes | None = None


@dataclass
class Work:
    """What operators did on behalf of one module.

    Attributes:
        macs: multiply-adds.
        by_kind: of these, those with weights of its own, by the kind of layer that they make.
        results: what these gave while the module ran.
        elsewhere: the same while it did not: another module used its weights.
        uncounted: operators that may multiply and add and have no formula, with the number of
            elements that went in.
        notes: what should be known of the counts.
    """

    macs: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    elsewhere: list[Result] = field(default_factory=list)
    uncounted: dict[str, int] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)

    def leave_out(self, name: str, elements: int) -> None:
        """Name an operator that was not counted."""
        self.uncounted[name] = self.uncounted.get(name, 0) + elements


_PLAIN = frozenset((Tensor, nn.Parameter))


class Counter(TorchDispatchMode):
    """Sees every operator that is executed, and credits it.

    Attributes:
        running: the modules that are running, the innermost last.
        work: what was done, by module.
        weights: whose weights the tensors of this pass hold.
        in_one_function: how many functions are running whose products have been dealt with.
        preparing: how many parametrisations and hooks before a layer are running.
        axes: what the dimensions of the tensors are that products took and gave.
        on_use: is told of a layer whose weights another module is about to use.
        execute: executes an operator, or remembers what it gave.
    """

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled in a pass, and to say so takes longer than to count

    def __init__(self, on_use: Callable[[nn.Module], object], execute: Execute) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.running: list[nn.Module] = []
        self.work: dict[nn.Module, Work] = {}
        self.weights = Weights()
        self.axes = KnownAxes()
        self.preparing = 0
        self.on_use = on_use
        self._execute = execute
        self.in_one_function = 0
        self._products: dict[int, _Product] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not _PLAIN.issuperset(types) and any(hasattr(t, "__tensor_flatten__") for t in types):
            return NotImplemented  # made up of plain tensors, whose operators come next
        # Kernels of the meta device are written in Python, as this is: what they call, or ask of a
        # tensor, is nobody's function.
        with torch._C.DisableTorchFunction():
            return self._seen(func, args, kwargs or {})

    def _seen(self, func: Any, args: Any, kwargs: Any) -> Any:
        sort = sort_of(func)
        if isinstance(func, HigherOrderOperator):
            return self._higher_order(func, sort, args, kwargs)
        if sort.composite:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        result = self._execute(func, args, kwargs)
        if self.running:
            self._note(sort, args, kwargs, result)
        return result

    def _higher_order(self, func: Any, sort: Sort, args: Any, kwargs: Any) -> Any:
        """Operators that take functions: a branch is seen through, attention has its formula."""
        if sort.name == "higher_order.cond":
            condition, taken, other, operands = args
            with self:
                return (taken if condition else other)(*operands)
        result = func(*args, **kwargs)
        if self.running:
            self._note(sort, args, kwargs, result)
        return result

    def of(self, module: nn.Module) -> Work:
        """What a module did, to be added to."""
        found = self.work.get(module)
        if found is None:
            found = self.work[module] = Work()
        return found

    def _note(self, sort: Sort, args: Any, kwargs: Any, result: Any) -> None:
        if sort.cuts:
            for part in tensors_in((result,)):
                self.axes.relate(tuple(args[0].shape), tuple(part.shape))
        if sort.view:
            return
        tensors = tensors_in(args)
        if kwargs:
            tensors += tensors_in(kwargs.values())
        weights = self.weights
        blocks = [weights.block(tensor) for tensor in tensors]
        constant = None not in blocks
        for block in blocks:
            if block is not None and block.parameter is not None:
                weights.used.add(id(block.parameter))
        if not (constant and self.preparing):
            self._count(sort, args, kwargs, result, constant)
        if sort.map_axes:
            self._learn_map(sort.map_axes, args[0], result)
        elif sort.joins and not constant:
            made = tensors_in((result,))[0]
            self.axes.relate(tuple(tensors[0].shape), tuple(made.shape))
            self._learn(tuple(made.shape), self._joined_axes(tensors[0], made))
        if constant:
            marks = [block.mark or CONSTANT for block in blocks if block is not None]
            mark = weights.joined(marks, tensors, side_by_side=sort.joins)
            for made in tensors_in((result,)):
                weights.mark(made, mark)
        elif sort.writes and tensors:
            weights.overwrite(kwargs.get("out", tensors[0]))

    def _learn_map(self, dimensions: int, given: Tensor, result: Any) -> None:
        made = next(iter(tensors_in((result,))), None)
        taken = tuple(given.shape)
        self._learn(taken, axes_of_map(dimensions, taken), taken=True)
        if made is not None:
            shape = tuple(made.shape)
            self._learn(shape, axes_of_map(dimensions, shape))

    def learn_map(self, given: Tensor, made: Tensor) -> None:
        """Note what the axes are of a map, and of the one that a function made of it."""
        self._learn_map(given.ndim - 2, given, made)

    def _joined_axes(self, part: Tensor, whole: Tensor) -> Axes | None:
        known = self.axes.of(tuple(part.shape))
        return known if known is not None and len(known) == whole.ndim else None

    def _count(self, sort: Sort, args: Any, kwargs: Any, result: Any, constant: bool) -> None:
        if self.in_one_function:
            return
        if sort.formula is not None:
            self._product(sort, sort.formula, args, kwargs, result)
        elif sort.looks_up:
            self._look_up(args[0], result)
        elif sort.normalises:
            self._normalise(tensors_in(args[1:]))
        if constant:
            return
        if sort.unknown:
            self._leave_out(sort.name, args)
        elif sort.multiplies:
            self._multiply(args, result)
        elif self._products:
            self._follow(sort, args, result)

    def _leave_out(self, name: str, args: Any) -> None:
        elements = sum(tensor.numel() for tensor in tensors_in(args))
        self.of(self.running[-1]).leave_out(name, elements)

    def _product(self, sort: Sort, formula: Formula, args: Any, kwargs: Any, result: Any) -> None:
        macs = formula.macs(args, kwargs, result)
        if macs is None:
            self._leave_out(sort.name, args)
            return
        made = next(iter(tensors_in((result,))), None)
        weight = self._weight([args[place] for place in formula.operands])
        if weight is None and _is_packed(formula, args):
            weight = (Part((self.running[-1],), 1),)
        if weight is None or made is None:
            self.of(self.running[-1]).macs += macs
            self._learn_recurrent(formula)
            return
        axes = self._learn_axes(formula, args, made)
        self._share_out(macs, weight, formula.kind, made, axes)

    def _share_out(
        self, macs: int, weight: Mark, kind: str, made: Tensor, axes: Axes | None
    ) -> None:
        """Credit the owners of a weight with a product, and who is running with what is left."""
        left = macs
        for share in _shares(weight, kind, self.running[-1]):
            elements = share.of(made.numel())
            given = Result(tuple(made.shape), elements, elements * made.element_size(), axes)
            self._own(share.owner, share.of(macs), kind, given, share.note)
            left -= share.of(macs)
        self.of(self.running[-1]).macs += left

    def _learn_axes(self, formula: Formula, args: Any, made: Tensor) -> Axes | None:
        shape = tuple(made.shape)
        if formula.windows is not None:
            packed = _is_packed(formula, args)
            dimensions = args[0 if packed else formula.windows].ndim - 2
            given = tuple(args[0].shape)
            self._learn(given, axes_of_map(dimensions, given), taken=True)
            axes = axes_of_map(dimensions, shape)
        else:
            axes = (*MAPS[1], BATCH, CHANNELS) if formula.kind == CONV else axes_of_tokens(shape)
        self._learn(shape, axes)
        return axes

    def _learn(self, shape: tuple[int, ...], axes: Axes | None, *, taken: bool = False) -> None:
        (self.axes.learn_input if taken else self.axes.learn)(shape, axes)

    def count_function(self, formula: Formula, args: Any, result: Any) -> None:
        """Credit a function of torch that is counted as a whole, if data goes in."""
        data = any(self.weights.block(tensor) is None for tensor in tensors_in(args))
        if self.running and data:
            self._product(Sort("function", formula), formula, args, {}, result)

    def _weight(self, operands: Iterable[Any]) -> Mark | None:
        """The parts of the operand that holds weights; of several, those of who is running."""
        tensors = (operand for operand in operands if isinstance(operand, Tensor))
        found = [mark for mark in map(self.weights.of, tensors) if mark]
        running = self.running[-1]
        own = (m for m in found if any(running in part.owners for part in m))
        return next(own, found[-1] if found else None)

    def _learn_recurrent(self, formula: Formula) -> None:
        if formula.kind != MIXING and not formula.operands:
            work = self.of(self.running[-1])
            work.by_kind[formula.kind] = work.by_kind.get(formula.kind, 0)

    def _own(self, owner: nn.Module, macs: int, kind: str, given: Result, note: str | None) -> None:
        """Credit a layer with a product with weights of its own."""
        inside = owner is self.running[-1]
        if not inside:
            self.on_use(owner)
        work = self.of(owner)
        work.macs += macs
        work.by_kind[kind] = work.by_kind.get(kind, 0) + macs
        (work.results if inside else work.elsewhere).append(given)
        if note:
            work.notes.add(note)

    def _look_up(self, table: Tensor, result: Tensor) -> None:
        mark = self.weights.of(table)
        if mark:
            given = Result(
                tuple(result.shape),
                result.numel(),
                result.numel() * result.element_size(),
                axes_of_tokens(tuple(result.shape)),
            )
            share = _shares(mark, "embedding", self.running[-1])[0]
            self._own(share.owner, 0, "embedding", given, share.note)

    def _normalise(self, rest: Iterable[Tensor]) -> None:
        running = self.running[-1]
        marks = (self.weights.of(tensor) for tensor in rest)
        if any(running in part.owners for mark in marks for part in mark or ()):
            self.of(running).by_kind.setdefault("norm", 0)

    def _multiply(self, args: Any, result: Tensor) -> None:
        """Two tensors, element by element: free, unless what they give is summed.

        A factor of one element scales, and a tensor times itself is a square: neither is a product
        that a sum would make a multiply-add. Nor is it one where a factor is the same all along the
        axis: a gain, a gate of channels.
        """
        one, other = args[:2]
        if not isinstance(other, Tensor) or other.numel() == 1:
            return self._keep_product((one,), result)
        if one.numel() == 1:
            return self._keep_product((other,), result)
        self._forget(result)
        if one is not other:
            pairs = zip(_spreads(one, result.ndim), _spreads(other, result.ndim), strict=True)
            spread = tuple(a and b for a, b in pairs)
            work = ((self._weight((one, other)), result.numel()),)
            self._make_product(result, spread, work)

    def _make_product(
        self, result: Tensor, spread: tuple[bool, ...], work: tuple[_Part, ...]
    ) -> None:
        size = result.numel()
        self._products[_address(result)] = _Product(result.stride(), spread, work, size, size)

    def _product_in(self, given: Any) -> _Product | None:
        return self._products.get(_address(given)) if isinstance(given, Tensor) else None

    def _follow(self, sort: Sort, args: Any, result: Any) -> None:
        """What an operator that multiplies nothing makes of the products that it takes."""
        if sort.keeps:
            self._keep_product([args[place] for place in sort.keeps], result)
        elif sort.sums is not None:
            self._sum(args, sort.sums, result)
        elif sort.adds:
            self._combine(args[:2], result)
        elif sort.joins:
            self._combine(args[0], result, args[1] if len(args) > 1 else 0)
        else:
            self._forget(result)

    def _keep_product(self, given: Sequence[Any], result: Tensor) -> None:
        """What holds elements of a product, or these times a number, is a product still."""
        found = [(tensor, self._product_in(tensor)) for tensor in given]
        self._forget(result)
        for tensor, product in found:
            if product is not None and tensor.ndim == result.ndim:
                spread = tuple(product.spreads(tensor, axis) for axis in range(tensor.ndim))
                size = min(tensor.numel(), result.numel())
                return self._make_product(result, spread, product.of(size))

    def _combine(self, given: Sequence[Any], result: Tensor, along: int | None = None) -> None:
        """Products that are added, or put side by side along an axis, are one; all must be some."""
        found = [(tensor, self._product_in(tensor)) for tensor in given]
        self._forget(result)
        parts = [(tensor, product) for tensor, product in found if product is not None]
        spreads = [
            [product.spreads(tensor, axis) for axis in range(tensor.ndim)]
            for tensor, product in parts
        ]
        if len(parts) < len(found) or len({len(spread) for spread in spreads}) > 1:
            return
        spread = [any(axes) for axes in zip(*spreads, strict=True)]
        if along is not None:
            # What is joined has the axis already, what is stacked gets it.
            place, new = along % result.ndim, result.ndim - len(spread)
            spread[place : place + 1 - new] = [True]
        work = [part for tensor, product in parts for part in product.of(tensor.numel())]
        if len(spread) == result.ndim:
            self._make_product(result, tuple(spread), tuple(work))

    def _sum(self, args: Any, place: int, result: Tensor) -> None:
        """Elements of a product are summed, of all of it or along axes: each is a multiply-add."""
        given = args[place] if len(args) > place else None
        product = self._product_in(given)
        if given is not None and product is not None:
            over = args[1] if len(args) > 1 and isinstance(args[1], int | list | tuple) else None
            axes = [over] if isinstance(over, int) else over or range(given.ndim)
            if any(product.spreads(given, axis) for axis in axes):
                for weight, macs in product.take(given.numel()):
                    if weight is None:
                        self.of(self.running[-1]).macs += macs
                    else:
                        self._share_out(macs, weight, FC, result, None)
        self._forget(result)

    def _forget(self, result: Any) -> None:
        """A new tensor may lie where a product lay before."""
        for made in tensors_in((result,)):
            self._products.pop(_address(made), None)


_Part = tuple[Mark | None, int]
"""Whose weights a factor of a product holds, and how many multiply-adds there are with them."""


@dataclass(slots=True)
class _Product:
    """An elementwise product as it lies in memory.

    Attributes:
        stride: of its dimensions.
        spread: along which of them both factors have elements of their own.
        work: the multiply-adds that it is where all of it is summed.
        size: its elements.
        left: those that were not summed yet; each is multiplied once, however often it is summed.
    """

    stride: tuple[int, ...]
    spread: tuple[bool, ...]
    work: tuple[_Part, ...]
    size: int
    left: int

    def of(self, elements: int) -> tuple[_Part, ...]:
        """The multiply-adds of so many of its elements."""
        return tuple((weight, macs * elements // self.size) for weight, macs in self.work)

    def take(self, elements: int) -> tuple[_Part, ...]:
        """The same of elements that are summed, as far as some are left."""
        taken = min(elements, self.left)
        self.left -= taken
        return self.of(taken) if taken else ()

    def spreads(self, view: Tensor, axis: int) -> bool:
        """Whether both factors change along an axis of a view: one that steps over such ones."""
        size, step = view.shape[axis], view.stride(axis)
        steps = zip(self.stride, self.spread, strict=True)
        return size > 1 and any(spread and step <= own < step * size for own, spread in steps)


def _spreads(factor: Tensor, dimensions: int) -> list[bool]:
    """Along which dimensions of a product a factor has elements of its own."""
    own = [n > 1 and step != 0 for n, step in zip(factor.shape, factor.stride(), strict=True)]
    return [False] * (dimensions - len(own)) + own


def _inner(args: Any, kwargs: Any, result: Any) -> int:
    """Inner products along an axis multiply each element of the two, made as large as the other."""
    return math.prod(torch.broadcast_shapes(args[0].shape, args[1].shape))


def _outer(args: Any, kwargs: Any, result: Any) -> int:
    """Each element of one meets each of the other."""
    return int(args[0].numel() * args[1].numel())


_EACH_WITH_EACH = (*(torch.outer, torch.ger, torch.kron, Tensor.outer, Tensor.ger, Tensor.kron),)
_FUNCTIONS: dict[Any, Formula | None] = {
    **dict.fromkeys(_EACH_WITH_EACH, Formula(_outer)),
    torch.linalg.vecdot: Formula(_inner),
    torch.cosine_similarity: None,
    functional.cosine_similarity: None,
    functional.interpolate: None,
}
"""Functions that torch takes apart before an operator is seen: with a formula, or with none.

A cosine is a similarity, like a distance: no multiply-adds by convention. An interpolation is taken
apart where kernels are to be deterministic, on every device but the CPU.
"""
_CONVOLUTIONS: dict[Any, Formula] = {
    **dict.fromkeys((torch.conv1d, torch.conv2d, torch.conv3d), CONVOLVES),
    **dict.fromkeys(
        (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d), TURNED
    ),
}
"""Of complex numbers torch makes three of real ones."""


class Functions(TorchFunctionMode):
    """Sees the few functions whose operators alone would not tell what they are."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self.counter = counter

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = _CONVOLUTIONS.get(func)
        whole = func in _FUNCTIONS
        if formula is not None:
            args = _positional(args, kwargs)
            whole = args[0].is_complex() or args[1].is_complex()
        if not whole:
            return func(*args, **kwargs)
        self.counter.in_one_function += 1
        try:
            result = func(*args, **kwargs)
        finally:
            self.counter.in_one_function -= 1
        if func is functional.interpolate:
            self.counter.learn_map(args[0] if args else kwargs["input"], result)
        formula = formula or _FUNCTIONS.get(func)
        if formula is not None and len(args) > 1:
            self.counter.count_function(formula, args, result)
        return result


def _is_packed(formula: Formula, args: Any) -> bool:
    """Whether a product is one with weights that torch keeps in an object and not in a tensor."""
    return any(isinstance(args[i], torch.ScriptObject) for i in formula.operands)


def _positional(args: Any, kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The input and the weight of a convolution in their places, taken out of the keywords."""
    given = list(args)
    for place, name in enumerate(("input", "weight")):
        if len(given) == place and name in kwargs:
            given.append(kwargs.pop(name))
    return tuple(given)


def _address(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):
        return id(tensor)


class _Share(NamedTuple):
    """What one owner gets of a product: so many of all elements of the weight."""

    owner: nn.Module
    elements: int
    whole: int
    note: str | None

    def of(self, amount: int) -> int:
        return amount * self.elements // self.whole


def _shares(mark: Mark, kind: str, running: nn.Module) -> list[_Share]:
    """Who gets which share of a product with a weight, and what to say if that is not certain."""
    whole = sum(part.elements for part in mark)
    shares = []
    for part in mark:
        owner = _owner(part, kind, running)
        unsure = len(part.owners) > 1 and owner is not running
        note = "its weight is another layer's too, and was used by neither" if unsure else None
        shares.append(_Share(owner, part.elements, max(whole, 1), note))
    return shares


def _owner(part: Part, kind: str, running: nn.Module) -> nn.Module:
    if running in part.owners:
        return running
    fitting = (owner for owner in part.owners if named_kind(owner) == kind)
    return next(fitting, part.owners[0])
