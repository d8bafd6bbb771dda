"""A whole table of a paper in one block: every cell is a claim.

Rows and columns are networks, layers or anything else that the paper sets side by side. What a cell
is a claim about comes from three places, the nearer first: its row, its column, the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from reconcile.study.yamlfile import (
    ID_PATTERN,
    Arguments,
    Counting,
    Expression,
    Id,
    Relation,
    Scale,
    Strict,
    Text,
    Within,
    printable,
    quoted_digits,
)
from reconcile.tables.contract import NETWORK, QUANTITIES

Place = tuple[str | int, ...]
Name = Annotated[str, StringConstraints(pattern=ID_PATTERN, max_length=60)]
Cell = (
    Annotated[
        str,
        BeforeValidator(quoted_digits),
        StringConstraints(max_length=60),
        AfterValidator(printable),
    ]
    | None
)
Kind = Literal["networks", "layers"]
BLANK = frozenset(("", "-", "–", "—"))
"""Cells that print no number."""
_TIMES = re.compile(r"\s*[x×]\s*")
_NAMED = {"networks": "network", "layers": "of"}
OF = "{of}"
"""In an expression, the layer or pattern that a cell is of."""


class CellKeys(Strict):
    """What a table, a row or a column says of the claims in its cells."""

    quantity: Expression | Annotated[list[Expression], Field(min_length=2, max_length=4)] | None = (
        Field(
            None,
            description='As in a claim, `{of}` in it for `of`; of cells like "13x12" one a side.',
        )
    )
    of: Text | None = Field(None, description="Layer or pattern; `network` when left out.")
    network: Id | None = Field(None, description="Which network of a reading that has several.")
    unit: Annotated[int | float, Field(ge=1e-30, le=1e30)] | None = Field(
        None, description="Unit of the last meaningful digit when it is not the last printed one."
    )
    unit_reason: Text | None = Field(None, description="Why that unit.")
    scale: Scale | None = Field(None, description='What the cells count in: million, "2^20".')
    zeros: Literal["open"] | None = Field(None, description="open: last zeros may be no digits.")
    zeros_reason: Text | None = Field(None, description="Why that may be.")
    relation: Relation | None = Field(None, description="As in a claim.")
    within: Within | None = Field(None, description="What `about` is taken to mean.")
    version: Text | None = Field(None, description="Which version of the paper prints it.")
    title: Text | None = Field(None, description="Short name of what is counted.")
    countings: list[Counting] | None = Field(
        None, description="As in a claim, `{of}` in them for `of`."
    )


class PrintedColumn(CellKeys):
    """One column of a table."""

    label: Text | None = Field(None, description="Its head as printed, where the name is not.")
    arguments: Arguments = Field(
        default_factory=dict, description="Of a column that is a network: its arguments."
    )


class PrintedRow(PrintedColumn):
    """One row of a table."""

    cells: list[Cell] = Field(description='The cells in quotes, in order; "" where there is none.')


class PrintedTable(CellKeys):
    """A whole table of a paper: its cells are claims `<table>.<row>.<column>`."""

    id: Name = Field(description="Identifier; the claims' ids begin with it.")
    quote: Annotated[Text, StringConstraints(max_length=1000)] = Field(
        description="The table's caption, or what it says, in the paper's words."
    )
    where: Text = Field(description="Number of the table.")
    rows_are: Kind | None = Field(None, description="What the rows are named after, if of these.")
    columns_are: Kind | None = Field(None, description="What the columns are named after.")
    columns: Annotated[dict[Name, PrintedColumn], Field(min_length=1)] = Field(
        description="Columns by name: a network, a layer, or a quantity; {} where that says all."
    )
    rows: Annotated[dict[Name, list[Cell] | PrintedRow], Field(min_length=1)] = Field(
        description="Rows by name: the cells, or keys with `cells` among them."
    )


Found = tuple[Place, dict[str, Any] | str]
"""A place in a table, and the keys of a claim there or what is wrong with it."""


def networks_in(table: PrintedTable) -> Iterator[tuple[Place, str, Arguments]]:
    """The networks that a table defines: where, the name and the arguments."""
    for axis in ("rows", "columns"):
        for name, entry in getattr(table, axis).items():
            if isinstance(entry, PrintedColumn) and entry.arguments:
                yield (axis, name), name, entry.arguments


def problems_in(table: PrintedTable) -> Iterator[tuple[Place, str]]:
    """Arguments of what is no network."""
    for place, _, _ in networks_in(table):
        if getattr(table, f"{place[0]}_are") != "networks":
            yield place, f"`arguments` are of a network; say `{place[0]}_are: networks`"


def claims_in(table: PrintedTable) -> Iterator[Found]:
    """The claims that a table makes, row by row, or what is wrong."""
    for name, entry in table.rows.items():
        row = entry if isinstance(entry, PrintedRow) else PrintedRow(cells=entry)
        if len(row.cells) != len(table.columns):
            told = f"has {len(row.cells)} cells, and the table {len(table.columns)} columns"
            yield ("rows", name), told
            continue
        place: Place = ("rows", name, "cells") if isinstance(entry, PrintedRow) else ("rows", name)
        cells = zip(row.cells, table.columns.items(), strict=True)
        for i, (cell, (column_name, column)) in enumerate(cells):
            if cell is not None and cell.strip() not in BLANK:
                for claim in _claims(table, (name, row), (column_name, column), cell):
                    yield (*place, i), claim


def _claims(
    table: PrintedTable, row: tuple[str, PrintedRow], column: tuple[str, PrintedColumn], cell: str
) -> Iterator[dict[str, Any] | str]:
    """The claim of one cell, or one for each of its sides."""
    (row_name, row_keys), (column_name, column_keys) = row, column
    keys = _named(table.columns_are, column_name) | _named(table.rows_are, row_name)
    for entry in (table, column_keys, row_keys):
        keys |= {k: v for k in CellKeys.model_fields if (v := getattr(entry, k)) is not None}
    heads = row_keys.label or row_name, column_keys.label or column_name
    keys |= {
        "id": f"{table.id}.{row_name}.{column_name}",
        "quote": f"{table.quote} [{', '.join(heads)}: {cell}]",
        "where": table.where,
    }
    named = [name for name in (column_name, row_name) if name in QUANTITIES]
    quantity = keys.get("quantity", named[0] if named else None)
    if quantity is None:
        known = ", ".join(QUANTITIES)
        yield f"no `quantity`: give one, or name the row or column after one of {known}"
    elif isinstance(quantity, str):
        yield _of_network(keys | {"quantity": quantity, "printed": cell})
    else:
        yield from _sides(keys, quantity, cell)


def _sides(
    keys: dict[str, Any], quantities: list[str], cell: str
) -> Iterator[dict[str, Any] | str]:
    """A claim for each side of a cell like "13x12"."""
    parts = _TIMES.split(cell.strip())
    if len(parts) != len(quantities) or not all(parts):
        told = " and ".join(quantities)
        yield f'"{cell}" is no {"x".join("n" * len(quantities))}; this cell states {told}'
        return
    for quantity, part in zip(quantities, parts, strict=True):
        if quantity not in QUANTITIES:
            yield f"of several, each is one of {', '.join(QUANTITIES)}, not {quantity!r}"
            return
        claim = keys | {"id": f"{keys['id']}.{quantity}", "quantity": quantity, "printed": part}
        yield _of_network(claim)


def _named(kind: Kind | None, name: str) -> dict[str, Any]:
    return {_NAMED[kind]: name} if kind else {}


def _of_network(keys: dict[str, Any]) -> dict[str, Any]:
    """A quantity of no layer is of the whole network; an expression says itself what it is of."""
    of = repr(keys.get("of", NETWORK))
    if "countings" in keys:
        counted = (
            c.model_copy(update={"count": c.count.replace(OF, of)}) for c in keys["countings"]
        )
        keys = keys | {"countings": list(counted)}
    if keys["quantity"] in QUANTITIES:
        return {"of": NETWORK} | keys
    if OF not in keys["quantity"]:
        return keys
    without = {key: value for key, value in keys.items() if key != "of"}
    return without | {"quantity": keys["quantity"].replace(OF, of)}
