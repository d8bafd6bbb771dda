"""The measured tables of an archive agree with plan, record and each other, or it does not hold."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from reconcile.archive.checks import MEASUREMENTS, check_measured
from reconcile.archive.container import ArchiveError, member_of
from reconcile.archive.reading import Archive
from reconcile.tables.contract import FILES, PARTLY, STATUSES, summed, tables

Members = dict[str, bytes]
Rows = list[dict[str, str]]
MEASURED_TABLES = [
    name
    for name, file in tables().items()
    if file.rule == "measure" and "interpretation" in file.keys
]
"""Those that have a row a reading; values tried to solve for an argument are in another."""
WITH_LAYERS = [n for n in MEASURED_TABLES if "layer" in FILES[n].keys and n != "layers.csv"]


def rows_of(members: Members, name: str) -> Rows:
    """The rows of an archived table."""
    return list(csv.DictReader(io.StringIO(members[member_of(name)].decode())))


def put(members: Members, name: str, rows: Rows) -> None:
    """Archive other rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FILES[name].head(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    members[member_of(name)] = text.getvalue().encode()


def refused(members: Members) -> str:
    """Why the measured tables do not hold; empty where they do."""
    archive = Archive(members)
    try:
        for check in MEASUREMENTS.values():
            check(archive)
    except ArchiveError as error:
        return str(error)
    return ""


def forged(members: Members, name: str, change: Callable[[Rows], Any]) -> str:
    """Why an archive with other rows in a measured table does not hold."""
    rows = rows_of(members, name)
    change(rows)
    put(members, name, rows)
    return refused(members)


def test_what_was_measured_agrees(members: Members) -> None:
    """The tables of a run agree with each other."""
    assert refused(members) == ""


@pytest.mark.parametrize("name", MEASURED_TABLES)
def test_rows_that_stand_twice(members: Members, name: str) -> None:
    """A key stands once in each measured table."""
    said = forged(members, name, lambda rows: rows.append(rows[0]))
    assert f"{name} has two rows for six/main" in said or "add up to" in said
    with pytest.raises(ArchiveError, match="has two rows for six/main"):
        check_measured(Archive(members))


@pytest.mark.parametrize("column", ["interpretation", "network"])
@pytest.mark.parametrize("name", MEASURED_TABLES)
def test_readings_that_were_not_planned(members: Members, name: str, column: str) -> None:
    """A row of a reading or network that the plan does not have is refused."""
    said = forged(members, name, lambda rows: rows.append(rows[0] | {column: "other"}))
    assert "what was planned" in said or "no network that was measured" in said or "total" in said


def test_a_reading_without_total(members: Members) -> None:
    """Every planned network has its row in totals.csv."""
    plan = json.loads(members["results/interpretations.json"])
    plan["interpretations"].append(plan["interpretations"][0] | {"id": "other"})
    members["results/interpretations.json"] = json.dumps(plan).encode()
    assert refused(members) == "totals.csv: other/main is not what was planned"


@pytest.mark.parametrize("status", [s for s in STATUSES if not s.startswith("measured")])
def test_rows_of_what_was_not_measured(members: Members, status: str) -> None:
    """A network that was not measured has no totals, and rows at most of layers that ran before."""
    totals = rows_of(members, "totals.csv")
    totals[0]["status"] = status
    put(members, "totals.csv", totals)
    assert refused(members).endswith("of what was not measured")
    totals[0] |= {column.name: "" for column, _ in summed()}
    put(members, "totals.csv", totals)
    reading = totals[0]["interpretation"]
    kept = {"totals.csv", "layers.csv"} if status in PARTLY else {"totals.csv"}
    others = [name for name in MEASURED_TABLES if name not in kept]
    for name in others:
        assert f"{name}: {reading}/main" in refused(members)
        rows = [row for row in rows_of(members, name) if row["interpretation"] != reading]
        put(members, name, rows)
    assert refused(members) == ""


SOLVED = {"search": "size", "claim": "conv", "value": "8", "method": "scan", "step": "1"}


def solving(members: Members) -> None:
    """Plan to solve for an argument, and archive one value that was tried."""
    plan = json.loads(members["results/interpretations.json"])
    plan["solve"] = {"size": {"first": 1, "last": 9, "step": 1, "claims": {"conv": {}}}}
    members["results/interpretations.json"] = json.dumps(plan).encode()
    put(members, "solutions_measured.csv", [SOLVED])


def test_values_that_were_tried(members: Members) -> None:
    """Values of an argument that is solved for are no readings, and agree with the plan."""
    solving(members)
    assert refused(members) == ""
    said = forged(members, "solutions_measured.csv", lambda rows: rows.append(rows[0]))
    assert said == "solutions_measured.csv has two rows for size/conv/8"


@pytest.mark.parametrize(
    ("column", "value"), [("search", "other"), ("claim", "other"), ("value", "10"), ("value", "0")]
)
def test_values_that_were_not_planned(members: Members, column: str, value: str) -> None:
    """A value of another search, claim or range is refused."""
    solving(members)
    said = forged(members, "solutions_measured.csv", lambda rows: rows[0].update({column: value}))
    assert said.startswith("solutions_measured.csv: ") and said.endswith("is not what was planned")


@pytest.mark.parametrize("column", [column.name for column, _ in summed()])
@pytest.mark.parametrize("value", ["", "1"])
def test_totals(members: Members, column: str, value: str) -> None:
    """A total of what was measured is the sum over its layers, and never empty."""
    said = forged(members, "totals.csv", lambda rows: rows[0].update({column: value}))
    assert f"{column} is {value or 'empty'}, but its layers add up to" in said


@pytest.mark.parametrize("name", WITH_LAYERS)
def test_layers_that_are_none(members: Members, name: str) -> None:
    """A table names only layers that layers.csv has."""
    said = forged(members, name, lambda rows: rows[-1].update(layer="other"))
    assert said.endswith("is no layer in layers.csv")


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("coverage.csv", "height", "5"),
        ("coverage.csv", "width", "5"),
        ("coverage.csv", "positions", "35"),
        ("coverage.csv", "seen", "37"),
        ("coverage.csv", "seen", "-1"),
        ("windows.csv", "layer", "out"),
        ("windows.csv", "window", "-1"),
        ("windows.csv", "window", "9"),
        ("windows.csv", "windows", "9"),
        ("windows.csv", "first", "1"),
        ("windows.csv", "first", "-1"),
        ("windows.csv", "last", "9"),
        ("windows.csv", "size", "4"),
        ("windows.csv", "zeros", "1"),
        ("timings.csv", "device", "cuda"),
        ("timings.csv", "repeats", "2"),
        ("timings.csv", "median_ms", "1e9"),
        ("timings.csv", "q1_ms", "-1"),
        ("timings.csv", "q1_ms", "1e9"),
        ("timings.csv", "q3_ms", "0"),
    ],
)
def test_numbers_that_contradict(members: Members, name: str, column: str, value: str) -> None:
    """A number that another one in the measured tables or the record rules out is refused."""
    said = forged(members, name, lambda rows: rows[0].update({column: value}))
    assert said.startswith(f"{name}: six/main/")
    assert said.endswith(": its numbers contradict each other")


