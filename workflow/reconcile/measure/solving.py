"""Measure counts at the values of an argument that a study solves for, as few as are needed.

A count is a polynomial in a width, a depth or a vocabulary, and in the size of an input one
polynomial for each remainder of the network's stride. Neither is taken on trust: what is expected
is measured at values drawn at random and at both edges of every interval, and where that fails the
next way is tried: halving a count that only grows or only falls, and at last measuring one value
after the other. What is asked stands in the table of measurements, and is all that the search goes
by. So a few networks are built and not a hundred thousand. They are no readings: nothing is judged
by them.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise
from math import gcd, lcm
from typing import Any, Final

from reconcile.measure.process import Zygote
from reconcile.study.expressions import (
    Row,
    Scope,
    UnknownNameError,
    number_or_none,
    numbers_in,
    selected,
    total_of,
)
from reconcile.tables.contract import MEASURED, MULTIPLIED, NETWORK, QUANTITIES
from reconcile.words import Report, Seldom, count_of

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
LARGEST_STRIDE: Final = 1024

Answer = dict[str, Any]
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
    near = list(dict.fromkeys([*_around(cuts, number, NEAR), *_between(cuts, number, draw)]))
    if list(map(fitted, near)) != line.numbers(near):
        raise _OtherwiseError


def _around(cuts: Iterable[int], number: int, near: int) -> list[int]:
    """So many places on both sides of some cuts."""
    places = (cut + offset for cut in cuts for offset in range(-near, near))
    return [place for place in places if 0 <= place < number]


def _between(cuts: Iterable[int], number: int, draw: random.Random) -> list[int]:
    """A place drawn between each two cuts, and beyond the outer ones."""
    ends = sorted({0, number, *cuts})
    return [draw.randrange(low, high) for low, high in pairwise(ends)]


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

    def cuts(self, bound: Fraction, number: int) -> list[int]:
        """Where it changes, between one place and the next, from below a bound to it or above it.

        Every place in 1..number - 1 that is on the other side than the one before. Between two
        places where its differences change their sign it only grows or only falls.
        """
        degree, ends = len(self.factors) - 1, [0, number - 1]
        if degree > 0:
            rises = Newton(range(degree), [self(i + 1) - self(i) for i in range(degree)])
            ends[1:1] = rises.cuts(Fraction(0), number)
        found = []
        for low, high in pairwise(ends):
            if low < high and (self(low) >= bound) != (self(high) >= bound):
                side = self(high) >= bound
                inside = range(low, high + 1)
                cut = bisect_left(inside, True, key=lambda place: (self(place) >= bound) == side)
                found.append(inside[cut])
        return found


# What is measured at the values that were chosen.


class AnswerScope(Scope):
    """What expressions ask of the networks of one value, as they were measured.

    Args:
        answers: of each network.
        arguments: of each network.
        network: the one that is asked where none is named.
    """

    def __init__(
        self, answers: Mapping[str, Answer], arguments: Mapping[str, Answer], network: str
    ) -> None:
        self.answers, self.arguments, self.network = answers, arguments, network

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """The quantity of the network, of one layer or of all that a pattern matches."""
        known, answer = QUANTITIES[name], self.answers[self.network]
        if known.table != "layers.csv" or answer["status"] not in MEASURED:
            raise UnknownNameError(f"{name} was not measured: {answer['status']}")
        column, factor = known.multiple_of or (name, 1)
        rows = {row["layer"]: row for row in answer["layers"]}
        if selector == NETWORK:
            _refuse_incomplete(column, rows.values())
            return [factor * Fraction(total_of(rows.values(), column))]
        asked = selected(rows, selector)
        _refuse_incomplete(column, asked)
        return numbers_in(asked, name, selector)

    def lookup(self, function: str, name: str) -> Any:
        """``argument(name)``; what the paper says is nothing measured."""
        known = function == "argument" and name in self.arguments[self.network]
        return self.arguments[self.network][name] if known else super().lookup(function, name)

    def other(self, network: str) -> Scope:
        """Another network of the same value."""
        if network not in self.answers:
            return super().other(network)
        return AnswerScope(self.answers, self.arguments, network)


def _refuse_incomplete(column: str, rows: Iterable[Row]) -> None:
    if column in MULTIPLIED and any(row.get("uncounted") for row in rows):
        raise UnknownNameError(f"{column}: not all products were counted")


class Solving:
    """One argument of one reading, measured at whatever values are asked for.

    Args:
        search: its id.
        planned: what the plan says of it.
        network: where the study's network is, as in every request.
        pool: the measuring processes.
        report: is told how far it is.
    """

    def __init__(
        self,
        search: str,
        planned: Answer,
        network: Mapping[str, Any],
        pool: Zygote,
        report: Report,
    ) -> None:
        self.search, self.planned, self.network, self.pool = search, planned, network, pool
        self.progress = Seldom(report)
        self.numbers: dict[int, dict[str, Value]] = {}
        self.stride = cache(self._stride)

    def solve(self, claim: str) -> tuple[dict[int, Value], Method]:
        """Measure what is needed to know at which values a claim holds, and how it was chosen."""
        planned, measured = self.planned, dict[int, Value]()

        def ask(values: Iterable[int]) -> list[Value]:
            wanted = list(values)
            answers = self._ask(claim, wanted)
            measured.update(zip(wanted, answers, strict=True))
            return answers

        values = range(planned["first"], planned["last"] + 1, planned["step"])
        bounds = [
            (Fraction(low), Fraction(high)) for low, high in planned["claims"][claim]["bounds"]
        ]
        return measured, explore(ask, values, bounds, self.stride)

    def _ask(self, claim: str, wanted: list[int]) -> list[Value]:
        """The count of a claim at each value."""
        new = [value for value in dict.fromkeys(wanted) if value not in self.numbers]
        names = self.planned["networks"]
        requests = (self._request(value, name) for value in new for name in names)
        answers: dict[int, dict[str, Answer]] = {value: {} for value in new}
        for request, answer in self.pool.ask_all(requests):
            answers[request["value"]][request["network"]] = answer
            told = f"{self.planned['argument']} {request['value']:,}"
            self.progress.line(f"{self.search}: {claim}: {told} measured")
        for value, found in answers.items():
            arguments = self._arguments(value)
            self.numbers[value] = {
                name: number_or_none(
                    asked["count"], AnswerScope(found, arguments, asked["network"])
                )
                for name, asked in self.planned["claims"].items()
            }
        return [self.numbers[value][claim] for value in wanted]

    def _arguments(self, value: int) -> dict[str, Answer]:
        own = {} if "axes" in self.planned else {self.planned["argument"]: value}
        return {name: given | own for name, given in self.planned["networks"].items()}

    def _inputs(self, value: int) -> Answer:
        """The network's inputs, the first one of another size where that is solved for."""
        if "axes" not in self.planned:
            return {}
        axes, (first, *others) = self.planned["axes"], self.network["inputs"]
        shape = [*first["shape"][:-axes], *[value] * axes]
        return {"inputs": [first | {"shape": shape}, *others]}

    def _request(self, value: int, network: str, *, swept: bool = True) -> Answer:
        return {
            "interpretation": f"{self.search}: {self.planned['argument']} {value}",
            "network": network,
            "value": value,
            "arguments": self._arguments(value)[network],
            **self.network,
            **self._inputs(value),
            "placement": "meta",
            "solved": True,
            "swept": swept,
        }

    def _stride(self) -> int:
        """The effective stride of all layers at the largest value that has a network."""
        known = [value for value, counts in self.numbers.items() if any(counts.values())]
        strides = {1}
        for name in self.planned["networks"] if known else ():
            # Of what is only counted nobody measures what a layer sees of its input.
            wanted = self._request(max(known), name, swept=False)
            for _, answer in self.pool.ask_all([wanted]):
                cells = (
                    row.get(column)
                    for row in answer["layers"]
                    for column in QUANTITIES
                    if column.startswith("effective_stride")
                )
                strides |= {int(cell) for cell in cells if cell and Fraction(cell) >= 1}
        together = lcm(*strides)
        return together if together <= LARGEST_STRIDE else max(strides)


def solution_rows(
    searches: Mapping[str, Answer], network: Mapping[str, Any], pool: Zygote, report: Report
) -> Iterator[Row]:
    """solutions_measured.csv: the counts at the values that were chosen, claim after claim.

    Arguments are as of ``Solving``; ``searches`` are those of the plan, by id.
    """
    for search, planned in searches.items():
        solving = Solving(search, planned, network, pool, report)
        for claim in planned["claims"]:
            measured, method = solving.solve(claim)
            told = count_of(len(measured), "value")
            report(f"{search}: {claim}: {planned['argument']} measured at {told} ({method.name})")
            shared = {"search": search, "claim": claim, "method": method.name, "step": method.step}
            for value, count in sorted(measured.items()):
                yield shared | {"value": value, "measured": None if count is None else str(count)}
