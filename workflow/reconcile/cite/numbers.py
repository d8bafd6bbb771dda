r"""What a write-up needs: numbers and tables for LaTeX, and whom to cite.

``numbers.tex`` has a command for every measured number, every verdict and what it counted.
``\rcConvOneNeurons`` is of the reading that the study concludes for, ``\rcCeilConvOneNeurons`` of
the reading ``ceil``. The same numbers can be looked up by their own names:
``\reconcile{alexnet}{ceil}{conv1}{neurons}``, a row of ``numbers.csv`` and a value in
``numbers.json``. A place is a layer, ``network``, either behind the name of a network where a
reading has several (``small/network``), or a claim (``claim/conv1``).

TeX's commands are made of letters only: ``conv1.neurons`` becomes ``\rcConvOneNeurons``. Whatever
comes from a study is text to be shown and is escaped; nothing of it can become a command. The
templates escape by themselves what is not ``Tex``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from textwrap import wrap
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reconcile import words
from reconcile.cite.bibliography import (
    Tex,
    bibtex,
    citation_file,
    csl_json,
    escape,
    load_tool,
    references,
)
from reconcile.files import CITATION, TEMPLATES, write_text
from reconcile.study.model import SINGLE, Concluded, Study
from reconcile.tables.contract import (
    AS_STATED,
    NETWORK,
    QUANTITIES,
    layer_quantities,
    total_quantities,
)
from reconcile.tables.rows import Row, grouped_by, read_rows, written_cell
from reconcile.words import in_percent, share

PREFIX = "rc"
LONGEST_LINE = 10_000
"""Characters of a comment's line: TeX stops at one of 200,000."""
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_SPELLED = {str(digit): word for digit, word in enumerate(_DIGITS)} | {".": "Point"}
_NOT_DEFINED = "% Not defined, since names that differ have the same letters:"
_WORDS = re.compile(r"[A-Za-z]+|[0-9]|(?<=[0-9])\.(?=[0-9])")

CITATION_FILES = (
    "numbers.tex",
    "tables.tex",
    "numbers.csv",
    "numbers.json",
    "references.bib",
    "references.json",
    "CITATION.cff",
)
# TeX holds some hundred thousand names; a sweep of a thousand readings would fill it.
MAX_LAYER_ROWS = 6_000
OF_CLAIMS = ("printed", "measured", "verdict", "counting")
INDEX = ("study", "reading", "place", "quantity", "value")
"""The columns of numbers.csv."""
_SAFE = re.compile(r"[\w.:/+ -]+", re.ASCII)
"""Names that TeX reads as they are; others are in numbers.csv and numbers.json only."""


@dataclass(frozen=True)
class Numbers(Concluded):
    """The reconciled tables of a study, as text by column."""

    reconciliation: Mapping[str, Any]
    layers: Sequence[Row]
    totals: Sequence[Row]
    verdicts: Sequence[Row]

    @cached_property
    def found(self) -> list[Found]:
        """Everything that can be looked up by its names; no layers where TeX has no room."""
        many = len(self.layers) > MAX_LAYER_ROWS
        return all_found(() if many else self.layers, self.totals, self.verdicts)

    @cached_property
    def countings(self) -> dict[tuple[str, str], str]:
        """The countings of every claim in words, by their ids."""
        claims = self.reconciliation["claims"]
        return {(c["id"], one["id"]): one["title"] for c in claims for one in c["countings"]}


def load_numbers(results: Path) -> Numbers:
    """Read what the other stages wrote to ``results/<study>/``."""
    text = (results / "reconciliation.json").read_text(encoding="utf-8")
    names = ("layers.csv", "totals.csv", "verdicts.csv")
    return Numbers(json.loads(text), *(read_rows(results / name) for name in names))


