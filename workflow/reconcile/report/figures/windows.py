"""The picture of the window that walks along a row: where it stops, what it never sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.svg import element, figure, label, paint, rect, width_of
from reconcile.report.figures.walks import Walk
from reconcile.words import count_of, listed

GAP = 44.0
"""Room for the mark between the two ends of a row."""
TITLE, CALLOUTS, NUMBERS, BAR = 22.0, 18.0, 14.0, 19.0
LARGEST_CELL = 16.0


def describe_walk(walk: Walk) -> str:
    """One sentence about where the windows stop and what they miss."""
    last = walk.windows - 1
    sentence = (
        f"{walk.windows} windows of {walk.size} pixels, {walk.stride} apart; the last "
        f"spans pixels {walk.starts[last]} to {walk.end(last)}"
    )
    return f"{sentence}{_consequence(walk)}."


def _consequence(walk: Walk) -> str:
    before, after = walk.zeros
    if walk.unseen:
        return f", and {_pixels(walk.unseen)} never seen"
    read = [
        f"{count_of(n, 'zero')} {side}" for n, side in ((before, "before"), (after, "after")) if n
    ]
    return f", reading {listed(read)} the row" if read else ", exactly the end of the row"


def _pixels(pixels: list[int]) -> str:
    if len(pixels) == 1:
        return f"pixel {pixels[0]} is"
    if pixels[-1] - pixels[0] == len(pixels) - 1:
        return f"pixels {pixels[0]} to {pixels[-1]} are"
    return f"{len(pixels)} pixels are"


@dataclass(frozen=True)
class _Strip:
    """One end of a row of pixels, drawn from ``x`` on with cells of a given size."""

    walk: Walk
    shown: tuple[int, ...]
    first: int
    last: int
    x: float
    cell: float

    def at(self, pixel: int) -> float:
        return self.x + (pixel - self.first) * self.cell

    @property
    def right(self) -> float:
        return self.at(self.last + 1)


def draw_windows(identifier: str, walks: list[Walk], width: float, css: str = "") -> Markup:
    """Draw one panel a walk, one below the other.

    Args:
        identifier: unique in the page.
        walks: what to draw.
        width: of the drawing, in pixels; the ends of a row stand side by side where they fit.
        css: class of the drawing.
    """
    parts: list[Markup] = []
    y = 0.0
    for walk in walks:
        panel, height = _panel(walk, y, width)
        parts += panel
        y += height
    title = " ".join(f"{', '.join(walk.readings)}: {describe_walk(walk)}" for walk in walks)
    return figure(identifier, title, (width, y), parts, css)


def _panel(walk: Walk, y: float, width: float) -> tuple[list[Markup], float]:
    heading = [
        label(0, y + 14, _fitting(walk.readings, width), bold=True, size=13),
    ]
    y += TITLE
    strips, stacked = _strips(walk, width)
    rows = max(len(strip.shown) for strip in strips)
    height = CALLOUTS + NUMBERS + strips[0].cell + 6 + rows * BAR + 14
    parts = heading
    for position, strip in enumerate(strips):
        parts += _draw_strip(strip, y + position * height * stacked)
    if len(strips) > 1 and not stacked:
        middle = y + CALLOUTS + NUMBERS + strips[0].cell / 2
        parts += _break(strips[0].right, strips[1].x, middle, walk)
    return parts, TITLE + height * (len(strips) if stacked else 1) + 8


def _fitting(readings: tuple[str, ...], width: float) -> str:
    """As many names as fit, and how many more there are."""
    for kept in range(len(readings), 0, -1):
        more = len(readings) - kept
        text = ", ".join(readings[:kept]) + (f" and {more} more" if more else "")
        if width_of(text, 13) <= width:
            return text
    return f"{len(readings)} readings"


def _strips(walk: Walk, width: float) -> tuple[list[_Strip], bool]:
    """Both ends of the row: side by side, or one below the other where the page is narrow."""
    half = max(walk.windows // 2, 1)
    left = tuple(i for i in walk.measured if i < half)
    right = tuple(i for i in walk.measured if i >= half)
    ranges = [(shown, *_range(walk, shown)) for shown in (left, right) if shown]
    columns = [last - first + 1 for _, first, last in ranges]
    stacked = (width - GAP) / sum(columns) < 11  # noqa: PLR2004 - the smallest readable cell
    room = width / max(columns) if stacked else (width - GAP) / sum(columns)
    cell = min(room, LARGEST_CELL)
    strips, x = [], 0.0
    for (shown, first, last), count in zip(ranges, columns, strict=True):
        strips.append(_Strip(walk, shown, first, last, x, cell))
        x += 0 if stacked else count * cell + GAP
    return strips, stacked


def _range(walk: Walk, shown: tuple[int, ...]) -> tuple[int, int]:
    """The pixels between the first and the last of some windows, and the image's own end."""
    first, last = walk.starts[shown[0]], walk.end(shown[-1])
    if shown[-1] == walk.windows - 1:
        last = max(last, walk.width - 1)
    return (min(first, 0) if shown[0] == 0 else first), last


