"""Charts of latency: the layers of one reading, and the whole network under every reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.scale import Scale, axis
from reconcile.report.figures.svg import figure, label, line, paint, rect, width_of
from reconcile.report.read import Results
from reconcile.words import milliseconds

ROW, FOOT = 19.0, 24.0
WHOLE = "network"


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
    return _bars(
        [row for row in results.table("timings") if row["interpretation"] == results.chosen],
        "layer",
    )


def total_latencies(results: Results, most: int) -> list[Bar]:
    """A plain forward pass of every reading, the best ranked first."""
    rows = {
        row["interpretation"]: row
        for row in results.table("timings")
        if row["layer"] == WHOLE and row["network"] == "main"
    }
    shown = [entry["interpretation"] for entry in results.shown(most)]
    ranked = [rows[reading] for reading in shown if reading in rows]
    return _bars(ranked, "interpretation", results.chosen)


def _bars(rows: list[dict[str, str]], column: str, strong: str = "") -> list[Bar]:
    return [
        Bar(
            row[column],
            float(row["median_ms"]),
            float(row["q1_ms"] or row["median_ms"]),
            float(row["q3_ms"] or row["median_ms"]),
            row[column] == strong,
        )
        for row in rows
        if row["median_ms"] and (column != "layer" or row["layer"] != WHOLE)
    ]


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
    yield label(scale.left - 10, y + 4, bar.name, anchor="end", bold=bar.strong)
    fill = "accent" if bar.strong else "soft"
    length = max(scale.at(bar.median) - scale.left, 1)
    yield rect(scale.left, y - 6, length, 12, **paint(fill=fill))
    yield line(scale.at(bar.low), y, scale.at(bar.high), y, "ink", stroke_width=1.5)
    x = max(scale.at(bar.high), scale.at(bar.median)) + 7
    yield label(x, y + 4, milliseconds(bar.median), size=11)
