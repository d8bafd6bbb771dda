"""Which measurements and verdicts differ: between two archives, or an archive and this machine.

Measuring an archive's networks again executes its network code. Comparing two executes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from reconcile.archive.checks import by_key, check_record, check_required, check_tables
from reconcile.archive.container import ArchiveError, one_line, shown, shown_name
from reconcile.archive.reading import Archive, open_archive, parse_json, parse_table, value_at
from reconcile.files import write_json
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.process import MeasureError
from reconcile.measure.provenance import package_facts
from reconcile.measure.run import measure_study
from reconcile.study.model import Study
from reconcile.study.plan import network_file_of, plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import FILES, MEASURED, NETWORK, tables
from reconcile.tables.frames import rows_of
from reconcile.tables.rows import Row, same_value
from reconcile.words import Report

COUNTED = tuple(n for n, file in tables().items() if file.rule == "measure" and not file.record)
"""The measurements that must be equal on every device."""
COMPARED = {
    name: tuple(c.name for c in file.columns if not (c.key or c.sentence))
    for name, file in tables().items()
    if not file.record
}
"""What is compared of which table; latencies are shown, not compared."""
_VERDICTS = "verdicts.csv"
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


class Difference(NamedTuple):
    """One value that two sides disagree on; a side that lacks it has None."""

    where: str
    what: str
    one: str | None
    other: str | None

    def __str__(self) -> str:
        sides = (shown(side) if side is not None else "absent" for side in (self.one, self.other))
        return f"{shown_name(self.where)}: {self.what}: {' against '.join(sides)}"


def table_differences(
    name: str, one: Iterable[Row], other: Iterable[Row], columns: Sequence[str]
) -> Iterator[Difference]:
    """Cells in which two tables differ, by the key of the row; rows that only one has."""
    ours, theirs = by_key(name, one), by_key(name, other)
    for key in ours | theirs:
        where = "/".join(key)
        if key not in ours or key not in theirs:
            sides = ("present", None) if key in ours else (None, "present")
            yield Difference(where, "row", *sides)
            continue
        for column in columns:
            cells = ours[key].get(column, ""), theirs[key].get(column, "")
            if not same_value(*cells):
                yield Difference(where, column, *cells)


def json_differences(one: Any, other: Any, place: str = "") -> Iterator[Difference]:
    """Leaves in which two JSON values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in {**one, **other}:
            yield from json_differences(one.get(key), other.get(key), f"{place}.{key}".strip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, pair in enumerate(zip(one, other, strict=True)):
            yield from json_differences(*pair, f"{place}.{i}")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield Difference(place, "value", _text(one), _text(other))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def refuse(file: str, found: Iterable[Difference]) -> None:
    """Accept no difference between what an archive says and what follows from it.

    Raises:
        ArchiveError: the first difference, and how many there are.
    """
    differences = iter(found)
    first = next(differences, None)
    if first is not None:
        others = sum(1 for _ in differences)
        more = f" (and {others:,} more)" if others else ""
        raise ArchiveError(f"{file}: {first} recomputed{more}")


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
            {
                name: list(table_differences(name, a.table(name), b.table(name), columns))
                for name, columns in COMPARED.items()
            },
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


def _circumstances(one: dict[str, Any], other: dict[str, Any]) -> Iterator[Difference]:
    versions = sorted({*one["versions"], *other["versions"]})
    for path in (*_CIRCUMSTANCES, *(("versions", name) for name in versions)):
        sides = _text(value_at(one, *path)), _text(value_at(other, *path))
        if sides[0] != sides[1]:
            yield Difference(" ".join(path), "record", *sides)


def _ranking(one: Archive, other: Archive) -> Iterator[Difference]:
    sides = [[r["interpretation"] for r in a.reconciliation["ranking"]] for a in (one, other)]
    for place, pair in enumerate(zip_longest(*sides), start=1):
        if pair[0] != pair[1]:
            yield Difference(f"rank {place}", "interpretation", *pair)


def _latencies(one: list[Row], other: list[Row]) -> Iterator[Difference]:
    first, second = medians(one), medians(other)
    for network in first | second:
        yield Difference(network, "median_ms", first.get(network), second.get(network))


def medians(rows: list[Row]) -> dict[str, str]:
    """The median of the plain forward pass of each network, as it stands in timings.csv."""
    return {
        f"{row['interpretation']}/{row['network']}": row.get("median_ms", "")
        for row in rows
        if row["layer"] == NETWORK
    }


@dataclass(frozen=True)
class Latency:
    """The forward pass of one network on two devices, in milliseconds; never judged."""

    network: str
    archived: str
    here: str


@dataclass(frozen=True)
class Rerun:
    """What measuring again gave.

    Attributes:
        record: this machine's record.
        detail: what was compared and equal.
        latencies: side by side.
    """

    record: dict[str, Any]
    detail: str
    latencies: list[Latency]


def measure_again(
    archive: Archive, study: Study, folder: Path, root: Path, device: str, report: Report
) -> Rerun:
    """Measure every network of an archived study and compare counts and verdicts.

    Args:
        archive: the archive.
        study: its study.
        folder: that study's folder, in a temporary one.
        root: the temporary folder.
        device: "auto", "cuda" or "cpu".
        report: is told a line of progress for every network.

    Raises:
        ArchiveError: a count or a verdict differs, or nothing can be measured here.
    """
    note = package_note(archive.record, study)
    try:
        again = _measured_again(archive, study, folder, root, device, report)
    except ArchiveError as error:
        raise ArchiveError(f"{error}{note}") from None
    return replace(again, detail=again.detail + note)


def package_note(record: Mapping[str, Any], study: Study) -> str:
    """What to add to a result where the network's package is another here than in the record."""
    if network_file_of(study):
        return ""
    package = study.network.partition(":")[0].partition(".")[0]
    archived, here = partial(value_at, record, "packages", package), package_facts(package)
    if not here:
        return f"; {package} is not installed here"
    one, other = archived("version"), here.get("version")
    if one != other:
        return f"; {package} is {other or 'of no version'} here, {shown(str(one))} in the archive"
    if archived("sha256") != here.get("sha256"):
        return f"; the files of {package} {other} here are others than in the archive"
    return ""


def _measured_again(
    archive: Archive, study: Study, folder: Path, root: Path, device: str, report: Report
) -> Rerun:
    out, plan = root / "rerun", root / "rerun" / "interpretations.json"
    # From the checked study, not the archived plan: that one could name a file elsewhere.
    write_json(plan, plan_of(study, archive.study))
    try:
        settings = _settings(archive.record, device)
        measure_study(plan, folder, out, settings, root=root, report=report)
    except MeasureError as error:
        raise ArchiveError(f"cannot be measured here: {error}") from None
    names = (*COUNTED, "timings.csv")
    here = {name: parse_table(name, (out / name).read_bytes()) for name in names}
    for name in COUNTED:
        refuse(f"rerun, {name}", count_differences(name, archive.table(name), here[name]))
    with one_line(root):
        again = reconcile_study(study, folder, Measurements.read(out))
    computed, columns = again.tables[_VERDICTS], FILES[_VERDICTS].head(sentences=False)
    found = table_differences(_VERDICTS, archive.table(_VERDICTS), rows_of(computed), columns)
    refuse(f"rerun, {_VERDICTS}", found)
    record = parse_json("record.json", (out / "record.json").read_bytes())
    detail = f"{len(here['layers.csv']):,} layers and {len(computed):,} verdicts are equal"
    ours, archived = medians(here["timings.csv"]), medians(archive.table("timings.csv"))
    latencies = [Latency(name, median, ours.get(name, "")) for name, median in archived.items()]
    return Rerun(record, detail, latencies)


def _settings(record: dict[str, Any], device: str) -> Measuring:
    """The archived settings, as far as they are of the right type."""
    archived, default = record["settings"], Measuring()
    names = [name for name in Measuring.model_fields if name != "device"]
    known = {n: archived[n] for n in names if type(archived.get(n)) is type(getattr(default, n))}
    return Measuring.model_validate({"device": device, **known})


def count_differences(name: str, one: list[Row], other: list[Row]) -> Iterator[Difference]:
    """Cells of a measured table that differ; messages and kinds of success do not count."""
    return table_differences(name, map(_counted, one), map(_counted, other), COMPARED[name])


def _counted(row: Row) -> Row:
    """A device with less memory measures on meta what another runs; the counts are the same."""
    return row | {"status": MEASURED[0]} if row.get("status") in MEASURED else row
