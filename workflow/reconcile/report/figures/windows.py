"""How the first layer of each reading walks along a row of its input: measured, told and drawn.

``windows.csv`` holds the first and the last windows of a row, each with the pixels that it really
sees. Windows between them differ only by the stride, and the pixels seen in all are compared with
``coverage.csv``, so nothing is drawn that was not measured. A second picture is of coverage: the
image, what is never seen of it, what is read beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from markupsafe import Markup

from reconcile.report.figures import Drawing, coordinate, element, label, paint, rect, width_of
from reconcile.report.views import Results
from reconcile.tables.rows import Row, grouped_by
from reconcile.words import count_of, listed

GAP = 44.0
"""Room for the mark between the two ends of a row."""
TITLE, CALLOUTS, NUMBERS, BAR = 22.0, 18.0, 14.0, 19.0
LARGEST_CELL = 16.0
SIDE, EDGE = 78.0, 5.0
"""Side of the drawn image, and of a single pixel at its edge: edges are drawn too wide."""
MOST = 8
"""Pixels beyond either end that can be drawn."""
MOST_WALKS = 12
"""Images that are drawn: as many as a page of paper holds."""
MOST_NAMES = 8
"""Lines of names above an image; there may be hundreds of readings."""
NAME, LINE = 15.0, 14.0


@dataclass(frozen=True)
class Walk:
    """A window that walks along a row of pixels; readings with equal walks share one.

    Attributes:
        readings: ids of the interpretations, in the study's order; their titles where drawn.
        layer: the layer that the window belongs to.
        width: pixels in a row of the image; they are numbered from 0.
        size: width of the window, in pixels.
        stride: step of the window, in pixels.
        starts: first pixel of every window, negative where it begins before the image.
        measured: indices of the windows that were measured one by one.
    """

    readings: tuple[str, ...]
    layer: str
    width: int
    size: int
    stride: int
    starts: tuple[int, ...]
    measured: tuple[int, ...]

    @property
    def windows(self) -> int:
        """How many windows there are in a row."""
        return len(self.starts)

    def end(self, index: int) -> int:
        """The last pixel of a window, beyond the image where it reads zeros there."""
        return self.starts[index] + self.size - 1

    @property
    def zeros(self) -> tuple[int, int]:
        """Zeros read before the first and after the last pixel of the row."""
        return max(-self.starts[0], 0), max(self.end(-1) - self.width + 1, 0)

    @property
    def unseen(self) -> list[int]:
        """Pixels of the row that no window sees."""
        seen = {pixel for start in self.starts for pixel in range(start, start + self.size)}
        return [pixel for pixel in range(self.width) if pixel not in seen]

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two walks equal."""
        return self.layer, self.width, self.size, self.starts


def all_walks(results: Results) -> list[Walk]:
    """Every distinct walk of a strided first layer, in the study's order."""
    coverage = {(row["interpretation"], row["network"]): row for row in results.table("coverage")}
    found: dict[tuple[object, ...], Walk] = {}
    for (reading, network), rows in grouped_by(
        results.table("windows"), "interpretation", "network"
    ).items():
        walk = _walk(reading, rows, coverage.get((reading, network)))
        if walk is not None:
            same = found.setdefault(walk.shape, walk)
            readings = dict.fromkeys((*same.readings, reading))
            found[walk.shape] = replace(same, readings=tuple(readings))
    return list(found.values())


def telling_walks(results: Results) -> list[Walk]:
    """The walk of the study's first reading and that of the reading it concludes on."""
    first = results.study.interpretations[0].id if results.study.interpretations else ""
    walks = all_walks(results)
    wanted = [
        next((walk for walk in walks if reading in walk.readings), None)
        for reading in (first, results.leading)
    ]
    return list({walk.shape: walk for walk in wanted if walk is not None}.values())


def _walk(reading: str, rows: list[Row], coverage: Row | None) -> Walk | None:
    """The walk of one network, or None where it has no stride or does not add up."""
    if coverage is None or not rows:
        return None
    width, size = int(coverage["width"]), int(rows[0]["size"])
    known = {int(row["window"]): start for row in rows if (start := _start(row, width)) is not None}
    stride = _stride(known)
    if stride is None or stride < 2:  # noqa: PLR2004 - a stride of one leaves nothing out
        return None
    index, start = next(iter(known.items()))
    starts = tuple(start + (i - index) * stride for i in range(int(rows[0]["windows"])))
    measured = tuple(sorted(int(row["window"]) for row in rows))
    walk = Walk((reading,), rows[0]["layer"], width, size, stride, starts, measured)
    agrees = all(starts[i] == start for i, start in known.items())
    return walk if agrees and _covers(walk, coverage) else None


def _start(row: Row, width: int) -> int | None:
    """Where a window begins; None where it reaches beyond both ends or sees nothing."""
    first, last, size = int(row["first"]), int(row["last"]), int(row["size"])
    if first > 0 or (first == 0 and last == size - 1):
        return first
    return last - size + 1 if 0 <= last < width - 1 else None


def _stride(known: dict[int, int]) -> int | None:
    steps = {
        (right[1] - left[1]) / (right[0] - left[0])
        for left, right in pairwise(sorted(known.items()))
    }
    step = steps.pop() if len(steps) == 1 else None
    return int(step) if step is not None and step.is_integer() else None


