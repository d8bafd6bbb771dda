"""How it was measured, and which files the report rests on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.report.read import Results
from reconcile.tables.contract import FILES
from reconcile.words import mebibytes, moment

DATA_FILES = tuple(name for name, file in FILES.items() if file.data)
EMBEDDED_FILE, EMBEDDED_IN_ALL = 150_000, 400_000
"""Bytes of a table that the page carries along, and of all of them; larger ones are linked."""
MEDIA_TYPES = {".csv": "text/csv", ".json": "application/json"}


@dataclass(frozen=True)
class Fact:
    """One line of the record."""

    name: str
    text: str
    code: bool = False


@dataclass(frozen=True)
class DataFile:
    """A result file: its digest, and a link that works offline."""

    name: str
    rows: int | None
    sha256: str
    href: str
    record: bool


def facts(record: Mapping[str, Any]) -> list[Fact]:
    """What the record says, in the order in which readers ask."""
    return [fact for fact in _facts(record) if fact.text]


def _facts(record: Mapping[str, Any]) -> Iterator[Fact]:
    yield Fact("Device", _device(record["device"]))
    yield Fact("Why not the GPU", record["device"].get("fallback") or "")
    yield Fact("Host", _host(record.get("host", {})))
    yield Fact("Software", _pairs(record.get("versions", {})))
    yield Fact("System libraries", _pairs(record.get("system", {})))
    yield Fact("Settings", _pairs(record.get("settings", {})))
    yield Fact("Command", str(record.get("command", "")), code=True)
    yield Fact("Started", moment(record["started"]))
    yield Fact("Ended", moment(record["ended"]))
    source = record.get("source", {})
    yield Fact("Source", _source(source), code=True)
    for key in ("lock", "config", "study"):
        yield Fact(f"SHA-256 of the {key}", source.get(f"{key}_sha256") or "", code=True)


def _device(device: Mapping[str, Any]) -> str:
    parts = [device["name"], {"cpu": "CPU", "cuda": "CUDA"}.get(device["type"], device["type"])]
    if device.get("memory_bytes"):
        parts.append(mebibytes(device["memory_bytes"]))
    if device.get("compute_capability"):
        parts.append(f"compute capability {device['compute_capability']}")
    if device.get("driver"):
        parts.append(f"driver {device['driver']}")
    return ", ".join(map(str, parts))


def _host(host: Mapping[str, Any]) -> str:
    parts = [str(host[key]) for key in ("os", "machine", "cpu") if host.get(key)]
    parts += [f"{host['cores']} cores"] if host.get("cores") else []
    parts += [mebibytes(host["memory_bytes"])] if host.get("memory_bytes") else []
    return ", ".join(parts)


def _pairs(values: Mapping[str, Any]) -> str:
    said = {True: "on", False: "off"}
    known = {k: said.get(v, v) if isinstance(v, bool) else v for k, v in sorted(values.items())}
    return ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in known.items() if value is not None
    )


def _source(source: Mapping[str, Any]) -> str:
    if not source.get("commit"):
        return ""
    return f"commit {source['commit']}{'' if source.get('clean', True) else ' with changes'}"


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
