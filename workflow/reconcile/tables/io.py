"""Read and write the tables of ``results/<study>/`` with pandas.

Cells stay the text they are: counts exceed what a float can hold exactly, and a printed "60
million" is no number at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.errors import Fault, InputError
from reconcile.files import write_text
from reconcile.tables.cells import read_cell, written_cell
from reconcile.tables.contract import TABLES

SIGNIFICANT_DIGITS = 10
"""Digits kept of a number that is not whole (a share, a ratio)."""


def read_table(file: Path) -> pd.DataFrame:
    """Read one table, every cell as text, empty cells as "".

    Raises:
        InputError: the file is missing, is no CSV, or has other columns than the contract.
    """
    try:
        found = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(Fault(file, 0, "", f"cannot be read: {reason}")) from None
    wanted = list(TABLES.get(file.name, found.columns))
    if list(found.columns) != wanted:
        raise InputError(Fault(file, 1, "", f"must have the columns {', '.join(wanted)}"))
    return found.map(read_cell)


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of the contract from rows; missing cells are empty."""
    return pd.DataFrame(
        [[_cell(row.get(column)) for column in TABLES[name]] for row in rows],
        columns=list(TABLES[name]),
        dtype=str,
    )


def write_table(folder: Path, name: str, content: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    cells = content.map(written_cell)
    write_text(folder / name, cells.to_csv(index=False, lineterminator="\n"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return number_text(value) if isinstance(value, Fraction) else str(value)


def number_text(value: Fraction) -> str:
    """A plain number for machines: whole numbers in full, others to ten significant digits."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.{SIGNIFICANT_DIGITS}g}"
