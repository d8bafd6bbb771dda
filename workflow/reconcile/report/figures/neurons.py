"""The chart of neurons per layer: what the paper prints against what each reading measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.svg import (
    Drawing,
    Scale,
    axis,
    clipped,
    element,
    label,
    line,
    paint,
    width_of,
)
from reconcile.report.read import Results, grouped_by
from reconcile.study.model import SINGLE
from reconcile.tables.contract import FITS
from reconcile.words import count_of

MOST_LAYERS = 24
"""Layers that are drawn: as many as a page of paper holds."""
ROW, LEGEND, FOOT = 34.0, 30.0, 24.0
LEFT = 130.0
"""Room for the name of a layer and its printed number."""


@dataclass(frozen=True)
class LayerClaim:
    """The printed number of neurons of one layer, and what was measured.

    Attributes:
        claim: id of the claim.
        layer: the layer, with its network where a reading has several.
        printed: the digits as printed.
        value: the number they denote.
        measured: measured number by interpretation, in the study's order.
        matching: how many interpretations reproduce the printed number.
    """

    claim: str
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
        if claim.quantity != "neurons" or claim.of in (None, "network"):
            continue
        rows = [row for row in verdicts.get((claim.id,), []) if row["measured"].isdigit()]
        measured = {row["interpretation"]: int(row["measured"]) for row in rows}
        matching = sum(row["verdict"] in FITS for row in rows)
        value = float(claim.number.value)
        if measured:
            layer = str(claim.of) if claim.network == SINGLE else f"{claim.network}/{claim.of}"
            found.append(LayerClaim(claim.id, layer, claim.printed, value, measured, matching))
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
    left = min(max(LEFT, *map(_room_for, claims)), width / 2)
    largest = max(max(claim.value, *claim.measured.values()) for claim in claims)
    scale = Scale(0, largest * 1.02, left, width - right)
    bottom = LEGEND + ROW * len(claims)
    own = chosen if any(chosen in claim.measured for claim in claims) else ""
    parts = [*_marks_explained(own, width, wide=wide), *axis(scale, LEGEND - 4, bottom)]
    for index, claim in enumerate(claims):
        y = LEGEND + ROW * (index + 0.5)
        parts += _layer_row(claim, chosen, scale, y)
        if wide:
            text = f"{claim.matching} of {len(claim.measured)} match"
            parts.append(label(width, y + 4, text, colour="muted", size=11, anchor="end"))
    return bottom + FOOT, parts


def _room_for(claim: LayerClaim) -> float:
    return width_of(claim.layer) + width_of(claim.printed) + 24


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
