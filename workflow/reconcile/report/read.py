"""What a report is made from: a study, the files of its results, and the record of the run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.study.model import NONE, Study
from reconcile.tables.contract import FILES, FITS, NOT_MEASURED, tables
from reconcile.tables.rows import Row, read_rows

IN_FULL = ("layers.csv", "countings.csv", "coverage.csv", "windows.csv", "timings.csv")
"""Tables that matter only for readings told in full; of a sweep the rest is not kept."""
REQUIRED = ("layers.csv", "totals.csv", "verdicts.csv", "reconciliation.json", "record.json")
DATA_FILES = tuple(name for name, file in FILES.items() if file.data)
"""What a report lists and attaches, in the order of the pipeline."""
EMBEDDED_FILE, EMBEDDED_IN_ALL = 80_000, 180_000
"""Bytes of a table that the page carries along, and of all of them; larger ones are linked."""
MEDIA_TYPES = {".csv": "text/csv", ".json": "application/json"}


@dataclass(frozen=True)
class Results:
    """Everything that a report says comes from here.

    Attributes:
        study: the study itself: quotes, sources, credits.
        folder: the folder of its result files.
        tables: the rows of each table, empty where a table was not made.
        reconciliation: the content of ``reconciliation.json``.
        record: the content of ``record.json``.
    """

    study: Study
    folder: Path
    tables: Mapping[str, list[Row]]
    reconciliation: Mapping[str, Any]
    record: Mapping[str, Any]

    def table(self, name: str) -> list[Row]:
        """The rows of ``<name>.csv``; none where the table was not made."""
        return self.tables.get(f"{name}.csv", [])

    @property
    def name(self) -> str:
        """The name of the study's folder."""
        return str(self.reconciliation["study"])

    @property
    def chosen(self) -> str:
        """The interpretation that the study concludes on; empty where it concludes on none."""
        chosen = str(self.reconciliation["conclusion"]["interpretation"])
        return "" if chosen == NONE else chosen

    @property
    def leading(self) -> str:
        """The interpretation that figures of one reading show: that one, or what ranks first."""
        return self.chosen or str(self.reconciliation["ranking"][0]["interpretation"])

    def matched(self) -> dict[str, list[str]]:
        """The claims that each interpretation matches; one that matches none is not there."""
        found: dict[str, list[str]] = {}
        for row in self.table("verdicts"):
            if row["verdict"] in FITS:
                found.setdefault(row["interpretation"], []).append(row["claim"])
        return found

    def judged(self) -> dict[str, int]:
        """Of how many claims each interpretation was measured."""
        found: dict[str, int] = {}
        for row in self.table("verdicts"):
            known = found.setdefault(row["interpretation"], 0)
            found[row["interpretation"]] = known + (row["verdict"] != NOT_MEASURED)
        return found

    def shown(self, most: int) -> list[Mapping[str, Any]]:
        """The entries that a report tells in full: every reading that the study names, best first.

        Of a study that names none, at most ``most`` combinations of its sweep, those that match a
        claim. The combination that a study concludes on is always there.
        """
        listed: list[Mapping[str, Any]] = list(self.reconciliation["ranking"])
        if not self.study.own_readings:
            matched = self.matched()
            listed = [e for e in listed if e["interpretation"] in matched] or listed
            listed = listed[:most]
        if all(entry["interpretation"] != self.chosen for entry in listed):
            every = [*self.reconciliation["ranking"], *self.reconciliation["combinations"]]
            room = listed if self.study.own_readings else listed[: most - 1]
            listed = [*room, *(e for e in every if e["interpretation"] == self.chosen)]
        return listed


def read_results(study: Study, results: Path) -> Results:
    """Read the results of a study.

    Raises:
        InputError: a file that every report needs is missing or unreadable.
    """
    missing = [results / name for name in REQUIRED if not (results / name).is_file()]
    if missing:
        raise InputError(*(Fault(file, 0, "", "is missing; run `snakemake`") for file in missing))
    reconciliation, record = (
        json.loads((results / name).read_text(encoding="utf-8"))
        for name in ("reconciliation.json", "record.json")
    )
    listed = {entry["interpretation"] for entry in reconciliation["ranking"]}
    listed.add(reconciliation["conclusion"]["interpretation"])
    return Results(
        study=study,
        folder=results,
        tables={
            name: read_rows(results / name, listed if name in IN_FULL else None)
            for name in tables()
            if (results / name).is_file()
        },
        reconciliation=reconciliation,
        record=record,
    )


def grouped_by(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    """The rows by their values in some columns, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


@dataclass(frozen=True)
class DataFile:
    """A result file: its digest, and a link that works offline."""

    name: str
    rows: int | None
    sha256: str
    href: str
    record: bool


def data_files(results: Results) -> list[DataFile]:
    """Every file that the report is made from, in order of the pipeline."""
    found, room = [], EMBEDDED_IN_ALL
    for name in DATA_FILES:
        file = results.folder / name
        if file.is_file():
            content = file.read_bytes()
            embedded = len(content) <= min(EMBEDDED_FILE, room)
            room -= len(content) if embedded else 0
            found.append(_data_file(file, content, results, embedded=embedded))
    return found


def _data_file(file: Path, content: bytes, results: Results, *, embedded: bool) -> DataFile:
    data = base64.b64encode(content).decode()
    return DataFile(
        name=file.name,
        rows=len(results.tables[file.name]) if file.name in results.tables else None,
        sha256=hashlib.sha256(content).hexdigest(),
        href=f"data:{MEDIA_TYPES[file.suffix]};base64,{data}" if embedded else file.name,
        record=FILES[file.name].record,
    )
