"""Checks of the measured tables, which cannot be derived again: they must agree with each other.

What they cannot show is that the numbers were measured. They show that nobody changed one of two
places that say the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from reconcile.archive.container import ArchiveError, member_of, shown
from reconcile.archive.reading import Archive
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

Network = tuple[str, str]
Layers = dict[tuple[str, str, str], Row]
_MAP = ("channels", "height", "width")
_SIDES = (*_MAP, "depth", "length", "features")


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


def _text(place: str) -> str:
    return shown(place)[1:-1]


def _network_of(row: Row) -> Network:
    return row["interpretation"], row["network"]


def _place(row: Row) -> str:
    """Where a row stands, for the terminal."""
    keys = (row[key] for key in ("interpretation", "network", "layer") if key in row)
    return _text("/".join(keys))


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
        raise ArchiveError(f"totals.csv: {_text('/'.join(place))} is not what was planned")
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
                raise ArchiveError(f"tensors.csv: {_text('/'.join(key))}: {told}")


def _is_counter(row: Row) -> bool:
    return row["held"] == BUFFER and "counters" in row["parts"].split()


def _check_solved(archive: Archive, rows: list[Row]) -> None:
    """Values that were tried are those of the plan, each once for each claim."""
    planned = archive.json("interpretations.json").get("solve", {})
    _check_once("solutions_measured.csv", rows)
    for row in rows:
        wanted = planned.get(row["search"], {"claims": {}})
        there = row["claim"] in wanted["claims"] and int(row["value"]) in range(
            wanted["first"], wanted["last"] + 1, wanted["step"]
        )
        if not there:
            place = _text("/".join((row["search"], row["claim"], row["value"])))
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
    _check_once(name, rows)
    for row in rows:
        may_have = (*MEASURED, *PARTLY) if name == "layers.csv" else MEASURED
        if name != "totals.csv" and status.get(_network_of(row)) not in may_have:
            raise ArchiveError(f"{name}: {_place(row)} is of no network that was measured")


def _check_once(name: str, rows: list[Row]) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        key = tuple(row[column] for column in FILES[name].keys)
        if key in seen:
            raise ArchiveError(f"{name} has two rows for {_text('/'.join(key))}")
        seen.add(key)


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
