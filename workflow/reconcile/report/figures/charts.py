"""Charts against a scale: neurons per layer, printed and measured; latencies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures import (
    Drawing,
    clipped,
    element,
    label,
    line,
    paint,
    rect,
    width_of,
)
from reconcile.report.views import Results
from reconcile.study.model import SINGLE
from reconcile.tables.contract import FITS, NETWORK
from reconcile.tables.rows import Row, grouped_by
from reconcile.words import count_of, milliseconds

STEPS = (1, 2, 2.5, 5, 10)
"""What round numbers begin with."""
FOOT = 24.0
MOST_LAYERS = 24
"""Layers that are drawn: as many as a page of paper holds."""
LAYER, LEGEND = 34.0, 30.0
LEFT = 130.0
"""Room for the name of a layer and its printed number."""
MOST_BARS = 40
"""Bars that are drawn: as many as a page of paper holds."""
BAR = 19.0
_COLUMNS = ("median_ms", "q1_ms", "q3_ms")


@dataclass(frozen=True)
class Scale:
    """Maps numbers from ``low`` to ``high`` to pixels from ``left`` to ``right``."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """The place of a number."""
        span = (self.high - self.low) or 1
        return self.left + (value - self.low) / span * (self.right - self.left)

    def ticks(self, most: int) -> list[float]:
        """Round numbers within the scale, ``most`` at the most beside the first."""
        raw = (self.high - self.low) / most or 1
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(s * power for s in STEPS if s * power >= raw * 0.999999)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis(scale: Scale, top: float, bottom: float, unit: str = "") -> Iterator[Markup]:
    """Vertical lines at round numbers, with the numbers below."""
    room = scale.right - scale.left
    for tick in scale.ticks(max(2, int(room // 85))):
        x = scale.at(tick)
        yield line(x, top, x, bottom, "rule", stroke_dasharray=None if tick == scale.low else "2 3")
        text = f"{tick:,.10g}" if tick != int(tick) else f"{int(tick):,}"
        text += f" {unit}" if unit and tick == scale.low else ""
        yield label(x, bottom + 15, text, colour="muted", size=11, anchor="middle")


@dataclass(frozen=True)
class LayerClaim:
    """The printed number of neurons of one layer, and what was measured.

    Attributes:
        layer: the layer, with its network where a reading has several.
        printed: the digits as printed.
        value: the number they denote.
        measured: measured number by interpretation, in the study's order.
        matching: how many interpretations reproduce the printed number.
    """

    layer: str
    printed: str
    value: float
    measured: dict[str, int]
    matching: int


def layer_claims(results: Results) -> list[LayerClaim]:
    """The claims about the neurons of one layer, in the paper's order."""
    verdicts = grouped_by(results.table("verdicts"), "claim")
    found = []
    for claim in results.study.claims:
        if claim.quantity != "neurons" or claim.of in (None, NETWORK):
            continue
        rows = [row for row in verdicts.get((claim.id,), []) if row["measured"].isdigit()]
        measured = {row["interpretation"]: int(row["measured"]) for row in rows}
        matching = sum(row["verdict"] in FITS for row in rows)
        value = float(claim.number.value)
        if measured:
            layer = _layer(claim.network, str(claim.of))
            found.append(LayerClaim(layer, claim.printed, value, measured, matching))
    return found


def neurons_figure(results: Results) -> Drawing | None:
    """A row a layer: a tick where the paper's number is, a dot for every measured one."""
    every = layer_claims(results)
    claims = every[:MOST_LAYERS]
    if not claims:
        return None
    caption = (
        "Neurons per layer for one input: a tick where the paper's number is, a dot for every "
        "number measured. Red dots are not the printed number."
    )
    if len(claims) < len(every):
        caption += f" Drawn are the first {len(claims)} of {len(every):,} claims."
    title = chart_in_words(claims, results.leading)
    return Drawing(
        "neurons", caption, title, lambda width: draw_neurons(claims, results.leading, width)
    )


