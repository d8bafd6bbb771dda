"""Drawings keep to their room, and have the colours of the page."""

from __future__ import annotations

import re

import pytest
from report_support import TEMPLATES

from reconcile.report.figures.svg import COLOURS, clipped, width_of


def test_long_names_keep_to_their_room() -> None:
    """What is too long loses its beginning: layers differ in the end of their names."""
    assert clipped("layer1.0.conv1", 200) == "layer1.0.conv1"
    short = clipped("encoder.layers.11.self_attn.out_proj", 100)
    assert short.startswith("…")
    assert short.endswith(".out_proj")
    assert width_of(short) <= 100


def palette(css: str) -> dict[str, str]:
    """The colours that a block of CSS sets."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


LIGHT, DARK = (
    palette(part)
    for part in re.split(r"prefers-color-scheme: dark", (TEMPLATES / "report.css").read_text())
)


def test_drawings_and_page_share_one_palette() -> None:
    """A drawing in the PDF has the colours of the page."""
    assert {name: LIGHT[name] for name in COLOURS} == COLOURS
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_enough_contrast(colours: dict[str, str]) -> None:
    """Every text colour has the 4.5:1 of WCAG AA on every background it stands on."""
    pairs = [(text, "paper") for text in ("ink", "muted", "accent", "good", "bad", "slip")]
    pairs += [(text, "wash") for text in ("ink", "muted", "accent", "good", "bad")]
    pairs += [
        ("bad", "bad-wash"),
        ("ink", "bad-wash"),
        ("muted", "bad-wash"),
        ("slip", "slip-wash"),
    ]
    low = {pair for pair in pairs if contrast(*(colours[name] for name in pair)) < 4.5}
    assert not low
