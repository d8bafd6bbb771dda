"""Tables from an archive: read strictly, cell by cell, before anything is done with them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from reconcile.archiving.limits import ArchiveError, shown
from reconcile.cells import read_cell

__all__ = ["INTEGERS", "NUMBERS", "check_table", "parse_table", "same_value"]

MAX_ROWS = 2_000_000
INTEGERS = {
    *("channels", "height", "width", "neurons", "parameters", "macs", "conv_neurons", "positions"),
    *("seen", "window", "windows", "first", "last", "size", "zeros", "repeats"),
    *("peak_memory_bytes", "tried", "geometries", "connections"),
}
"""Columns of whole numbers, in whatever table."""
NUMBERS = {
    *("measured", "computed", "median_ms", "q1_ms", "q3_ms", "cost", "chance"),
    *("mean", "rms", "largest"),
}
"""Columns of numbers that need not be whole."""
WORDS = {
    "status": {
        *("measured", "measured-on-meta", "does-not-build", "does-not-run", "out-of-memory"),
        *("timed-out", "killed"),
    },
    "verdict": {
        *("matches", "matches-rounded", "matches-truncated", "contradicts", "explained-by-slip"),
        "not-measured",
    },
    "outcome": {"holds", "fails", "not-computed"},
    "device": {"cpu", "cuda"},
}
"""Columns that hold one of a few words."""
_INTEGER = re.compile(r"-?\d{1,30}")
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,3})?")


def parse_table(name: str, text: str) -> list[dict[str, str]]:
    """The rows of a CSV table by column name, every cell as text.

    Raises:
        ArchiveError: it has no header, a row of another length, or too many rows.
    """
    header, *rows = _lines(name, text)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _lines(name: str, text: str) -> Iterator[list[str]]:
    """The header and the rows, each of its length."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or not header:
            raise ArchiveError(f"{name} has no header, or one with a column twice")
        yield header
        for number, row in enumerate(reader, start=1):
            if len(row) != len(header) or number > MAX_ROWS:
                raise ArchiveError(f"{name}, row {number}: has {len(row)} cells of {len(header)}")
            yield list(map(read_cell, row))
    except csv.Error as error:
        raise ArchiveError(f"{name} is not valid CSV: {error}") from None


def check_table(name: str, text: str, needed: Sequence[str], *, exactly: bool) -> int:
    """Check columns and the form of every cell of a table of the contract.

    Args:
        name: the file's name without folders: "layers.csv".
        text: its content.
        needed: the columns that must be there.
        exactly: refuse any other column.

    Returns:
        The number of rows.

    Raises:
        ArchiveError: a column is missing or unknown, or a cell has not the column's form.
    """
    header, *rows = _lines(name, text)
    missing = [column for column in needed if column not in header]
    extra = [column for column in header if exactly and column not in needed]
    if missing or extra:
        what = "lacks the" if missing else "has the unknown"
        raise ArchiveError(f"{name} {what} column {shown((missing or extra)[0])}")
    for number, row in enumerate(rows, start=1):
        for column, cell in zip(header, row, strict=True):
            if not _fits(column, cell):
                raise ArchiveError(f"{name}, row {number}: {column} cannot be {shown(cell)}")
    return len(rows)


def _fits(column: str, cell: str) -> bool:
    if column in INTEGERS:
        return not cell or _INTEGER.fullmatch(cell) is not None
    if column in NUMBERS:
        # A network's output may be no number: nothing is wrong with the table then.
        return cell in ("", "nan", "inf", "-inf") or _NUMBER.fullmatch(cell) is not None
    return column not in WORDS or cell in WORDS[column]


def same_value(one: str, other: str) -> bool:
    """Whether two cells say the same: as text, or as numbers ("0.50" and "0.5")."""
    if one == other:
        return True
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return Fraction(one) == Fraction(other)
    return False