def draw_neurons(claims: list[LayerClaim], chosen: str, width: float) -> tuple[float, list[Markup]]:
    """The height and the parts of the chart."""
    wide = width > 500  # noqa: PLR2004 - room for the count of matching readings
    right = 110.0 if wide else 26.0
    names = (width_of(claim.layer) + width_of(claim.printed) + 24 for claim in claims)
    left = min(max(LEFT, *names), width / 2)
    largest = max(max(claim.value, *claim.measured.values()) for claim in claims)
    scale = Scale(0, largest * 1.02, left, width - right)
    bottom = LEGEND + LAYER * len(claims)
    own = chosen if any(chosen in claim.measured for claim in claims) else ""
    parts = [*_marks_explained(own, width, wide=wide), *axis(scale, LEGEND - 4, bottom)]
    for index, claim in enumerate(claims):
        y = LEGEND + LAYER * (index + 0.5)
        parts += _layer_row(claim, chosen, scale, y)
        if wide:
            text = f"{claim.matching} of {len(claim.measured)} match"
            parts.append(label(width, y + 4, text, colour="muted", size=11, anchor="end"))
    return bottom + FOOT, parts


def chart_in_words(claims: list[LayerClaim], chosen: str) -> str:
    """The chart in words; nothing is claimed of a reading that was not measured."""
    own = [c for c in claims if chosen in c.measured]
    differing = [c for c in own if c.measured[chosen] != c.value]
    start = f"Neurons of {count_of(len(claims), 'layer')}, printed and measured per input."
    if not own:
        return f"{start} The reading {chosen} was not measured."
    if not differing:
        return f"{start} The reading {chosen} gives every printed number."
    parts = [
        f"{c.layer} is printed as {c.printed}, measured {c.measured[chosen]:,}" for c in differing
    ]
    rest = "; the other layers agree" if len(differing) < len(own) else ""
    return f"{start} Under the reading {chosen}, {'; '.join(parts)}{rest}."


def _marks_explained(chosen: str, width: float, *, wide: bool) -> Iterator[Markup]:
    """What the marks mean; ``chosen`` is empty where that reading was not measured."""
    yield line(3, 4, 3, 18, "ink", stroke_width=2.5)
    yield label(11, 15, "printed", size=11)
    x = 72.0
    if chosen:
        name = clipped(chosen, width - (390 if wide else 198), 12.5)
        yield _dot(x, 11, "accent", solid=True)
        yield label(x + 10, 15, name, size=11)
        x += 20 + 7 * len(name)
    yield _dot(x, 11, "accent", solid=False)
    yield label(x + 10, 15, "other readings" if chosen else "readings", size=11)
    if wide:
        yield _dot(x + 112, 11, "bad", solid=False)
        yield label(x + 122, 15, "red: not the printed number", size=11)


def _dot(x: float, y: float, colour: str, *, solid: bool) -> Markup:
    inside = colour if solid else "paper"
    attributes = paint(fill=inside, stroke=colour)
    return element("circle", cx=x, cy=y, r=5 if solid else 4, stroke_width=2, **attributes)


def _layer_row(claim: LayerClaim, chosen: str, scale: Scale, y: float) -> Iterator[Markup]:
    room = scale.left - width_of(claim.printed) - 24
    yield label(0, y + 4, clipped(claim.layer, room), bold=True)
    yield label(scale.left - 14, y + 4, claim.printed, anchor="end")
    yield line(scale.left, y, scale.right, y, "rule")
    printed = scale.at(claim.value)
    yield line(printed, y - 10, printed, y + 10, "ink", stroke_width=2.5)
    own = claim.measured.get(chosen)
    for value in sorted({*claim.measured.values()} - {own}):
        yield _dot(scale.at(value), y, "accent" if value == claim.value else "bad", solid=False)
    if own is None:
        return
    yield _dot(scale.at(own), y, "accent" if own == claim.value else "bad", solid=True)
    if own != claim.value:
        x = scale.at(own)
        yield label(x, y - 10, f"{own:,}", colour="bad", size=11, bold=True, anchor="middle")


