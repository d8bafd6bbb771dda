"""The picture of input coverage: the image, what is never seen of it, what is read beyond it."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from reconcile.report.figures.svg import Drawing, coordinate, element, label, paint, rect, width_of
from reconcile.report.figures.windows import Walk, all_walks
from reconcile.report.read import Results
from reconcile.words import count_of

SIDE, EDGE = 78.0, 5.0
"""Side of the drawn image, and of a single pixel at its edge: edges are drawn too wide."""
MOST = 8
"""Pixels beyond either end that can be drawn."""
MOST_WALKS = 12
"""Images that are drawn: as many as a page of paper holds."""
MOST_NAMES = 8
"""Lines of names above an image; there may be hundreds of readings."""
NAME, LINE = 15.0, 14.0


def coverage_figure(results: Results) -> Drawing | None:
    """A small image for each walk whose missed or added pixels lie at the edges, few of them."""
    every = [walk for walk in all_walks(results) if _can_be_drawn(walk)]
    walks = every[:MOST_WALKS]
    if not walks:
        return None
    which = f"the first {len(walks)} of " if len(walks) < len(every) else ""
    which += count_of(len(every), "distinct walk")
    caption = (
        f"The input under {which} of {walks[0].layer}: blue is "
        "seen, red never, and within the dashed line zeros are read outside the image. Pixels at "
        "the edges are drawn too wide."
    )
    title = "What the first layer sees of the image. " + " ".join(map(_sentence, walks))
    return Drawing("coverage", caption, title, lambda width: _draw_images(walks, width))


def _can_be_drawn(walk: Walk) -> bool:
    last = list(range(walk.width - len(walk.unseen), walk.width))
    return max(*walk.zeros, len(walk.unseen)) <= MOST and walk.unseen == last


def _draw_images(walks: list[Walk], width: float) -> tuple[float, list[Markup]]:
    """Several images in a row."""
    per_row = max(2, int((width + 20) // 180))
    step = (width + 20) / per_row
    names = [_wrapped(walk.readings, step - 20) for walk in walks]
    parts: list[Markup] = []
    y = 0.0
    for at in range(0, len(walks), per_row):
        row = walks[at : at + per_row]
        lines = max(len(name) for name in names[at : at + per_row])
        margin = [max(walk.zeros[end] for walk in row) * EDGE for end in (0, 1)]
        for column, walk in enumerate(row):
            origin = (column * step, y)
            parts += _panel(walk, names[at + column], origin, lines * NAME + 8 + margin[0])
        y += lines * NAME + 8 + sum(margin) + SIDE + 2 * LINE + 26
    return y - 18, parts


def _sentence(walk: Walk) -> str:
    before, after = walk.zeros
    unseen = count_of(len(walk.unseen), "column")
    return f"{', '.join(walk.readings)}: {unseen} unseen, {before} + {after} columns of zeros read."


def _wrapped(readings: tuple[str, ...], room: float) -> list[str]:
    """The names in as many lines as they need, with commas between them."""
    lines = [""]
    for place, reading in enumerate(readings):
        word = reading + ("," if place < len(readings) - 1 else "")
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, 12) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > MOST_NAMES:
        told = lines[: MOST_NAMES - 1]
        more = len(readings) - sum(line.count(",") for line in told)
        lines = [*told, f"and {more} more"]
    return lines


def _panel(
    walk: Walk, name: list[str], origin: tuple[float, float], down: float
) -> Iterator[Markup]:
    """One image; ``down`` is where it begins below the names."""
    x, y = origin
    for index, text in enumerate(name):
        yield label(x, y + 12 + index * NAME, text, bold=True)
    before, after = (zeros * EDGE for zeros in walk.zeros)
    left, top = x + before, y + down
    if before or after:
        reach = SIDE + before + after
        outline = paint(fill="paper", stroke="accent")
        yield rect(left - before, top - before, reach, reach, **outline, stroke_dasharray="3 2")
    yield from _image(walk, left, top)
    yield from _what_is_seen(walk, x, top + SIDE + after + 16)


def _image(walk: Walk, left: float, top: float) -> Iterator[Markup]:
    unseen = len(walk.unseen) * EDGE
    yield rect(left, top, SIDE, SIDE, **paint(fill="bad" if unseen else "soft"))
    if unseen:
        yield rect(left, top, SIDE - unseen, SIDE - unseen, **paint(fill="soft"))
    last = [SIDE - pixel * EDGE for pixel in range(1, MOST + 1)]
    steps = [*(pixel * EDGE for pixel in range(1, MOST)), *last]
    across = "".join(f"M{coordinate(left + s)} {coordinate(top)}v{coordinate(SIDE)}" for s in steps)
    down = "".join(f"M{coordinate(left)} {coordinate(top + s)}h{coordinate(SIDE)}" for s in steps)
    yield element("path", d=across + down, **paint(stroke="paper"), stroke_width=0.6)


def _what_is_seen(walk: Walk, x: float, y: float) -> Iterator[Markup]:
    seen = f"{walk.width - len(walk.unseen)} of {walk.width} columns seen"
    yield label(x, y, seen, colour="bad" if walk.unseen else "ink", size=11, bold=bool(walk.unseen))
    before, after = walk.zeros
    read = [f"{n} {side}" for n, side in ((before, "before"), (after, "after")) if n]
    text = f"zeros read: {', '.join(read)}" if read else "no zeros read"
    yield label(x, y + LINE, text, colour="muted", size=11)
