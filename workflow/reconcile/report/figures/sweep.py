"""A sweep in the report: how many combinations match how many claims, which, and a picture of it.

The picture shows over two axes how many claims the best combination matches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.judge.reconciliation import MOST_BEST
from reconcile.report.figures import Drawing, label, paint, rect, width_of
from reconcile.report.views import Results
from reconcile.study.model import Axis, Source
from reconcile.study.plan import (
    Combination,
    axes_by_effect,
    axis_in_words,
    cells_of,
    values_of,
)
from reconcile.study.yamlfile import Argument
from reconcile.words import argument_text, count_of

MOST_GROUPS = 5
"""Numbers of matched claims that are told apart."""
MOST_VALUES = 8
"""Values of an axis that are written out."""
TOP, GAP, FOOT = 52.0, 2.0, 36.0
LEGEND_LINE = 18.0
"""What a second line of the legend takes, where a phone has no room for one."""
TALL, NARROW_ROW = 44.0, 14.0
FEW = 12
"""Rows up to this many are tall enough for a second line of text."""
LEAST_FOR_NUMBER, LEAST_FOR_COUNT = 18.0, 58.0
FAINT, STRONG = 0.14, 0.5
"""Between these the shade grows with the matched claims; only all of them get the full colour."""
MOST_COUNTED = 9
"""Columns up to which a cell has room for how many of its combinations are as good."""
MOST_CELLS = 60
"""Rows and columns at most; more values are drawn in groups."""


@dataclass(frozen=True)
class AxisView:
    """One argument that is swept: its meaning and its values, shortened when there are many."""

    name: str
    help: str
    values: str
    number: int


@dataclass(frozen=True)
class BestView:
    """A combination worth naming, with its values in the order of the axes."""

    reading: str
    values: tuple[str, ...]
    matched: int
    judged: int
    claims: str
    excluded_by: tuple[str, ...]


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
    best: tuple[BestView, ...]
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
    every = [*results.reconciliation["ranking"], *results.reconciliation["combinations"]]
    against = {entry["interpretation"]: tuple(entry["excluded_by"]) for entry in every}
    fits, judged, cells = results.matched(), results.judged(), _combinations(results)
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
        axes=tuple(_axis(results, name, axis) for name, axis in sweep.axes.items()),
        groups=tuple(told),
        fewer=len(cells) - sum(number for _, number in told),
        best=tuple(
            BestView(
                reading=cell.reading,
                values=tuple(argument_text(value) for value in cell.arguments.values()),
                matched=cell.matched,
                judged=judged.get(cell.reading, 0),
                claims=_claims_told(results, fits.get(cell.reading, [])),
                excluded_by=against.get(cell.reading, ()),
            )
            for cell in worth
        ),
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


def _axis(results: Results, name: str, axis: Axis) -> AxisView:
    values = [argument_text(value) for value in values_of(axis)]
    told = values if len(values) <= MOST_VALUES else [*values[:3], "…", values[-1]]
    meaning = results.study.argument_help.get(name.rpartition(".")[2], "")
    return AxisView(axis_in_words(name), meaning, " · ".join(told), len(values))


def _claims_told(results: Results, matched: Sequence[str]) -> str:
    """The matched claims, or those that are not where these are fewer."""
    missed = [claim.id for claim in results.study.claims if claim.id not in matched]
    if len(missed) < len(matched):
        return f"all but {', '.join(missed)}" if missed else "all"
    return ", ".join(matched) or "–"


def sweep_figure(results: Results) -> Drawing | None:
    """A cell for every pair of values, the darker the more claims its best combination matches."""
    grid = _picture(results)
    if grid is None:
        return None
    caption = (
        f"How many of {count_of(grid.claims, 'claim')} the best combination matches that has the "
        f"{grid.across} at the head of the column and the {grid.down} at the left of the row."
    )
    if max(grid.held.values()) > 1 and len(grid.columns) <= MOST_COUNTED:
        caption += " Small numbers: how many combinations of the cell match as many."
    return Drawing("sweep", caption, _grid_in_words(grid), lambda width: draw_grid(grid, width))


def _picture(results: Results) -> GridPicture | None:
    """The sweep along two axes: those the study names, else the two that decide most."""
    sweep = results.study.sweep
    cells = _combinations(results)
    axes = axes_by_effect(results.study, cells)
    if sweep is None or len(axes) < 2:  # noqa: PLR2004 - a picture has two axes
        return None
    across, down = sweep.picture or axes[:2]
    columns, column_of = _bins(values_of(sweep.axes[across]))
    rows, row_of = _bins(values_of(sweep.axes[down]))
    places: dict[tuple[int, int], list[int]] = {}
    chosen = None
    for cell in cells:
        place = row_of[repr(cell.arguments[down])], column_of[repr(cell.arguments[across])]
        places.setdefault(place, []).append(cell.matched)
        chosen = place if cell.reading == results.chosen else chosen
    return GridPicture(
        axis_in_words(across),
        axis_in_words(down),
        columns,
        rows,
        {place: max(found) for place, found in places.items()},
        {place: found.count(max(found)) for place, found in places.items()},
        {place: len(found) for place, found in places.items()},
        len(results.study.claims),
        chosen,
    )


def _combinations(results: Results) -> list[Combination]:
    """Every combination with the number of claims that it matches."""
    matched = {reading: len(claims) for reading, claims in results.matched().items()}
    return cells_of(results.study, matched)


def _bins(values: Sequence[Argument]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Labels of ``MOST_CELLS`` groups of neighbouring values at most, and the group of each."""
    step = -(-len(values) // MOST_CELLS)
    labels = []
    for start in range(0, len(values), step):
        told = [argument_text(v) for v in values[start : start + step]]
        labels.append(told[0] if len(told) == 1 else f"{told[0]}–{told[-1]}")
    return tuple(labels), {repr(value): i // step for i, value in enumerate(values)}


def draw_grid(grid: GridPicture, width: float) -> tuple[float, list[Markup]]:
    """The height and the parts of the picture, at this width."""
    left = min(max([width_of(row, 11) for row in grid.rows] + [width_of(grid.down, 12)]) + 14, 150)
    tall = TALL if len(grid.rows) <= FEW else NARROW_ROW
    step = (width - left) / len(grid.columns)
    bottom = TOP + tall * len(grid.rows)
    legend, end = _grid_legend(grid, left, bottom + 16, width)
    parts = [
        label(left, 14, grid.across, bold=True),
        label(0, TOP - 8, grid.down, bold=True),
        *_heads(grid, left, step),
        *(part for row in range(len(grid.rows)) for part in _grid_row(grid, row, left, step, tall)),
        *legend,
    ]
    return end + FOOT - 16, parts


def _grid_in_words(grid: GridPicture) -> str:
    most = max(grid.best.values())
    where = [place for place, best in grid.best.items() if best == most]
    start = (
        f"Claims matched over {grid.across} and {grid.down}, of {count_of(grid.claims, 'claim')}. "
        f"The most is {most}"
    )
    if len(where) > 1:
        return f"{start}, in {len(where)} of {len(grid.best)} cells."
    row, column = where[0]
    at = f"{grid.across} {grid.columns[column]} and {grid.down} {grid.rows[row]}"
    return f"{start}, in one cell only: {at}."


def _heads(grid: GridPicture, left: float, step: float) -> Iterator[Markup]:
    widest = max(width_of(column, 11) for column in grid.columns) + 8
    every = max(1, -(-int(widest) // max(int(step), 1)))
    for i in range(0, len(grid.columns), every):
        x = left + step * (i + 0.5)
        yield label(x, TOP - 8, grid.columns[i], colour="muted", size=11, anchor="middle")


def _grid_row(
    grid: GridPicture, row: int, left: float, step: float, tall: float
) -> Iterator[Markup]:
    top = TOP + tall * row
    every = max(1, -(-13 // int(tall)))
    if row % every == 0:
        yield label(left - 10, top + tall / 2 + 4, grid.rows[row], size=11, anchor="end")
    for column in range(len(grid.columns)):
        yield from _grid_cell(grid, (row, column), left + step * column, top, (step, tall))


def _grid_cell(
    grid: GridPicture, place: tuple[int, int], x: float, y: float, size: tuple[float, float]
) -> Iterator[Markup]:
    if place not in grid.best:
        return
    gap = min(GAP, size[0] / 6)
    wide, tall = size[0] - gap, size[1] - min(GAP, size[1] / 6)
    best = grid.best[place]
    yield _shade((x, y, wide, tall), best, grid)
    if place == grid.chosen:
        edge = paint(stroke="ink")
        yield rect(x + 1, y + 1, max(wide - 2, 1), tall - 2, stroke_width=2, **edge)
    colour = "paper" if best == grid.claims else "ink" if best else "muted"
    middle = x + wide / 2
    two_lines = grid.held[place] > 1 and wide >= LEAST_FOR_COUNT and tall > LEAST_FOR_NUMBER * 2
    if wide >= LEAST_FOR_NUMBER and tall >= LEAST_FOR_NUMBER:
        base = y + tall / 2 + (-1 if two_lines else 4)
        yield label(middle, base, str(best), colour=colour, bold=bool(best), anchor="middle")
    if two_lines:
        told = f"{grid.reached[place]:,} of {grid.held[place]:,}"
        yield label(middle, y + tall / 2 + 14, told, colour=colour, size=10, anchor="middle")


def _shade(box: tuple[float, float, float, float], best: int, grid: GridPicture) -> Markup:
    x, y, wide, tall = box
    if best in (0, grid.claims):
        return rect(x, y, wide, tall, rx=2, **paint(fill="accent" if best else "wash"))
    found = sorted(n for n in {*grid.best.values()} if 0 < n < grid.claims)
    part = (best - found[0]) / (found[-1] - found[0]) if len(found) > 1 else 0.5
    opacity = f"{FAINT + (STRONG - FAINT) * part:.2f}"
    return rect(x, y, wide, tall, rx=2, fill_opacity=opacity, **paint(fill="accent"))


def _grid_legend(
    grid: GridPicture, left: float, y: float, width: float
) -> tuple[list[Markup], float]:
    """What the shades mean, in as many lines as the width asks for, and where the last begins."""
    some = sorted(n for n in {*grid.best.values()} if 0 < n < grid.claims)
    ends = dict.fromkeys([*some[:1], *some[-1:]])
    shades = [(n, f"{n} of {grid.claims}") for n in ends]
    entries: list[tuple[int | None, str]] = [(0, "no claim"), *shades]
    entries.append((grid.claims, "every claim"))
    if grid.chosen is not None:
        entries.append((None, "the conclusion"))
    parts, x = [], left
    for best, told in entries:
        if x > left and x + 19 + width_of(told, 11) > width:
            x, y = left, y + LEGEND_LINE
        if best is None:
            parts.append(rect(x, y, 13, 12, stroke_width=2, **paint(stroke="ink")))
        else:
            parts.append(_shade((x, y, 14, 12), best, grid))
        parts.append(label(x + 19, y + 10, told, colour="muted", size=11))
        x += 33 + width_of(told, 11)
    return parts, y
