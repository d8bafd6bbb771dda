"""What the report says about a sweep: how many combinations match how many claims, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconcile.report.read import Results
from reconcile.report.readings import argument_text
from reconcile.study.model import Source
from reconcile.study.plan import Combination, axes_by_effect, cells_of, values_of
from reconcile.tables.contract import FITS

MOST_BEST = 12
"""Combinations that the report lists; verdicts.csv holds all."""
MOST_GROUPS = 5
"""Numbers of matched claims that are told apart."""
MOST_VALUES = 8
"""Values of an axis that are written out."""


@dataclass(frozen=True)
class AxisView:
    """One argument that is swept: its meaning and its values, shortened when there are many."""

    name: str
    help: str
    values: str
    number: int


@dataclass(frozen=True)
class Best:
    """A combination worth naming, with its values in the order of the axes."""

    reading: str
    values: tuple[str, ...]
    matched: int
    claims: str


@dataclass(frozen=True)
class SweepView:
    """A sweep in a few lines.

    Attributes:
        title: what is swept.
        proposed_by: who proposed the grid.
        combinations: how many there are.
        claims: how many claims each could match.
        axes: what is swept.
        groups: how many combinations match how many claims, most claims first; ``fewer`` is how
            many match fewer than these.
        best: the combinations that match most, at most ``MOST_BEST``; none where none matches any.
        equally_good: how many match as many claims as the best.
    """

    title: str
    proposed_by: tuple[Source, ...]
    combinations: int
    claims: int
    axes: tuple[AxisView, ...]
    groups: tuple[tuple[int, int], ...]
    fewer: int
    best: tuple[Best, ...]
    equally_good: int


@dataclass(frozen=True)
class GridPicture:
    """A sweep seen along two axes, as it is drawn.

    Attributes:
        across, down: names of the axes.
        columns, rows: what stands beside them, a value or a range of values each.
        best: most claims that a combination of a cell matches, by (row, column).
        reached: how many of the cell's combinations match as many.
        held: how many combinations the cell holds.
        claims: how many claims there are.
        chosen: the cell of the reading that the study concludes on, if it is in the grid.
    """

    across: str
    down: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    best: Mapping[tuple[int, int], int]
    reached: Mapping[tuple[int, int], int]
    held: Mapping[tuple[int, int], int]
    claims: int
    chosen: tuple[int, int] | None


def sweep_view(results: Results) -> SweepView | None:
    """The sweep of a study; None where it has none."""
    sweep = results.study.sweep
    if sweep is None:
        return None
    fits = _fits(results)
    cells = _cells(results, fits)
    groups = Counter(cell.matched for cell in cells)
    most = max(groups)
    worth = _worth_naming(cells, groups)
    told = sorted(groups.items(), reverse=True)
    told = told if len(told) <= MOST_GROUPS else told[: MOST_GROUPS - 1]
    return SweepView(
        title=sweep.title,
        proposed_by=tuple(sweep.proposed_by),
        combinations=len(cells),
        claims=len(results.study.claims),
        axes=tuple(_axis(results, name) for name in sweep.axes),
        groups=tuple(told),
        fewer=len(cells) - sum(number for _, number in told),
        best=tuple(_best(results, cell, fits) for cell in worth),
        equally_good=groups[most],
    )


def _worth_naming(cells: Sequence[Combination], groups: Mapping[int, int]) -> list[Combination]:
    """The cells that match most claims, then those that match fewer as long as all of them fit."""
    found: list[Combination] = []
    for matched in sorted(groups, reverse=True):
        room = MOST_BEST - len(found)
        if not matched or (found and groups[matched] > room):
            break
        found += [cell for cell in cells if cell.matched == matched][:room]
    return found


def _fits(results: Results) -> dict[str, tuple[str, ...]]:
    """Claims that each interpretation matches."""
    found: dict[str, list[str]] = {}
    for row in results.table("verdicts"):
        if row["verdict"] in FITS:
            found.setdefault(row["interpretation"], []).append(row["claim"])
    return {reading: tuple(claims) for reading, claims in found.items()}


def _cells(results: Results, fits: Mapping[str, Sequence[str]]) -> list[Combination]:
    return cells_of(results.study, {reading: len(claims) for reading, claims in fits.items()})


def _axis(results: Results, name: str) -> AxisView:
    assert results.study.sweep is not None  # noqa: S101 - tells mypy what the caller checked
    values = [argument_text(v) for v in values_of(results.study.sweep.axes[name])]
    told = values
    if len(values) > MOST_VALUES:
        told = [*values[:3], "…", values[-1]]
    return AxisView(name, results.study.argument_help.get(name, ""), " · ".join(told), len(values))


def _best(results: Results, cell: Combination, fits: Mapping[str, tuple[str, ...]]) -> Best:
    values = tuple(argument_text(value) for value in cell.arguments.values())
    matched = fits.get(cell.reading, ())
    missed = [claim.id for claim in results.study.claims if claim.id not in matched]
    told = ", ".join(matched) or "–"
    if len(missed) < len(matched):
        told = f"all but {', '.join(missed)}" if missed else "all"
    return Best(cell.reading, values, cell.matched, told)


def picture_of(results: Results, most: int) -> GridPicture | None:
    """The sweep along two axes: those the study names, else the two that decide most.

    Args:
        results: the study and its results.
        most: rows and columns at most; more values than that are drawn in groups.
    """
    sweep = results.study.sweep
    cells = _cells(results, _fits(results))
    axes = axes_by_effect(results.study, cells)
    if sweep is None or len(axes) < 2:  # noqa: PLR2004 - a picture has two axes
        return None
    across, down = sweep.picture or axes[:2]
    columns, column_of = _bins(values_of(sweep.axes[across]), most)
    rows, row_of = _bins(values_of(sweep.axes[down]), most)
    places: dict[tuple[int, int], list[int]] = {}
    chosen = None
    for cell in cells:
        place = row_of[repr(cell.arguments[down])], column_of[repr(cell.arguments[across])]
        places.setdefault(place, []).append(cell.matched)
        chosen = place if cell.reading == results.chosen else chosen
    return GridPicture(
        across,
        down,
        columns,
        rows,
        {place: max(found) for place, found in places.items()},
        {place: found.count(max(found)) for place, found in places.items()},
        {place: len(found) for place, found in places.items()},
        len(results.study.claims),
        chosen,
    )


def _bins(values: Sequence[object], most: int) -> tuple[tuple[str, ...], dict[str, int]]:
    """Labels of at most ``most`` groups of neighbouring values, and the group of each value."""
    step = -(-len(values) // most)
    labels = []
    for start in range(0, len(values), step):
        told = [argument_text(v) for v in values[start : start + step]]  # type: ignore[arg-type]
        labels.append(told[0] if len(told) == 1 else f"{told[0]}–{told[-1]}")
    return tuple(labels), {repr(value): i // step for i, value in enumerate(values)}
