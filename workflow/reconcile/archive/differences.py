"""Where two tables or two JSON values say different things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reconcile.archive.limits import ArchiveError, shown
from reconcile.tables.contract import FILES
from reconcile.tables.rows import same_value

Row = Mapping[str, str]


class Difference(NamedTuple):
    """One value that two sides disagree on; a side that lacks it has None."""

    where: str
    what: str
    one: str | None
    other: str | None

    def __str__(self) -> str:
        sides = (shown(side) if side is not None else "absent" for side in (self.one, self.other))
        return f"{shown(self.where)[1:-1]}: {self.what}: {' against '.join(sides)}"


def table_differences(
    name: str, one: Iterable[Row], other: Iterable[Row], columns: Sequence[str]
) -> Iterator[Difference]:
    """Cells in which two tables differ, by the key of the row; rows that only one has."""
    ours, theirs = _by_key(name, one), _by_key(name, other)
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        where = "/".join(key)
        if key not in ours or key not in theirs:
            sides = ("present", None) if key in ours else (None, "present")
            yield Difference(where, "row", *sides)
            continue
        for column in columns:
            cells = ours[key].get(column, ""), theirs[key].get(column, "")
            if not same_value(*cells):
                yield Difference(where, column, *cells)


def _by_key(name: str, rows: Iterable[Row]) -> dict[tuple[str, ...], Row]:
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row.get(column, "") for column in FILES[name].keys)
        if key in found:
            raise ArchiveError(f"{name} has two rows for {shown('/'.join(key))}")
        found[key] = row
    return found


def json_differences(one: Any, other: Any, place: str = "") -> Iterator[Difference]:
    """Leaves in which two JSON values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from json_differences(one.get(key), other.get(key), f"{place}.{key}".strip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, pair in enumerate(zip(one, other, strict=True)):
            yield from json_differences(*pair, f"{place}.{i}")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield Difference(place, "value", _text(one), _text(other))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def refuse(file: str, found: Iterable[Difference]) -> None:
    """Accept no difference between what an archive says and what follows from it.

    Raises:
        ArchiveError: the first difference, and how many there are.
    """
    every = list(found)
    if every:
        more = f" (and {len(every) - 1:,} more)" if len(every) > 1 else ""
        raise ArchiveError(f"{file}: {every[0]} recomputed{more}")
