"""Search for what would explain a printed number that no reading reproduces.

What is searched stands in the study; the searches themselves are ``slips`` and ``geometries``. Hits
are listed with what they cost and how likely they are by chance; they change no verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.search.combinations import Chance
from reconcile.search.geometries import rectangular_maps, separate_axes, square_maps
from reconcile.search.misprint import Misprint, SlipFindings, rewrites
from reconcile.search.slips import search_product, search_sum
from reconcile.search.windows import KernelAndStride, Sought, Space
from reconcile.study.expressions import ExpressionError, evaluate
from reconcile.study.load import fault_in
from reconcile.study.model import GeometrySearch, SlipSearch, Study, next_by_id
from reconcile.tables.contract import COUNTED_KINDS
from reconcile.tables.frames import table

SEARCHES = {
    "square-maps": square_maps,
    "rectangular-maps": rectangular_maps,
    "separate-axes": separate_axes,
}
"""The searches of geometries by the kind that a study names."""

Report = Callable[[str], None]
Row = dict[str, Any]


def search_slips(
    study: Study, folder: Path, measured: Measurements, report: Report
) -> pd.DataFrame:
    """slips.csv: every slip that turns a right product or sum into the printed number.

    Raises:
        InputError: the claim's number or a factor is no whole number that can be searched.
    """
    rows: list[Row] = []
    for i, wanted in enumerate(study.slips):
        try:
            rows += _slip_rows(study, wanted, measured, report)
        except (ExpressionError, ValueError) as error:
            raise InputError(fault_in(folder, ("slips", i), str(error))) from None
    return table("slips.csv", rows)


def _slip_rows(
    study: Study, wanted: SlipSearch, measured: Measurements, report: Report
) -> Iterator[Row]:
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
        raise ValueError(f"{claim.printed} is not printed in full: there is no one number to find")
    return int(printed.value)


def search_geometries(study: Study, folder: Path, report: Report) -> pd.DataFrame:
    """geometries.csv: every map that has the printed number of neurons, in the stated ranges.

    Raises:
        InputError: a range is empty or the claim's number is not exact.
    """
    rows: list[Row] = []
    for i, wanted in enumerate(study.geometries):
        try:
            rows += _geometry_rows(study, wanted, report)
        except ValueError as error:
            raise InputError(fault_in(folder, ("geometries", i), str(error))) from None
    return table("geometries.csv", rows)


def _geometry_rows(study: Study, wanted: GeometrySearch, report: Report) -> Iterator[Row]:
    stated = wanted.stated
    sought = Sought(
        _printed(study, wanted.claim),
        tuple(wanted.channels),
        KernelAndStride(stated.kernel, stated.stride) if stated else None,
    )
    begun = time.monotonic()
    found = SEARCHES[wanted.kind](sought, _space(wanted))
    rate = found.tried / max(time.monotonic() - begun, 1e-9) / 1e6
    report(f"{wanted.claim}: {found.title}: {found.tried:,} tried ({rate:.0f} million a second)")
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
