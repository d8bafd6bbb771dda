"""Results of the tiny study, written by hand: every file that a report is made from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from support import PROJECT, write_study

from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.report.pages import render_page
from reconcile.report.render import context_of
from reconcile.report.views import Results, read_results
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.tables.contract import head_of, tables
from reconcile.tables.frames import write_table

TEMPLATES = PROJECT / "templates"
RECORD = {
    "study": "tiny",
    "command": "snakemake",
    "started": "2031-02-03T04:05:06+00:00",
    "ended": "2031-02-03T04:06:07+00:00",
    "seconds": 61.0,
    "device": {"policy": "auto", "type": "cuda", "name": "Test GPU", "memory_bytes": 2**34},
    "settings": {"warmup": 1, "repeats": 3, "seed": 7, "tf32": False},
    "versions": {"python": "3.11.0", "torch": "2.13.0"},
    "host": {"os": "Linux", "cpu": "Test CPU", "cores": 2, "memory_bytes": 2**33},
    "source": {"commit": "0123abc", "clean": True, "study_sha256": "5d"},
    "system": {},
}
COUNTED = ("channels", "height", "width", "neurons", "parameters", "macs", "connections")
TOTALS = ("neurons", "conv_neurons", "parameters", "macs", "connections")
SIDES = {"floor": 3, "ceil": 4, "slip": 4}


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    """The measured tables: 8 pixels, windows of 3 every 2, so 3 windows or 4."""
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in tables()}
    for reading, side in SIDES.items():
        neurons, own = 4 * side * side, (reading, "main")
        layers = {
            ("input", "input"): (1, 8, 8, 64, 0, 0, 0),
            ("conv", "conv"): (4, side, side, neurons, 40, 9 * neurons, 10 * neurons),
            ("fc", "fc"): (10, 1, 1, 10, 10 * neurons + 10, 10 * neurons, 10 * neurons + 10),
        }
        rows["layers.csv"] += [
            _cells("layers.csv", (*own, *names), dict(zip(COUNTED, counts, strict=True)))
            for names, counts in layers.items()
        ]
        totals = (neurons + 10, neurons, 10 * neurons + 50, 19 * neurons, 20 * neurons + 10)
        rows["totals.csv"].append(
            _cells("totals.csv", (*own, "measured"), dict(zip(TOTALS, totals, strict=True)))
        )
        rows["coverage.csv"].append((*own, "conv", 8, 8, 64, 49 if side == 3 else 64))
        rows["windows.csv"] += [
            (*own, "conv", i, side, 2 * i, min(2 * i + 2, 7), 3, int(i == 3)) for i in range(side)
        ]
        rows["timings.csv"] += [
            (*own, layer, "cuda", 3, 0.5 * side, 0.4 * side, 0.6 * side, "")
            for layer in ("network", "conv", "fc")
        ]
    return rows


def _cells(table: str, first: tuple[Any, ...], others: dict[str, Any]) -> tuple[Any, ...]:
    """A row by its first cells and some others; what is not said is empty."""
    return (*first, *(others.get(column, "") for column in head_of(table)[len(first) :]))


def write_rows(file: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Write a table of the contract."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        found = [tuple(row) for row in rows]
        assert {len(row) for row in found} <= {len(head_of(file.name))}, file.name
        writer.writerows([head_of(file.name), *found])


def write_results(folder: Path, data: dict[str, Any] | None = None) -> tuple[Path, Path]:
    """Write the tiny study and its results; return both folders."""
    study_folder, out = write_study(folder / "studies" / "tiny", data), folder / "results" / "tiny"
    out.mkdir(parents=True)
    for name, rows in _rows().items():
        write_rows(out / name, rows)
    study = load_study(study_folder)
    done = reconcile_study(study, study_folder, Measurements.read(out))
    tables = done.tables | {"consistency.csv": consistency_table(study, study_folder)}
    for name, content in tables.items():
        write_table(out, name, content)
    slip = ("conv", "one-replaced", "each factor of 4*4*4 by any", 12, "3 -> 4", "a", "3*4*4")
    known = {"cost": 1, "chance": "0.0123"}
    write_rows(out / "slips.csv", [_cells("slips.csv", slip, known)])
    geometry = ("conv", "square-maps", "squares", 123456, "No geometry gives the number.")
    write_rows(out / "geometries.csv", [(*geometry, "", "", "", "", "")])
    write_json(out / "interpretations.json", {})
    write_json(out / "reconciliation.json", done.summary)
    write_json(out / "record.json", RECORD)
    return study_folder, out


def results_in(study_folder: Path, out: Path) -> Results:
    """A study and its results, read."""
    return read_results(load_study(study_folder), out)


def tiny_results(folder: Path, data: dict[str, Any] | None = None) -> Results:
    """The results of the tiny study, written and read."""
    return results_in(*write_results(folder, data))


def html_of(results: Results, **options: Any) -> str:
    """The page of some results."""
    return render_page(context_of(results, ReportOptions.model_validate(options)), "screen")


class Page(HTMLParser):
    """What tests ask of a page: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, dict(attrs)))
        self._silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        """Text goes on after a style."""
        self._silent = False

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if not self._silent:
            self.texts.append(data)

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [value for _, attrs in self.elements if (value := attrs.get(name)) is not None]

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.texts).split())
