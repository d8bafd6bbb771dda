"""What the report says about each interpretation: what it is, what it denies, what was measured.

Layers that repeat are folded: forty-eight equal blocks are told once, not forty-eight times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

from reconcile.report.read import Results, grouped_by
from reconcile.study.model import Interpretation, Statement, Study
from reconcile.study.plan import arguments_of, networks_of
from reconcile.study.values import Argument
from reconcile.tables.rows import Row
from reconcile.words import argument_text

MOST_ROWS = 1500
"""Rows of layer tables in a report; what is beyond is in layers.csv."""
FEWEST = 3
"""Blocks that are folded; two are told in full."""
IDLE_KINDS = ("activation", "dropout", "norm")
_INDEXED = re.compile(r"(?P<before>(?:.*?\.)?)(?P<index>\d+)(?P<after>(?:\..*)?)")
_SIZE = ("channels", "height", "width")
_COUNTS = ("kind", *_SIZE, "neurons", "parameters", "macs")


@dataclass(frozen=True)
class LayerRow:
    """A row of a layer table.

    Attributes:
        name: the layer's, or the range of names that the row stands for.
        row: its counts.
        times: how often it stands in the network.
        idle: whether it is an activation, a dropout or a normalisation of the size of the row
            before, without parameters, multiply-adds or connections: it adds nothing to a total.
    """

    name: str
    row: Row
    times: int = 1
    idle: bool = False


@dataclass(frozen=True)
class NetworkView:
    """One measured network of a reading; ``told`` where the report has room for its layers."""

    name: str
    arguments: Mapping[str, Argument]
    layers: tuple[LayerRow, ...]
    told: bool
    total: Row


@dataclass(frozen=True)
class ReadingView:
    """One interpretation as the report tells it.

    Attributes:
        reading: the interpretation.
        entry: its place in the ranking.
        denials: the statements of the paper that it denies, each with what it takes instead.
        networks: what was measured of each of its networks.
        same_counts: other interpretations with equal counts.
    """

    reading: Interpretation
    entry: Mapping[str, Any]
    denials: tuple[tuple[Statement, str], ...]
    networks: tuple[NetworkView, ...]
    same_counts: tuple[str, ...]


def reading_views(results: Results, most: int) -> list[ReadingView]:
    """The best ranked interpretations, at most ``most``, in the order of the ranking."""
    by_id = {reading.id: reading for reading in results.study.interpretations}
    equal = results.reconciliation["equal_counts"]
    views, room = [], MOST_ROWS
    layers = grouped_by(results.table("layers"), "interpretation", "network")
    totals = grouped_by(results.table("totals"), "interpretation", "network")
    for entry in results.shown(most):
        reading = by_id[entry["interpretation"]]
        networks = []
        for name, arguments in networks_of(results.study, reading).items():
            place = reading.id, name
            rows, (total, *_) = folded(layers.get(place, [])), totals.get(place, [{}])
            told = len(rows) <= room
            room -= len(rows) if told else 0
            networks.append(NetworkView(name, arguments, tuple(rows), told, total))
        same: list[str] = next((ids for ids in equal if reading.id in ids), [])
        views.append(
            ReadingView(
                reading=reading,
                entry=entry,
                denials=tuple(_denial(results.study, reading, name) for name in entry["denies"]),
                networks=tuple(networks),
                same_counts=tuple(other for other in same if other != reading.id),
            )
        )
    return views


def _denial(study: Study, reading: Interpretation, denied: str) -> tuple[Statement, str]:
    statement = next(s for s in study.statements if s.id == denied)
    taken = [
        argument_text(value)
        for value in arguments_of(study, reading, statement.argument or "")
        if value != statement.value
    ]
    return statement, ", ".join(dict.fromkeys(taken))


@dataclass(frozen=True)
class _Block:
    """Consecutive rows whose names share everything up to their first number."""

    before: str
    index: int | None
    rows: tuple[Row, ...]

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for blocks that differ in nothing but their number."""
        return self.before, tuple((_split(row)[2], *(row[c] for c in _COUNTS)) for row in self.rows)


def _split(row: Row) -> tuple[str, int | None, str]:
    match = _INDEXED.fullmatch(row["layer"])
    return (match["before"], int(match["index"]), match["after"]) if match else ("", None, "")


def folded(rows: list[Row]) -> list[LayerRow]:
    """The rows of one network, with runs of equal numbered blocks folded into one."""
    told = _folded(rows)
    pairs = pairwise(told)
    return told[:1] + [replace(row, idle=_is_idle(one.row, row.row)) for one, row in pairs]


def _is_idle(before: Row, row: Row) -> bool:
    sizes = [row[size] for size in _SIZE]
    if row["kind"] not in IDLE_KINDS or not any(sizes) or sizes != [before[s] for s in _SIZE]:
        return False
    return all(row[count] in ("", "0") for count in ("parameters", "macs", "connections"))


def _folded(rows: list[Row]) -> list[LayerRow]:
    blocks = [
        _Block(before, index, tuple(same))
        for (before, index), same in groupby(rows, key=lambda row: _split(row)[:2])
    ]
    result: list[LayerRow] = []
    for run in _runs(blocks):
        whole = len(run) < FEWEST or run[0].index is None
        result += [LayerRow(r["layer"], r) for b in run for r in b.rows] if whole else _rows_of(run)
    return result


def _runs(blocks: list[_Block]) -> Iterator[list[_Block]]:
    """Consecutive blocks of equal signature and ascending number."""
    run: list[_Block] = []
    for block in blocks:
        if run and not _follows(run[-1], block):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _follows(one: _Block, other: _Block) -> bool:
    if one.index is None or other.index != one.index + 1:
        return False
    return one.signature == other.signature


def _rows_of(run: list[_Block]) -> Iterator[LayerRow]:
    first, last = run[0], run[-1]
    for row in first.rows:
        name = f"{first.before}{first.index}…{last.index}{_split(row)[2]}"
        yield LayerRow(name, row, len(run))
