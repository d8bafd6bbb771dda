"""Evidence, the paper held against itself, and searches, as the report tells them."""

from __future__ import annotations

from dataclasses import dataclass

from reconcile.report.claims import measured_as
from reconcile.report.read import Results, Row, grouped_by
from reconcile.study.model import Evidence
from reconcile.words import Mark, mark_of


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
    return [_evidence(item, rows.get(item.id, {})) for item in results.study.evidence]


def _evidence(item: Evidence, row: Row) -> EvidenceView:
    # The table's sentence is the study's, followed by what the check found.
    detail = row.get("says", "").removeprefix(item.says).strip(" ()")
    if item.check and "".join(item.check.split())[:20] in "".join(detail.split()):
        detail = ""  # the expression stands below
    return EvidenceView(item, mark_of(row.get("outcome", "not-computed")), detail)


def self_checks(results: Results) -> list[SelfCheckView]:
    """What the paper's own numbers give when put together."""
    says = {check.id: check.says for check in results.study.consistency}
    return [
        SelfCheckView(
            id=row["check"],
            says=says.get(row["check"], row["says"]),
            reason=row["says"].removeprefix(f"{says.get(row['check'], '')}: "),
            claim=row["claim"],
            printed=row["printed"],
            computed=measured_as(row["printed"], row["computed"]),
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
