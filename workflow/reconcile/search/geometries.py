"""Search all geometries of a layer for maps that have a printed number of neurons.

A layer of c channels with a map of h x w has c * h * w neurons. A combination counts as tried
once its own map has been computed (`map_sizes`) and its area looked up; no combination
is inferred from another one.

Along one axis a window of k pixels that moves by s over n pixels, with l and r pixels of
padding, stops at floor((n + l + r - k) / s) + 1 places (V. Dumoulin and F. Visin, "A guide to
convolution arithmetic for deep learning", 2016, relationship 6), or at ceil(...) + 1 of them
where a last, partial window counts: the frameworks differ in that rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import isqrt, prod
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reconcile.search.misprint import BLOCK, Integers

# A number with many divisors has many maps. The first ones are kept, and all of them counted.
MOST_MAPS: Final = 100
# The rest is in the table; a sentence names the first ones.
MAPS_IN_WORDS: Final = 5
Rule = Literal["floor", "ceil"]
Flags = NDArray[np.bool_]


class Window(NamedTuple):
    """A window along one axis, in pixels, but for its stride."""

    kernel: int
    left: int
    right: int


class KernelAndStride(NamedTuple):
    """The kernel and stride that a paper states, in pixels."""

    kernel: int
    stride: int


class AxisGeometry(NamedTuple):
    """One axis of a geometry, in pixels; `left` is also the top."""

    input: int
    window: Window
    stride: int

    def size(self, rule: Rule) -> int:
        """Return how many places the window stops at."""
        kernel, left, right = self.window
        span = self.input + left + right - kernel
        return (span if rule == "floor" else span + self.stride - 1) // self.stride + 1

    def keeps(self, stated: KernelAndStride | None) -> bool:
        """Tell whether kernel and stride are the stated ones."""
        return (self.window.kernel, self.stride) == stated

    def __str__(self) -> str:
        kernel, left, right = self.window
        return f"input {self.input}, kernel {kernel}, stride {self.stride}, padding {left}+{right}"


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a window moves over both axes of an input, and how its last place is rounded."""

    rows: AxisGeometry
    columns: AxisGeometry
    rule: Rule

    def __str__(self) -> str:
        if self.rows == self.columns:
            return f"{self.rows}, {self.rule}"
        return f"rows: {self.rows}; columns: {self.columns}; {self.rule}"


