"""Pages link only the web, and their marks stand out."""

from __future__ import annotations

import re

import pytest
from support import PROJECT

from reconcile.report.pages import safe_link

TEMPLATES = PROJECT / "templates"


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2, section 3)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_marks_stand_out_from_what_is_behind_them(scheme: int) -> None:
    """No tool judges glyphs: their colours have a contrast of 4.5 on each ground they stand on."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    palettes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", palettes[scheme]))
    grounds = {
        "paper": ("ink", "muted", "accent", "good", "bad", "slip"),
        "wash": ("ink", "muted", "accent", "good", "bad", "slip"),
        "bad-wash": ("bad",),
        "slip-wash": ("slip",),
    }
    for ground, marks in grounds.items():
        for mark in marks:
            pair = sorted(luminance(colours[name]) for name in (ground, mark))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ground, mark)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host", "", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    """Whatever a study got past its schema is no link here."""
    assert safe_link(url) == ""
