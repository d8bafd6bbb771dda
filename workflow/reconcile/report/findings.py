"""Evidence, the paper held against itself, and searches, as the report tells them."""

from __future__ import annotations

from dataclasses import dataclass

from reconcile.report.read import Results, grouped_by
from reconcile.study.model import Evidence
from reconcile.tables.contract import NOT_COMPUTED
from reconcile.tables.rows import Row
from reconcile.words import Mark, beside, mark_of


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


@dataclass(frozen=True)
class SelfCheckView:
    """One check of the paper against itself."""

    id: str
    says: str
    reason: str
    claim: str
    printed: str
    computed: str
    mark: Mark


@dataclass(frozen=True)
class SearchView:
    """One search: what was tried, how often, what was found, and every hit."""

    claim: str
    kind: str
    searched: str
    tried: int
    found: str
    chance: str
    hits: tuple[Row, ...]


def evidence_views(results: Results) -> list[EvidenceView]:
    """Every item of evidence, in the study's order."""
    rows = {row["evidence"]: row for row in results.table("evidence")}
    found = ((item, rows.get(item.id, {})) for item in results.study.evidence)
    return [
        EvidenceView(item, mark_of(row.get("outcome", NOT_COMPUTED)), row.get("detail", ""))
        for item, row in found
    ]


def self_checks(results: Results) -> list[SelfCheckView]:
    """What the paper's own numbers give when put together."""
    return [
        SelfCheckView(
            id=row["check"],
            says=row["says"],
            reason=row["reason"],
            claim=row["claim"],
            printed=row["printed"],
            computed=beside(row["printed"], row["computed"]),
            mark=mark_of(row["verdict"]),
        )
        for row in results.table("consistency")
    ]


def search_views(results: Results, name: str) -> list[SearchView]:
    """The searches of ``slips.csv`` or ``geometries.csv``."""
    return [
        SearchView(
            claim,
            kind,
            searched,
            int(rows[0]["tried"] or 0),
            rows[0].get("found", ""),
            rows[0].get("chance", ""),
            tuple(row for row in rows if row["hit"]),
        )
        for (claim, kind, searched), rows in grouped_by(
            results.table(name), "claim", "kind", "searched"
        ).items()
    ]
