"""Charts of latency: the layers of one reading, and the whole network under every reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.scale import Scale, axis
from reconcile.report.figures.svg import clipped, figure, label, line, paint, rect, width_of
from reconcile.report.read import Results
from reconcile.study.model import SINGLE
from reconcile.tables.rows import Row
from reconcile.words import milliseconds

MOST_BARS = 40
"""Bars that are drawn: as many as a page of paper holds."""
ROW, FOOT = 19.0, 24.0
WHOLE = "network"
_COLUMNS = ("median_ms", "q1_ms", "q3_ms")


@dataclass(frozen=True)
class Bar:
    """A latency in milliseconds: the median and the quartiles of its repeats."""

    name: str
    median: float
    low: float
    high: float
    strong: bool = False


def layer_latencies(results: Results) -> list[Bar]:
    """The timed layers of the reading that the study concludes on, in order."""
    rows = [row for row in results.table("timings") if row["interpretation"] == results.chosen]
    return [_bar(row, _layer(row)) for row in rows if row["median_ms"] and row["layer"] != WHOLE]


def _layer(row: Row) -> str:
    return row["layer"] if row["network"] == SINGLE else f"{row['network']}/{row['layer']}"


def total_latencies(results: Results, most: int) -> list[Bar]:
    """A plain forward pass of every reading, the best ranked first."""
    rows = {
        row["interpretation"]: row
        for row in results.table("timings")
        if row["layer"] == WHOLE and row["network"] == SINGLE and row["median_ms"]
    }
    shown = [entry["interpretation"] for entry in results.shown(most)]
    return [
        _bar(rows[reading], reading, strong=reading == results.chosen)
        for reading in shown
        if reading in rows
    ]


def slowest(bars: list[Bar]) -> list[Bar]:
    """Those that take longest, in their order, where there are more than can be drawn."""
    longest = sorted(range(len(bars)), key=lambda i: -bars[i].median)[:MOST_BARS]
    return [bars[i] for i in sorted(longest)]


def _bar(row: Row, name: str, *, strong: bool = False) -> Bar:
    median, low, high = (row[column] or row["median_ms"] for column in _COLUMNS)
    return Bar(name, float(median), float(low), float(high), strong)


def draw_bars(identifier: str, title: str, bars: list[Bar], width: float, css: str = "") -> Markup:
    """Draw a row a bar, with a thin line from the first to the third quartile."""
    left = min(max(width_of(bar.name, 12) for bar in bars) + 12, width * 0.42)
    room = 58.0
    scale = Scale(0, max(max(bar.median, bar.high) for bar in bars) * 1.01, left, width - room)
    bottom = ROW * len(bars) + 2
    parts = list(axis(scale, 0, bottom, "ms"))
    for index, bar in enumerate(bars):
        parts += _row(bar, scale, ROW * index + ROW / 2)
    return figure(identifier, title, (width, bottom + FOOT), parts, css)


def _row(bar: Bar, scale: Scale, y: float) -> Iterator[Markup]:
    name = clipped(bar.name, scale.left - 10)
    yield label(scale.left - 10, y + 4, name, anchor="end", bold=bar.strong)
    fill = "accent" if bar.strong else "soft"
    length = max(scale.at(bar.median) - scale.left, 1)
    yield rect(scale.left, y - 6, length, 12, **paint(fill=fill))
    yield line(scale.at(bar.low), y, scale.at(bar.high), y, "ink", stroke_width=1.5)
    x = max(scale.at(bar.high), scale.at(bar.median)) + 7
    yield label(x, y + 4, milliseconds(bar.median), size=11)
