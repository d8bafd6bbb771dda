"""What the report says about what was found beside the verdicts: evidence, searches, a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconcile.judge.reconciliation import MOST_BEST
from reconcile.report.read import Results, grouped_by
from reconcile.report.readings import argument_text
from reconcile.study.model import Axis, Evidence, Source
from reconcile.study.plan import Combination, cells_of, values_of
from reconcile.tables.contract import NOT_COMPUTED
from reconcile.tables.rows import Row
from reconcile.words import Mark, mark_of

MOST_GROUPS = 5
"""Numbers of matched claims that are told apart."""
MOST_VALUES = 8
"""Values of an axis that are written out."""


@dataclass(frozen=True)
class EvidenceView:
    """One item of evidence with the outcome of its check."""

    item: Evidence
    outcome: Mark
    detail: str

    @property
    def fails(self) -> bool:
        """Whether its check was computed and is not true."""
        return self.outcome.css == "bad"


def evidence_views(results: Results) -> list[EvidenceView]:
    """Every item of evidence, in the study's order."""
    rows = {row["evidence"]: row for row in results.table("evidence")}
    found = ((item, rows.get(item.id, {})) for item in results.study.evidence)
    return [
        EvidenceView(item, mark_of(row.get("outcome", NOT_COMPUTED)), row.get("detail", ""))
        for item, row in found
    ]


@dataclass(frozen=True)
class SearchView:
    """One search: what was tried, how often, what was found, and every hit."""

    claim: str
    kind: str
    searched: str
    tried: str
    found: str
    chance: str
    hits: tuple[Row, ...]


def search_views(results: Results, name: str) -> list[SearchView]:
    """The searches of ``slips.csv`` or ``geometries.csv``."""
    groups = grouped_by(results.table(name), "claim", "kind", "searched")
    return [
        SearchView(
            claim,
            kind,
            searched,
            tried=rows[0]["tried"] or "0",
            found=rows[0]["found"],
            chance=rows[0].get("chance", ""),
            hits=tuple(row for row in rows if row["hit"]),
        )
        for (claim, kind, searched), rows in groups.items()
    ]


@dataclass(frozen=True)
class AxisView:
    """One argument that is swept: its meaning and its values, shortened when there are many."""

    name: str
    help: str
    values: str
    number: int


@dataclass(frozen=True)
class BestView:
    """A combination worth naming, with its values in the order of the axes."""

    reading: str
    values: tuple[str, ...]
    matched: int
    judged: int
    claims: str
    excluded_by: tuple[str, ...]


@dataclass(frozen=True)
class SweepView:
    """A sweep in a few lines.

    Attributes:
        title: what is swept.
        proposed_by: who proposed the grid.
        combinations: how many there are.
        claims: how many claims each could match.
        axes: what is swept.
        groups: how many combinations match how many claims, most claims first; ``fewer`` is how
            many match fewer than these.
        best: the combinations that match most, at most ``MOST_BEST``; none where none matches any.
        equally_good: how many match as many claims as the best.
    """

    title: str
    proposed_by: tuple[Source, ...]
    combinations: int
    claims: int
    axes: tuple[AxisView, ...]
    groups: tuple[tuple[int, int], ...]
    fewer: int
    best: tuple[BestView, ...]
    equally_good: int


def sweep_view(results: Results) -> SweepView | None:
    """The sweep of a study; None where it has none."""
    sweep = results.study.sweep
    if sweep is None:
        return None
    fits, judged = results.matched(), results.judged()
    every = [*results.reconciliation["ranking"], *results.reconciliation["combinations"]]
    against = {entry["interpretation"]: tuple(entry["excluded_by"]) for entry in every}
    cells = cells_of(results.study, {reading: len(claims) for reading, claims in fits.items()})
    groups = Counter(cell.matched for cell in cells)
    most = max(groups)
    worth = _worth_naming(cells, groups)
    told = sorted(groups.items(), reverse=True)
    told = told if len(told) <= MOST_GROUPS else told[: MOST_GROUPS - 1]
    return SweepView(
        title=sweep.title,
        proposed_by=tuple(sweep.proposed_by),
        combinations=len(cells),
        claims=len(results.study.claims),
        axes=tuple(_axis(results, name, axis) for name, axis in sweep.axes.items()),
        groups=tuple(told),
        fewer=len(cells) - sum(number for _, number in told),
        best=tuple(
            _best(
                results,
                cell,
                fits.get(cell.reading, ()),
                judged.get(cell.reading, 0),
                against.get(cell.reading, ()),
            )
            for cell in worth
        ),
        equally_good=groups[most],
    )


def _worth_naming(cells: Sequence[Combination], groups: Mapping[int, int]) -> list[Combination]:
    """The cells that match most claims, then those that match fewer as long as all of them fit."""
    found: list[Combination] = []
    for matched in sorted(groups, reverse=True):
        room = MOST_BEST - len(found)
        if not matched or (found and groups[matched] > room):
            break
        found += [cell for cell in cells if cell.matched == matched][:room]
    return found


def _axis(results: Results, name: str, axis: Axis) -> AxisView:
    values = [argument_text(value) for value in values_of(axis)]
    told = values if len(values) <= MOST_VALUES else [*values[:3], "…", values[-1]]
    return AxisView(name, results.study.argument_help.get(name, ""), " · ".join(told), len(values))


def _best(
    results: Results,
    cell: Combination,
    matched: Sequence[str],
    judged: int,
    excluded_by: tuple[str, ...],
) -> BestView:
    values = tuple(argument_text(value) for value in cell.arguments.values())
    missed = [claim.id for claim in results.study.claims if claim.id not in matched]
    told = ", ".join(matched) or "–"
    if len(missed) < len(matched):
        told = f"all but {', '.join(missed)}" if missed else "all"
    return BestView(cell.reading, values, cell.matched, judged, told, excluded_by)
