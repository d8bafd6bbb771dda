"""Tables as pandas frames, each column of the type that the contract gives it.

Whole numbers are ``Int64`` (missing ones are ``pd.NA``), or Python's own where one needs more than
64 bits. Other numbers are ``fractions.Fraction``, so that what was written is what is compared, and
None where there is none. All else is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.files import write_text
from reconcile.tables.contract import FILES, head_of
from reconcile.tables.rows import number_text, read_cell, read_lines, written_cell

_LARGEST = 2**63


def read_table(file: Path) -> pd.DataFrame:
    """Read one table of the contract.

    Raises:
        InputError: the file is missing, is no CSV, or has other columns than the contract.
    """
    known, (_, rows) = FILES[file.name].columns, read_lines(file)
    columns = zip(*rows, strict=True) if rows else ([] for _ in known)
    return pd.DataFrame(
        {
            column.name: _typed(list(map(read_cell, cells)), column.type)
            for column, cells in zip(known, columns, strict=True)
        }
    )


def _typed(cells: list[str], kind: str) -> pd.Series[Any]:
    if kind == "integer":
        numbers = [int(cell) if cell else None for cell in cells]
        large = any(number is not None and abs(number) >= _LARGEST for number in numbers)
        return pd.Series(numbers, dtype="object" if large else "Int64")
    if kind == "number":
        return pd.Series([_number(cell) for cell in cells], dtype="object")
    return pd.Series(cells, dtype="str")


def _number(cell: str) -> Fraction | float | None:
    """Exactly what stands there; an output that is no number has no exact value."""
    try:
        return Fraction(cell) if cell else None
    except ValueError:
        return float(cell)


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of the contract as text, from rows by column name; missing cells are empty."""
    head = head_of(name)
    return pd.DataFrame(
        [[_cell(row.get(column)) for column in head] for row in rows],
        columns=list(head),
        dtype=str,
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return number_text(value) if isinstance(value, Fraction) else str(value)


def rows_of(content: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a table, one after the other, by column name."""
    # Lists first: numbers are then Python's own, which never overflow.
    columns = [content[name].tolist() for name in content.columns]
    return (dict(zip(content.columns, row, strict=True)) for row in zip(*columns, strict=True))


def write_table(folder: Path, name: str, content: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    cells = content.map(written_cell)
    write_text(folder / name, cells.to_csv(index=False, lineterminator="\n"))
