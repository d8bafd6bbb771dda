"""What the report says about each claim: its digits, its countings, what every reading gives.

The matrix of claims and readings has a row for each claim and its cells in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile.report.read import Results, grouped_by
from reconcile.study.model import SINGLE, Claim, Study
from reconcile.study.printed_tables import PrintedTable
from reconcile.tables.contract import AS_STATED, NETWORK, QUANTITIES
from reconcile.tables.rows import Row
from reconcile.words import MARKS, Mark, beside, like, mark_of, number

_ORDER = list(MARKS)
RELATIONS = {"equals": "", "at-most": "at most", "at-least": "at least", "about": "about"}


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
class Cell:
    """What one reading makes of one claim.

    Attributes:
        reading: id of the interpretation.
        mark: the verdict.
        measured: the measured number, in the claim's own unit.
        anchor: where the report says how it was counted.
        order: sorts verdicts from best to worst.
    """

    reading: str
    mark: Mark
    measured: str
    anchor: str
    order: int
    otherwise: bool


@dataclass(frozen=True)
class ClaimView:
    """One claim as the report tells it, with a cell for each reading, the best ranked first."""

    claim: Claim
    relation: str
    counted: str
    digits: str
    groups: tuple[Group, ...]
    countings: tuple[CountingView, ...]
    cells: tuple[Cell, ...]

    @property
    def agreed(self) -> bool:
        """Whether every reading that is shown gives the printed number."""
        return all(cell.mark.css == "good" for cell in self.cells)


MOST_IN_FULL = 8
"""Claims of one printed table that paper tells one by one; of a longer table it tells once."""


@dataclass(frozen=True)
class PaperRow:
    """What paper tells in one row: a claim, or a whole table of the paper.

    Attributes:
        table: the printed table; None for a single claim.
        claims: the claim, or all of the table.
    """

    table: PrintedTable | None
    claims: tuple[ClaimView, ...]

    @property
    def counted(self) -> str:
        """How all of them are counted, if there is one way."""
        ways = {view.claim.quantity for view in self.claims}
        return next(iter(ways)) if len(ways) == 1 else ""

    def cell(self, view: ClaimView) -> str:
        """Row and column of a claim in its table; the row alone where there is one column."""
        cells = [one.claim.id.split(".", 1)[1] for one in self.claims]
        columns = {cell.rpartition(".")[2] for cell in cells}
        name = view.claim.id.split(".", 1)[1]
        return name.rpartition(".")[0] if len(columns) == 1 else name


def paper_rows(study: Study, views: Sequence[ClaimView]) -> list[PaperRow]:
    """The claims as paper tells them, in their order: a long table stands where it begins."""
    tables = {table.id: table for table in study.tables}
    groups: dict[str, list[ClaimView]] = {}
    for view in views:
        table = view.claim.id.partition(".")[0]
        groups.setdefault(table if table in tables else f"/{view.claim.id}", []).append(view)
    rows: list[PaperRow] = []
    for name, own in groups.items():
        if len(own) > MOST_IN_FULL:
            rows.append(PaperRow(tables[name], tuple(own)))
        else:
            rows += [PaperRow(None, (view,)) for view in own]
    return rows


def claim_views(results: Results, shown: Sequence[str]) -> list[ClaimView]:
    """Every claim of the study in its order, with what the readings that are shown make of it."""
    verdicts, countings = (
        grouped_by((r for r in results.table(name) if r["interpretation"] in shown), "claim")
        for name in ("verdicts", "countings")
    )
    entries = {entry["id"]: entry for entry in results.reconciliation["claims"]}
    return [
        _claim_view(
            claim,
            entries[claim.id],
            {row["interpretation"]: row for row in verdicts.get((claim.id,), [])},
            countings.get((claim.id,), []),
            shown,
        )
        for claim in results.study.claims
    ]


def _claim_view(
    claim: Claim,
    entry: Mapping[str, Any],
    verdicts: dict[str, Row],
    countings: list[Row],
    shown: Sequence[str],
) -> ClaimView:
    expressions = {c["id"]: c["count"] for c in entry["countings"]}
    several = grouped_by(countings, "counting") if len(expressions) > 1 else {}
    groups = _groups(claim, [*verdicts.values()], f"verdict-{claim.id}")
    anchors = {reading: group.anchor for group in groups for reading in group.readings}
    return ClaimView(
        claim=claim,
        relation=RELATIONS[claim.relation],
        counted=counted_as(claim),
        digits=_digits(claim, entry),
        groups=groups,
        countings=tuple(
            CountingView(
                rows[0]["title"],
                expressions.get(name, ""),
                _groups(claim, rows, f"count-{claim.id}-{name}"),
            )
            for (name,), rows in several.items()
        ),
        cells=tuple(_matrix_cell(claim, verdicts[reading], anchors[reading]) for reading in shown),
    )


def _matrix_cell(claim: Claim, row: Row, anchor: str) -> Cell:
    return Cell(
        reading=row["interpretation"],
        mark=mark_of(row["verdict"]),
        measured=beside(claim.number.said, row["measured"]),
        anchor=anchor,
        order=_ORDER.index(row["verdict"]),
        otherwise=bool(row["measured"]) and row["counting"] != AS_STATED,
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
    found = grouped_by(sorted(rows, key=lambda row: _ORDER.index(row["verdict"])), *columns)
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
