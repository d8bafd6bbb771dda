"""Counts as functions of an argument, and what is found of them, as a study would have it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from reconcile.measure.solving import Method, Value, explore
from reconcile.search.run import Points

Count = Callable[[int], int | None]
"""The count at a value; None where there is no network."""


@dataclass
class Found:
    """What came of a search: how it was made, what was measured, and where the count fits."""

    method: Method
    measured: dict[int, Value]
    holding: list[int]
    searched: range


def found(count: Count, values: range, low: int, high: int, stride: int = 1) -> Found:
    """Search for the values at which a count lies in [low, high)."""
    measured: dict[int, Value] = {}

    def ask(wanted: Iterable[int]) -> list[Value]:
        for value in (asked := list(wanted)):
            answer = count(value)
            measured[value] = None if answer is None else Fraction(answer)
        return [measured[value] for value in asked]

    interval = Fraction(low), Fraction(high)
    method = explore(ask, values, [interval], lambda: stride)
    points = Points(measured, method.name, method.step)
    holding = [value for one in points.holding(interval) for value in one]
    return Found(method, measured, sorted(holding), points.searched(values))


def by_trying(count: Count, values: Iterable[int], low: int, high: int) -> list[int]:
    """The same by trying every value."""
    counted = ((value, count(value)) for value in values)
    return [value for value, number in counted if number is not None and low <= number < high]