@dataclass(frozen=True, slots=True)
class Space:
    """The ranges of a search, all in pixels and ascending.

    Attributes:
        inputs: Sides of the input.
        kernels: Sides of the window.
        strides: Steps of the window.
        paddings: Zeros before the first pixel, and after the last one. Only those narrower than
            the window are taken: a window that sees nothing but zeros computes nothing.
        free_sides: Whether the two ends may differ; then every pair of them is taken.
        rules: How a last, partial window is rounded.
    """

    inputs: Sequence[int]
    kernels: Sequence[int]
    strides: Sequence[int]
    paddings: Sequence[int] = (0,)
    free_sides: bool = False
    rules: Sequence[Rule] = ("floor", "ceil")

    def __post_init__(self) -> None:
        for name, least in (("inputs", 1), ("kernels", 1), ("strides", 1), ("paddings", 0)):
            values = getattr(self, name)
            if not values or min(values) < least or list(values) != sorted(set(values)):
                message = f"{name} of a search must ascend from {least} or more, not {values}"
                raise ValueError(message)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every kernel with every padding that is narrower than it, the least padding first."""
        windows = (
            Window(kernel, left, right)
            for kernel in self.kernels
            for left in self.paddings
            for right in (self.paddings if self.free_sides else (left,))
            if max(left, right) < kernel
        )
        return tuple(sorted(windows, key=lambda w: (w.left + w.right, w.left, w.kernel)))

    @property
    def largest_map(self) -> int:
        """No map of this space has more places along one side."""
        return max(self.inputs) + 2 * max(self.paddings) + 1

    def __str__(self) -> str:
        ends = "at each end" if self.free_sides else "at both ends alike"
        padding = f"padding {_range(self.paddings)} {ends}, narrower than the kernel"
        return (
            f"inputs {_range(self.inputs)}, kernels {_range(self.kernels)}, strides "
            f"{_range(self.strides)}, {padding if any(self.paddings) else 'no padding'}, "
            f"{' and '.join(self.rules)}"
        )


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search looks for.

    Attributes:
        neurons: Elements of the layer's output for one input.
        channels: The channel counts that may be; any that divides the neurons if there is none.
        stated: The kernel and stride of the paper: hits that keep them are counted apart.
    """

    neurons: int
    channels: tuple[int, ...] = ()
    stated: KernelAndStride | None = None

    def __post_init__(self) -> None:
        if min(self.neurons, *self.channels, 1) < 1:
            message = f"neurons and channels must be positive, not {self.neurons}, {self.channels}"
            raise ValueError(message)

    def areas(self, largest: int) -> Flags:
        """Return, for every area of a map up to `largest`, whether it gives the neurons."""
        low = np.arange(1, isqrt(self.neurons) + 1)
        low = low[self.neurons % low == 0]
        areas = np.concatenate([low, self.neurons // low])
        if self.channels:
            areas = areas[np.isin(self.neurons // areas, self.channels)]
        table = np.zeros(largest + 1, dtype=np.bool_)
        table[areas[areas <= largest]] = True
        return table

    def square(self, channels: int) -> bool:
        """Tell whether that many channels of any square map have the neurons."""
        area, rest = divmod(self.neurons, channels)
        return not rest and isqrt(area) ** 2 == area

    def __str__(self) -> str:
        some = " or ".join(map(str, self.channels)) or "any number of"
        return f"{self.neurons:,} neurons in {some} channels"


def _range(values: Sequence[int]) -> str:
    """Write ascending numbers as a range where they are one."""
    if len(values) > 1 and values[-1] - values[0] == len(values) - 1:
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))


def blocks(number: int, each: int) -> Iterator[slice]:
    """Cut `number` items, with `each` combinations apiece, into runs that fit a core's cache."""
    step = max(1, BLOCK // max(1, each))
    return (slice(at, at + step) for at in range(0, number, step))


def spans(inputs: Sequence[int], windows: Sequence[Window]) -> Integers:
    """Return how far each window can move over each input: negative where it does not fit.

    The shape is (windows, inputs).
    """
    reach = np.array([left + right - kernel for kernel, left, right in windows], dtype=np.int64)
    return reach[:, None] + np.array(inputs, dtype=np.int64)


def map_sizes(spans: Integers, strides: Sequence[int], rule: Rule) -> Integers:
    """Return how many places the windows stop at: none where a window does not fit.

    The shape is (strides, *shape of the spans).
    """
    sizes = np.empty((len(strides), *spans.shape), dtype=np.int64)
    for row, stride in zip(sizes, strides, strict=True):
        np.floor_divide(spans if rule == "floor" else spans + (stride - 1), stride, out=row)
    sizes += 1
    misfits = spans < 0
    if misfits.any():
        sizes[:, misfits] = 0
    return sizes


# The searches.


@dataclass(frozen=True, slots=True)
class Maps:
    """All hits of a search that have one map and number of channels.

    Attributes:
        height: The shorter side of the map, in places; a map and its transpose are one here.
        width: The longer side.
        channels: The neurons divided by the area.
        geometries: How many geometries give this map, either way round.
        square_inputs: How many of them have a square input.
        keeping: How many of them keep the stated kernel and stride, on at least one axis.
        example: The first of them, or the first that keeps the stated kernel and stride.
    """

    height: int
    width: int
    channels: int
    geometries: int
    square_inputs: int
    keeping: int
    example: Geometry

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True, slots=True)
class GeometryFindings:
    """One kind of geometry, searched exhaustively.

    Attributes:
        id: The kind.
        title: The kind in words.
        searched: What was searched, with the ranges, in one sentence.
        tried: How many geometries were computed, each of them counted once.
        total: How many of them give the neurons.
        maps: Their maps, those that keep the stated kernel and stride first, then by number of
            geometries; at most `MOST_MAPS` of them.
        found: What was found, in words.
    """

    id: str
    title: str
    searched: str
    tried: int
    total: int
    maps: tuple[Maps, ...]
    found: str


@dataclass(slots=True)
class _Count:
    """What is known so far of one map."""

    geometries: int
    square_inputs: int
    keeping: int
    example: tuple[bool, int]

    def add(self, other: _Count) -> None:
        """Add hits of the same map; the lower example stays."""
        self.geometries += other.geometries
        self.square_inputs += other.square_inputs
        self.keeping += other.keeping
        self.example = min(self.example, other.example)


class Tally:
    """Hits put together by map, while a search runs.

    A geometry is named by its indices in the ranges that are searched, whose lengths are
    `shape`; in the order of these indices the first hit becomes the example.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.tried = 0
        self._counts: dict[tuple[int, int], _Count] = {}

    def advance(self, areas: Integers) -> None:
        """Count the areas that were computed: all but those of windows that do not fit."""
        self.tried += int(np.count_nonzero(areas))

    def rank(self, *indices: Integers | int) -> Integers:
        """Return where hits stand in the order of the search, from their indices."""
        return np.asarray(np.ravel_multi_index(indices, self.shape))

    def add(
        self, sides: tuple[Integers, Integers], rank: Integers, keeps: Flags, square: Flags
    ) -> None:
        """Add hits: the sides of their maps, their ranks, and whether they are special."""
        if not rank.size:
            return
        short, long = np.minimum(*sides), np.maximum(*sides)
        order = np.lexsort((rank, ~keeps, long, short))
        # No side is zero, so that the first hit starts a map as well.
        steps = (np.diff(side[order], prepend=0) != 0 for side in (short, long))
        starts = np.flatnonzero(np.logical_or(*steps))
        totals, squares, kept = (
            np.add.reduceat(flags[order].astype(np.int64), starts)
            for flags in (np.ones_like(keeps), square, keeps)
        )
        for i, at in enumerate(order[starts]):
            example = (not keeps[at], int(rank[at]))
            count = _Count(int(totals[i]), int(squares[i]), int(kept[i]), example)
            known = self._counts.setdefault((int(short[at]), int(long[at])), count)
            if known is not count:
                known.add(count)

    def maps(self, neurons: int, geometry: Callable[..., Geometry]) -> tuple[Maps, ...]:
        """Return all maps in order; `geometry` tells what stands at the given indices."""
        found = (
            Maps(
                *sides,
                neurons // prod(sides),
                count.geometries,
                count.square_inputs,
                count.keeping,
                geometry(*map(int, np.unravel_index(count.example[1], self.shape))),
            )
            for sides, count in self._counts.items()
        )
        return tuple(sorted(found, key=lambda m: (-m.keeping, -m.geometries, m.height)))


def square_maps(sought: Sought, space: Space) -> GeometryFindings:
    """Search square inputs with one kernel, stride and padding for both axes.

    With channel counts given, `found` also says whether any square map of any size could have
    the neurons: that is so only where neurons / channels is a square.
    """
    ranges = _Ranges(sought, space)
    windows, strides, _, inputs = ranges.lengths
    tally = Tally(ranges.lengths)
    for r, rule in enumerate(space.rules):
        for part in blocks(inputs, windows * strides):
            sizes = map_sizes(spans(space.inputs[part], ranges.windows), space.strides, rule)
            s, w, n = ranges.hits(sizes * sizes, tally)
            sides, rank = (sizes[s, w, n],) * 2, tally.rank(w, s, r, n + part.start)
            tally.add(sides, rank, ranges.keeps(w, s), np.ones_like(n, dtype=np.bool_))

    def geometry(w: int, s: int, r: int, n: int) -> Geometry:
        return Geometry(ranges.axis(w, s, n), ranges.axis(w, s, n), space.rules[r])

    how = "square inputs, one kernel, stride and padding for both axes"
    kind = _Kind("square-maps", "Square maps", how)
    result = ranges.result(kind, tally.maps(sought.neurons, geometry), tally.tried)
    return replace(result, found=result.found + _never(sought))


def rectangular_maps(sought: Sought, space: Space) -> GeometryFindings:
    """Search inputs of every two sides, with one kernel, stride and padding for both axes."""
    ranges = _Ranges(sought, space)
    windows, _, _, inputs = ranges.lengths
    tally = Tally((*ranges.lengths, inputs))
    for r, rule in enumerate(space.rules):
        for part in blocks(windows, inputs**2):
            sizes = map_sizes(spans(space.inputs, ranges.windows[part]), space.strides, rule)
            for (s, side), rows in product(enumerate(sizes), blocks(inputs, sizes[0].size)):
                w, row, width = ranges.hits(side[:, rows, None] * side[:, None, :], tally)
                height, window = row + rows.start, w + part.start
                sides, rank = (side[w, height], side[w, width]), (window, s, r, height, width)
                tally.add(sides, tally.rank(*rank), ranges.keeps(window, s), height == width)

    def geometry(w: int, s: int, r: int, height: int, width: int) -> Geometry:
        return Geometry(ranges.axis(w, s, height), ranges.axis(w, s, width), space.rules[r])

    how = "inputs of every height and width, one kernel, stride and padding for both axes"
    kind = _Kind("rectangular-maps", "Rectangular inputs", how)
    return ranges.result(kind, tally.maps(sought.neurons, geometry), tally.tried)


def separate_axes(sought: Sought, space: Space) -> GeometryFindings:
    """Search square inputs with a kernel, stride and padding of its own for each axis."""
    ranges = _Ranges(sought, space)
    windows, strides, rules, inputs = ranges.lengths
    each = (windows, strides)
    tally = Tally((*each, *each, rules, inputs))
    for (r, rule), (n, side) in product(enumerate(space.rules), enumerate(space.inputs)):
        sizes = map_sizes(spans([side], ranges.windows), space.strides, rule).T.reshape(-1)
        for rows in blocks(sizes.size, sizes.size):
            row, second = ranges.hits(sizes[rows, None] * sizes, tally)
            first = row + rows.start
            (w, s), (v, t) = (np.unravel_index(at, each) for at in (first, second))
            sides, keeps = (sizes[first], sizes[second]), ranges.keeps(w, s) | ranges.keeps(v, t)
            rank = tally.rank(w, s, v, t, r, n)
            tally.add(sides, rank, keeps, np.ones_like(first, dtype=np.bool_))

    def geometry(w: int, s: int, v: int, t: int, r: int, n: int) -> Geometry:
        return Geometry(ranges.axis(w, s, n), ranges.axis(v, t, n), space.rules[r])

    how = "square inputs, kernel, stride and padding of each axis on their own"
    kind = _Kind("separate-axes", "Another window on each axis", how, " on an axis")
    return ranges.result(kind, tally.maps(sought.neurons, geometry), tally.tried)


class _Kind(NamedTuple):
    """A search in words; `on` is where it is enough to keep the stated kernel and stride."""

    id: str
    title: str
    how: str
    on: str = ""


class _Ranges:
    """The ranges of a space by index, and the areas that are looked for."""

    def __init__(self, sought: Sought, space: Space) -> None:
        self.sought = sought
        self.space = space
        self.windows = space.windows
        # In the order in which hits are ranked: the example has the least padding.
        ranked = (self.windows, space.strides, space.rules, space.inputs)
        self.lengths = tuple(map(len, ranked))
        self._kernels = np.array([window.kernel for window in self.windows])
        self._strides = np.array(space.strides)
        self._areas = sought.areas(space.largest_map**2)

    def hits(self, areas: Integers, tally: Tally) -> tuple[Integers, ...]:
        """Return the indices of the areas that are looked for, and count all as tried."""
        tally.advance(areas)
        return np.unravel_index(np.flatnonzero(self._areas.take(areas)), areas.shape)

    def keeps(self, window: Integers, stride: Integers | int) -> Flags:
        """Tell which hits have the stated kernel and stride."""
        stated = self.sought.stated
        if stated is None:
            return np.zeros_like(window, dtype=np.bool_)
        kernel: Flags = self._kernels[window] == stated.kernel
        stride_too: Flags = self._strides[stride] == stated.stride
        return kernel & stride_too

    def axis(self, window: int, stride: int, n: int) -> AxisGeometry:
        """Return the axis that stands at the given indices."""
        return AxisGeometry(self.space.inputs[n], self.windows[window], self.space.strides[stride])

    def result(self, kind: _Kind, maps: Sequence[Maps], tried: int) -> GeometryFindings:
        searched = f"{self.sought}; {kind.how}: {self.space}"
        total = sum(m.geometries for m in maps)
        found = _found(maps, self.sought.stated, kind.on)
        shown = tuple(maps[:MOST_MAPS])
        return GeometryFindings(kind.id, kind.title, searched, tried, total, shown, found)


def _found(maps: Sequence[Maps], stated: KernelAndStride | None, on: str) -> str:
    """Say which maps were found, and how they stand to the paper and to square inputs."""
    if not maps:
        return "No geometry gives the number."
    total = sum(m.geometries for m in maps)
    shown = ", ".join(f"{m} ({m.geometries:,})" for m in maps[:MAPS_IN_WORDS])
    more = f" and {len(maps) - MAPS_IN_WORDS} other maps" if len(maps) > MAPS_IN_WORDS else ""
    square = _share(sum(m.square_inputs for m in maps), total)
    said = f"Geometries that give the number: {total:,}, for {shown}{more}; {square} a square input"
    if stated is None:
        return f"{said}."
    keeping = _share(sum(m.keeping for m in maps), total)
    return f"{said}, {keeping} kernel {stated.kernel} and stride {stated.stride}{on}."


def _share(some: int, total: int) -> str:
    """Say how many of the hits have something."""
    return {0: "none with", total: "all with"}.get(some, f"{some:,} with")


def _never(sought: Sought) -> str:
    """Say so where no square map of any size can have the neurons, whatever the geometry."""
    if not sought.channels or any(map(sought.square, sought.channels)):
        return ""
    reasons = (f"{sought.neurons:,} / {c} is no square number" for c in sought.channels)
    return f" No square map of any size does: {', '.join(reasons)}."
