"""Cells of CSV tables that a spreadsheet shows as text, whatever a study wrote into them.

A cell that starts with ``=``, ``+``, ``-`` or ``@`` is a formula to a spreadsheet, and a formula
can fetch and run. Such text gets an apostrophe in front, as spreadsheets themselves mark text;
numbers stay numbers. Reading takes the apostrophe away again, so nothing is lost between stages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# White space in front is skipped by some programs, and the wide forms are read like the others.
_FORMULA = re.compile(r"'*[ \t\r\n]*[=+\-@＝＋－＠\t\r]")  # noqa: RUF001 - the wide forms are meant
_FIRST = frozenset("' \t\r\n=+-@＝＋－＠")  # noqa: RUF001
_NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)")


def written_cell(value: Any) -> Any:
    """A value as it stands in a table; text that would be a formula is marked as text."""
    # Most cells are numbers and ids: their first character settles it.
    if not isinstance(value, str) or value[:1] not in _FIRST:
        return value
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def read_cell(text: str) -> str:
    """The inverse of ``written_cell``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_row(row: Mapping[str, str]) -> dict[str, str]:
    """A row of a table by column, with what its cells say; a row that is cut short stays so."""
    return {column: cell and read_cell(cell) for column, cell in row.items()}