def _covers(walk: Walk, coverage: Row) -> bool:
    """Whether the pixels seen along a row agree with those seen in the whole image."""
    if coverage["height"] != coverage["width"]:
        return True
    seen = walk.width - len(walk.unseen)
    return seen * seen == int(coverage["seen"])


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
    sides = ((before, "before"), (after, "after"))
    read = [f"{count_of(number, 'zero')} {side}" for number, side in sides if number]
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


def windows_figure(results: Results) -> Drawing | None:
    """One panel a walk, one below the other; none where all readings walk alike."""
    walks = telling_walks(results)
    if len(walks) < 2:  # noqa: PLR2004 - the picture would decide nothing
        return None
    names = {reading.id: reading.title for reading in results.study.interpretations}
    walks = [replace(w, readings=tuple(names[r] for r in w.readings)) for w in walks]
    caption = " ".join(f"{walk.readings[0]}: {describe_walk(walk)}" for walk in walks)
    caption = (
        f"The windows of {walks[0].layer} along one row of the input, pixels numbered from 0, as "
        f"measured. {caption}"
    )
    title = " ".join(f"{'; '.join(walk.readings)}: {describe_walk(walk)}" for walk in walks)
    return Drawing("windows", caption, title, lambda width: _draw_walks(walks, width))


def _draw_walks(walks: list[Walk], width: float) -> tuple[float, list[Markup]]:
    """The ends of a row stand side by side where they fit."""
    parts: list[Markup] = []
    y = 0.0
    for walk in walks:
        panel, height = _panel(walk, y, width)
        parts += panel
        y += height
    return y, parts


def _panel(walk: Walk, y: float, width: float) -> tuple[list[Markup], float]:
    parts = [label(0, y + 14, _fitting(walk.readings, width), bold=True, size=13)]
    y += TITLE
    strips, stacked = _strips(walk, width)
    rows = max(len(strip.shown) for strip in strips)
    height = CALLOUTS + NUMBERS + strips[0].cell + 6 + rows * BAR + 14
    for position, strip in enumerate(strips):
        parts += _draw_strip(strip, y + position * height * stacked)
    if len(strips) > 1 and not stacked:
        middle = y + CALLOUTS + NUMBERS + strips[0].cell / 2
        across = (strips[0].right + strips[1].x) / 2
        parts.append(label(across, middle + 4, "· · ·", colour="muted", anchor="middle"))
    return parts, TITLE + height * (len(strips) if stacked else 1) + 8


def _fitting(readings: tuple[str, ...], width: float) -> str:
    """As many names as fit, and how many more there are."""
    for kept in range(len(readings), 0, -1):
        more = len(readings) - kept
        text = "; ".join(readings[:kept]) + (f" and {more} more" if more else "")
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


def _draw_strip(strip: _Strip, y: float) -> list[Markup]:
    cells = y + CALLOUTS + NUMBERS
    unseen = set(strip.walk.unseen)
    pixels = range(strip.first, strip.last + 1)
    parts = [_pixel(strip, pixel, cells, pixel in unseen) for pixel in pixels]
    parts += _numbers(strip, cells - 5)
    parts += _callouts(strip, y + 11)
    for row, index in enumerate(strip.shown):
        parts += _bar(strip, index, cells + strip.cell + 6 + row * BAR)
    return parts


def _pixel(strip: _Strip, pixel: int, y: float, unseen: bool) -> Markup:
    outside = not 0 <= pixel < strip.walk.width
    colours = ("bad", "bad") if unseen else ("paper", "muted") if outside else ("soft", "paper")
    x, side = strip.at(pixel) + 0.5, strip.cell - 1
    dashes = "2 2" if outside else None
    return rect(x, y + 0.5, side, side, **paint(*colours), stroke_dasharray=dashes)


def _numbers(strip: _Strip, y: float) -> Iterator[Markup]:
    """The numbers of the pixels where something begins or ends, as many as have room."""
    walk = strip.walk
    ends = [p for p in (0, walk.width - 1) if strip.first <= p <= strip.last]
    wanted = [*ends, *(walk.starts[i] for i in strip.shown), walk.end(strip.shown[-1])]
    taken: list[float] = []
    for pixel in wanted:
        room = width_of(str(pixel), 10) + 5
        # A number may be wider than its pixel, and the last pixel may end the drawing.
        x = min(strip.at(pixel) + strip.cell / 2, strip.right - (room - 5) / 2)
        if strip.first <= pixel <= strip.last and all(abs(x - other) >= room for other in taken):
            taken.append(x)
            shown = str(pixel).replace("-", "−")
            yield label(x, y, shown, colour="muted", size=10, anchor="middle")


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
    start = str(walk.starts[index]).replace("-", "−")
    name = f"window {index}"
    texts = (f"{name}: pixels {start} to {walk.end(index)}", name, str(index))
    text = next((text for text in texts if width_of(text, 11) <= width - 6), None)
    if text is not None:
        x = left + width / 2
        yield element("g", label(x, y + 11.5, text, colour=ink, size=11, anchor="middle"))


# The picture of input coverage.


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
            parts += _image_panel(walk, names[at + column], origin, lines * NAME + 8 + margin[0])
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


def _image_panel(
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
