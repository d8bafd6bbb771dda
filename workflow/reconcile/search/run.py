"""The searches for what would explain a printed number that no reading reproduces: which there are.

A search is registered here once, by its table. What follows from that: its columns stand in
``tables/contract.py``, the rule ``search`` writes it, ``verify`` makes it again, the report shows
it with ``templates/partials/search-<name>.jinja``, and docs/searches.md explains it. Hits are
listed with how likely they are by chance; they change no verdict.

Slips of a claim's arithmetic and geometries of a layer are searched where a study asks for them;
``slips`` and ``geometries`` do that, and here they become rows.

Where a study solves for an argument, the values at which claims hold are put together here. What
was measured, and in which way it was chosen, stands in ``solutions_measured.csv``; the values
between two measured ones belong to a solution only where the way allows that, and where both ends
of it are measured. So nothing here has to be believed that a network did not show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import chain, groupby, pairwise
from math import gcd, lcm
from typing import Any, Final

import pandas as pd

from reconcile.errors import InputError
from reconcile.judge.measurements import ReadingScope
from reconcile.search.candidates import Given
from reconcile.search.geometries import (
    KernelAndStride,
    Sought,
    Space,
    rectangular_maps,
    separate_axes,
    square_maps,
)
from reconcile.search.misprint import Chance, Misprint, SlipFindings, rewrites
from reconcile.search.slips import MOST_FREE_PRODUCTS, search_product, search_sum
from reconcile.search.term_rows import Digits, conventions_of, search_terms, terms_to_try
from reconcile.search.unexplained import (
    conventions_to_try,
    digits_to_try,
    parts_to_try,
    search_conventions,
    search_digits,
    search_parts,
    search_units,
    units_to_try,
)
from reconcile.study.expressions import ExpressionError, Row, evaluate
from reconcile.study.load import fault_in
from reconcile.study.model import (
    Claim,
    GeometrySearch,
    SlipSearch,
    Solve,
    Study,
    claims_named,
    next_by_id,
)
from reconcile.tables.contract import COUNTED_KINDS
from reconcile.tables.frames import table
from reconcile.words import count_of, listed, number

MOST_JOINED: Final = 100_000
"""Values of several remainders that are put in order to see which follow on each other."""
SHOWN: Final = 12
"""Intervals that a sentence names."""

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

        def holds(value: int) -> bool:
            count = self.values[value]
            return count is not None and low <= count < high

        blocks = (block for group in self._groups() for block in groupby(group, key=holds))
        held = (list(block) for inside, block in blocks if inside)
        # What lies between two measured values belongs to them unless it was a scan.
        runs = chain(*(_runs(own, self.step) if self.method == "scan" else [own] for own in held))
        return joined([range(run[0], run[-1] + 1, self.step) for run in runs], self.gap)

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
        longest = max(_runs(chain(*self._groups()), self.step), key=len, default=[])
        if not longest:
            return range(0)
        before = range(whole[0], longest[0], whole.step)
        every = longest[-1] + self.step > whole[-1] and all(v in self.values for v in before)
        return whole if every else range(longest[0], longest[-1] + 1, whole.step)


def joined(found: Sequence[range], gap: int) -> list[range]:
    """Ranges of several remainders as ranges of values that follow on each other."""
    if all(one.step == gap for one in found) or sum(map(len, found)) > MOST_JOINED:
        return sorted(found, key=lambda one: one.start)
    runs = _runs(sorted(chain(*found)), gap)
    return [range(run[0], run[-1] + 1, gap) for run in runs]


def _runs(values: Iterable[int], step: int) -> list[list[int]]:
    """Values in runs, in each of which one follows on the other in a step."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value - runs[-1][-1] == step:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


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
    points = _points_of(given)
    for wanted in given.study.solve:
        claims = claims_named(given.study, wanted.claims)
        for digits in conventions_of(claims):
            yield from _solution_rows(wanted, claims, points, digits)


def values_to_try(study: Study) -> int:
    """Values that are looked at again: those that were measured."""
    claims = (len(claims_named(study, wanted.claims)) for wanted in study.solve)
    return sum(claims) * MOST_JOINED


def _points_of(given: Given) -> dict[tuple[str, str], Points]:
    """What was measured, by search and claim."""
    values: dict[tuple[str, str], dict[int, Fraction | None]] = {}
    ways: dict[tuple[str, str], tuple[str, int]] = {}
    for row in given.table("solutions_measured.csv").to_dict("records"):
        key = row["search"], row["claim"]
        values.setdefault(key, {})[int(row["value"])] = row["measured"]
        ways[key] = row["method"], int(row["step"])
    return {key: Points(found, *ways[key]) for key, found in values.items()}


def _solution_rows(
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
            "intervals": " ".join(map(_range_text, found)),
            "values": sum(map(len, found)),
            "method": known.method,
            "measured": len(known.values),
            **_cells_of(part),
            "says": f"{_says(wanted, found, part, claim.number.said)} ({_way(known, whole)})",
        }
    if len(claims) > 1:
        part = reduce(_narrower, searched)
        found = reduce(common, each)
        yield shared | {
            "claim": "",
            "intervals": " ".join(map(_range_text, found)),
            "values": sum(map(len, found)),
            **_cells_of(part),
            "says": _says_of_all(wanted, claims, each, found, part),
        }