def write_citations(study: Study, results: Path) -> None:
    """Write what write-ups need: ``CITATION_FILES``.

    Args:
        study: the study, the source of the paper's bibliography.
        results: its results, read and written to.

    Raises:
        InputError: the tool's CITATION.cff cannot be used, or a file not written.
    """
    numbers, software = load_numbers(results), load_tool(CITATION)
    items = references(study, numbers.reconciliation["study"], software)
    texts = (
        numbers_tex(numbers),
        tables_tex(numbers),
        numbers_csv(numbers.name, numbers.found),
        numbers_json(numbers.name, numbers.found),
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
    macros.comment("What the paper prints")
    for claim in numbers.reconciliation["claims"]:
        name, printed = claim["id"], escape(str(claim["printed"]))
        macros.add(("claim", name, "printed"), printed, f"claim {name!r} as printed")
    parts = _by_reading(numbers)
    if numbers.chosen:
        macros.comment(f"The reading that the study concludes for: {numbers.chosen}")
        _add_measured(macros, parts[numbers.chosen], named=False)
    else:
        macros.comment("The study concludes for no reading: every number has its reading's name")
    many = len(numbers.layers) > MAX_LAYER_ROWS
    if many:
        macros.comment("Too many layers for TeX: at most those of the conclusion; see layers.csv")
    for reading, part in parts.items():
        macros.comment(f"Reading {reading}")
        _add_measured(macros, replace(part, layers=()) if many else part, named=True)
    page = latex_templates().get_template("numbers.tex.jinja")
    lookup = lookup_tex(numbers.name, numbers.found)
    return page.render(commands=Tex(macros.text()), lookup=Tex(lookup))


def _by_reading(numbers: Numbers) -> dict[str, Numbers]:
    tables = (numbers.layers, numbers.totals, numbers.verdicts)
    layers, totals, verdicts = (grouped_by(rows, "interpretation") for rows in tables)
    return {
        key[0]: Numbers(numbers.reconciliation, layers.get(key, []), own, verdicts.get(key, []))
        for key, own in totals.items()
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


def _add_measured(macros: Macros, part: Numbers, *, named: bool) -> None:
    """Totals, layers and verdicts of one reading, with or without the reading in the name."""
    for row in part.totals:
        place = [*_name_parts(row, named=named), "network"]
        macros.add((*place, "status"), escape(row["status"]), f"the status of {_thing(row)}")
        _add_quantities(macros, place, row, total_quantities())
    for row in part.layers:
        place = [*_name_parts(row, named=named), row["layer"]]
        _add_quantities(macros, place, row, layer_quantities())
    for row in part.verdicts:
        place = ([row["interpretation"]] if named else []) + ["claim", row["claim"]]
        thing = f"claim {row['claim']!r} in reading {row['interpretation']!r}"
        if row["measured"]:
            measured = _like(row["measured"], row["printed"])
            macros.add((*place, "measured"), measured, f"the number measured for {thing}")
        macros.add((*place, "verdict"), escape(verdict_in_words(row)), f"the verdict on {thing}")
        counting = f"what was counted for {thing}"
        title = part.countings.get((row["claim"], row["counting"]), row["counting"])
        macros.add((*place, "counting"), escape(title), counting)


def verdict_in_words(row: Row) -> str:
    """A verdict, marked where another counting than the claim's own gives it."""
    otherwise = row["measured"] and row["counting"] != AS_STATED
    return f"{row['verdict']} (by another counting)" if otherwise else row["verdict"]


def _name_parts(row: Row, *, named: bool) -> list[str]:
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


def tables_tex(numbers: Numbers) -> str:
    """The text of tables.tex: each table is a command, to be used inside any float."""
    return (
        latex_templates()
        .get_template("tables.tex.jinja")
        .render(
            leading=numbers.leading,
            chosen=numbers.chosen,
            in_words=verdict_in_words,
            single=SINGLE,
            claims={claim["id"]: claim for claim in numbers.reconciliation["claims"]},
            ranking=numbers.reconciliation["ranking"],
            verdicts=numbers.verdicts,
            layers=numbers.layers,
            totals=numbers.totals,
            of_layers=layer_quantities(),
            of_totals=total_quantities(),
        )
    )


def _number_or_nothing(plain: object) -> Tex:
    return Tex("") if plain in (None, "") else number(str(plain))


def _like(measured: str, printed: str) -> Tex:
    """A measured number for people, as a percentage if the paper printed one."""
    percentage = measured and in_percent(printed)
    return number(measured, escape(share(measured))) if percentage else _number_or_nothing(measured)


def _heading(column: str) -> str:
    quantity = QUANTITIES.get(column)
    return (quantity and quantity.heading) or column.replace("_", " ").capitalize()


# Every number by its own names.


@dataclass(frozen=True)
class Found:
    """One number or word of a study.

    Attributes:
        reading: id of the interpretation.
        place: the layer, the network or the claim.
        quantity: what is counted or said of it.
        value: as it stands in the tables.
    """

    reading: str
    place: str
    quantity: str
    value: str

    @property
    def names(self) -> tuple[str, str, str]:
        """What it is looked up by."""
        return self.reading, self.place, self.quantity

    @property
    def tex(self) -> Tex:
        """As LaTeX shows it: a measured number grouped, all else as it is."""
        counted = self.value.isdigit() and self.quantity != "printed"
        return number(self.value) if counted else escape(self.value)


def all_found(layers: Iterable[Row], totals: Iterable[Row], verdicts: Iterable[Row]) -> list[Found]:
    """Everything that can be looked up, sorted by its names; what is ambiguous is left out."""
    found: dict[tuple[str, str, str], set[Found]] = {}
    for one in (
        *_of_rows(totals, NETWORK, ("status", *total_quantities())),
        *_of_rows(layers, "", layer_quantities()),
        *_of_rows(verdicts, "claim/", OF_CLAIMS),
    ):
        found.setdefault(one.names, set()).add(one)
    return [found[names].pop() for names in sorted(found) if len(found[names]) == 1]


def _of_rows(rows: Iterable[Row], kind: str, quantities: Iterable[str]) -> Iterator[Found]:
    wanted = tuple(quantities)
    for row in rows:
        network = row.get("network", SINGLE)
        place = f"claim/{row['claim']}" if kind == "claim/" else kind or row["layer"]
        place = place if network == SINGLE else f"{network}/{place}"
        for quantity in wanted:
            if row.get(quantity):
                yield Found(row["interpretation"], place, quantity, row[quantity])


def lookup_tex(study: str, found: Iterable[Found]) -> str:
    r"""The lines of numbers.tex that ``\reconcile`` looks into, with the names that there are."""
    safe = [one for one in found if all(map(_SAFE.fullmatch, one.names))]
    known: dict[str, set[str]] = {"": set()}
    for one in safe:
        known[""].add(one.reading)
        known.setdefault(f"/{one.reading}", set()).add(one.place)
        known.setdefault(f"/{one.reading}/{one.place}", set()).add(one.quantity)
    lines = [rf"\def\rc@study{{{study}}}"]
    lines += [
        rf"\rc@n{{{one.reading}}}{{{one.place}}}{{{one.quantity}}}{{{one.tex}}}" for one in safe
    ]
    lines += [rf"\rc@k{{{path}}}{{{','.join(sorted(names))}}}" for path, names in known.items()]
    return "".join(f"{line}\n" for line in lines)


def numbers_csv(study: str, found: Iterable[Found]) -> str:
    """numbers.csv: the index of everything that can be looked up, by the arguments to give."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(INDEX)
    cells = ((study, *one.names, one.value) for one in found)
    writer.writerows(map(written_cell, row) for row in cells)
    return stream.getvalue()


def numbers_json(study: str, found: Iterable[Found]) -> str:
    """numbers.json: study, reading, place and quantity, for Markdown and Quarto."""
    content: dict[str, dict[str, dict[str, int | str]]] = {}
    for one in found:
        value = int(one.value) if one.value.isdigit() else one.value
        content.setdefault(one.reading, {}).setdefault(one.place, {})[one.quantity] = value
    return json.dumps({study: content}, indent=1, ensure_ascii=False) + "\n"


# Commands of LaTeX.


@cache
def latex_templates() -> Environment:
    """What renders the LaTeX templates: ``<< >>`` shows, ``<% %>`` does; strict about names."""
    environment = Environment(
        autoescape=False,  # noqa: S701 - no HTML: ``finalize`` escapes for LaTeX
        finalize=lambda value: escape(value if isinstance(value, Tex) else str(value)),
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters |= {"number": _number_or_nothing, "like": _like, "heading": _heading}
    return environment


def number(plain: str, shown: str | None = None) -> Tex:
    r"""A number for text and formulas: ``\rcnum{290400}{290{,}400}``.

    Args:
        plain: the number as it stands in a table.
        shown: what is shown unless the write-up redefines ``\rcnum``; as the report has it when
            left out.
    """
    if shown is None:
        # Braces keep TeX from taking the comma of a formula for the end of something.
        shown = words.number(plain).replace(",", "{,}").replace("-", r"\ensuremath{-}")
    return Tex(rf"\rcnum{{{plain}}}{{{shown}}}")


def command_name(*parts: str) -> str:
    r"""The command for a name, in letters only: ("conv1", "neurons") -> ``rcConvOneNeurons``.

    Words are capitalised, digits and decimal points are spelled, all else separates words.
    """
    words = (word for part in parts for word in _WORDS.findall(part))
    return PREFIX + "".join(_SPELLED.get(word, word[0].upper() + word[1:]) for word in words)


class Macros:
    r"""Definitions in order, each with what it stands for.

    Names that differ can have the same letters: layers ``a_b`` and ``a.b``. A command that would
    stand for several things is defined for none of them; a comment at the end names them all.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._found: dict[str, set[tuple[str, str]]] = {}

    def comment(self, text: str) -> None:
        """Start a section of the file."""
        self._lines.append(f"% {' '.join(text.split())}")

    def add(self, parts: Sequence[str], body: str, thing: str) -> None:
        """Define the command for a name.

        Args:
            parts: the name, from which the command's letters are taken.
            body: what the command is replaced by.
            thing: what it stands for, on one line and the same for nothing else.
        """
        name = command_name(*parts)
        if name not in self._found:
            self._lines.append(name)
        self._found.setdefault(name, set()).add((thing, body))

    def text(self) -> str:
        """The definitions, one a line, then the commands that are left out."""
        shared = {name for name, found in self._found.items() if len(found) > 1}
        lines = [self._line(line) for line in self._lines if line not in shared]
        lines += [_NOT_DEFINED] if shared else []
        lines += [line for name in sorted(shared) for line in self._told(name)]
        return "".join(f"{line}\n" for line in lines)

    def _line(self, line: str) -> str:
        """A comment as it is, and a command's name with its definition."""
        if line not in self._found:
            return line
        ((_, body),) = self._found[line]
        return rf"\newcommand{{\{line}}}{{{body}}}"

    def _told(self, name: str) -> list[str]:
        """What a command that is left out would stand for."""
        things = sorted({thing for thing, _ in self._found[name]})
        several = " and for ".join(things) if len(things) > 1 else f"several values of {things[0]}"
        return wrap(
            rf"\{name} would stand for {several}",
            LONGEST_LINE,
            initial_indent="% ",
            subsequent_indent="%   ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def read_macros(text: str) -> dict[str, str]:
    """The one-line definitions in a file, by command: the inverse of ``Macros.text``.

    Raises:
        ValueError: a command is defined twice.
    """
    found: dict[str, str] = {}
    for match in re.finditer(r"^\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}$", text, re.MULTILINE):
        if match[1] in found:
            raise ValueError(f"\\{match[1]} is defined twice")
        found[match[1]] = match[2]
    return found
