r"""What a write-up needs: numbers and tables for LaTeX, and whom to cite.

``numbers.tex`` has a command for every measured number and every verdict. ``\rcConvOneNeurons`` is
of the reading that the study concludes for, ``\rcCeilConvOneNeurons`` of the reading ``ceil``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconcile.cite.bibliography import bibtex, citation_file, csl_json, load_tool, references
from reconcile.cite.latex import Macros, command_name, escape, number, table
from reconcile.files import write_text
from reconcile.study.load import load_study
from reconcile.study.model import SINGLE
from reconcile.tables.contract import FILES, QUANTITIES, layer_quantities
from reconcile.tables.rows import read_rows
from reconcile.words import in_percent, share

Row = Mapping[str, str]

CITATION_FILES = (
    "numbers.tex",
    "tables.tex",
    "references.bib",
    "references.json",
    "CITATION.cff",
)
# TeX holds some hundred thousand names; a sweep of a thousand readings would fill it.
MAX_LAYER_ROWS = 6_000

_HEADER = r"""% Numbers measured and verdicts reached, for \input in the preamble of a write-up.
% Counting conventions: neurons are the elements of a layer's output for one input; a network's are
% the sum over its convolutional and fully connected layers. One multiply-add is one MAC, per input;
% bias additions are not counted. Parameters are trainable elements, shared ones once.
% \rcnum takes the plain and the grouped number. With siunitx: \newcommand{\rcnum}[2]{\num{#1}}
% before this file.
\providecommand{\rcnum}[2]{#2}
"""


@dataclass(frozen=True)
class Numbers:
    """The reconciled tables of a study, as text by column."""

    reconciliation: Mapping[str, Any]
    layers: Sequence[Row]
    totals: Sequence[Row]
    verdicts: Sequence[Row]

    @property
    def chosen(self) -> str:
        """The reading that the study concludes for."""
        return str(self.reconciliation["conclusion"]["interpretation"])


def load_numbers(results: Path) -> Numbers:
    """Read what the other stages wrote to ``results/<study>/``."""
    text = (results / "reconciliation.json").read_text(encoding="utf-8")
    names = ("layers.csv", "totals.csv", "verdicts.csv")
    return Numbers(json.loads(text), *(read_rows(results / name) for name in names))


def write_citations(study_folder: Path, results: Path, tool: Path) -> None:
    """Write numbers.tex, tables.tex, references.bib, references.json and CITATION.cff.

    Args:
        study_folder: holds study.yaml, the source of the paper's bibliography.
        results: the study's results, read and written to.
        tool: the project's CITATION.cff.

    Raises:
        InputError: the study or the tool's CITATION.cff cannot be used, or a file not written.
    """
    study, numbers, software = load_study(study_folder), load_numbers(results), load_tool(tool)
    items = references(study, study_folder.resolve().name, software)
    texts = (
        numbers_tex(numbers),
        tables_tex(numbers),
        bibtex(items),
        csl_json(items),
        citation_file(study, software),
    )
    for name, text in zip(CITATION_FILES, texts, strict=True):
        write_text(results / name, text)


def numbers_tex(numbers: Numbers) -> str:
    """The text of numbers.tex; a command that would stand for two things is named, not defined."""
    macros = Macros()
    _add_counts(macros, numbers.reconciliation)
    _add_claims(macros, numbers.reconciliation)
    parts = _by_reading(numbers)
    macros.comment(f"The reading that the study concludes for: {numbers.chosen}")
    _add_measured(macros, parts[numbers.chosen], named=False)
    many = len(numbers.layers) > MAX_LAYER_ROWS
    if many:
        macros.comment("Too many layers for TeX: here those of the reading above; see layers.csv")
    for reading, part in parts.items():
        macros.comment(f"Reading {reading}")
        _add_measured(macros, replace(part, layers=()) if many else part, named=True)
    return _HEADER + macros.text()


def _by_reading(numbers: Numbers) -> dict[str, Numbers]:
    readings = dict.fromkeys(row["interpretation"] for row in numbers.totals)
    grouped: dict[str, dict[str, list[Row]]] = {
        reading: {"layers": [], "totals": [], "verdicts": []} for reading in readings
    }
    for name in ("layers", "totals", "verdicts"):
        for row in getattr(numbers, name):
            grouped[row["interpretation"]][name].append(row)
    return {
        reading: Numbers(numbers.reconciliation, **tables) for reading, tables in grouped.items()
    }


def _add_counts(macros: Macros, reconciliation: Mapping[str, Any]) -> None:
    macros.comment(f"Study {reconciliation['study']}, {reconciliation['version']}")
    conclusion = reconciliation["conclusion"]
    for parts, text in (
        (("paper", "title"), reconciliation["paper"]["title"]),
        (("study", "version"), str(reconciliation["version"])),
        (("conclusion", "answer"), conclusion["answer"]),
        (("conclusion", "interpretation"), conclusion["interpretation"]),
    ):
        macros.add(parts, escape(text), f"the {parts[1]} of the {parts[0]}")
    for name, count in reconciliation["counts"].items():
        macros.add(("count", name), number(str(count)), f"the count {name!r}")


def _add_claims(macros: Macros, reconciliation: Mapping[str, Any]) -> None:
    macros.comment("What the paper prints")
    for claim in reconciliation["claims"]:
        name = claim["id"]
        printed = f"claim {name!r} as printed"
        macros.add(("claim", name, "printed"), escape(str(claim["printed"])), printed)


def _add_measured(macros: Macros, part: Numbers, *, named: bool) -> None:
    """Totals, layers and verdicts of one reading, with or without the reading in the name."""
    for row in part.totals:
        place = [*_place(row, named=named), "network"]
        macros.add((*place, "status"), escape(row["status"]), f"the status of {_thing(row)}")
        _add_quantities(macros, place, row, _totals())
    for row in part.layers:
        _add_quantities(macros, [*_place(row, named=named), row["layer"]], row, layer_quantities())
    for row in part.verdicts:
        place = ([row["interpretation"]] if named else []) + ["claim", row["claim"]]
        thing = f"claim {row['claim']!r} in reading {row['interpretation']!r}"
        if row["measured"]:
            measured = _like(row["printed"], row["measured"])
            macros.add((*place, "measured"), measured, f"the number measured for {thing}")
        macros.add((*place, "verdict"), escape(row["verdict"]), f"the verdict on {thing}")


def _place(row: Row, *, named: bool) -> list[str]:
    reading = [row["interpretation"]] if named else []
    return reading + ([row["network"]] if row["network"] != SINGLE else [])


def _thing(row: Row) -> str:
    """What a row of a measured table is about; names stand in quotes, so that no two read alike."""
    name = f" {row['network']!r}" if row["network"] != SINGLE else ""
    thing = f"the whole network{name}"
    if "layer" in row:
        thing = f"layer {row['layer']!r}" + (f" of network{name}" if name else "")
    return f"{thing} in reading {row['interpretation']!r}"


def _add_quantities(
    macros: Macros, place: Sequence[str], row: Row, quantities: Iterable[str]
) -> None:
    for quantity in quantities:
        if row.get(quantity):
            thing = f"the {quantity} of {_thing(row)}"
            macros.add((*place, quantity), number(row[quantity]), thing)


def _of(rows: Iterable[Row], reading: str) -> Iterator[Row]:
    return (row for row in rows if row["interpretation"] == reading)


def tables_tex(numbers: Numbers) -> str:
    r"""The text of tables.tex: each table is a command, to be used inside any float."""
    tables = {
        "claims": _claims_table(numbers),
        "ranking": _ranking_table(numbers),
        "layers": _layers_table(numbers),
        "totals": _totals_table(numbers),
    }
    lines = [
        "% Tables for write-ups; they need the package booktabs, and numbers.tex before them.",
    ]
    for name, text in tables.items():
        lines.append(rf"\newcommand{{\{command_name('table', name)}}}{{%")
        lines.append(text + "}")
    return "".join(f"{line}\n" for line in lines)


def _claims_table(numbers: Numbers) -> str:
    printed = {claim["id"]: str(claim["printed"]) for claim in numbers.reconciliation["claims"]}
    where = {claim["id"]: str(claim["where"]) for claim in numbers.reconciliation["claims"]}
    rows = (
        [row["claim"], where[row["claim"]], printed[row["claim"]], row["measured"], row["verdict"]]
        for row in _of(numbers.verdicts, numbers.chosen)
    )
    return table(
        "llrrl",
        ("Claim", "Where", "Printed", "Measured", "Verdict"),
        ([escape(a), escape(b), escape(c), _like(c, d), escape(e)] for a, b, c, d, e in rows),
    )


def _like(printed: str, measured: str) -> str:
    """A measured number for people, as a percentage if the paper printed one."""
    if not measured:
        return ""
    return number(measured, escape(share(measured)) if in_percent(printed) else None)


def _ranking_table(numbers: Numbers) -> str:
    return table(
        "rlrrrl",
        ("Rank", "Reading", "Contradicted", "Denied", "Assumed", "Excluded by"),
        (
            [
                escape(str(row["rank"])),
                escape(row["title"]),
                *(number(str(row["score"][key])) for key in _SCORES),
                escape(", ".join(row["excluded_by"]) or "–"),
            ]
            for row in numbers.reconciliation["ranking"]
        ),
    )


_SCORES = ("claims_contradicted", "statements_denied", "assumptions")


def _layers_table(numbers: Numbers) -> str:
    return table(
        "ll" + "r" * len(layer_quantities()),
        ["Layer", "Kind", *map(_heading, layer_quantities())],
        (
            [escape(row["layer"]), escape(row["kind"]), *_cells(row, layer_quantities())]
            for row in _of(numbers.layers, numbers.chosen)
        ),
    )


def _totals_table(numbers: Numbers) -> str:
    return table(
        "ll" + "r" * len(_totals()),
        ["Reading", "Status", *map(_heading, _totals())],
        (
            [_reading_cell(row), escape(row["status"]), *_cells(row, _totals())]
            for row in numbers.totals
        ),
    )


def _totals() -> list[str]:
    """The numbers of a whole network."""
    return [c.name for c in FILES["totals.csv"].columns if c.type == "integer"]


def _heading(column: str) -> str:
    quantity = QUANTITIES.get(column)
    return (quantity and quantity.heading) or escape(column.replace("_", " ").capitalize())


def _cells(row: Row, quantities: Iterable[str]) -> list[str]:
    return [number(row[quantity]) if row.get(quantity) else "" for quantity in quantities]


def _reading_cell(row: Row) -> str:
    return escape("/".join([row["interpretation"], *_place(row, named=False)]))
