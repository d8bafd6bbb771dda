"""Search all geometries of a layer for maps that have a printed number of neurons.

A layer of c channels with a map of h x w has c * h * w neurons. A combination counts as tried
once its own map has been computed (`map_sizes`) and its area looked up; no combination
is inferred from another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Final, NamedTuple

import numpy as np

from reconcile.search.combinations import Integers
from reconcile.search.windows import (
    AxisGeometry,
    Flags,
    Geometry,
    KernelAndStride,
    Sought,
    Space,
    blocks,
    map_sizes,
    spans,
)

# A number with many divisors has many maps. The first ones are kept, and all of them counted.
MOST_MAPS: Final = 100
# The rest is in the table; a sentence names the first ones.
MAPS_IN_WORDS: Final = 5


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
        total_maps: How many different maps there are.
        found: What was found, in words.
    """

    id: str
    title: str
    searched: str
    tried: int
    total: int
    maps: tuple[Maps, ...]
    total_maps: int
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

    def maps(self, neurons: int, geometry: Callable[[Sequence[int]], Geometry]) -> tuple[Maps, ...]:
        """Return all maps in order; `geometry` tells what stands at the given indices."""
        found = (
            Maps(
                *sides,
                neurons // prod(sides),
                count.geometries,
                count.square_inputs,
                count.keeping,
                geometry([int(i) for i in np.unravel_index(count.example[1], self.shape)]),
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

    def geometry(at: Sequence[int]) -> Geometry:
        w, s, r, n = at
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

    def geometry(at: Sequence[int]) -> Geometry:
        w, s, r, height, width = at
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

    def geometry(at: Sequence[int]) -> Geometry:
        w, s, v, t, r, n = at
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
        """Put the result into words."""
        searched = f"{self.sought}; {kind.how}: {self.space}"
        total = sum(m.geometries for m in maps)
        found = _found(maps, self.sought.stated, kind.on)
        shown = tuple(maps[:MOST_MAPS])
        return GeometryFindings(
            kind.id, kind.title, searched, tried, total, shown, len(maps), found
        )


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