def _cells_of(part: range) -> dict[str, Any]:
    return {"searched_first": part[0], "searched_last": part[-1]} if part else {}


def _narrower(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one[-1], other[-1]) + 1, one.step)


def _range_text(found: range) -> str:
    step = f"/{found.step}" if len(found) > 1 and found.step > 1 else ""
    return f"{found[0]}..{found[-1]}{step}" if len(found) > 1 else f"{found[0]}"


def _says(wanted: Solve, found: Sequence[range], part: range, printed: str) -> str:
    if not found:
        return f"no {_named(wanted)} {_from(part)} gives {printed}"
    return f"{printed} for {_named(wanted)} {_ranges(found)}{_within(wanted, part)}"


def _named(wanted: Solve) -> str:
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
        return f"{ids} hold together for {_named(wanted)} {_ranges(found)}{_within(wanted, part)}"
    asks = (
        f"{claim.id} asks for {_ranges(own) if own else 'none of them'}"
        for claim, own in zip(claims, each, strict=True)
    )
    return f"no {_named(wanted)} {_from(part)} satisfies {ids} together: {', '.join(asks)}"


GEOMETRIES: Final = {
    "square-maps": square_maps,
    "rectangular-maps": rectangular_maps,
    "separate-axes": separate_axes,
}
"""The searches of geometries by the kind that a study names."""
EDITS: Final = 400
"""Ways to edit one digit of a number of 64 bits: more than there are."""


def search_slips(given: Given) -> Iterator[Row]:
    """slips.csv: every slip that turns a right product or sum into the printed number.

    Raises:
        InputError: the claim's number or a factor is no whole number that can be searched.
    """
    for i, wanted in enumerate(given.study.slips):
        try:
            yield from _slip_rows(given, wanted)
        except (ExpressionError, ValueError) as error:
            raise InputError(fault_in(given.folder, ("slips", i), str(error))) from None


def slips_to_try(study: Study) -> int:
    """At most how many: one or two parts changed, each into a printed number or by an edit."""
    return sum(map(_slips, study.slips))


def _slips(wanted: SlipSearch) -> int:
    parts = len(wanted.factors) + len(wanted.terms)
    changes = len(wanted.vocabulary) + EDITS
    among_free_products = 0 if wanted.terms else MOST_FREE_PRODUCTS
    return 2 * ((parts * changes) ** 2 + parts**3 + among_free_products)


def _slip_rows(given: Given, wanted: SlipSearch) -> Iterator[Row]:
    study, measured, report = given.study, given.measured, given.report
    claim = study.claim(wanted.claim)
    reading = next_by_id(study.interpretations, wanted.interpretation)
    problem = measured.problem(reading.id, claim.network)
    if problem is not None:
        raise ValueError(f"the factors are those of {reading.id}, which has none: {problem}")
    scope = ReadingScope(study, reading, measured, claim.network)
    parts = [(name, _whole(t, scope)) for name, t in (wanted.factors or wanted.terms).items()]
    find = search_product if wanted.factors else search_sum
    # The neurons of every other layer: a number may have been copied from the wrong one.
    others = [
        (f"neurons of {name}", int(row["neurons"]))
        for name, row in scope.rows.items()
        if row["kind"] in COUNTED_KINDS and int(row["neurons"]) > 0
    ]

    def search(divisor: int) -> tuple[SlipFindings, ...]:
        printed = _printed(study, claim.id)
        return find(Misprint.of(printed, parts, wanted.vocabulary, divisor), others)

    divisor = _whole(wanted.divisor, scope) if wanted.divisor else None
    among = search(divisor) if divisor else ()
    findings = search(1)
    rewritten = _rewritten(findings)
    for done, found in enumerate(findings):
        report(f"{claim.id}: {found.title}: {found.tried:,} tried, {found.total:,} found")
        chance = {"chance": _share(found.chance)}
        # Edits of the result's digits know nothing of factors: their chance has no divisor.
        if divisor and among[done].chance.divisor == divisor:
            chance["chance_of_multiples"] = _share(among[done].chance)
        shared = {
            "claim": claim.id,
            "kind": found.id,
            "searched": found.searched,
            "tried": found.tried,
            "found": found.found(rewritten[done]),
        }
        hits: list[Row] = [
            {
                "hit": hit.description,
                "expression": hit.expression,
                "cost": hit.cost,
                "rewrites": rewritten[done].get(hit.expression),
            }
            for hit in found.hits
        ]
        yield from (shared | chance | hit for hit in hits or [{}])


def _rewritten(findings: Sequence[SlipFindings]) -> list[dict[str, str]]:
    """Of each search the hits that are another one written differently, and which.

    The one that stands for all is the cheapest, of the first search that comes upon it.
    """
    ranked = sorted(
        ((place, hit) for place, found in enumerate(findings) for hit in found.hits),
        key=lambda one: (one[1].cost, one[1].tokens, one[0]),
    )
    own: list[str] = []
    rewritten: list[dict[str, str]] = [{} for _ in findings]
    for place, hit in ranked:
        known = next((other for other in own if rewrites(hit.expression, other)), None)
        if known is None:
            own.append(hit.expression)
        else:
            rewritten[place][hit.expression] = known
    return rewritten


