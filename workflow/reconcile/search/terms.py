"""Find the small whole numbers of some terms that bring many networks to their printed numbers.

A reading misses a table of printed numbers, one of each of many networks, by what it leaves out: a
matrix a layer, a bias, a norm. Each such term has a size in each network, and a small whole number
of times that it may be there. A solution is a number for each term so that every network comes to
lie where its printed number says; there may be none, one or hundreds, and what they have in common
is what the table tells. Sizes and intervals are whole numbers here, so that nothing is rounded.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, lcm, prod
from typing import Final

MOST_NODES: Final = 50_000
"""Beginnings of combinations that one search looks at: about a second with fifty networks."""
WORLD_NODES: Final = 1_000
"""The same of an invented table, of which one solution is enough."""
MOST_KEPT: Final = 20_000
"""Solutions that one search keeps: their number only says that the terms are too free."""
WORLDS: Final = 200
"""Invented tables of each kind."""
SEED: Final = 1

Solution = tuple[int, ...]
Interval = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Line:
    """One printed number of the table, and what the terms are worth in its network.

    Attributes:
        lacks: the least and the most (which is not reached) that must be added to the reading's
            own number so that it comes to the printed one.
        sizes: what each term adds where it is there once.
    """

    lacks: Interval
    sizes: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """Which numbers each term may have, and whole numbers for all that a table says.

    Attributes:
        lows: the least that each line lacks.
        highs: the most that it lacks; it belongs to it.
        sizes: of each line what each term is worth.
        least: the least number of each term.
        most: the most of each.
    """

    lows: tuple[int, ...]
    highs: tuple[int, ...]
    sizes: tuple[tuple[int, ...], ...]
    least: Solution
    most: Solution

    @classmethod
    def of(cls, lines: Sequence[Line], least: Solution, most: Solution) -> Box:
        """A table in a box, multiplied until all its sizes are whole numbers."""
        units = [lcm(*(size.denominator for size in line.sizes)) for line in lines]
        scaled = list(zip(lines, units, strict=True))
        return cls(
            tuple(ceil(line.lacks[0] * unit) for line, unit in scaled),
            tuple(ceil(line.lacks[1] * unit) - 1 for line, unit in scaled),
            tuple(tuple(int(size * unit) for size in line.sizes) for line, unit in scaled),
            least,
            most,
        )

    @property
    def combinations(self) -> int:
        """How many combinations of numbers there are."""
        ends = zip(self.least, self.most, strict=True)
        return prod(most - least + 1 for least, most in ends)

    def total(self, line: int, solution: Solution) -> int:
        """What a solution adds to a line."""
        return sum(c * size for c, size in zip(solution, self.sizes[line], strict=True))

    def hits(self, solution: Solution) -> list[int]:
        """The lines that a solution brings to their printed number."""
        return [
            line
            for line, (low, high) in enumerate(zip(self.lows, self.highs, strict=True))
            if low <= self.total(line, solution) <= high
        ]

    def only(self, lines: Iterable[int]) -> Box:
        """The same with some of the lines."""
        kept = list(lines)
        return replace(
            self,
            lows=tuple(self.lows[i] for i in kept),
            highs=tuple(self.highs[i] for i in kept),
            sizes=tuple(self.sizes[i] for i in kept),
        )

    def fixed(self, term: int, number: int) -> Box:
        """The same with one term there so many times."""
        least, most = list(self.least), list(self.most)
        least[term] = most[term] = number
        return replace(self, least=tuple(least), most=tuple(most))

    def by_weight(self) -> list[int]:
        """The terms, that first which moves the lines most at a time against their intervals."""
        spans = [high - low + 1 for low, high in zip(self.lows, self.highs, strict=True)]

        def weight(term: int) -> Fraction:
            shares = (Fraction(abs(s[term]), w) for s, w in zip(self.sizes, spans, strict=True))
            return sum(shares, Fraction(0))

        return sorted(range(len(self.least)), key=lambda term: (-weight(term), term))


@dataclass(frozen=True, slots=True)
class TermFindings:
    """What a search came upon.

    Attributes:
        solutions: in ascending order of the sum of their numbers.
        nodes: beginnings of combinations that were looked at.
        complete: whether nothing was left out for want of work allowed.
    """

    solutions: tuple[Solution, ...]
    nodes: int
    complete: bool


class _EnoughError(Exception):
    """The search has what it was asked for, or may not go on."""


class _Walk:
    """One walk through a box, term after term, with all lines at once.

    Once the first terms are chosen, a line still asks of the others what it lacks. A number of the
    next term is tried only if what is left lies between the least and the most that the terms
    after it can add, in enough of the lines.
    """

    def __init__(self, box: Box, needed: int, most_nodes: int, most_kept: int) -> None:
        self.box, self.needed = box, needed
        self.most_nodes, self.most_kept = most_nodes, most_kept
        self.order = box.by_weight()
        self.nodes = 0
        self.complete = True
        self.solutions: list[Solution] = []
        self.rest = self._rest()
        self.chosen = [0] * len(self.order)

    def _rest(self) -> list[list[tuple[int, int]]]:
        """Of each place in the order, what the terms after it add at least and most to a line."""
        rest = [[(0, 0)] * len(self.box.lows)]
        for term in reversed(self.order):
            ends = self.box.least[term], self.box.most[term]
            added = [sorted((ends[0] * s[term], ends[1] * s[term])) for s in self.box.sizes]
            rest.append([(a + x, b + y) for (a, b), (x, y) in zip(rest[-1], added, strict=True)])
        return rest[::-1]

    def run(self) -> None:
        try:
            self.walk(0, list(range(len(self.box.lows))), list(self.box.lows), list(self.box.highs))
        except _EnoughError:
            self.complete = False

    def walk(self, place: int, alive: list[int], lows: list[int], highs: list[int]) -> None:
        """Try every number of the term at this place in the order."""
        self.nodes += 1
        if self.nodes > self.most_nodes:
            raise _EnoughError
        if place == len(self.order):
            self.take(alive)
            return
        term = self.order[place]
        for number, still in self.numbers(term, self.rest[place + 1], alive, lows, highs):
            if len(still) < self.needed:
                continue
            self.chosen[term] = number
            added = [number * s[term] for s in self.box.sizes]
            self.walk(
                place + 1,
                still,
                [low - one for low, one in zip(lows, added, strict=True)],
                [high - one for high, one in zip(highs, added, strict=True)],
            )

    def numbers(
        self,
        term: int,
        rest: list[tuple[int, int]],
        alive: list[int],
        lows: list[int],
        highs: list[int],
    ) -> Iterable[tuple[int, list[int]]]:
        """The numbers that a term may have, each with the lines that can still be reached."""
        first, last = self.box.least[term], self.box.most[term]
        ranges = []
        for line in alive:
            low, high = lows[line] - rest[line][1], highs[line] - rest[line][0]
            ends = _between(self.box.sizes[line][term], low, high, first, last)
            ranges.append((line, *ends))
        if self.needed == len(self.box.lows):
            lowest = max((a for _, a, _ in ranges), default=first)
            highest = min((b for _, _, b in ranges), default=last)
            return ((number, alive) for number in range(lowest, highest + 1))
        several = (
            (number, [line for line, a, b in ranges if a <= number <= b])
            for number in range(first, last + 1)
        )
        return sorted(several, key=lambda one: -len(one[1]))

    def take(self, alive: list[int]) -> None:
        self.solutions.append(tuple(self.chosen))
        if len(self.solutions) >= self.most_kept:
            raise _EnoughError


class _BestWalk(_Walk):
    """A walk that asks for more lines each time it has found some."""

    def take(self, alive: list[int]) -> None:
        """Keep the first solution that has so many lines, and ask for one more."""
        self.solutions = [tuple(self.chosen)]
        self.needed = len(alive) + 1
        if self.needed > len(self.box.lows):
            raise _EnoughError


def _between(size: int, low: int, high: int, first: int, last: int) -> tuple[int, int]:
    """The first and last of some numbers whose product with a size lies in an interval."""
    if not size:
        return (first, last) if low <= 0 <= high else (last + 1, first - 1)
    if size < 0:
        size, low, high = -size, -high, -low
    return max(first, -(-low // size)), min(last, high // size)


def find(
    box: Box, missing: int = 0, most_nodes: int = MOST_NODES, most_kept: int = MOST_KEPT
) -> TermFindings:
    """Find every solution that brings all lines but so many to their printed numbers."""
    search = _Walk(box, len(box.lows) - missing, most_nodes, most_kept)
    search.run()
    ranked = sorted(search.solutions, key=lambda s: (sum(map(abs, s)), [-c for c in s]))
    return TermFindings(tuple(ranked), search.nodes, search.complete)


def most_lines(box: Box, most_nodes: int = MOST_NODES) -> tuple[int, bool]:
    """How many lines a combination reaches at most, and whether all of them were looked at."""
    search = _BestWalk(box, 1, most_nodes, MOST_KEPT)
    search.run()
    reached = search.needed - 1
    return reached, search.complete or reached == len(box.lows)


def same_everywhere(box: Box, solutions: Sequence[Solution]) -> list[list[Solution]]:
    """Solutions that add the same to every line are one polynomial: groups, the cheapest first."""
    groups: dict[tuple[int, ...], list[Solution]] = {}
    for solution in solutions:
        added = tuple(box.total(line, solution) for line in range(len(box.lows)))
        groups.setdefault(added, []).append(solution)
    return list(groups.values())


def ranges(solutions: Sequence[Solution]) -> list[tuple[int, int]]:
    """The least and the most of each term over all solutions."""
    return [(min(numbers), max(numbers)) for numbers in zip(*solutions, strict=True)]


def fixed_sums(solutions: Sequence[Solution]) -> list[tuple[Solution, int]]:
    """Sums of several terms, with whole factors, that are the same in all solutions.

    They are what the differences of the solutions leave free to be said: a basis of it, by
    elimination with fractions. Terms that are the same in all solutions are left out.
    """
    moving = [i for i, (least, most) in enumerate(ranges(solutions)) if least != most]
    rows: dict[int, list[Fraction]] = {}
    for solution in solutions[1:]:
        _reduce([Fraction(solution[i] - solutions[0][i]) for i in moving], rows)
    found = []
    for free in (i for i in range(len(moving)) if i not in rows):
        form = [Fraction(0)] * len(moving)
        # The free coordinate of every difference follows from its leading ones.
        form[free] = Fraction(-1)
        for lead, row in rows.items():
            form[lead] = row[free]
        unit = lcm(*(factor.denominator for factor in form))
        sign = 1 if next(f for f in form if f) > 0 else -1
        factors = [0] * len(solutions[0])
        for place, factor in zip(moving, form, strict=True):
            factors[place] = int(factor * unit) * sign
        value = sum(f * c for f, c in zip(factors, solutions[0], strict=True))
        found.append((tuple(factors), value))
    return found


def _reduce(row: list[Fraction], rows: dict[int, list[Fraction]]) -> None:
    """Add a row to others that are in reduced echelon form, by leading place."""
    for lead, other in rows.items():
        if row[lead]:
            row = [a - row[lead] * b for a, b in zip(row, other, strict=True)]
    first = next((i for i, value in enumerate(row) if value), None)
    if first is not None:
        row = [value / row[first] for value in row]
        for place, other in rows.items():
            rows[place] = [a - other[first] * b for a, b in zip(other, row, strict=True)]
        rows[first] = row


def invented(box: Box, real: Sequence[int], known: Sequence[Solution]) -> int:
    """Of so many invented tables, how many have a solution though some terms are real numbers.

    Each table is made with the numbers of one of the known solutions, but that each term in
    ``real`` has any real number of its box, drawn evenly; printed as precisely as the true one.

    Args:
        box: the true table in its box.
        real: the terms that are real numbers in the invented tables.
        known: solutions of the true table.
    """
    draw = random.Random(SEED)  # noqa: S311 - invented tables, no secrets
    worlds = (_world(box, real, known, draw) for _ in range(WORLDS))
    solved = (find(world, most_nodes=WORLD_NODES, most_kept=1).solutions for world in worlds)
    return sum(map(bool, solved))


def _world(box: Box, real: Sequence[int], known: Sequence[Solution], draw: random.Random) -> Box:
    numbers: list[Fraction] = [Fraction(c) for c in known[int(draw.random() * len(known))]]
    for term in real:
        width = box.most[term] - box.least[term]
        numbers[term] = box.least[term] + Fraction(draw.random()) * width
    lows, highs = [], []
    for low, high, sizes in zip(box.lows, box.highs, box.sizes, strict=True):
        # The interval of the same width in which the invented number lies, as printing rounds it.
        value = int(sum((c * s for c, s in zip(numbers, sizes, strict=True)), Fraction(0)))
        width = high - low + 1
        start = low + (value - low) // width * width
        lows.append(start)
        highs.append(start + width - 1)
    return replace(box, lows=tuple(lows), highs=tuple(highs))


def halves(box: Box) -> tuple[int, bool, Fraction, int]:
    """What every second line says of the others.

    Returns:
        The solutions of every second line; whether these are all; of the other lines, the share
        that a solution reaches in the mean; and how many of the solutions reach all of them.
    """
    lines = range(len(box.lows))
    own, others = box.only(lines[::2]), box.only(lines[1::2])
    found = find(own)
    hits = [len(others.hits(solution)) for solution in found.solutions]
    reached = Fraction(sum(hits), max(1, len(hits) * len(others.lows)))
    return len(hits), found.complete, reached, hits.count(len(others.lows))
