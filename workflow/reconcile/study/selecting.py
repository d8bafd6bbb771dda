"""Which rows of ``layers.csv`` an expression speaks of, and the number that stands in one.

Rows come from a table or from a network that was measured this moment: what they are asked is the
same. An empty cell is text without a character, None, or what a library of tables puts there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from reconcile.study.expressions import ExpressionError, UnknownNameError
from reconcile.tables.contract import NETWORK, QUANTITIES, summed

Row = dict[str, Any]
OF_KIND, OF_CLASS = "kind:", "class:"
"""Select the layers of a kind (also where a layer is called so), or a class of torch.nn."""


def selected(rows: Mapping[str, Row], selector: str) -> list[Row]:
    """The rows of a layer by one of its names, of all that a pattern matches, of a kind or a class.

    Raises:
        UnknownNameError: there is none.
    """
    if selector in rows:
        return [rows[selector]]
    found = [row for row in rows.values() if _is_called(row, selector)]
    if not found:
        kind = selector.removeprefix(OF_KIND)
        found = [row for row in rows.values() if row["kind"] == kind]
    if not found and selector.startswith(OF_CLASS):
        wanted = selector.removeprefix(OF_CLASS)
        found = [row for row in rows.values() if row.get("class") == wanted]
    if not found:
        raise UnknownNameError(f"there is no layer {selector!r}; there are: {', '.join(rows)}")
    return found


def refuse_several(name: str, column: str, selector: str, rows: list[Row]) -> None:
    """Refuse to add up what only one layer has.

    Raises:
        ExpressionError: several rows are asked for it.
    """
    if QUANTITIES[column].total is None and len(rows) > 1:
        raise ExpressionError(f"{name}({selector!r}) is of one layer, but {len(rows)} match")


def number_in(row: Row, column: str, layer: str) -> Fraction:
    """The number in a cell.

    Raises:
        UnknownNameError: it is empty.
    """
    value = row.get(column)
    if not isinstance(value, int | float | Fraction | str) or value == "":
        whole = column.startswith("receptive_field") and row.get("sees_all")
        why = f", which sees all of its input ({whole})" if whole else ""
        raise UnknownNameError(f"{column} does not apply to {layer!r}{why}")
    return Fraction(value)


def count_in(row: Row, column: str) -> int:
    """The count in a cell; none where it is empty."""
    value = row.get(column)
    known = isinstance(value, int | float | Fraction | str) and value != ""
    return int(value) if known else 0  # type: ignore[arg-type]


def total_of(rows: Iterable[Row], column: str) -> int:
    """A network's total of its layers' rows, as totals.csv has it.

    Raises:
        UnknownNameError: only a layer has such a number.
    """
    sums = {total.name: source for total, source in summed()}
    if column not in sums:
        raise UnknownNameError(f"{column} does not apply to {NETWORK!r}")
    source, kinds = sums[column]
    return sum(count_in(row, source) for row in rows if not kinds or row["kind"] in kinds)


def with_own_parts(tensors: list[Row], parts: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of ``tensors.csv`` with the parts that a study names besides.

    Args:
        tensors: the rows of one network.
        parts: patterns of layers, or of ``layer.tensor``, by part.
    """
    if not parts:
        return tensors
    return [row | {"parts": " ".join([row["parts"], *_own_parts(row, parts)])} for row in tensors]


def _own_parts(row: Row, parts: Mapping[str, Sequence[str]]) -> list[str]:
    names = row["layer"], f"{row['layer']}.{row['tensor']}"
    return [
        part
        for part, patterns in parts.items()
        if any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
    ]


def _is_called(row: Row, pattern: str) -> bool:
    names = (row["layer"], *row.get("also", "").split())
    return any(fnmatchcase(name, pattern) for name in names)
