"""Measure an archive's networks again on this machine. This executes the archive's network code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.archive.again import Workspace, rows_of
from reconcile.archive.compare import Difference, medians, refuse, table_differences
from reconcile.archive.container import ArchiveError, one_line
from reconcile.archive.reading import parse_json, parse_table, text_of
from reconcile.files import write_json
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.process import MeasureError
from reconcile.measure.run import measure_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import FILES, MEASURED, tables
from reconcile.tables.rows import Row

Report = Callable[[str], None]
COUNTED = tuple(n for n, file in tables().items() if file.rule == "measure" and not file.record)
"""The measurements that must be equal on every device."""


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


def measure_again(space: Workspace, device: str, report: Report) -> Rerun:
    """Measure every network of the archived study and compare counts and verdicts.

    Args:
        space: the archive in a temporary folder.
        device: "auto", "cuda" or "cpu".
        report: is told a line of progress for every network.

    Raises:
        ArchiveError: a count or a verdict differs, or nothing can be measured here.
    """
    root = space.results.parent
    out, plan = root / "rerun", root / "rerun" / "interpretations.json"
    # From the checked study, not the archived plan: that one could name a file elsewhere.
    write_json(plan, plan_of(space.study, space.archive.study))
    try:
        settings = _settings(space.archive.record, device)
        measure_study(plan, space.folder, out, settings, root=root, report=report)
    except MeasureError as error:
        raise ArchiveError(f"cannot be measured here: {error}") from None
    tables = {name: _read(out / name) for name in (*COUNTED, "timings.csv")}
    for name in COUNTED:
        refuse(f"rerun, {name}", count_differences(name, space.archive.table(name), tables[name]))
    verdicts = _check_verdicts(space, out)
    record = parse_json("record.json", (out / "record.json").read_bytes())
    detail = f"{len(tables['layers.csv']):,} layers and {verdicts:,} verdicts are equal"
    ours, archived = medians(tables["timings.csv"]), medians(space.archive.table("timings.csv"))
    latencies = [Latency(name, median, ours.get(name, "")) for name, median in archived.items()]
    return Rerun(record, detail, latencies)


def _settings(record: dict[str, Any], device: str) -> Measuring:
    """The archived settings, as far as they are of the right type."""
    archived, default = record["settings"], Measuring()
    names = [name for name in Measuring.model_fields if name != "device"]
    known = {n: archived[n] for n in names if type(archived.get(n)) is type(getattr(default, n))}
    return Measuring.model_validate({"device": device, **known})


def _read(file: Path) -> list[Row]:
    return parse_table(file.name, text_of(file.name, file.read_bytes()))


def count_differences(name: str, one: list[Row], other: list[Row]) -> Iterator[Difference]:
    """Cells of a measured table that differ; messages and kinds of success do not count."""
    columns = [c.name for c in FILES[name].columns if c.compared and not c.key]
    return table_differences(name, map(_counted, one), map(_counted, other), columns)


def _counted(row: Row) -> Row:
    """A device with less memory measures on meta what another runs; the counts are the same."""
    return row | {"status": MEASURED[0]} if row.get("status") in MEASURED else row


def _check_verdicts(space: Workspace, out: Path) -> int:
    with one_line(out.parent):
        again = reconcile_study(space.study, space.folder, Measurements.read(out))
    name = "verdicts.csv"
    computed = rows_of(again.tables[name])
    found = table_differences(
        name, space.archive.table(name), computed, FILES[name].head(sentences=False)
    )
    refuse("rerun, verdicts.csv", found)
    return len(computed)
