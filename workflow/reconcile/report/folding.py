"""Fold layers that repeat, and find those that add nothing to the counts.

Forty-eight equal blocks are told once, not forty-eight times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from reconcile.tables.rows import Row

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
    return _with_idle(_folded(rows))


def _with_idle(rows: list[LayerRow]) -> list[LayerRow]:
    marked = [replace(row, idle=_is_idle(before.row, row.row)) for before, row in pairwise(rows)]
    return rows[:1] + marked


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
