"""What a search is given, and the numbers it finds that may have been printed in a claim's place.

It is given the study with what was measured and judged, and the facts of each network. A search
lists candidates: each a number that measurements give, an expression to paste into a
study, words, and what it must assume. Whether one fits is a matter of the printed digits alone.

How many would fit by chance: the printed number is taken to have nothing to do with the candidates.
With n different candidates between half and twice the printed number v, evenly spread over the
logarithm, an interval of width w holds n * w / (v * ln 4) of them. The width is that of the digits:
1 for a count that is printed in full, else one and a half steps of the last digit, which is where
numbers lie that are rounded or cut to the same digits.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from reconcile.judge.measurements import Measurements
from reconcile.study.expressions import (
    Row,
    UnknownNameError,
    count_in,
    selected,
    total_of,
    with_own_parts,
)
from reconcile.study.model import Study
from reconcile.study.printed import PrintedNumber, reading_of_digits
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES, VERDICTS
from reconcile.tables.frames import read_table
from reconcile.words import Report, number

MOST_LISTED: Final = 20
"""Hits of one search that are listed; all are counted."""
WINDOW: Final = 2
"""Candidates are counted from the printed number divided by this up to as many times it."""
_STEPS: Final = Fraction(3, 2)
"""Steps of the last digit in which numbers lie that are rounded or cut to the same digits."""


@dataclass(frozen=True)
class Given:
    """What every search is given; each takes of it what it needs.

    Attributes:
        study: the study.
        folder: its folder, which faults name.
        measured: its layers and totals.
        results: the folder of its results, for tables that few searches need.
        report: is told a line of progress.
    """

    study: Study
    folder: Path
    measured: Measurements
    results: Path
    report: Report

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables that were measured or judged.

        Raises:
            InputError: the file is missing or is not of this release.
        """
        return read_table(self.results / name)

    @cached_property
    def networks(self) -> dict[tuple[str, str], NetworkFacts]:
        """What was measured of each network of the study's own readings, by both names."""
        measured, found = self.measured, {}
        for reading in self.study.own_readings:
            for key in measured.totals:
                if key[0] == reading.id and measured.problem(*key) is None:
                    tensors = with_own_parts(measured.tensors(*key), self.study.parts)
                    found[key] = NetworkFacts(measured.layers(*key).values(), tensors)
        return found


class NetworkFacts:
    """One network of one reading: plain rows of its layers and tensors, and how to sum them.

    The same numbers come out as of the expressions of a study (``judge.measurements``), which is
    why a candidate's expression can be pasted; a test holds that.

    Args:
        layers: its rows of layers.csv, in order.
        tensors: its rows of tensors.csv; none where these are not known.
    """

    def __init__(self, layers: Iterable[Row], tensors: Iterable[Row] = ()) -> None:
        self.layers = list(layers)
        self._rows = {str(row["layer"]): row for row in self.layers}
        self.tensors = list(tensors)
        self._totals: dict[tuple[str, str], int] = {}

    def selected(self, selector: str) -> list[Row]:
        """The layers that an expression would mean; none where there are none."""
        if selector == NETWORK:
            return self.layers
        try:
            return selected(self._rows, selector)
        except UnknownNameError:
            return []

    def total(self, quantity: str, selector: str = NETWORK) -> int:
        """A quantity summed over what is selected, as expressions sum it.

        Args:
            quantity: one that adds up over layers.
            selector: as of ``selected``.
        """
        asked = quantity, selector
        if asked not in self._totals:
            self._totals[asked] = self._summed(quantity, selector)
        return self._totals[asked]

    def _summed(self, quantity: str, selector: str) -> int:
        known = QUANTITIES[quantity]
        column, factor = known.multiple_of or (quantity, 1)
        if selector == NETWORK:
            return factor * total_of(self.layers, column)
        return factor * sum(count_in(row, column) for row in self.selected(selector))

    def tensors_of(self, rows: Sequence[Row]) -> list[Row]:
        """The tensors of some layers."""
        names = {row["layer"] for row in rows}
        return [tensor for tensor in self.tensors if tensor["layer"] in names]

    @property
    def ran(self) -> list[Row]:
        """The layers without the input."""
        return [row for row in self.layers if row["kind"] != INPUT]


def words_of(quantity: str, selector: str) -> str:
    """A quantity of what is selected, in words."""
    words = QUANTITIES[quantity].words
    return words if selector == NETWORK else f"{words} of {selector}"


def quoted(quantity: str, selector: str) -> str:
    """An expression for a quantity of what is selected."""
    plain = selector.isidentifier()
    return f"{quantity}({selector if plain else repr(selector)})"


