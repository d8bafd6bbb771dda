"""The picture of a sweep: over two axes, how many claims the best combination matches."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from reconcile.report.figures.svg import element, figure, label, paint, rect, width_of
from reconcile.report.sweep import GridPicture
from reconcile.words import count_of

TOP, GAP, FOOT = 52.0, 2.0, 36.0
TALL, NARROW_ROW = 44.0, 14.0
FEW = 12
"""Rows up to this many are tall enough for a second line of text."""
LEAST_FOR_NUMBER, LEAST_FOR_COUNT = 18.0, 58.0
FAINT, STRONG = 0.14, 0.5
"""Between these the shade grows with the matched claims; only all of them get the full colour."""


def draw_sweep(identifier: str, grid: GridPicture, width: float, css: str = "") -> Markup:
    """Draw a cell for every pair of values, the darker the more claims its best one matches."""
    left = min(max([width_of(row, 11) for row in grid.rows] + [width_of(grid.down, 12)]) + 14, 150)
    tall = TALL if len(grid.rows) <= FEW else NARROW_ROW
    step = (width - left) / len(grid.columns)
    bottom = TOP + tall * len(grid.rows)
    parts = [
        label(left, 14, grid.across, bold=True),
        label(0, TOP - 8, grid.down, bold=True),
        *_heads(grid, left, step),
        *(part for row in range(len(grid.rows)) for part in _row(grid, row, left, step, tall)),
        *_legend(grid, left, bottom + 16),
    ]
    return figure(identifier, _title(grid), (width, bottom + FOOT), parts, css)


def _title(grid: GridPicture) -> str:
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


def _row(grid: GridPicture, row: int, left: float, step: float, tall: float) -> Iterator[Markup]:
    top = TOP + tall * row
    every = max(1, -(-13 // int(tall)))
    if row % every == 0:
        yield label(left - 10, top + tall / 2 + 4, grid.rows[row], size=11, anchor="end")
    for column in range(len(grid.columns)):
        yield from _cell(grid, (row, column), left + step * column, top, (step, tall))


def _cell(
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


def _legend(grid: GridPicture, left: float, y: float) -> Iterator[Markup]:
    x = left
    some = sorted(n for n in {*grid.best.values()} if 0 < n < grid.claims)
    ends = dict.fromkeys([*some[:1], *some[-1:]])
    shades = [(n, f"{n} of {grid.claims}") for n in ends]
    for best, told in ((0, "no claim"), *shades, (grid.claims, "every claim")):
        yield _shade((x, y, 14, 12), best, grid)
        yield label(x + 19, y + 10, told, colour="muted", size=11)
        x += 33 + width_of(told, 11)
    if grid.chosen is not None:
        yield element("rect", x=x, y=y, width=13, height=12, stroke_width=2, **paint(stroke="ink"))
        yield label(x + 19, y + 10, "the conclusion", colour="muted", size=11)
