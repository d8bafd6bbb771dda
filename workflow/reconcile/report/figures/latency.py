"""Charts of latency: the layers of one reading, and the whole network under every reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.svg import (
    Drawing,
    Scale,
    axis,
    clipped,
    label,
    line,
    paint,
    rect,
    width_of,
)
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


def latency_figures(results: Results, most: int) -> Iterator[Drawing]:
    """Charts of the layers of one reading, and of the networks of the best ``most`` readings."""
    layers, networks = layer_latencies(results), _network_latencies(results, most)
    of_layers = f"{_which(layers, 'layer')} of {results.leading}"
    of_networks = f"one forward pass of {_which(networks, 'reading')}"
    if layers:
        yield _chart("latency-layers", results, _slowest(layers), of_layers)
    if networks:
        yield _chart("latency-networks", results, _slowest(networks), of_networks)


def layer_latencies(results: Results) -> list[Bar]:
    """The timed layers of the reading that the study concludes on, in order."""
    rows = [row for row in results.table("timings") if row["interpretation"] == results.leading]
    return [_bar(row, _layer(row)) for row in rows if row["median_ms"] and row["layer"] != WHOLE]


def _layer(row: Row) -> str:
    return row["layer"] if row["network"] == SINGLE else f"{row['network']}/{row['layer']}"


def _network_latencies(results: Results, most: int) -> list[Bar]:
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


def _slowest(bars: list[Bar]) -> list[Bar]:
    """Those that take longest, in their order, where there are more than can be drawn."""
    longest = sorted(range(len(bars)), key=lambda i: -bars[i].median)[:MOST_BARS]
    return [bars[i] for i in sorted(longest)]


def _bar(row: Row, name: str, *, strong: bool = False) -> Bar:
    median, low, high = (row[column] or row["median_ms"] for column in _COLUMNS)
    return Bar(name, float(median), float(low), float(high), strong)


def _which(bars: list[Bar], what: str) -> str:
    drawn = len(_slowest(bars))
    return f"each {what}" if drawn == len(bars) else f"the {drawn} slowest of {len(bars):,} {what}s"


def _chart(name: str, results: Results, bars: list[Bar], what: str) -> Drawing:
    title = f"Latency of {what} on {results.record['device']['name']}, in milliseconds."
    how = "median of the repeats, with a line from the first to the third quartile; batch of one"
    longest = max(bars, key=lambda bar: bar.median)
    told = f"{title} The longest is {longest.name} with {longest.median:.3g} ms."
    return Drawing(name, f"{title[:-1]}: {how}.", told, lambda width: _draw_bars(bars, width))


def _draw_bars(bars: list[Bar], width: float) -> tuple[float, list[Markup]]:
    """A row a bar, with a thin line from the first to the third quartile."""
    left = min(max(width_of(bar.name, 12) for bar in bars) + 12, width * 0.42)
    room = 58.0
    scale = Scale(0, max(max(bar.median, bar.high) for bar in bars) * 1.01, left, width - room)
    bottom = ROW * len(bars) + 2
    parts = list(axis(scale, 0, bottom, "ms"))
    for index, bar in enumerate(bars):
        parts += _bar_row(bar, scale, ROW * index + ROW / 2)
    return bottom + FOOT, parts


def _bar_row(bar: Bar, scale: Scale, y: float) -> Iterator[Markup]:
    name = clipped(bar.name, scale.left - 10)
    yield label(scale.left - 10, y + 4, name, anchor="end", bold=bar.strong)
    fill = "accent" if bar.strong else "soft"
    length = max(scale.at(bar.median) - scale.left, 1)
    yield rect(scale.left, y - 6, length, 12, **paint(fill=fill))
    yield line(scale.at(bar.low), y, scale.at(bar.high), y, "ink", stroke_width=1.5)
    x = max(scale.at(bar.high), scale.at(bar.median)) + 7
    yield label(x, y + 4, milliseconds(bar.median), size=11)
