"""What a search of geometries is given and what it returns: the words of `geometries`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reconcile.search.combinations import Integers
from reconcile.search.windows import Geometry, KernelAndStride

# Called with the combinations done and those in all, windows that do not fit included.
Progress = Callable[[int, int], None]
Flags = NDArray[np.bool_]

# A number with many divisors has many maps. The first ones are kept, and all of them counted.
MOST_MAPS: Final = 100


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

    def __init__(self, shape: tuple[int, ...], progress: Progress | None = None) -> None:
        self.shape = shape
        self.tried = 0
        self._done = 0
        self._progress = progress
        self._counts: dict[tuple[int, int], _Count] = {}

    def advance(self, areas: Integers) -> None:
        """Count the areas that were computed: all but those of windows that do not fit."""
        self.tried += int(np.count_nonzero(areas))
        self._done += areas.size
        if self._progress:
            self._progress(self._done, prod(self.shape))

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
            self._merge((int(short[at]), int(long[at])), count)

    def _merge(self, sides: tuple[int, int], count: _Count) -> None:
        """Add to what is known of a map."""
        if known := self._counts.get(sides):
            known.add(count)
        else:
            self._counts[sides] = count

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
