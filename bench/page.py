"""Write docs/benchmarks.md from docs/benchmarks.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from project import ROOT

__all__ = ["PAGE", "RESULTS", "keep"]

PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "docs" / "benchmarks.json"
NOTES = Path(__file__).resolve().parent / "notes.md"
TABLE_HEAD = "| what | target | reached | range | runs |\n|---|---|---|---|---|\n"
GIB = 2**30


def keep(name: str, outcome: dict[str, Any], names: list[str]) -> None:
    """Put one benchmark's outcome beside the others and write the page again."""
    everything = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    everything[name] = outcome | {"machine": machine()}
    ordered = {key: everything[key] for key in names if key in everything}
    text = json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    PAGE.write_text(page(ordered), encoding="utf-8")


def machine() -> dict[str, Any]:
    """Cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / GIB)}


def page(everything: dict[str, Any]) -> str:
    """The whole page."""
    head, _, rest = NOTES.read_text(encoding="utf-8").partition("<!-- results -->\n")
    rows = [_row(row, found["runs"]) for found in everything.values() for row in found["rows"]]
    shares = [
        _shares(title, parts)
        for found in everything.values()
        for title, parts in found["shares"].items()
    ]
    return head + TABLE_HEAD + "".join(rows) + "\n" + "".join(shares) + rest


def _row(row: dict[str, Any], runs: int) -> str:
    met = {None: "", True: " ✓", False: " ✗"}[row["met"]]
    spread = f"{_number(row['low'])} to {_number(row['high'])}" if row["low"] is not None else ""
    unit = f" {row['unit']}" if row["unit"] else ""
    value = f"{_number(row['value'])}{unit}{met}"
    return f"| {row['what']} | {row['target']} | {value} | {spread} | {runs} |\n"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"  # noqa: PLR2004 - digits shown


def _shares(title: str, parts: dict[str, float]) -> str:
    lines = [f"| {name} | {share:.0%} |\n" for name, share in parts.items()]
    return f"| part of {title} | share of its time |\n|---|---|\n" + "".join(lines) + "\n"