def test_every_column_that_others_follow_from(members: Members) -> None:
    """A change of any key, of any number that is summed, of coverage and windows is missed.

    What a number alone says (a latency, an output) only measuring again can show, and so what a
    tensor is called.
    """
    asked = [(name, column) for name in MEASURED_TABLES for column in FILES[name].keys]
    asked.remove(("tensors.csv", "tensor"))
    for column, (source, _) in summed():
        asked += [("totals.csv", column.name), ("layers.csv", source)]
    asked += [(n, column) for n in ("coverage.csv", "windows.csv") for column in FILES[n].head()]
    for name, column in asked:
        changed = dict(members)
        assert forged(
            changed, name, lambda rows, c=column: rows[-1].update({c: f"{rows[-1][c]}1"})
        ), (name, column)


def test_windows_need_coverage(members: Members) -> None:
    """Windows are those of the layer whose coverage was measured."""
    assert "contradict" in forged(members, "coverage.csv", lambda rows: rows.pop())


def test_a_gpu_that_was_left(members: Members) -> None:
    """Where the record says that the GPU was left, some latencies are of the CPU."""
    record = json.loads(members["record/record.json"])
    record["device"] |= {"type": "cuda"}
    members["record/record.json"] = json.dumps(record).encode()
    assert "timings.csv" in refused(members)
    record["device"] |= {"fallback": "out of memory"}
    members["record/record.json"] = json.dumps(record).encode()
    assert refused(members) == ""


def test_columns_that_another_release_has_not(members: Members) -> None:
    """What a table of another release does not say is not asked."""
    for name in MEASURED_TABLES:
        keys = FILES[name].keys
        kept = {"status"} if name == "totals.csv" else set()
        rows = [[row[c] for c in row if c in (*keys, *kept)] for row in rows_of(members, name)]
        head = [c for c in FILES[name].head() if c in (*keys, *kept)]
        lines = [",".join(cells) for cells in (head, *rows)]
        members[member_of(name)] = "\n".join([*lines, ""]).encode()
    assert refused(members) == ""
