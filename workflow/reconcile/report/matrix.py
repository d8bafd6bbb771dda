"""The claims x interpretations matrix: what every reading makes of every claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile.report.claims import ClaimView
from reconcile.report.read import Results
from reconcile.tables.rows import Row
from reconcile.words import MARKS, Mark, beside, mark_of

PER_PRINTED_PAGE = 12
"""Readings side by side on a page of paper."""


@dataclass(frozen=True)
class ColumnHead:
    """A reading at the head of a column."""

    id: str
    title: str
    rank: int
    excluded: bool
    chosen: bool


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


@dataclass(frozen=True)
class MatrixRow:
    """A claim with its cells; ``failing`` counts the readings that contradict it."""

    claim: ClaimView
    cells: tuple[Cell, ...]
    failing: int
    matching: int


@dataclass(frozen=True)
class Matrix:
    """The matrix, with the number of readings that are left out."""

    columns: tuple[ColumnHead, ...]
    rows: tuple[MatrixRow, ...]
    left_out: int

    @property
    def pages(self) -> list[range]:
        """Columns that fit on a page, for paper."""
        step = PER_PRINTED_PAGE
        return [
            range(at, min(at + step, len(self.columns))) for at in range(0, len(self.columns), step)
        ]


def matrix_of(results: Results, claims: list[ClaimView], most: int) -> Matrix:
    """The matrix of the best ranked readings, at most ``most`` of them."""
    columns = tuple(_column(entry, results.chosen) for entry in results.shown(most))
    verdicts = {(row["claim"], row["interpretation"]): row for row in results.table("verdicts")}
    rows = tuple(_row(claim, columns, verdicts) for claim in claims)
    return Matrix(columns, rows, len(results.study.interpretations) - len(columns))


def _column(entry: Mapping[str, Any], chosen: str) -> ColumnHead:
    reading = entry["interpretation"]
    return ColumnHead(reading, entry["title"], entry["rank"], entry["excluded"], reading == chosen)


def _row(
    claim: ClaimView, columns: tuple[ColumnHead, ...], verdicts: Mapping[tuple[str, str], Row]
) -> MatrixRow:
    found = [verdicts[claim.id, column.id] for column in columns]
    cells = tuple(_cell(claim, row) for row in found)
    failing = sum(row["verdict"] == "contradicts" for row in found)
    return MatrixRow(claim, cells, failing, sum(cell.mark.css == "good" for cell in cells))


def _cell(claim: ClaimView, row: Row) -> Cell:
    reading = row["interpretation"]
    measured = beside(claim.printed, row["measured"])
    order = list(MARKS).index(row["verdict"]) if row["verdict"] in MARKS else len(MARKS)
    return Cell(reading, mark_of(row["verdict"]), measured, claim.anchor_of(reading), order)