@dataclass(frozen=True)
class Bar:
    """A latency in milliseconds: the median and the quartiles of its repeats."""

    name: str
    median: float
    low: float
    high: float
    passes: int
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
    rows = (row for row in results.table("timings") if row["interpretation"] == results.leading)
    timed = (row for row in rows if row["median_ms"] and row["layer"] != NETWORK)
    return [_bar(row, _layer(row["network"], row["layer"])) for row in timed]


def _layer(network: str, layer: str) -> str:
    return layer if network == SINGLE else f"{network}/{layer}"


def _network_latencies(results: Results, most: int) -> list[Bar]:
    """A plain forward pass of every reading, the best ranked first."""
    rows = {
        row["interpretation"]: row
        for row in results.table("timings")
        if row["layer"] == NETWORK and row["network"] == SINGLE and row["median_ms"]
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
    return Bar(name, float(median), float(low), float(high), int(row["repeats"]), strong)


def _which(bars: list[Bar], what: str) -> str:
    drawn = len(_slowest(bars))
    return f"each {what}" if drawn == len(bars) else f"the {drawn} slowest of {len(bars):,} {what}s"


def _chart(name: str, results: Results, bars: list[Bar], what: str) -> Drawing:
    title = f"Latency of {what} on {results.record['device']['name']}, in milliseconds."
    longest = max(bars, key=lambda bar: bar.median)
    median = f"median of {count_of(longest.passes, 'pass', 'passes')}"
    how = f"{median}, with a line from the first to the third quartile; batch of one"
    told = f"{title} The longest is {longest.name} with {longest.median:.3g} ms."
    return Drawing(name, f"{title[:-1]}: {how}.", told, lambda width: _draw_bars(bars, width))


def _draw_bars(bars: list[Bar], width: float) -> tuple[float, list[Markup]]:
    """A row a bar, with a thin line from the first to the third quartile."""
    left = min(max(width_of(bar.name, 12) for bar in bars) + 12, width * 0.42)
    room = 58.0
    scale = Scale(0, max(max(bar.median, bar.high) for bar in bars) * 1.01, left, width - room)
    bottom = BAR * len(bars) + 2
    parts = list(axis(scale, 0, bottom, "ms"))
    for index, bar in enumerate(bars):
        parts += _bar_row(bar, scale, BAR * index + BAR / 2)
    return bottom + FOOT, parts


def _bar_row(bar: Bar, scale: Scale, y: float) -> Iterator[Markup]:
    name = clipped(bar.name, scale.left - 10)
    yield label(scale.left - 10, y + 4, name, anchor="end", bold=bar.strong)
    fill = "accent" if bar.strong else "soft"
    length = max(scale.at(bar.median) - scale.left, 1)
    yield rect(scale.left, y - 6, length, 12, **paint(fill=fill))
    yield line(scale.at(bar.low), y, scale.at(bar.high), y, "ink", stroke_width=1.5)
    yield from _median(bar, scale, y)


def _median(bar: Bar, scale: Scale, y: float) -> Iterator[Markup]:
    """The median beside the end of its bar: outside, unless the line of the quartiles is there."""
    text = milliseconds(bar.median)
    end, room = scale.at(bar.median), width_of(text, 11) + 8
    if scale.at(bar.high) - end < 1:
        yield label(end + 7, y + 4, text, size=11)
    elif min(scale.at(bar.low), end) - scale.left > room:
        x = min(scale.at(bar.low), end) - 6
        yield label(x, y + 4, text, colour="paper" if bar.strong else "ink", size=11, anchor="end")
    else:
        yield label(max(scale.at(bar.high), end) + 7, y + 4, text, size=11)