def _share(chance: Chance) -> str:
    """A probability to three significant digits."""
    return f"{float(chance.probability):.3g}"


def _whole(text: str, scope: ReadingScope) -> int:
    value = evaluate(text, scope)
    if getattr(value, "denominator", 0) != 1:
        raise ValueError(f"{text!r} is {value}, no whole number")
    return int(value)


def _printed(study: Study, claim_id: str) -> int:
    claim = study.claim(claim_id)
    printed = claim.number
    if not printed.exact:
        raise ValueError(
            f"{claim.number.said} is not printed in full: there is no one number to find"
        )
    return int(printed.value)


def search_geometries(given: Given) -> Iterator[Row]:
    """geometries.csv: every map that has the printed number of neurons, in the stated ranges.

    Raises:
        InputError: a range is empty or the claim's number is not exact.
    """
    for i, wanted in enumerate(given.study.geometries):
        try:
            yield from _geometry_rows(given, wanted)
        except ValueError as error:
            raise InputError(fault_in(given.folder, ("geometries", i), str(error))) from None


def geometries_to_try(study: Study) -> int:
    """At most how many: inputs x windows x strides x both roundings, twice where axes differ."""
    return sum(map(_geometries, study.geometries))


def _geometries(wanted: GeometrySearch) -> int:
    inputs = _length(wanted.inputs) if wanted.inputs else len(wanted.input_sides)
    paddings = _length(wanted.paddings)
    windows = _length(wanted.kernels) * paddings * (paddings if wanted.free_sides else 1)
    each = windows * _length(wanted.strides)
    squared = {"rectangular-maps": inputs, "separate-axes": each}
    return 2 * inputs * each * squared.get(wanted.kind, 1)


def _length(bounds: list[int]) -> int:
    return max(0, bounds[1] - bounds[0] + 1)


def _geometry_rows(given: Given, wanted: GeometrySearch) -> Iterator[Row]:
    stated = wanted.stated
    sought = Sought(
        _printed(given.study, wanted.claim),
        tuple(wanted.channels),
        KernelAndStride(stated.kernel, stated.stride) if stated else None,
    )
    begun = time.monotonic()
    found = GEOMETRIES[wanted.kind](sought, _space(wanted))
    rate = found.tried / max(time.monotonic() - begun, 1e-9) / 1e6
    given.report(
        f"{wanted.claim}: {found.title}: {found.tried:,} tried ({rate:.0f} million a second)"
    )
    shared = {
        "claim": wanted.claim,
        "kind": found.id,
        "searched": found.searched,
        "tried": found.tried,
        "found": found.found,
    }
    hits: list[Row] = [
        {
            "hit": str(maps),
            "geometries": maps.geometries,
            "square_inputs": maps.square_inputs,
            "keeping": maps.keeping,
            "example": str(maps.example),
        }
        for maps in found.maps
    ]
    yield from (shared | hit for hit in hits or [{}])


def _space(wanted: GeometrySearch) -> Space:
    sides = _every(wanted.inputs) if wanted.inputs else tuple(wanted.input_sides)
    kernels, strides, paddings = map(_every, (wanted.kernels, wanted.strides, wanted.paddings))
    return Space(sides, kernels, strides, paddings, free_sides=wanted.free_sides)


def _every(bounds: list[int]) -> tuple[int, ...]:
    first, last = bounds
    if first > last:
        raise ValueError(f"the range {first} to {last} is empty")
    return tuple(range(first, last + 1))


# Which searches there are.


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        table: the table of the contract that it fills.
        rows: what gives its rows.
        most: how many candidates it tries at most in a study; verifying makes no more than it can.
    """

    table: str
    rows: Callable[[Given], Iterable[Row]]
    most: Callable[[Study], int]

    @property
    def name(self) -> str:
        """The table's name without its ending, as templates and docs call it."""
        return self.table.removesuffix(".csv")


SEARCHES = (
    Search("slips.csv", search_slips, slips_to_try),
    Search("geometries.csv", search_geometries, geometries_to_try),
    Search("parts.csv", search_parts, parts_to_try),
    Search("conventions.csv", search_conventions, conventions_to_try),
    Search("units.csv", search_units, units_to_try),
    Search("digits.csv", search_digits, digits_to_try),
    Search("terms.csv", search_terms, terms_to_try),
    Search("solutions.csv", search_solutions, values_to_try),
)
"""Every search, in the order in which the report shows them."""


def search_all(given: Given) -> Iterator[tuple[str, pd.DataFrame]]:
    """The table of each search, with its name.

    Raises:
        InputError: what a study asks for cannot be searched, or a table is missing.
    """
    return ((search.table, table(search.table, search.rows(given))) for search in SEARCHES)


def most_candidates(study: Study) -> int:
    """How many candidates all searches of a study try together, at most."""
    return sum(search.most(study) for search in SEARCHES)
