"""Read what the report is made from: a study and the files of its results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.study.load import load_study
from reconcile.study.model import Study, SweptInterpretation
from reconcile.tables.contract import FITS, tables
from reconcile.tables.rows import Row, read_rows

IN_FULL = ("layers.csv", "countings.csv", "coverage.csv", "windows.csv", "timings.csv")
"""Tables that matter only for readings told in full; of a sweep the rest is not kept."""
REQUIRED = ("layers.csv", "totals.csv", "verdicts.csv", "reconciliation.json", "record.json")


@dataclass(frozen=True)
class Results:
    """Everything that a report says comes from here.

    Attributes:
        study: the study itself: quotes, sources, credits.
        name: the name of its folder.
        folder: the folder of its result files.
        tables: the rows of each table, empty where a table was not made.
        reconciliation: the content of ``reconciliation.json``.
        record: the content of ``record.json``.
    """

    study: Study
    name: str
    folder: Path
    tables: Mapping[str, list[Row]]
    reconciliation: Mapping[str, Any]
    record: Mapping[str, Any]

    def table(self, name: str) -> list[Row]:
        """The rows of ``<name>.csv``; none where the table was not made."""
        return self.tables.get(f"{name}.csv", [])

    @property
    def chosen(self) -> str:
        """The interpretation that the study concludes on."""
        return str(self.reconciliation["conclusion"]["interpretation"])

    @property
    def ranked(self) -> list[str]:
        """The ids of all interpretations, best first."""
        return [entry["interpretation"] for entry in self.reconciliation["ranking"]]

    def shown(self, most: int) -> list[Mapping[str, Any]]:
        """The places in the ranking that a report tells in full, best first, at most ``most``.

        Of a sweep those combinations are told that match a claim; the section about the sweep
        sums the others up. The reading that the study concludes on is always there.
        """
        ranking = self.reconciliation["ranking"]
        generated = {r.id for r in self.study.interpretations if isinstance(r, SweptInterpretation)}
        if generated:
            fits = {r["interpretation"] for r in self.table("verdicts") if r["verdict"] in FITS}
            dull = generated - fits
            ranking = [e for e in ranking if e["interpretation"] not in dull] or ranking
        best = ranking[:most]
        if all(entry["interpretation"] != self.chosen for entry in best):
            every = self.reconciliation["ranking"]
            best = [*best[: most - 1], *(e for e in every if e["interpretation"] == self.chosen)]
        return list(best)


def read_results(study_folder: Path, results: Path) -> Results:
    """Read a study and its results.

    Raises:
        InputError: a file that every report needs is missing or unreadable.
    """
    missing = [results / name for name in REQUIRED if not (results / name).is_file()]
    if missing:
        raise InputError(*(Fault(file, 0, "", "is missing; run `snakemake`") for file in missing))
    reconciliation = _json(results / "reconciliation.json")
    listed = {entry["interpretation"] for entry in reconciliation["ranking"]}
    return Results(
        study=load_study(study_folder),
        name=study_folder.resolve().name,
        folder=results,
        tables={
            name: read_rows(results / name, listed if name in IN_FULL else None)
            for name in tables()
            if (results / name).is_file()
        },
        reconciliation=reconciliation,
        record=_json(results / "record.json"),
    )


def _json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def grouped_by(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    """The rows by their values in some columns, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups
