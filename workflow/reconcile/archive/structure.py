"""Checks of an archive's structure: required files, metadata, schemas, sums."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconcile.archive.layout import CORE, METADATA, REQUIRED, member_of
from reconcile.archive.limits import ArchiveError, parse_json, shown
from reconcile.archive.manifest import MANIFEST, digest
from reconcile.archive.reading import Archive, Row
from reconcile.archive.schemas import (
    CrateModel,
    PlanModel,
    ReconciliationModel,
    RecordModel,
    check_schema,
)
from reconcile.archive.tabular import check_table
from reconcile.tables.contract import COUNTED_KINDS, MEASURED, TABLES

# What describes the crate's own metadata: no file of it.
_DESCRIPTOR = {METADATA, "./"}


def check_required(archive: Archive) -> str:
    """Every file that makes an archive one is there."""
    for name in CORE:
        if name not in archive.members:
            raise ArchiveError(f"{name} is missing")
    wanted = REQUIRED if archive.same_code else CORE
    for name in wanted:
        if name not in archive.members:
            raise ArchiveError(f"{name} is missing")
    return f"{len(wanted)} required files; {_written_by(archive)}"


def _written_by(archive: Archive) -> str:
    if archive.same_code:
        return "written by this very code"
    return f"written by other code, version {shown_name(archive.version)}: checked by values"


def check_metadata(archive: Archive) -> str:
    """The RO-Crate lists exactly the archive's files, with their true sizes and hashes."""
    content = parse_json(METADATA, archive.members[METADATA])
    check_schema(CrateModel, METADATA, content)
    files = _file_entities(content["@graph"])
    for name in sorted(set(files) ^ (set(archive.members) - {METADATA})):
        what = "lists a file that is not there" if name in files else "does not list"
        raise ArchiveError(f"{METADATA} {what}: {shown(name)}")
    for name, entity in files.items():
        if name != MANIFEST:
            _check_entity(name, entity, archive.members[name])
    return f"RO-Crate of {len(files)} files"


def _file_entities(graph: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for entity in graph:
        kinds, name = entity.get("@type"), entity.get("@id")
        if "File" in (kinds if isinstance(kinds, list) else [kinds]) and name not in _DESCRIPTOR:
            if not isinstance(name, str) or name in files:
                raise ArchiveError(f"{METADATA} lists a file twice or without a name")
            files[name] = entity
    return files


def _check_entity(name: str, entity: Mapping[str, Any], data: bytes) -> None:
    if entity.get("sha256") != digest(data) or entity.get("contentSize") != str(len(data)):
        raise ArchiveError(f"{METADATA} has another size or hash for {name}")


def check_tables(archive: Archive) -> str:
    """Every table has the columns of the contract, every cell its column's form."""
    check_schema(ReconciliationModel, "reconciliation.json", archive.reconciliation)
    check_schema(PlanModel, "interpretations.json", archive.json("interpretations.json"))
    names = [name for name in TABLES if member_of(name) in archive.members]
    exactly = archive.same_code
    rows = sum(check_table(name, archive.text(name), exactly=exactly) for name in names)
    if archive.json("interpretations.json")["study"] != archive.study:
        raise ArchiveError("interpretations.json is of another study")
    return f"{len(names)} tables, {rows:,} rows"


def check_record(archive: Archive) -> str:
    """The record has its form, is of this study, and ends after it starts."""
    record = archive.record
    check_schema(RecordModel, "record.json", record)
    if record["study"] != archive.study:
        raise ArchiveError("record.json is of another study")
    started, ended = (datetime.fromisoformat(record[key]) for key in ("started", "ended"))
    if started.tzinfo is None or ended.tzinfo is None or ended < started:
        raise ArchiveError("record.json: started and ended are no two times in order")
    device = record["device"]
    return f"{shown_name(device.get('name') or device['type'])}, {ended:%Y-%m-%d %H:%M} UTC"


def shown_name(text: str) -> str:
    """A name for the terminal."""
    return shown(text)[1:-1]


def check_sums(archive: Archive) -> str:
    """The measured layers add up to the measured totals."""
    layers: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in archive.table("layers.csv"):
        _check_elements(row)
        layers[row["interpretation"], row["network"]].append(row)
    totals = {(t["interpretation"], t["network"]): t for t in archive.table("totals.csv")}
    for place in sorted(set(layers) - set(totals)):
        raise ArchiveError(f"layers.csv has a network without a total: {shown('/'.join(place))}")
    for place, total in totals.items():
        if total.get("status") in MEASURED:
            _check_total("/".join(place), total, layers[place])
    return f"{len(totals)} networks"


def _check_elements(row: Row) -> None:
    """A layer that is called several times has as many times the elements of its output."""
    elements = math.prod(int(row[side]) for side in ("channels", "height", "width") if row[side])
    if row["neurons"] and (elements <= 0 or int(row["neurons"]) % elements):
        place = f"{row['interpretation']}/{row['network']}/{row['layer']}"
        raise ArchiveError(f"layers.csv: {shown(place)}: neurons are no multiple of its output")


def _check_total(place: str, total: Row, rows: list[Row]) -> None:
    counted = [row for row in rows if row["kind"] in COUNTED_KINDS]
    sums = {
        "neurons": _sum(counted, "neurons"),
        "conv_neurons": _sum([row for row in rows if row["kind"] == "conv"], "neurons"),
        "parameters": _sum(rows, "parameters"),
        "macs": _sum(rows, "macs"),
    }
    for column, value in sums.items():
        if total.get(column) and int(total[column]) != value:
            sides = f"{total[column]}, but its layers add up to {value}"
            raise ArchiveError(f"totals.csv: {shown(place)}: {column} is {sides}")


def _sum(rows: list[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows if row.get(column))
