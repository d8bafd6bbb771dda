"""Tables row by row: written as they come, read strictly, every cell the text it is.

A cell that starts with ``=``, ``+``, ``-`` or ``@`` is a formula to a spreadsheet, and a formula
can fetch and run. Such text gets an apostrophe in front, as spreadsheets themselves mark text;
numbers stay numbers. Reading takes the apostrophe away again, so nothing is lost between stages.

Needs no pandas, so that a host that only measures can write tables and anybody can read them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.files import not_written
from reconcile.tables.contract import Column, head_of

Row = dict[str, str]

SIGNIFICANT_DIGITS = 10
"""Digits kept of a number that is not whole (a share, a ratio)."""
# White space in front is skipped by some programs, and the wide forms are read like the others.
_FORMULA = re.compile(r"'*[ \t\r\n]*[=+\-@＝＋－＠\t\r]")  # noqa: RUF001 - the wide forms are meant
_FIRST = frozenset("' \t\r\n=+-@＝＋－＠")  # noqa: RUF001
_NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)")
_INTEGER = re.compile(r"-?\d{1,30}")
_MEASURED = re.compile(r"-?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,3})?")


class TableError(ValueError):
    """A table is no CSV, or a row or cell has not its form; ``str()`` is one line."""


def written_cell(value: Any) -> Any:
    """A value as it stands in a table; text that would be a formula is marked as text."""
    # Most cells are numbers and ids: their first character settles it.
    if not isinstance(value, str) or value[:1] not in _FIRST:
        return value
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def read_cell(text: str) -> str:
    """The inverse of ``written_cell``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def number_text(value: Fraction) -> str:
    """A plain number for machines: whole numbers in full, others to ten significant digits."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.{SIGNIFICANT_DIGITS}g}"


class Csv:
    """A table that is written row by row, so that memory stays flat however long it gets.

    Args:
        file: where it is written.
        columns: its columns, in order.
        target: the file that faults name, when ``file`` only takes its place in the end.
    """

    def __init__(self, file: Path, columns: Sequence[str], target: Path | None = None) -> None:
        self.target, self.columns = target or file, columns
        self._stream = file.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(columns)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows given by column name; a missing or None value is an empty cell."""
        try:
            self._writer.writerows(
                [written_cell(row.get(column)) for column in self.columns] for row in rows
            )
        except OSError as error:
            raise not_written(self.target, error) from error

    def close(self) -> None:
        """Flush and close; once is enough."""
        try:
            self._stream.close()
        except OSError as error:
            raise not_written(self.target, error) from error


def lines_of(name: str, stream: Iterable[str]) -> Iterator[list[str]]:
    """The header of a table, then its rows, each of the header's length.

    Raises:
        TableError: it has no header, a column twice, a row of another length, or is no CSV.
    """
    reader = csv.reader(stream, strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or not header:
            raise TableError(f"{name} has no header, or one with a column twice")
        yield header
        for number, row in enumerate(reader, start=1):
            if len(row) != len(header):
                raise TableError(f"{name}, row {number}: has {len(row)} cells of {len(header)}")
            yield row
    except (csv.Error, UnicodeDecodeError) as error:
        raise TableError(f"{name} is not valid CSV: {error}") from None


def read_rows(file: Path, readings: Container[str] | None = None) -> list[Row]:
    """The rows of a table of the contract: all, or those of some interpretations.

    Raises:
        InputError: the file is missing, is no CSV, or has other columns than the contract.
    """
    header, cells = read_lines(file)
    chosen = cells if readings is None else (row for row in cells if row[0] in readings)
    return [dict(zip(header, map(read_cell, row), strict=True)) for row in chosen]


def grouped_by(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    """The rows by their values in some columns, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


def read_lines(file: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table of the contract as they stand in the file.

    Raises:
        InputError: as ``read_rows``.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            header, *rows = lines_of(file.name, stream)
    except TableError as error:
        raise InputError.of(file, f"cannot be read: {error}") from None
    except OSError as error:
        raise InputError.of(file, f"cannot be read: {error.strerror}") from None
    wanted = head_of(file.name)
    if tuple(header) != wanted:
        raise InputError(Fault(file, 1, "", f"must have the columns {', '.join(wanted)}"))
    return header, rows


def fits(column: Column, cell: str) -> bool:
    """Whether a cell has the form of its column; an empty one always has."""
    if not cell:
        return True
    if column.type == "integer":
        return _INTEGER.fullmatch(cell) is not None
    if column.type == "number":
        # A network's output may be no number: nothing is wrong with the table then.
        return cell in ("nan", "inf", "-inf") or _MEASURED.fullmatch(cell) is not None
    return column.type != "word" or cell in column.words


def same_value(one: str, other: str) -> bool:
    """Whether two cells say the same: as text, or as numbers ("0.50" and "0.5")."""
    if one == other:
        return True
    if _MEASURED.fullmatch(one) and _MEASURED.fullmatch(other):
        return Fraction(one) == Fraction(other)
    return False
