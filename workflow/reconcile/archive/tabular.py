"""Tables from an archive: read strictly, cell by cell, before anything is done with them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reconcile.archive.limits import ArchiveError, shown
from reconcile.tables.contract import FILES
from reconcile.tables.rows import Row, TableError, fits, lines_of, parse_rows, read_cell

MAX_ROWS = 2_000_000


def parse_table(name: str, text: str) -> list[Row]:
    """The rows of a CSV table by column name, every cell as text.

    Raises:
        ArchiveError: it has no header, a row of another length, or too many rows.
    """
    if text.count("\n") > MAX_ROWS:
        raise ArchiveError(f"{name} has more than {MAX_ROWS:,} rows")
    try:
        return parse_rows(name, text)
    except TableError as error:
        raise ArchiveError(str(error)) from None


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
    try:
        header, *rows = lines_of(name, io.StringIO(text, newline=""))
    except TableError as error:
        raise ArchiveError(str(error)) from None
    known = {column.name: column for column in FILES[name].columns}
    missing = [column for column in needed if column not in header]
    extra = [column for column in header if exactly and column not in needed]
    if missing or extra:
        what = "lacks the" if missing else "has the unknown"
        raise ArchiveError(f"{name} {what} column {shown((missing or extra)[0])}")
    columns = [known.get(column) for column in header]
    for number, row in enumerate(rows, start=1):
        for column, cell in zip(columns, row, strict=True):
            if column is not None and not fits(column, read_cell(cell)):
                raise ArchiveError(f"{name}, row {number}: {column.name} cannot be {shown(cell)}")
    return len(rows)
