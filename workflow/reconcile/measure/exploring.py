"""Choose the few values of an argument at which a count must be measured to solve for it.

A count is a polynomial in a width, a depth or a vocabulary, and in the size of an input one
polynomial for each remainder of the network's stride. Neither is taken on trust: what is expected
is measured at values drawn at random and at both edges of every interval, and where that fails the
next way is tried: halving a count that only grows or only falls, and at last measuring one value
after the other. What is asked stands in the table of measurements, and is all that the search goes
by. Nothing here builds a network: a function answers for many values at a time.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import gcd
from typing import Final

MOST_SCANNED: Final = 500
"""So many values are measured one by one, which nothing can surpass."""
MOST_MEASURED: Final = 1_000
"""Values that are measured for one claim at most, edges and samples not counted."""
PROBED: Final = 320
AT_A_TIME: Final = 32
"""Values at the beginning of a range among which two must have a count, to know the step."""
DEGREE: Final = 6
RESIDUE_DEGREE: Final = 3
NEAR: Final = 2
MOST_NEAR: Final = 64
"""Places on both sides of an edge that are measured; as many as the stride where it is larger."""
SAMPLES: Final = 20
DRAWN: Final = 6
"""Values drawn at random."""
SEED: Final = 1

Value = Fraction | None
"""A measured count; None where the network does not build, run or have it."""
Ask = Callable[[Iterable[int]], list[Value]]
Interval = tuple[Fraction, Fraction]
"""From the first, which belongs to it, to the second, which does not."""


@dataclass(frozen=True, slots=True)
class Method:
    """How the values were found at which a claim holds.

    Attributes:
        name: ``scan``, where every value in some part was measured; ``polynomial``; ``monotone``,
            for halving; ``residues``, for a polynomial for each remainder.
        step: between values that belong together: what lies between two of them that were
            measured needs not be, unless it was a scan.
    """

    name: str
    step: int


class _OtherwiseError(Exception):
    """The count is not as it was expected to be."""


class _Line:
    """Some values of the argument, by their place, and what was measured at them."""

    def __init__(self, ask: Ask, values: range) -> None:
        self._ask = ask
        self.values = values
        self.known: dict[int, Value] = {}

    def at(self, places: Iterable[int]) -> list[Value]:
        """What is measured at some places; those beyond the ends are left out."""
        wanted = [place for place in dict.fromkeys(places) if 0 <= place < len(self.values)]
        new = [place for place in wanted if place not in self.known]
        answers = self._ask([self.values[place] for place in new]) if new else []
        self.known.update(zip(new, answers, strict=True))
        return [self.known[place] for place in wanted]

    def numbers(self, places: Iterable[int]) -> list[Fraction]:
        """The same, where all are measured."""
        found = self.at(places)
        if any(value is None for value in found):
            raise _OtherwiseError
        return [value for value in found if value is not None]


def explore(
    ask: Ask, values: range, bounds: Sequence[Interval], stride: Callable[[], int]
) -> Method:
    """Measure what is needed to know at which values a count lies in the intervals.

    Args:
        ask: measures the count at some values.
        values: those of the argument that are asked about.
        bounds: the intervals that the printed number stands for, rounded or cut.
        stride: gives the network's effective stride, after which sizes of an input repeat.
    """
    lattice = _lattice(ask, values)
    line = _Line(ask, lattice)
    draw = random.Random(SEED)  # noqa: S311 - a sample, no secret
    if len(lattice) <= MOST_SCANNED:
        line.at(range(len(lattice)))
        return Method("scan", lattice.step)
    with suppress(_OtherwiseError):
        _polynomial(line, bounds, draw)
        return Method("polynomial", lattice.step)
    period = stride() // gcd(stride(), lattice.step)
    with suppress(_OtherwiseError):
        _monotone(line, bounds, draw, max(NEAR, min(period, MOST_NEAR)))
        return Method("monotone", lattice.step)
    if period > 1 and period * (DEGREE + 3 + DRAWN) <= MOST_MEASURED:
        with suppress(_OtherwiseError):
            for start in range(period):
                _polynomial(_Line(ask, lattice[start::period]), bounds, draw, RESIDUE_DEGREE)
            return Method("residues", lattice.step * period)
    _scan_nearest(line, bounds)
    return Method("scan", lattice.step)


def _lattice(ask: Ask, values: range) -> range:
    """The values for which there may be a network: a width must be a multiple of the heads, say.

    They begin at the first value with a count and go on in the step to the second one, unless a
    value between them that is drawn at random has a count too.
    """
    if len(values) <= MOST_SCANNED:
        return values
    if all(value is not None for value in ask([values[0], values[1]])):
        return values
    there: list[int] = []
    for start in range(0, PROBED, AT_A_TIME):
        answers = ask(values[start : start + AT_A_TIME])
        there += [start + place for place, value in enumerate(answers) if value is not None]
        if len(there) > 1:
            break
    else:
        return values
    found = values[there[0] :: there[1] - there[0]]
    draw = random.Random(SEED)  # noqa: S311 - a sample, no secret
    others = (values[draw.randrange(len(values))] for _ in range(DRAWN * 4))
    between = [value for value in others if value not in found and value > found[0]][:DRAWN]
    return values if any(value is not None for value in ask(between)) else found


def _places(number: int, draw: random.Random) -> list[int]:
    """Places to try first: both ends, evenly between them, and some drawn at random."""
    even = [round(Fraction(i * (number - 1), DEGREE + 2)) for i in range(DEGREE + 3)]
    return list(dict.fromkeys([*even, *(draw.randrange(number) for _ in range(DRAWN))]))


def _polynomial(
    line: _Line, bounds: Sequence[Interval], draw: random.Random, degree: int = DEGREE
) -> None:
    """Measure a count that is a polynomial, and the edges of every interval."""
    number = len(line.values)
    places = _places(number, draw)
    fitted = Newton.through(dict(zip(places, line.numbers(places), strict=True)), degree)
    if fitted is None:
        raise _OtherwiseError
    cuts = sorted({cut for ends in bounds for bound in ends for cut in fitted.cuts(bound, number)})
    _agree(line, [*_around(cuts, number, NEAR), *_between(cuts, number, draw)], fitted)


def _around(cuts: Iterable[int], number: int, near: int) -> list[int]:
    """So many places on both sides of some cuts."""
    places = (cut + offset for cut in cuts for offset in range(-near, near))
    return [place for place in places if 0 <= place < number]


def _between(cuts: Iterable[int], number: int, draw: random.Random) -> list[int]:
    """A place drawn between each two cuts, and beyond the outer ones."""
    ends = sorted({0, number, *cuts})
    return [draw.randrange(low, high) for low, high in pairwise(ends)]


def _agree(line: _Line, places: Sequence[int], fitted: Newton) -> None:
    wanted = list(dict.fromkeys(places))
    for place, value in zip(wanted, line.numbers(wanted), strict=True):
        if fitted(place) != value:
            raise _OtherwiseError


def _monotone(line: _Line, bounds: Sequence[Interval], draw: random.Random, near: int) -> None:
    """Halve a count that only grows or only falls until every edge and what is near is measured."""
    number = len(line.values)
    even = [i * (number - 1) // (SAMPLES - 1) for i in range(SAMPLES)]
    line.numbers([*even, *(draw.randrange(number) for _ in range(DRAWN))])
    grows = _grows(line)

    def beyond(place: int, bound: Fraction) -> bool:
        (value,) = line.numbers([place])
        return (value >= bound) == grows

    every = {bound for ends in bounds for bound in ends}
    cuts = [bisect_left(range(number), True, key=partial(beyond, bound=bound)) for bound in every]
    line.numbers([*_around(cuts, number, near), *_between(cuts, number, draw)])
    _grows(line)


def _grows(line: _Line) -> bool:
    """Whether the count only grows, or only falls, over all that was measured."""
    values = [value for _, value in sorted(line.known.items()) if value is not None]
    if all(one <= other for one, other in pairwise(values)):
        return True
    if all(one >= other for one, other in pairwise(values)):
        return False
    raise _OtherwiseError


def _scan_nearest(line: _Line, bounds: Sequence[Interval]) -> None:
    """Measure a part of the values without a gap, around the one that comes nearest."""
    number = len(line.values)
    line.at(i * (number - 1) // (SAMPLES - 1) for i in range(SAMPLES))
    wanted = bounds[0][0]
    known = [
        (abs(value - wanted), place) for place, value in line.known.items() if value is not None
    ]
    centre = min(known)[1] if known else 0
    first = max(0, min(centre - MOST_MEASURED // 2, number - MOST_MEASURED))
    line.at(range(first, min(number, first + MOST_MEASURED)))


class Newton:
    """A polynomial through points, by divided differences, exactly."""

    def __init__(self, places: Sequence[int], values: Sequence[Fraction]) -> None:
        self.places = list(places)
        self.factors = list(values)
        for order in range(1, len(self.factors)):
            for i in range(len(self.factors) - 1, order - 1, -1):
                rise = self.factors[i] - self.factors[i - 1]
                self.factors[i] = rise / (self.places[i] - self.places[i - order])

    @classmethod
    def through(cls, points: dict[int, Fraction], degree: int) -> Newton | None:
        """The polynomial of the least degree that all points lie on; None beyond a degree.

        Two points more than it needs must lie on it.
        """
        places = list(points)
        for order in range(min(degree, len(places) - 3) + 1):
            fitted = cls(places[: order + 1], [points[p] for p in places[: order + 1]])
            if all(fitted(place) == value for place, value in points.items()):
                return fitted
        return None

    def __call__(self, place: int) -> Fraction:
        """Its value at a place."""
        value = Fraction(0)
        for known, factor in zip(reversed(self.places), reversed(self.factors), strict=True):
            value = value * (place - known) + factor
        return value

    def step(self) -> Newton | None:
        """The polynomial of its differences from one place to the next; None for a constant."""
        degree = len(self.factors) - 1
        if degree < 1:
            return None
        return Newton(range(degree), [self(i + 1) - self(i) for i in range(degree)])

    def cuts(self, bound: Fraction, number: int) -> list[int]:
        """Where it changes, between one place and the next, from below a bound to it or above it.

        Every place in 1..number - 1 that is on the other side than the one before. Between two
        places where its differences change their sign it only grows or only falls.
        """
        ends = [0, *self._turns(number), number - 1]
        found = []
        for low, high in pairwise(ends):
            if low < high and (self(low) >= bound) != (self(high) >= bound):
                side = self(high) >= bound
                inside = range(low, high + 1)
                cut = bisect_left(inside, True, key=lambda place: (self(place) >= bound) == side)
                found.append(inside[cut])
        return found

    def _turns(self, number: int) -> Iterator[int]:
        """Places at which it may turn from growing to falling, in order."""
        step = self.step()
        if step is not None:
            yield from step.cuts(Fraction(0), number)
