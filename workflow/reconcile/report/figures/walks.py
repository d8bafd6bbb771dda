"""How the first layer of each reading walks along a row of its input, from measured windows.

``windows.csv`` holds the first and the last windows of a row, each with the pixels that it really
sees. Windows between them differ only by the stride, and the pixels seen in all are compared with
``coverage.csv``, so nothing is drawn that was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from reconcile.report.read import Results, grouped_by
from reconcile.tables.rows import Row


@dataclass(frozen=True)
class Walk:
    """A window that walks along a row of pixels; readings with equal walks share one.

    Attributes:
        readings: ids of the interpretations, in the study's order.
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
            found[walk.shape] = walk if same is walk else _shared(same, reading)
    return list(found.values())


def _shared(walk: Walk, reading: str) -> Walk:
    readings = dict.fromkeys((*walk.readings, reading))
    return Walk(**{**walk.__dict__, "readings": tuple(readings)})


def telling_walks(results: Results) -> list[Walk]:
    """The walk of the study's first reading and that of the reading it concludes on."""
    first = results.study.interpretations[0].id if results.study.interpretations else ""
    walks = all_walks(results)
    wanted = [
        next((walk for walk in walks if reading in walk.readings), None)
        for reading in (first, results.chosen)
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
