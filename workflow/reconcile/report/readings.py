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

MOST_ROWS = 700
"""Rows of layer tables in a page; what is beyond is in layers.csv."""
MOST_ON_PAPER, MOST_FURTHER = 120, 60
"""Rows of layer tables on paper: of the first network of the reading that the study concludes on,
and of it together with others."""
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
    """One measured network of a reading.

    Attributes:
        name: the network's name in its reading.
        arguments: what it was built with.
        layers: its rows, folded.
        told: whether the page has room for its layers.
        on_paper: whether paper has, if its reading is the one of which paper shows them.
        as_of: an earlier reading that has a network of this name with the same layers.
        total: its row of totals.csv.
    """

    name: str
    arguments: Mapping[str, Argument]
    layers: tuple[LayerRow, ...]
    told: bool
    on_paper: bool
    as_of: str
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
    told_of: dict[tuple[object, ...], str] = {}
    layers = grouped_by(results.table("layers"), "interpretation", "network")
    totals = grouped_by(results.table("totals"), "interpretation", "network")
    for entry in results.shown(most):
        reading = by_id[entry["interpretation"]]
        networks, on_paper = list[NetworkView](), 0
        for name, arguments in networks_of(results.study, reading).items():
            place = reading.id, name
            rows, (total, *_) = tuple(folded(layers.get(place, []))), totals.get(place, [{}])
            counts = (name, *map(_counts_of, rows))
            as_of = told_of.get(counts, "")
            told = not as_of and len(rows) <= room
            room -= len(rows) if told else 0
            on_paper += sum(not row.idle for row in rows)
            most_on_paper = MOST_FURTHER if networks else MOST_ON_PAPER
            printed = on_paper <= most_on_paper
            if told:
                told_of[counts] = reading.id
            networks.append(NetworkView(name, arguments, rows, told, printed, as_of, total))
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


def _counts_of(layer: LayerRow) -> tuple[object, ...]:
    """Everything that a layer table shows of a row."""
    return layer.name, layer.times, *(layer.row[column] for column in (*_COUNTS, "connections"))


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
