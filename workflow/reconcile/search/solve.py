"""At which values of an argument printed numbers come out: from the values that were measured.

What was measured, and in which way it was chosen, stands in ``solutions_measured.csv``; the values
between two measured ones belong to a solution only where the way allows that, and where both ends
of it are measured. So nothing here has to be believed that a network did not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import gcd, lcm
from typing import Any, Final, Literal

from reconcile.search.candidates import Given
from reconcile.study.expressions import Row
from reconcile.study.model import Claim, Solve, Study, claims_named
from reconcile.words import count_of, listed, number

MOST_JOINED: Final = 100_000
"""Values of several remainders that are put in order to see which follow on each other."""
SHOWN: Final = 12
"""Intervals that a sentence names."""

Digits = Literal["rounded", "cut"]
Interval = tuple[Fraction, Fraction]
METHODS = {
    "scan": "one after the other",
    "polynomial": "by interpolation, every edge measured",
    "monotone": "by halving, as far as it was measured the count only grows or only falls",
    "residues": "by interpolation for each remainder of {step}, every edge measured",
}


@dataclass(frozen=True, slots=True)
class Points:
    """What was measured for one claim.

    Attributes:
        values: the measured count by value of the argument; None where there was none.
        method: how the values were chosen.
        step: between values that belong together.
    """

    values: Mapping[int, Fraction | None]
    method: str
    step: int

    @property
    def gap(self) -> int:
        """Between one value for which there is a network and the next."""
        known = [value for value, count in sorted(self.values.items()) if count is not None]
        return gcd(*(other - one for one, other in pairwise(known))) or self.step

    def holding(self, interval: Interval) -> list[range]:
        """The values at which the count lies in an interval, as ranges in ascending order."""
        low, high = interval
        found = []
        for group in self._groups():
            run: list[int] = []
            for value in [*group, None]:
                count = None if value is None else self.values[value]
                follows = not run or value is None or self._belong(run[-1], value)
                holds = count is not None and low <= count < high
                if run and not (holds and follows):
                    found.append(range(run[0], run[-1] + 1, self.step))
                    run = []
                if value is not None and holds:
                    run.append(value)
        return joined(found, self.gap)

    def _belong(self, one: int, other: int) -> bool:
        return self.method != "scan" or other - one == self.step

    def _groups(self) -> Iterable[list[int]]:
        """The values by their remainder, each group in order."""
        groups: dict[int, list[int]] = {}
        for value in sorted(self.values):
            groups.setdefault(value % self.step, []).append(value)
        return groups.values()

    def searched(self, whole: range) -> range:
        """The part of a range of which something is known: of a scan, its longest run."""
        if self.method != "scan":
            return whole
        runs: list[list[int]] = [[]]
        for value in (value for group in self._groups() for value in group):
            if runs[-1] and value - runs[-1][-1] != self.step:
                runs.append([])
            runs[-1].append(value)
        longest = max(runs, key=len)
        if not longest:
            return range(0)
        before = range(whole[0], longest[0], whole.step)
        every = longest[-1] + self.step > whole[-1] and all(v in self.values for v in before)
        return whole if every else range(longest[0], longest[-1] + 1, whole.step)


def joined(found: Sequence[range], gap: int) -> list[range]:
    """Ranges of several remainders as ranges of values that follow on each other."""
    if all(one.step == gap for one in found) or sum(map(len, found)) > MOST_JOINED:
        return sorted(found, key=lambda one: one.start)
    runs: list[list[int]] = []
    for value in sorted(value for one in found for value in one):
        if runs and value - runs[-1][-1] == gap:
            runs[-1].append(value)
        else:
            runs.append([value])
    return [range(run[0], run[-1] + 1, gap) for run in runs]


def common(one: Sequence[range], other: Sequence[range]) -> list[range]:
    """The values that are in both of two lists of ranges."""
    shared = (_overlap(a, b) for a in one for b in other)
    return sorted((found for found in shared if found), key=lambda each: each.start)


def _overlap(one: range, other: range) -> range:
    last = min(one[-1], other[-1])
    inside = (value for value in one if value >= other.start)
    for value, _ in zip(inside, range(other.step), strict=False):
        if (value - other.start) % other.step == 0:
            return range(value, last + 1, lcm(one.step, other.step))
    return range(0)


def search_solutions(given: Given) -> Iterator[Row]:
    """solutions.csv: at which values of an argument each claim holds, and at which all do."""
    if not given.study.solve:
        return
    points = _read(given)
    for wanted in given.study.solve:
        claims = claims_named(given.study, wanted.claims)
        exact = all(claim.number.exact for claim in claims)
        conventions: tuple[Digits, ...] = ("rounded",) if exact else ("rounded", "cut")
        for digits in conventions:
            yield from _rows(wanted, claims, points, digits)


def values_to_try(study: Study) -> int:
    """Values that are looked at again: those that were measured."""
    claims = (len(claims_named(study, wanted.claims)) for wanted in study.solve)
    return sum(claims) * MOST_JOINED


def _read(given: Given) -> dict[tuple[str, str], Points]:
    """What was measured, by search and claim."""
    values: dict[tuple[str, str], dict[int, Fraction | None]] = {}
    ways: dict[tuple[str, str], tuple[str, int]] = {}
    for row in given.table("solutions_measured.csv").to_dict("records"):
        key = row["search"], row["claim"]
        values.setdefault(key, {})[int(row["value"])] = row["measured"]
        ways[key] = row["method"], int(row["step"])
    return {key: Points(found, *ways[key]) for key, found in values.items()}


def _rows(
    wanted: Solve,
    claims: Sequence[Claim],
    points: Mapping[tuple[str, str], Points],
    digits: Digits,
) -> Iterator[Row]:
    """A row for each claim, and one for all of them where they are several."""
    whole = wanted.values
    shared = {"search": wanted.id, "digits": digits, "argument": wanted.argument}
    each, searched = [], []
    for claim in claims:
        known = points[wanted.id, claim.id]
        number_ = claim.number
        found = known.holding(number_.rounded if digits == "rounded" else number_.truncated)
        part = known.searched(whole)
        each.append(found)
        searched.append(part)
        yield shared | {
            "claim": claim.id,
            "intervals": " ".join(map(_text, found)),
            "values": sum(map(len, found)),
            "method": known.method,
            "measured": len(known.values),
            **_part(part),
            "says": f"{_says(wanted, found, part, claim.number.said)} ({_way(known, whole)})",
        }
    if len(claims) > 1:
        part = reduce(_narrower, searched)
        found = reduce(common, each)
        yield shared | {
            "claim": "",
            "intervals": " ".join(map(_text, found)),
            "values": sum(map(len, found)),
            **_part(part),
            "says": _says_of_all(wanted, claims, each, found, part),
        }


def _part(part: range) -> dict[str, Any]:
    return {"searched_first": part[0], "searched_last": part[-1]} if part else {}


def _narrower(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one[-1], other[-1]) + 1, one.step)


def _text(found: range) -> str:
    step = f"/{found.step}" if len(found) > 1 and found.step > 1 else ""
    return f"{found[0]}..{found[-1]}{step}" if len(found) > 1 else f"{found[0]}"


def _says(wanted: Solve, found: Sequence[range], part: range, printed: str) -> str:
    if not found:
        return f"no {_name(wanted)} {_from(part)} gives {printed}"
    return f"{printed} for {_name(wanted)} {_ranges(found)}{_within(wanted, part)}"


def _name(wanted: Solve) -> str:
    return wanted.argument.replace("_", " ")


def _from(part: range) -> str:
    return f"from {part[0]:,} to {part[-1]:,}" if part else "that was searched"


def _within(wanted: Solve, part: range) -> str:
    return "" if part == wanted.values else f", of those {_from(part)}"


def _ranges(found: Sequence[range]) -> str:
    """Ranges in words, the first of them where they are many."""
    told = [_in_words(one) for one in found[:SHOWN]]
    more = len(found) - SHOWN
    return listed([*told, f"{more:,} more"] if more > 0 else told)


def _in_words(one: range) -> str:
    if len(one) == 1:
        return number(one[0])
    steps = f" in steps of {one.step}" if one.step > 1 else ""
    return f"{one[0]:,} to {one[-1]:,}{steps}"


def _way(known: Points, whole: range) -> str:
    way = METHODS[known.method].format(step=known.step)
    coarse = known.method != "residues" and known.step > whole.step
    steps = f"; between steps of {known.step} no network was found" if coarse else ""
    return f"{count_of(len(known.values), 'value')} measured: {way}{steps}"


def _says_of_all(
    wanted: Solve,
    claims: Sequence[Claim],
    each: Sequence[Sequence[range]],
    found: Sequence[range],
    part: range,
) -> str:
    """The values at which all claims hold; where there are none, what each of them asks for."""
    ids = listed([claim.id for claim in claims])
    if found:
        return f"{ids} hold together for {_name(wanted)} {_ranges(found)}{_within(wanted, part)}"
    asks = (
        f"{claim.id} asks for {_ranges(own) if own else 'none of them'}"
        for claim, own in zip(claims, each, strict=True)
    )
    return f"no {_name(wanted)} {_from(part)} satisfies {ids} together: {', '.join(asks)}"