def _break(left: float, right: float, y: float, walk: Walk) -> list[Markup]:
    middle = (left + right) / 2
    return [label(middle, y + 4, "· · ·", colour="muted", anchor="middle")]


def _draw_strip(strip: _Strip, y: float) -> list[Markup]:
    cells = y + CALLOUTS + NUMBERS
    unseen = set(strip.walk.unseen)
    pixels = range(strip.first, strip.last + 1)
    parts = [_cell(strip, pixel, cells, pixel in unseen) for pixel in pixels]
    parts += _numbers(strip, cells - 5)
    parts += _callouts(strip, y + 11)
    for row, index in enumerate(strip.shown):
        parts += _bar(strip, index, cells + strip.cell + 6 + row * BAR)
    return parts


def _cell(strip: _Strip, pixel: int, y: float, unseen: bool) -> Markup:
    outside = not 0 <= pixel < strip.walk.width
    fill, stroke = (
        ("bad", "bad") if unseen else ("paper", "muted") if outside else ("soft", "paper")
    )
    return rect(
        strip.at(pixel) + 0.5,
        y + 0.5,
        strip.cell - 1,
        strip.cell - 1,
        **paint(fill=fill, stroke=stroke),
        stroke_dasharray="2 2" if outside else None,
    )


def _numbers(strip: _Strip, y: float) -> Iterator[Markup]:
    """The numbers of the pixels where something begins or ends, as many as have room."""
    walk = strip.walk
    ends = [p for p in (0, walk.width - 1) if strip.first <= p <= strip.last]
    wanted = [*ends, *(walk.starts[i] for i in strip.shown), walk.end(strip.shown[-1])]
    taken: list[float] = []
    for pixel in wanted:
        x = strip.at(pixel) + strip.cell / 2
        room = width_of(str(pixel), 10) + 5
        if strip.first <= pixel <= strip.last and all(abs(x - other) >= room for other in taken):
            taken.append(x)
            yield label(
                x, y, str(pixel).replace("-", "−"), colour="muted", size=10, anchor="middle"
            )


def _callouts(strip: _Strip, y: float) -> Iterator[Markup]:
    """What is remarkable here: pixels that are never seen, zeros that are read."""
    walk = strip.walk
    edges = [p for p in walk.unseen if p >= walk.end(-1) and strip.first <= p <= strip.last]
    if edges:
        text = f"{_pixels(edges)} never seen"
        yield from _callout(strip, (edges[0], edges[-1]), text, "bad", y)
    before, after = walk.zeros
    if before and strip.first < 0:
        text = count_of(before, "zero")
        yield from _callout(strip, (strip.first, -1), text, "accent", y)
    if after and strip.last >= walk.width:
        text = f"{count_of(after, 'zero')} read"
        yield from _callout(strip, (walk.width, strip.last), text, "accent", y)


def _callout(
    strip: _Strip, pixels: tuple[int, int], text: str, colour: str, y: float
) -> Iterator[Markup]:
    """A remark above some pixels, kept within the strip."""
    x, anchor = (strip.at(pixels[0]) + strip.at(pixels[1] + 1)) / 2, "middle"
    half = width_of(text, 12) / 2
    if x - half < strip.x:
        x, anchor = strip.at(pixels[0]), "start"
    elif x + half > strip.right:
        x, anchor = strip.right, "end"
    yield label(x, y, text, colour=colour, bold=True, anchor=anchor)


def _bar(strip: _Strip, index: int, y: float) -> Iterator[Markup]:
    """One window: a bar below the pixels that it spans."""
    walk = strip.walk
    last = index == walk.windows - 1
    left = strip.at(walk.starts[index])
    width = walk.size * strip.cell
    fill, ink = ("accent", "paper") if last else ("wash", "ink")
    yield rect(left, y, width, BAR - 4, rx=3, **paint(fill=fill))
    yield from _bar_label(index, walk, (left, y, width), ink)


def _bar_label(
    index: int, walk: Walk, box: tuple[float, float, float], ink: str
) -> Iterator[Markup]:
    left, y, width = box
    start = str(walk.starts[index]).replace("-", "−")
    for text in (
        f"window {index}: pixels {start} to {walk.end(index)}",
        f"window {index}",
        str(index),
    ):
        if width_of(text, 11) <= width - 6:
            middle = left + width / 2
            yield element("g", label(middle, y + 11.5, text, colour=ink, size=11, anchor="middle"))
            return
