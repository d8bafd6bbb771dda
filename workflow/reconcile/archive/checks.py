"""Checks of an archive before anything is computed: its structure, and the measured tables.

Files, metadata, schemas and record have their form. The measured tables cannot be derived again:
they must agree with each other. What that cannot show is that the numbers were measured; it shows
that nobody changed one of two places that say the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from reconcile.archive.container import (
    CORE,
    MANIFEST,
    METADATA,
    REQUIRED,
    ArchiveError,
    has_place,
    member_of,
    shown,
    shown_name,
)
from reconcile.archive.reading import MAX_JSON_VALUES, Archive, check_table, digest, parse_json
from reconcile.tables.contract import (
    BUFFER,
    FILES,
    FROZEN,
    MEASURED,
    NETWORK,
    OF_TENSORS,
    PARTLY,
    PARTS,
    passes_of_layers,
    summed,
    tables,
)
from reconcile.tables.rows import Row

# What describes the crate's own metadata: no file of it.
_DESCRIPTOR = {METADATA, "./"}
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Number = int | float
Network = tuple[str, str]
Layers = dict[tuple[str, str, str], Row]
_MAP = ("channels", "height", "width")
_SIDES = (*_MAP, "depth", "length", "features")


def _a_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_a_time)]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Claim(_Open):
    id: str
    printed: str
    matched_by: list[str]


class _Ranked(_Open):
    rank: int
    interpretation: str
    title: str
    excluded: bool
    excluded_by: list[str]
    score: dict[str, Number]


class _Conclusion(_Open):
    interpretation: str
    answer: str
    text: str


class _Paper(_Open):
    title: str
    authors: Annotated[list[str], Field(min_length=1)]
    year: int
    venue: str
    url: str


class ReconciliationModel(_Open):
    """results/reconciliation.json."""

    study: str
    version: str
    title: str
    question: str
    paper: _Paper
    counts: dict[str, int]
    claims: list[_Claim]
    ranking: list[_Ranked]
    equal_counts: list[list[str]]
    conclusion: _Conclusion


class _Source(_Open):
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    clean: bool | None = None
    lock_sha256: Sha256 | None = None
    config_sha256: Sha256 | None = None
    study_sha256: Sha256 | None = None


class _Device(_Open):
    type: Literal["cpu", "cuda"]
    name: str | None = None


class RecordModel(_Open):
    """record/record.json."""

    study: str
    command: str
    started: Time
    ended: Time
    device: _Device
    settings: dict[str, bool | Number | str | list[str] | None]
    twice_every: int | None = None
    versions: dict[str, str | None]
    host: dict[str, str | Number | None]
    source: _Source
    system: dict[str, str | None]


class _Reading(_Open):
    id: str
    networks: dict[str, dict[str, Any]]


class PlanModel(_Open):
    """results/interpretations.json."""

    study: str
    interpretations: list[_Reading]


class CrateModel(BaseModel):
    """ro-crate-metadata.json, as far as every crate has the form."""

    model_config = ConfigDict(extra="forbid")
    context: Annotated[list[Any], Field(alias="@context")]
    graph: Annotated[list[dict[str, Any]], Field(alias="@graph")]


def check_schema(model: type[BaseModel], name: str, value: Any) -> None:
    """Check a JSON value against a model.

    Raises:
        ArchiveError: the first thing that does not fit.
    """
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ArchiveError(f"{name}: {shown(place)}: {shown(first['msg'])}") from None


def check_required(archive: Archive) -> str:
    """Every file that makes an archive one is there, each in its place, and none that has none."""
    for name in archive.members:
        if not has_place(name):
            raise ArchiveError(f"{name} has no place in an archive")
    for name in CORE:
        if name not in archive.members:
            raise ArchiveError(f"{name} is missing")
    if archive.values > MAX_JSON_VALUES:
        raise ArchiveError(f"its JSON files hold more than {MAX_JSON_VALUES:,} values")
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
            data = archive.members[name]
            if entity.get("sha256") != digest(data) or entity.get("contentSize") != str(len(data)):
                raise ArchiveError(f"{METADATA} has another size or hash for {name}")
    return f"RO-Crate of {len(files)} files"


def _file_entities(graph: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for entity in graph:
        kinds, name = entity.get("@type"), entity.get("@id")
        if "File" not in (kinds if isinstance(kinds, list) else [kinds]):
            continue
        if not isinstance(name, str) or name in files:
            raise ArchiveError(f"{METADATA} lists a file twice or without a name")
        if name not in _DESCRIPTOR:
            files[name] = entity
    return files


def check_tables(archive: Archive) -> str:
    """Every table has the columns of the contract, every cell its column's form."""
    check_schema(ReconciliationModel, "reconciliation.json", archive.reconciliation)
    check_schema(PlanModel, "interpretations.json", archive.json("interpretations.json"))
    names = [name for name in tables() if member_of(name) in archive.members]
    rows = sum(_check_table(archive, name) for name in names)
    if archive.json("interpretations.json")["study"] != archive.study:
        raise ArchiveError("interpretations.json is of another study")
    return f"{len(names)} tables, {rows:,} rows"


def _check_table(archive: Archive, name: str) -> int:
    exactly = archive.same_code
    needed = FILES[name].head() if exactly else FILES[name].keys
    return check_table(name, archive.data(name), needed, exactly=exactly)


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


STRUCTURE: dict[str, Callable[[Archive], str]] = {
    "files": check_required,
    "metadata": check_metadata,
    "tables": check_tables,
    "record": check_record,
}
"""What is asked before anything is computed, in order; each relies on those before."""


# The measured tables.


def check_sums(archive: Archive) -> str:
    """The measured layers add up to the measured totals."""
    layers: dict[Network, list[Row]] = defaultdict(list)
    for row in archive.table("layers.csv"):
        _check_sizes(row)
        layers[_network_of(row)].append(row)
    totals = archive.table("totals.csv")
    for total in totals:
        if total.get("status") in MEASURED:
            _check_total(total, layers[_network_of(total)])
        elif filled := next((c.name for c, _ in summed() if total.get(c.name)), None):
            raise ArchiveError(f"totals.csv: {_place(total)}: {filled} of what was not measured")
    return f"{len(totals)} networks"


def _network_of(row: Row) -> Network:
    return row["interpretation"], row["network"]


def _place(row: Row) -> str:
    """Where a row stands, for the terminal."""
    keys = (row[key] for key in ("interpretation", "network", "layer") if key in row)
    return shown_name("/".join(keys))


def _check_sizes(row: Row) -> None:
    """What is said of the axes divides each output; tokens may be two of its axes together."""
    known = {side: int(row[side]) for side in _SIDES if row.get(side)}
    for shape in row.get("outputs", "").split():
        elements = math.prod(map(int, shape.split("x")))
        for side, size in known.items():
            if not size or elements % size:
                raise ArchiveError(f"layers.csv: {_place(row)}: {side} is no side of {shape}")


def _check_total(total: Row, rows: list[Row]) -> None:
    for column, (name, kinds) in summed():
        counted = (row for row in rows if not kinds or row.get("kind") in kinds)
        value = sum(int(row[name]) for row in counted if row.get(name))
        if column.name in total and total[column.name] != str(value):
            sides = f"{total[column.name] or 'empty'}, but its layers add up to {value}"
            raise ArchiveError(f"totals.csv: {_place(total)}: {column.name} is {sides}")


def check_measured(archive: Archive) -> str:
    """The measured tables agree with plan, record and each other, as far as they say the same."""
    measured = {
        name: archive.table(name)
        for name, file in tables().items()
        if file.rule == "measure" and member_of(name) in archive.members
    }
    status = {_network_of(row): row.get("status") for row in measured["totals.csv"]}
    for place in sorted(_planned(archive) ^ set(status)):
        raise ArchiveError(f"totals.csv: {shown_name('/'.join(place))} is not what was planned")
    solved = measured.pop("solutions_measured.csv", [])
    _check_solved(archive, solved)
    for name, rows in measured.items():
        _check_rows(name, rows, status)
    layers = {(*_network_of(row), row["layer"]): row for row in measured["layers.csv"]}
    _check_tensors(measured.get("tensors.csv", ()), layers)
    for name in ("coverage.csv", "windows.csv", "timings.csv"):
        for row in measured.get(name, ()):
            _check_layer(name, row, layers)
    covered = {_network_of(row): row for row in measured.get("coverage.csv", ())}
    for row in covered.values():
        _require("coverage.csv", row, _covers(row))
    for row in measured.get("windows.csv", ()):
        _require("windows.csv", row, _windows_fit(row, covered.get(_network_of(row)), layers))
    for row in measured.get("timings.csv", ()):
        _require("timings.csv", row, _timed(row, archive.record))
    measured["solutions_measured.csv"] = solved
    return f"{sum(map(len, measured.values())):,} rows of {len(measured)} tables"


_ALSO_OF_LAYERS = ("parameters", "frozen", "used_parameters", "buffers")
"""Counted tensor by tensor, and in layers.csv too, where whole numbers are no buffers."""


def _check_tensors(tensors: Iterable[Row], layers: Layers) -> None:
    """The tensors of a layer add up to what is said of it, where a table says what they are."""
    held: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in tensors:
        _check_layer("tensors.csv", row, layers)
        if not row.keys() >= {"elements", "held", "used", "parts", "layers"}:
            continue
        _require("tensors.csv", row, _is_what_parts_say(row))
        held[*_network_of(row), row["layer"]].append(row)
    networks = {key[:2] for key in held}
    for key, layer in layers.items():
        if key[:2] not in networks:
            continue
        for column in _ALSO_OF_LAYERS:
            counted = (row for row in held[key] if OF_TENSORS[column](row))
            value = sum(int(row["elements"]) for row in counted if not _is_counter(row))
            if layer.get(column) and int(layer[column]) != value:
                told = f"{column} is {layer[column]}, but its tensors have {value}"
                raise ArchiveError(f"tensors.csv: {shown_name('/'.join(key))}: {told}")


def _is_counter(row: Row) -> bool:
    return row["held"] == BUFFER and "counters" in row["parts"].split()


def _check_solved(archive: Archive, rows: list[Row]) -> None:
    """Values that were tried are those of the plan, each once for each claim."""
    planned = archive.json("interpretations.json").get("solve", {})
    by_key("solutions_measured.csv", rows)
    for row in rows:
        wanted = planned.get(row["search"], {"claims": {}})
        there = row["claim"] in wanted["claims"] and int(row["value"]) in range(
            wanted["first"], wanted["last"] + 1, wanted["step"]
        )
        if not there:
            place = shown_name("/".join((row["search"], row["claim"], row["value"])))
            raise ArchiveError(f"solutions_measured.csv: {place} is not what was planned")


def _is_what_parts_say(row: Row) -> bool:
    """Whether a tensor is frozen, unread and shared where its parts say so."""
    parts, parameter = set(row["parts"].split()), row["held"] != BUFFER
    said = {
        "frozen": row["held"] == FROZEN,
        "unused": parameter and row["used"] == "no",
        "shared": parameter and int(row["layers"]) > 1,
    }
    known = all((part in parts) == holds for part, holds in said.items())
    return parts <= PARTS.keys() and known and int(row["layers"]) >= 1


def _planned(archive: Archive) -> set[Network]:
    readings = archive.json("interpretations.json")["interpretations"]
    return {(reading["id"], network) for reading in readings for network in reading["networks"]}


def _check_rows(name: str, rows: list[Row], status: dict[Network, str | None]) -> None:
    """Each row once, and but for totals only of networks that were measured, if in part."""
    by_key(name, rows)
    for row in rows:
        may_have = (*MEASURED, *PARTLY) if name == "layers.csv" else MEASURED
        if name != "totals.csv" and status.get(_network_of(row)) not in may_have:
            raise ArchiveError(f"{name}: {_place(row)} is of no network that was measured")


def by_key(name: str, rows: Iterable[Row]) -> dict[tuple[str, ...], Row]:
    """The rows of a table by the columns that name them.

    Raises:
        ArchiveError: two rows have one name.
    """
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row[column] for column in FILES[name].keys)
        if key in found:
            raise ArchiveError(f"{name} has two rows for {shown_name('/'.join(key))}")
        found[key] = row
    return found


def _check_layer(name: str, row: Row, layers: Layers) -> None:
    if row["layer"] != NETWORK and (*_network_of(row), row["layer"]) not in layers:
        raise ArchiveError(f"{name}: {_place(row)} is no layer in layers.csv")


def _require(name: str, row: Row, holds: bool) -> None:
    if not holds:
        raise ArchiveError(f"{name}: {_place(row)}: its numbers contradict each other")


def _numbers(row: Row, *columns: str) -> list[Fraction] | None:
    """The numbers in some columns, None where another release left one out."""
    cells = [row.get(column) for column in columns]
    return [Fraction(cell) for cell in cells if cell] if all(cells) else None


def _covers(row: Row) -> bool:
    match _numbers(row, "height", "width", "positions", "seen"):
        case [height, width, positions, seen]:
            return positions == height * width and 0 <= seen <= positions
    return True


def _windows_fit(row: Row, covered: Row | None, layers: Layers) -> bool:
    """A window lies in the image that coverage.csv describes, and in a row of the layer's map."""
    if covered is None or covered["layer"] != row["layer"]:
        return False
    layer = layers[*_network_of(row), row["layer"]]
    match _numbers(layer, *_MAP, "neurons"), _numbers(row, "windows"):
        case [channels, height, width, neurons], [windows]:
            # Of a layer that is called several times the map is that of one call.
            if neurons == channels * height * width and windows != width:
                return False
    inside = _numbers(covered, "width")
    match _numbers(row, "window", "windows", "first", "last", "size", "zeros"):
        case [window, windows, first, last, size, zeros]:
            nothing = first == last == -1 and zeros == size
            seen = 0 <= first <= last and zeros == size - (last - first + 1)
            fits = inside is None or last < inside[0]
            return 0 <= window < windows and (nothing or (seen and fits))
    return True


def _timed(row: Row, record: dict[str, Any]) -> bool:
    """A latency is of a device of the record, repeated as the record says."""
    devices = [record["device"], *(job["device"] for job in record.get("jobs", ()))]
    types = {device["type"] for device in devices}
    # Where one had to leave the GPU, some were measured on the CPU.
    if any(device.get("fallback") for device in devices):
        types.add("cpu")
    repeats = record["settings"].get("repeats", "")
    if isinstance(repeats, int) and row.get("layer") != NETWORK:
        repeats = passes_of_layers(repeats)
    known = row.get("device", "") in (*types, "") and row.get("repeats", "") in (str(repeats), "")
    match _numbers(row, "q1_ms", "median_ms", "q3_ms"):
        case [first, median, third]:
            return known and 0 <= first <= median <= third
    return known


MEASUREMENTS: dict[str, Callable[[Archive], str]] = {
    "sums": check_sums,
    "measurements": check_measured,
}
"""What is asked of the measured tables, which cannot be derived again."""
