"""The picture of a sweep: what its legend says has room at any width."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from reconcile.report.figures import WIDTHS, Drawing, width_of
from reconcile.report.figures.sweep import GridPicture, draw_grid

SVG = "{http://www.w3.org/2000/svg}"


def legend(chosen: tuple[int, int] | None, *, narrow: bool) -> dict[str, tuple[float, float]]:
    """Where each label of the legend begins, and what stands lowest in the picture."""
    best = {(0, 0): 5, (0, 1): 7, (1, 0): 0, (1, 1): 6}
    once = dict.fromkeys(best, 1)
    picture = "patch of large", "patch of base", ("14", "16"), ("vocabulary", "none")
    grid = GridPicture(*picture, best, once, once, 9, chosen)
    drawing = Drawing("sweep", "t", "w", lambda width: draw_grid(grid, width))
    root = ET.fromstring(drawing.drawn("narrow" if narrow else "wide"))  # noqa: S314 - our own
    texts = {t.text or "": t for t in root.iter(f"{SVG}text")}
    height = float(root.get("height", 0))
    found = {t: (float(e.get("x", 0)), float(e.get("y", 0))) for t, e in texts.items()}
    assert all(y <= height for _, y in found.values())
    told = ("no claim", "5 of 9", "7 of 9", "every claim", "the conclusion")
    return {text: found[text] for text in told if text in found}


@pytest.mark.parametrize("chosen", [None, (0, 1)])
@pytest.mark.parametrize("narrow", [False, True])
def test_labels_stay_inside(chosen: tuple[int, int] | None, narrow: bool) -> None:
    """No label leaves the picture; on a phone what has no room begins a line."""
    found = legend(chosen, narrow=narrow)
    assert len(found) == (5 if chosen else 4)
    width = WIDTHS["narrow" if narrow else "wide"]
    assert all(x + width_of(text, 11) <= width for text, (x, _) in found.items())
    assert len({y for _, y in found.values()}) == (2 if narrow else 1)
