"""Every figure of a report: what is drawn, in which widths, with which caption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.coverage import MOST_WALKS, draw_coverage, square_walks
from reconcile.report.figures.grid import draw_sweep
from reconcile.report.figures.latency import (
    Bar,
    draw_bars,
    layer_latencies,
    slowest,
    total_latencies,
)
from reconcile.report.figures.neurons import MOST_LAYERS, draw_neurons, layer_claims
from reconcile.report.figures.walks import all_walks, telling_walks
from reconcile.report.figures.windows import describe_walk, draw_windows
from reconcile.report.read import Results
from reconcile.report.sweep import picture_of
from reconcile.tables.contract import FIGURES
from reconcile.words import count_of

WIDE, NARROW = 720.0, 340.0
"""Widths for a page and for a phone, in pixels."""
SWEEP_COUNTED = 9
"""Columns up to which a cell has room for how many of its combinations are as good."""
SWEEP_CELLS = 60
"""Rows and columns of a sweep's picture; more values are drawn in groups."""


@dataclass(frozen=True)
class Drawing:
    """A figure: it is drawn for a page and again for a phone.

    Attributes:
        name: one of ``FIGURES``; its file is ``figures/<name>.svg``, its anchor ``#figure-<name>``.
        caption: what it shows and in which unit.
        draw: draws it: identifier, width, class.
    """

    name: str
    caption: str
    draw: Callable[[str, float, str], Markup]

    def __post_init__(self) -> None:
        if self.name not in FIGURES:
            raise ValueError(
                f"{self.name} is no figure of the contract, and no archive would have it"
            )

    def wide(self, css: str = "") -> Markup:
        """The drawing for a page."""
        return self.draw(f"figure-{self.name}-wide", WIDE, css)

    def narrow(self, css: str = "") -> Markup:
        """The drawing for a phone."""
        return self.draw(f"figure-{self.name}-narrow", NARROW, css)


def drawings(results: Results, most: int) -> dict[str, Drawing]:
    """Every figure that the results have data for, by name."""
    found = (
        _windows(results),
        _sweep(results),
        _neurons(results),
        *_latency(results, most),
        _coverage(results),
    )
    return {drawing.name: drawing for drawing in found if drawing is not None}


def _windows(results: Results) -> Drawing | None:
    walks = telling_walks(results)
    # Where all readings walk alike the picture decides nothing.
    if len(walks) < 2:  # noqa: PLR2004
        return None
    caption = " ".join(f"{walk.readings[0]}: {describe_walk(walk)}" for walk in walks)
    caption = (
        f"The windows of {walks[0].layer} along one row of the input, pixels numbered from 0, as "
        f"measured by gradient. {caption}"
    )
    return Drawing(
        "windows", caption, lambda name, width, css: draw_windows(name, walks, width, css)
    )


def _sweep(results: Results) -> Drawing | None:
    grid = picture_of(results, SWEEP_CELLS)
    if grid is None:
        return None
    caption = (
        f"How many of {count_of(grid.claims, 'claim')} the best combination matches that has the "
        f"{grid.across} at the head of the column and the {grid.down} at the left of the row."
    )
    if max(grid.held.values()) > 1 and len(grid.columns) <= SWEEP_COUNTED:
        caption += " Small numbers: how many combinations of the cell match as many."
    return Drawing(
        "sweep",
        caption,
        lambda name, width, css: draw_sweep(name, grid, width, css),
    )


def _neurons(results: Results) -> Drawing | None:
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
    return Drawing(
        "neurons",
        caption,
        lambda name, width, css: draw_neurons(name, claims, results.chosen, width, css),
    )


def _latency(results: Results, most: int) -> Iterator[Drawing]:
    layers, networks = layer_latencies(results), total_latencies(results, most)
    of_layers = f"{_which(layers, 'layer')} of {results.chosen}"
    of_networks = f"one forward pass of {_which(networks, 'reading')}"
    if layers:
        yield _bars("latency-layers", results, slowest(layers), of_layers)
    if networks:
        yield _bars("latency-networks", results, slowest(networks), of_networks)


def _bars(name: str, results: Results, bars: list[Bar], what: str) -> Drawing:
    title = f"Latency of {what} on {results.record['device']['name']}, in milliseconds."
    how = "median of the repeats, with a line from the first to the third quartile; batch of one"
    longest = max(bars, key=lambda bar: bar.median)
    told = f"{title} The longest is {longest.name} with {longest.median:.3g} ms."
    return Drawing(
        name,
        f"{title[:-1]}: {how}.",
        lambda identifier, width, css: draw_bars(identifier, told, bars, width, css),
    )


def _which(bars: list[Bar], what: str) -> str:
    drawn = len(slowest(bars))
    return f"each {what}" if drawn == len(bars) else f"the {drawn} slowest of {len(bars):,} {what}s"


def _coverage(results: Results) -> Drawing | None:
    every = square_walks(all_walks(results))
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
    return Drawing(
        "coverage", caption, lambda name, width, css: draw_coverage(name, walks, width, css)
    )
