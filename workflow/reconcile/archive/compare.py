"""Which measurements and verdicts differ between two archives: another device, another torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.archive.differences import Difference, table_differences
from reconcile.archive.limits import ArchiveError, one_line
from reconcile.archive.reading import Archive, Row, open_archive
from reconcile.archive.structure import check_record, check_required, check_tables
from reconcile.tables.contract import NETWORK, tables

COMPARED = {
    name: tuple(c.name for c in file.columns if c.compared and not (c.key or c.sentence))
    for name, file in tables().items()
    if not file.record
}
"""What is compared of which table; latencies are shown, not compared."""
_CIRCUMSTANCES = (
    ("study",),
    ("started",),
    ("device", "name"),
    ("device", "driver"),
    ("source", "commit"),
    ("source", "study_sha256"),
    ("source", "lock_sha256"),
    ("host", "cpu"),
    ("host", "os"),
)


@dataclass(frozen=True)
class Comparison:
    """Two archives side by side.

    Attributes:
        circumstances: what the two records say differently.
        differences: by table, in the order of ``COMPARED``.
        ranking: the readings in order, where the two orders differ.
        latencies: medians of the plain forward pass of each network, in milliseconds.
        compared: how many cells were compared.
    """

    circumstances: list[Difference]
    differences: dict[str, list[Difference]]
    ranking: list[Difference]
    latencies: list[Difference]
    compared: int

    @property
    def equal(self) -> bool:
        """Whether measurements, verdicts and ranking are the same."""
        return not self.ranking and not any(self.differences.values())


def compare_archives(one: Path, other: Path) -> Comparison:
    """Compare two archives, each with its bytes and tables checked first.

    Raises:
        ArchiveError: one of them is broken (its name comes first), or they are of two studies.
    """
    a, b = _opened(one), _opened(other)
    if a.study != b.study:
        raise ArchiveError(f"{one} is of the study {a.study}, {other} of {b.study}")
    with one_line():
        return Comparison(
            list(_circumstances(a.record, b.record)),
            {name: list(_table(name, a, b)) for name in COMPARED},
            list(_ranking(a, b)),
            list(_latencies(a.table("timings.csv"), b.table("timings.csv"))),
            sum(len(a.table(name)) * len(columns) for name, columns in COMPARED.items()),
        )


def _opened(file: Path) -> Archive:
    try:
        with one_line():
            archive = open_archive(file)
            for check in (check_required, check_tables, check_record):
                check(archive)
    except ArchiveError as error:
        raise ArchiveError(f"{file}: {error}") from None
    return archive


def _table(name: str, one: Archive, other: Archive) -> Iterator[Difference]:
    return table_differences(name, one.table(name), other.table(name), COMPARED[name])


def _circumstances(one: dict[str, Any], other: dict[str, Any]) -> Iterator[Difference]:
    versions = sorted({*one["versions"], *other["versions"]})
    for path in (*_CIRCUMSTANCES, *(("versions", name) for name in versions)):
        sides = _recorded(one, path), _recorded(other, path)
        if sides[0] != sides[1]:
            yield Difference(" ".join(path), "record", *sides)


def _recorded(record: Any, path: tuple[str, ...]) -> str | None:
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return None if record is None else str(record)


def _ranking(one: Archive, other: Archive) -> Iterator[Difference]:
    sides = [[r["interpretation"] for r in a.reconciliation["ranking"]] for a in (one, other)]
    for place in range(max(map(len, sides))):
        pair = [side[place] if place < len(side) else None for side in sides]
        if pair[0] != pair[1]:
            yield Difference(f"rank {place + 1}", "interpretation", *pair)


def _latencies(one: list[Row], other: list[Row]) -> Iterator[Difference]:
    first, second = _medians(one), _medians(other)
    for network in [*first, *(n for n in second if n not in first)]:
        yield Difference(network, "median_ms", first.get(network), second.get(network))


def _medians(rows: list[Row]) -> dict[str, str]:
    return {
        f"{row['interpretation']}/{row['network']}": row["median_ms"]
        for row in rows
        if row["layer"] == NETWORK
    }
