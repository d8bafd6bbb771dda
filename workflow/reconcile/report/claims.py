"""What the report says about each claim: its digits, its countings, what every reading gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile.report.read import Results, grouped_by
from reconcile.study.model import SINGLE, Claim
from reconcile.tables.contract import NETWORK, QUANTITIES
from reconcile.tables.rows import Row
from reconcile.words import MARKS, Mark, beside, like, mark_of, number

RELATIONS = {"equals": "", "at-most": "at most", "at-least": "at least", "about": "about"}


MOST_READINGS = 200
"""As many as a report may show."""


@dataclass(frozen=True)
class Group:
    """Readings of which the same was measured, with the same verdict."""

    anchor: str
    measured: str
    mark: Mark
    reason: str
    readings: tuple[str, ...]


@dataclass(frozen=True)
class CountingView:
    """One way of counting a claim's number, and what it gives."""

    title: str
    expression: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class ClaimView:
    """One claim as the report tells it."""

    id: str
    quote: str
    where: str
    printed: str
    relation: str
    counted: str
    expression: str
    digits: str
    unit_reason: str
    groups: tuple[Group, ...]
    countings: tuple[CountingView, ...]

    def anchor_of(self, reading: str) -> str:
        """The place of a reading's verdict within the claim."""
        return next((g.anchor for g in self.groups if reading in g.readings), f"claim-{self.id}")


def claim_views(results: Results, most: int = MOST_READINGS) -> list[ClaimView]:
    """Every claim of the study in its order, with what the readings that are shown make of it."""
    shown = {entry["interpretation"] for entry in results.shown(most)}
    verdicts, countings = (
        grouped_by((r for r in results.table(name) if r["interpretation"] in shown), "claim")
        for name in ("verdicts", "countings")
    )
    entries = {entry["id"]: entry for entry in results.reconciliation["claims"]}
    return [
        _view(
            claim,
            entries[claim.id],
            verdicts.get((claim.id,), []),
            countings.get((claim.id,), []),
        )
        for claim in results.study.claims
    ]


def _view(
    claim: Claim, entry: Mapping[str, Any], verdicts: list[Row], countings: list[Row]
) -> ClaimView:
    expressions = {c["id"]: c["count"] for c in entry["countings"]}
    several = grouped_by(countings, "counting") if len(expressions) > 1 else {}
    return ClaimView(
        id=claim.id,
        quote=claim.quote,
        where=claim.place,
        printed=claim.number.said,
        relation=RELATIONS[claim.relation],
        counted=counted_as(claim),
        expression=claim.expression,
        digits=_digits(claim, entry),
        unit_reason=claim.unit_reason or claim.zeros_reason or "",
        groups=_groups(claim, verdicts, f"verdict-{claim.id}"),
        countings=tuple(
            CountingView(
                rows[0]["title"],
                expressions.get(name, ""),
                _groups(claim, rows, f"count-{claim.id}-{name}"),
            )
            for (name,), rows in several.items()
        ),
    )


def counted_as(claim: Claim) -> str:
    """What is counted, in words where the study uses one of the usual quantities."""
    if claim.title:
        return claim.title
    quantity = QUANTITIES.get(claim.quantity)
    if quantity is None or claim.of is None:
        return ""
    words = quantity.words or quantity.name
    if claim.of == NETWORK:
        return f"{words} of {'the network' if claim.network == SINGLE else claim.network}"
    return f"{words} of {claim.of}{'' if claim.network == SINGLE else f' in {claim.network}'}"


def _digits(claim: Claim, entry: Mapping[str, Any]) -> str:
    """What the printed digits stand for."""
    said = claim.number.said
    if claim.relation == "about":
        return f"taken to mean within {like(said, claim.tolerance)}"
    if claim.relation != "equals":
        return f"a bound, compared exactly: {RELATIONS[claim.relation]} {said}"
    opened = f", or to {number(claim.number.open_unit)} without its last zeros"
    rest = opened if claim.zeros else ""
    if entry["exact"]:
        return f"printed in full, so exact{rest}"
    rounded, truncated = (
        [like(said, bound) for bound in entry[key]] for key in ("rounded", "truncated")
    )
    return (
        f"from {rounded[0]} to below {rounded[1]} if rounded, "
        f"from {truncated[0]} to below {truncated[1]} if truncated{rest}"
    )


def _groups(claim: Claim, rows: list[Row], anchor: str) -> tuple[Group, ...]:
    """Rows of equal number and verdict put together, the best verdict first."""
    columns = [name for name in ("measured", "verdict", "reason") if rows and name in rows[0]]
    order = list(MARKS)
    found = grouped_by(sorted(rows, key=lambda row: order.index(row["verdict"])), *columns)
    return tuple(
        Group(
            anchor=f"{anchor}-{place}",
            measured=beside(claim.number.said, same[0]["measured"]),
            mark=mark_of(same[0]["verdict"]),
            reason=same[0].get("reason", ""),
            readings=tuple(row["interpretation"] for row in same),
        )
        for place, same in enumerate(found.values(), start=1)
    )