# Candidates, held against printed digits.


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may have been printed.

    Attributes:
        says: what is counted, in words.
        expression: the same for a study, to be pasted.
        value: the number.
        cost: how many things must be assumed.
        who: counts so, as far as that is known: a tool, or what is usual where.
    """

    says: str
    expression: str
    value: Fraction
    cost: int
    who: str = ""


class Fitting(NamedTuple):
    """A candidate that fits, and how: one of the verdicts that are better than none."""

    candidate: Candidate
    fit: str


@dataclass(frozen=True)
class Findings:
    """What a search found for one printed number.

    Attributes:
        tried: how many candidates there were.
        hits: those that fit, that which must assume least first; at most ``MOST_LISTED``.
        total: how many fit.
        by_chance: how many would fit a number of this precision that has nothing to do with them.
        nearest: the candidates next to it, below and above.
    """

    tried: int
    hits: tuple[Fitting, ...]
    total: int
    by_chance: float
    nearest: tuple[Candidate | None, Candidate | None]

    @property
    def words(self) -> str:
        """What was found, in a sentence or two."""
        if not self.hits:
            near = (c for c in self.nearest if c is not None)
            beside = " and ".join(f"{_in_words(c.value)} ({c.says})" for c in near)
            return f"No hit; nearest: {beside}." if beside else "No hit."
        first = self.hits[0].candidate
        more = f" and {self.total - 1:,} more" if self.total > 1 else ""
        return f"{first.says}: {_in_words(first.value)}{more}."


def _in_words(value: Fraction) -> str:
    """A whole number in full, another with ten digits, and never with fewer than two decimals."""
    few = value.denominator != 1 and abs(value) < 10**8
    return f"{float(value):,.10g}" if few else number(value)


class Pool:
    """The candidates of one search of one network, asked once for every printed number."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._sorted = sorted(candidates, key=lambda c: (_quick(c.value), c.cost, c.expression))
        self._values = [_quick(candidate.value) for candidate in self._sorted]
        self._different = sorted(set(self._values))

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def signature(self) -> tuple[tuple[str, Fraction], ...]:
        """Equal for two networks that this search cannot tell apart."""
        return tuple((c.expression, c.value) for c in self._sorted)

    def against(self, printed: PrintedNumber) -> Findings:
        """Hold every candidate against printed digits."""
        intervals = printed.rounded, printed.truncated
        low, high = min(i[0] for i in intervals), max(i[1] for i in intervals)
        below, above = bisect_left(self._values, low), bisect_right(self._values, high)
        hits = [
            Fitting(candidate, fit)
            for candidate in self._sorted[below:above]
            if (fit := reading_of_digits(candidate.value, printed)) is not None
        ]
        hits.sort(key=_rank)
        nearest = (
            self._sorted[below - 1] if below else None,
            self._sorted[above] if above < len(self._sorted) else None,
        )
        listed = tuple(hits[:MOST_LISTED])
        return Findings(len(self), listed, len(hits), self._by_chance(printed), nearest)

    def _by_chance(self, printed: PrintedNumber) -> float:
        if printed.value <= 0:
            return 0.0
        first = bisect_left(self._different, printed.value / WINDOW)
        last = bisect_right(self._different, printed.value * WINDOW)
        step = printed.unit if not printed.exact else Fraction(1)
        widths = (
            Fraction(1) if printed.exact and value.denominator == 1 else _STEPS * step
            for value in self._different[first:last]
        )
        return float(sum(widths, Fraction(0)) / printed.value) / math.log(WINDOW**2)


def _quick(value: Fraction) -> Fraction | int:
    """The same number, as what thousands are sorted by in no time."""
    return value.numerator if value.denominator == 1 else value


def _rank(hit: Fitting) -> tuple[int, int, int, str]:
    candidate = hit.candidate
    expression = candidate.expression
    return candidate.cost, VERDICTS.index(hit.fit), len(expression), expression


def cells(findings: Findings) -> Iterable[Row]:
    """The rows of a search's table: one for each hit, or one that says that there is none."""
    shared = {
        "tried": findings.tried,
        "found": findings.words,
        "by_chance": f"{findings.by_chance:.3g}",
    }
    hits: Sequence[Row] = [
        {
            "hit": hit.candidate.says,
            "expression": hit.candidate.expression,
            "value": hit.candidate.value,
            "fit": hit.fit,
            "cost": hit.candidate.cost,
        }
        for hit in findings.hits
    ]
    return (shared | hit for hit in hits or [{}])
