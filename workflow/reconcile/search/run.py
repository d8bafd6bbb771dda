"""The searches for what would explain a printed number that no reading reproduces: which there are.

A search is registered here once, by its table. What follows from that: its columns stand in
``tables/contract.py``, the rule ``search`` writes it, ``verify`` makes it again, the report shows
it with ``templates/partials/search-<name>.jinja``, and docs/searches.md explains it. Hits are
listed with how likely they are by chance; they change no verdict.

Slips of a claim's arithmetic and geometries of a layer are searched where a study asks for them;
``slips`` and ``geometries`` do that, and here they become rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

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
from reconcile.search.solve import search_solutions, values_to_try
from reconcile.search.term_rows import search_terms, terms_to_try
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
from reconcile.study.model import GeometrySearch, SlipSearch, Study, next_by_id
from reconcile.tables.contract import COUNTED_KINDS
from reconcile.tables.frames import table

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
    return Space(
        sides,
        _every(wanted.kernels),
        _every(wanted.strides),
        _every(wanted.paddings),
        free_sides=wanted.free_sides,
    )


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
