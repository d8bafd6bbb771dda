"""Which part of the input a layer's outputs see: receptive field, stride and padding, by boxes.

Beside every tensor goes, for each axis of the input's map, the first and the last position that
each element sees. They are carried through a run on the meta device by the operators themselves: a
convolution or pooling takes the smallest first and the largest last of its window, an operator on
each element those of all that it takes, a sum or product those along the axis that it sums; what
only moves elements moves the boxes likewise. Positions go on beyond the edge of a map as they go at
the edge, so a field is the theoretical one, not cut off by the image. What looks at all of an axis
at once (a mean over the map, attention) sees everything. The statistics of a normalisation do not
count as seeing, as usual where receptive fields are told.

A box is kept at size one along each dimension in which it does not change, so that the boxes of a
map's rows are one column. An operator that is not known leaves no boxes behind it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from reconcile.measure.operators import Sort, sort_of
from reconcile.measure.recall import Execute, execute
from reconcile.measure.weights import tensors_in

EVERYTHING, NOTHING = math.inf, -math.inf
"""How far an element sees that sees all of an axis, or none of it."""


@dataclass(frozen=True)
class Boxes:
    """For one axis of the input: how far up and down each element of a tensor sees.

    Attributes:
        low: the first position that each element sees, its sign turned: larger is wider.
        high: the last position.
    """

    low: Tensor
    high: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> Boxes:
        """The same change of both."""
        return Boxes(change(self.low), change(self.high))

    def wider(self, other: Boxes) -> Boxes:
        """What sees whatever one of two sees, element by element."""
        return Boxes(torch.maximum(self.low, other.low), torch.maximum(self.high, other.high))

    @property
    def constant(self) -> bool:
        """Whether every element sees the same."""
        return self.low.numel() == self.high.numel() == 1


Planes = tuple[Boxes, ...]
"""The boxes of a tensor, one for each axis of the input."""


class UnknownError(Exception):
    """How an operator moves what it sees is not known."""


See = Callable[[Tensor], Boxes | None]
"""What a tensor sees along the axis in question; None for nothing."""


def _seen_by(tensor: Tensor, see: See) -> Boxes:
    """What a tensor sees; UnknownError where that is nothing."""
    boxes = see(tensor)
    if boxes is None:
        raise UnknownError
    return boxes


@dataclass(frozen=True)
class Call:
    """One operator as it was executed, and one of the tensors that it made."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    made: Tensor
    position: int

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument by its name in the operator's schema."""
        for place, argument in enumerate(self.func._schema.arguments):
            if argument.name == name and place < len(self.args):
                return self.args[place]
        return self.kwargs.get(name, default)

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that it took."""
        return tensors_in((*self.args, *self.kwargs.values()))


Rule = Callable[[Call, See], Boxes | None]


class Tracker(TorchDispatchMode):
    """Carries boxes beside the tensors of a pass on the meta device.

    Args:
        run: executes an operator, or remembers what it gave.
    """

    def __init__(self, run: Execute = execute) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._planes: Any = WeakIdKeyDictionary()
        self._run = run

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled in a pass, and to say so takes long

    def start(self, tensor: Tensor, dimensions: Sequence[int]) -> None:
        """Let an input see itself along some of its dimensions."""
        self._planes[tensor] = tuple(_itself(tensor, dimension) for dimension in dimensions)

    def of(self, tensor: Tensor) -> Planes | None:
        """What a tensor sees along each axis; None if that is nothing, or not known."""
        found: Planes | None = self._planes.get(tensor)
        return found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():
            return self._seen(func, args, kwargs or {})

    def _seen(self, func: Any, args: Any, kwargs: Any) -> Any:
        sort = sort_of(func)
        if sort.composite:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        taken = tensors_in((*args, *kwargs.values()))
        before = {id(t): self._planes[t] for t in taken if t in self._planes}
        result = self._run(func, args, kwargs)
        if before and not _is_fresh(sort.name):
            for position, made in enumerate(tensors_in((result,))):
                call = Call(func, args, kwargs, made, position)
                self._planes[made] = _moved(sort, call, before)
            if sort.writes and taken[0]._base is not None:
                self._planes[taken[0]._base] = None
        return result


def _moved(sort: Sort, call: Call, before: dict[int, Planes | None]) -> Planes | None:
    """What the tensor that a call made sees along each axis; None where it is not known."""
    rule = _rule_of(sort)
    if rule is None or None in before.values():
        return None
    axes = len(next(planes for planes in before.values() if planes is not None))
    try:
        found = [rule(call, _see(before, axis)) for axis in range(axes)]
    except (UnknownError, RuntimeError, IndexError, TypeError):
        return None
    return tuple(boxes for boxes in found if boxes is not None) if None not in found else None


def _see(before: dict[int, Planes | None], axis: int) -> See:
    def see(tensor: Tensor) -> Boxes | None:
        planes = before.get(id(tensor))
        return None if planes is None else planes[axis]

    return see


def _itself(tensor: Tensor, dimension: int) -> Boxes:
    shape = [1] * tensor.ndim
    shape[dimension] = -1
    places = torch.arange(tensor.shape[dimension], dtype=torch.float32, device="cpu").view(shape)
    return Boxes(-places, places)


# Rules.


def _aligned(boxes: Boxes, dimensions: int) -> Boxes:
    """Boxes with so many dimensions; broadcasting adds them in front."""
    if boxes.low.ndim == boxes.high.ndim == dimensions:
        return boxes
    return boxes.map(lambda v: v.reshape((1,) * (dimensions - v.ndim) + tuple(v.shape)))


def _widest(several: Iterable[Boxes | None], dimensions: int) -> Boxes | None:
    """What sees whatever any of several sees, with so many dimensions; None where none sees."""
    seeing = [_aligned(boxes, dimensions) for boxes in several if boxes is not None]
    return reduce(Boxes.wider, seeing) if seeing else None


def _each_element(call: Call, see: See) -> Boxes | None:
    """Each element sees what the elements see that it is made of."""
    return _widest(map(see, call.tensors), call.made.ndim)


def _first_only(call: Call, see: See) -> Boxes | None:
    """As the first argument, whose shape the result has: a normalisation."""
    if call.made.shape != call.args[0].shape:
        raise UnknownError
    return see(call.args[0])


def _compressed(values: Tensor) -> Tensor:
    """Size one along each dimension in which values do not change; which need no look first."""
    same = [d for d in range(values.ndim) if values.stride(d) == 0]
    for dimension in same:
        values = values.narrow(dimension, 0, 1)
    for dimension in range(values.ndim):
        if values.shape[dimension] > 1:
            first = values.narrow(dimension, 0, 1)
            if bool((values == first).all()):
                values = first
    return values


def _moves(call: Call, see: See) -> Boxes | None:
    """An operator that moves elements moves their boxes likewise: it runs on them."""

    def run(side: str) -> Tensor:
        def replaced(value: Any) -> Any:
            if isinstance(value, Tensor):
                boxes = see(value)
                if boxes is None:
                    return torch.full(value.shape, NOTHING, dtype=torch.float32, device="cpu")
                return getattr(boxes, side).expand(value.shape)
            return [*map(replaced, value)] if isinstance(value, list | tuple) else value

        arguments = [*map(replaced, call.args)]
        # Boxes that do not change along a dimension cannot be looked at otherwise without a copy.
        move = torch.reshape if call.func.overloadpacket in _VIEWS else call.func
        results = move(*arguments, **call.kwargs)
        return _compressed(tensors_in((results,))[call.position])

    return Boxes(run("low"), run("high"))


_VIEWS = (torch.ops.aten.view, torch.ops.aten._unsafe_view, torch.ops.aten._reshape_alias)


def _joins(call: Call, see: See) -> Boxes | None:
    """Tensors side by side along a dimension; along the others boxes stay as small as they are."""
    tensors = call.args[0]
    dim = call.argument("dim", 0) % call.made.ndim
    parts = [see(t) or _nothing(t.ndim) for t in tensors]

    def join(side: str) -> Tensor:
        values = [getattr(part, side) for part in parts]
        other = [max(v.shape[d] for v in values) for d in range(call.made.ndim)]
        sizes = [[*other[:dim], t.shape[dim], *other[dim + 1 :]] for t in tensors]
        whole = [v.expand(size) for v, size in zip(values, sizes, strict=True)]
        return _compressed(torch.cat(whole, dim))

    return Boxes(join("low"), join("high"))


def _nothing(rank: int) -> Boxes:
    values = torch.full((1,) * rank, NOTHING, dtype=torch.float32, device="cpu")
    return Boxes(values, values)


def _reduced(boxes: Boxes, dimensions: Iterable[int], rank: int) -> Boxes:
    """What a sum over some dimensions sees; everything, if that was all there is along the axis."""
    places = [d % rank for d in dimensions]
    boxes = _aligned(boxes, rank)
    varied = any(v.shape[d] > 1 for d in places for v in (boxes.low, boxes.high))
    found = boxes.map(lambda v: v.amax(places, keepdim=True) if places else v)
    if varied and found.constant:
        return found.map(lambda v: torch.full_like(v, EVERYTHING))
    return found


def _reduces(call: Call, see: See) -> Boxes:
    given = call.args[0]
    boxes = _seen_by(given, see)
    dim = call.argument("dim")
    if dim is None or dim == []:
        places = list(range(given.ndim))
    else:
        places = [dim] if isinstance(dim, int) else list(dim)
    found = _reduced(boxes, places, given.ndim)
    if call.made.ndim == given.ndim:
        return found
    gone = tuple(sorted(d % given.ndim for d in places))
    return found.map(lambda v: v.squeeze(gone))


def _reduces_last(call: Call, see: See) -> Boxes:
    boxes = _seen_by(call.args[0], see)
    return _reduced(boxes, [-1], call.args[0].ndim).map(lambda v: v.squeeze(-1))


def _along(call: Call, see: See) -> Boxes:
    """Each element sees all along a dimension: softmax, sorting."""
    boxes = _seen_by(call.args[0], see)
    return _reduced(boxes, [call.argument("dim", -1)], call.args[0].ndim)


def _so_far(call: Call, see: See) -> Boxes:
    """Each element sees those before it along a dimension, and itself."""
    dim = call.argument("dim")
    return _seen_by(call.args[0], see).map(lambda v: v.cummax(dim).values)


def _looks_up(call: Call, see: See) -> Boxes:
    return _seen_by(call.args[1], see).map(lambda v: v.unsqueeze(-1))


def _picks(call: Call, see: See) -> Boxes:
    """Picking along dimensions in which a box does not change leaves it as it is."""
    given, chosen = call.args[0], call.args[1]
    boxes = _seen_by(given, see)
    picked = [d for d, index in enumerate(chosen) if index is not None]
    if call.made.ndim != given.ndim or any(see(t) is not None for t in tensors_in(chosen)):
        raise UnknownError
    if any(v.shape[d] > 1 for d in picked for v in (boxes.low, boxes.high)):
        raise UnknownError
    return boxes


def _sums_products(*contracted: tuple[int, tuple[int, ...]], added: int | None = None) -> Rule:
    """A product: which dimensions of which argument are summed, and which argument is added."""

    def rule(call: Call, see: See) -> Boxes | None:
        summed = [
            _reduced(boxes, dimensions, call.args[place].ndim)
            for place, dimensions in contracted
            if (boxes := see(call.args[place])) is not None
        ]
        more = see(call.args[added]) if added is not None else None
        return _widest([*summed, more], call.made.ndim)

    return rule


def _at(values: Tensor, dimension: int, places: Tensor, size: int) -> Tensor:
    """The largest value at each row of places along a dimension, which go on beyond its edges.

    Args:
        values: low or high of boxes.
        dimension: the one to look along; of size one it does not change.
        places: for every output position, the positions that it takes; NaN for none.
        size: of the tensor along the dimension.
    """
    if values.shape[dimension] == 1:
        if size == 1 and places.shape[1] > 1 and bool(values.isfinite().any()):
            raise UnknownError  # how positions would go on cannot be told from one
        return values
    last = size - 1
    given = values.movedim(dimension, -1)
    inside = places.nan_to_num(0).clamp(0, last).long()
    found: Tensor = given[..., inside]
    before, after = (-places).clamp(min=0).nan_to_num(0), (places - last).clamp(min=0).nan_to_num(0)
    found = found + before * _step(given[..., 0], given[..., 1])
    found = found + after * _step(given[..., last], given[..., last - 1])
    found = torch.where(places.isnan(), torch.full_like(found, NOTHING), found)
    widest: Tensor = torch.movedim(found.amax(-1), -1, dimension)
    return widest


def _step(edge: Tensor, beside: Tensor) -> Tensor:
    """How positions go on beyond an edge, to be multiplied by a distance for each place."""
    return (edge - beside).nan_to_num(0, 0, 0)[..., None, None]


def _slid(count: int, kernel: int, stride: int, padding: int, dilation: int) -> Tensor:
    """The positions that each window takes (Dumoulin and Visin, 2016, relationship 14)."""
    starts = torch.arange(count, dtype=torch.float32, device="cpu") * stride - padding
    return starts[:, None] + torch.arange(kernel, device="cpu") * dilation


def _spread(count: int, kernel: int, stride: int, padding: int, dilation: int) -> Tensor:
    """The same of a transposed convolution: what it would take from maps with zeros between."""
    ends = torch.arange(count, dtype=torch.float32, device="cpu") + padding
    taken = (ends[:, None] - torch.arange(kernel, device="cpu") * dilation) / stride
    return torch.where(taken == taken.floor(), taken, torch.full_like(taken, math.nan))


def _windowed(boxes: Boxes, given: Tensor, places: Sequence[Tensor]) -> Boxes:
    """Take windows along the last dimensions, one after the other."""
    for back, taken in enumerate(reversed(places), start=1):
        d = given.ndim - back
        boxes = boxes.map(lambda v, d=d, taken=taken: _at(v, d, taken, given.shape[d]))  # type: ignore[misc]
    return boxes


def _convolves(call: Call, see: See) -> Boxes:
    given, weights, _, stride, padding, dilation, transposed, _, groups = call.args[:9]
    # Where the input sees nothing, the weights are made from what does.
    boxes = _mixed(_seen_by(given, see), given, groups, call.made.shape[1])
    kernel = weights.shape[2:]
    slide = _spread if transposed else _slid
    values = zip(
        call.made.shape[2:],
        kernel,
        *map(_each(len(kernel)), (stride, padding, dilation)),
        strict=True,
    )
    return _windowed(boxes, given, [slide(*value) for value in values])


def _each(count: int) -> Callable[[Any], list[int]]:
    """A number for each axis, where one may stand for all."""

    def of(value: Any) -> list[int]:
        values = [value] if isinstance(value, int) else list(value)
        return values * count if len(values) == 1 else values

    return of


def _mixed(boxes: Boxes, given: Tensor, groups: int, channels: int) -> Boxes:
    """Every output channel sees the channels of its group."""
    if groups == 1 or boxes.low.shape[1] == boxes.high.shape[1] == 1:
        return _reduced(boxes, [1], given.ndim)

    def mix(values: Tensor) -> Tensor:
        whole = values.expand(-1, given.shape[1], *[-1] * (values.ndim - 2))
        mixed: Tensor = whole.unflatten(1, (groups, -1)).amax(2)
        return mixed.repeat_interleave(channels // groups, 1)

    return boxes.map(mix)


def _pools(call: Call, see: See) -> Boxes:
    given = call.args[0]
    boxes = _seen_by(given, see)
    count = sort_of(call.func).map_axes
    of = _each(count)
    kernel = of(call.argument("kernel_size"))
    stride = of(call.argument("stride") or kernel)
    padding, dilation = of(call.argument("padding", 0)), of(call.argument("dilation", 1))
    values = zip(call.made.shape[-count:], kernel, stride, padding, dilation, strict=True)
    return _windowed(boxes, given, [_slid(*value) for value in values])


def _pools_to_size(call: Call, see: See) -> Boxes:
    """Windows of n/m positions each, as nearly as they go (torch's adaptive pooling)."""
    given = call.args[0]
    boxes = _seen_by(given, see)
    count = sort_of(call.func).map_axes
    dimensions = range(given.ndim - count, given.ndim)
    whole = [d for d in dimensions if call.made.shape[d] == 1]
    boxes = _reduced(boxes, whole, given.ndim)
    taken = [
        torch.zeros(1, 1) if d in whole else _shares(given.shape[d], call.made.shape[d])
        for d in dimensions
    ]
    return _windowed(boxes, given, taken)


def _shares(size: int, count: int) -> Tensor:
    each = -(-size // count) + 1
    starts = torch.arange(count, device="cpu") * size // count
    stops = -(-(torch.arange(count, device="cpu") + 1) * size // count)
    taken = (starts[:, None] + torch.arange(each, device="cpu")).float()
    return torch.where(taken < stops[:, None], taken, torch.full_like(taken, math.nan))


def _resamples(call: Call, see: See) -> Boxes:
    """Each position takes its neighbours in the smaller map: one, two or four of them."""
    given = call.args[0]
    boxes = _seen_by(given, see)
    name, count = call.func.__name__, sort_of(call.func).map_axes
    around = (0,) if "nearest" in name else (-1, 0, 1, 2) if "bicubic" in name else (0, 1)
    taken = []
    for d in range(given.ndim - count, given.ndim):
        ratio = given.shape[d] / call.made.shape[d]
        places = torch.arange(call.made.shape[d], dtype=torch.float32, device="cpu")
        centre = places * ratio if around == (0,) else (places + 0.5) * ratio - 0.5
        taken.append(centre.floor()[:, None] + torch.tensor(around, device="cpu"))
    return _windowed(boxes, given, taken)


def _pads(call: Call, see: See) -> Boxes:
    """What is added at an edge goes on as positions do there, whatever its values are."""
    given = call.args[0]
    boxes = _seen_by(given, see)
    pad = call.args[1]
    count = len(pad) // 2
    taken = [
        _slid(call.made.shape[-back], 1, 1, pad[2 * back - 2], 1) for back in range(count, 0, -1)
    ]
    return _windowed(boxes, given, taken)


_MOVERS = frozenset(
    (
        *("stack", "_stack", "repeat", "flip", "roll", "pixel_shuffle", "pixel_unshuffle"),
        *("channel_shuffle", "_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "rot90"),
    )
)
_ELEMENTS = ("clone", "_to_copy", "copy", "native_dropout", "lift_fresh", "_prelu_kernel", "detach")
_NORMALISES = (
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"),
    *("native_layer_norm", "native_group_norm", "_fused_rms_norm", "cudnn_batch_norm"),
)
_ATTENTION = _sums_products((0, (-1,)), (1, (-1, -2)), (2, (-2,)))
_RULES: dict[str, Rule] = {
    **dict.fromkeys(_MOVERS, _moves),
    "cat": _joins,
    **dict.fromkeys(_ELEMENTS, _each_element),
    **dict.fromkeys(_NORMALISES, _first_only),
    **dict.fromkeys(("softmax", "_softmax", "_safe_softmax", "sort", "topk"), _along),
    **dict.fromkeys(("log_softmax", "_log_softmax"), _along),
    **dict.fromkeys(("max", "min", "var", "std"), _reduces),
    **dict.fromkeys(("cumsum", "cummax", "cumprod"), _so_far),
    **dict.fromkeys(("mm", "bmm"), _sums_products((0, (-1,)), (1, (-2,)))),
    **dict.fromkeys(("addmm", "baddbmm"), _sums_products((1, (-1,)), (2, (-2,)), added=0)),
    "linear": _sums_products((0, (-1,))),
    "mv": _reduces_last,
    **dict.fromkeys(
        (
            *("_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention"),
            *("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_cudnn_attention"),
            "_scaled_dot_product_fused_attention_overrideable",
        ),
        _ATTENTION,
    ),
    "convolution": _convolves,
    "embedding": _looks_up,
    "index": _picks,
}  # fmt: skip


def _is_fresh(name: str) -> bool:
    """Whether an operator takes a tensor only for its shape."""
    short = name.partition(".")[2]
    return short.endswith("_like") or short.startswith("new_")


def _rule_of(sort: Sort) -> Rule | None:
    """How an operator moves boxes; None where nobody says."""
    short = sort.name.partition(".")[2]
    if short in _RULES:
        return _RULES[short]
    for words, rule in _BY_NAME:
        if re.fullmatch(words, short):
            return rule
    if sort.view and short not in ("as_strided", "view_as_real", "view_as_complex"):
        return _moves
    if sort.pointwise:
        return _each_element
    return _reduces if sort.reduces else None


_BY_NAME: tuple[tuple[str, Rule], ...] = (
    (r"_?adaptive_(avg|max)_pool\dd", _pools_to_size),
    (r"(avg_pool|max_pool)\dd(_with_indices)?", _pools),
    (r"_?upsample_\w+", _resamples),
    (r"constant_pad_nd|(reflection|replication)_pad\dd", _pads),
)
