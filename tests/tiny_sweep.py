"""The tiny study with a sweep, and what measuring it would give."""

from __future__ import annotations

from typing import Any

from conftest import TINY_LAYERS

SWEEP = {
    "title": "Rules and kernels",
    "axes": {"rule": ["floor", "ceil"], "kernels": [4, 6]},
    "proposed_by": [{"name": "Constructed for this study"}],
}
"""Of the four combinations two are the study's own readings, `floor` and `ceil`."""
FLOOR, CEIL = "rule-floor_kernels-6", "rule-ceil_kernels-6"


def add_sweep(data: dict[str, Any]) -> None:
    """Sweep the tiny study."""
    data["sweep"] = SWEEP


def swept_layers() -> list[dict[str, Any]]:
    """The rows of its readings, and of the two combinations that are none of these."""
    like = {"floor": FLOOR, "ceil": CEIL}
    copies = [
        row | {"interpretation": like[row["interpretation"]]}
        for row in TINY_LAYERS
        if row["interpretation"] in like
    ]
    return [*TINY_LAYERS, *copies]
