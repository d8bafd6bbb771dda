r"""Every number of a study by its own names: reading, place and quantity.

``\reconcile{alexnet}{ceil}{conv1}{neurons}`` in LaTeX, a row of ``numbers.csv`` and a value in
``numbers.json``. A place is a layer, ``network``, either behind the name of a network where a
reading has several (``small/network``), or a claim (``claim/conv1``).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconcile.cite.latex import Tex, escape, number
from reconcile.study.model import SINGLE
from reconcile.tables.contract import NETWORK, layer_quantities, total_quantities
from reconcile.tables.rows import written_cell

Row = Mapping[str, str]
OF_CLAIMS = ("printed", "measured", "verdict", "counting")
INDEX = ("study", "reading", "place", "quantity", "value")
"""The columns of numbers.csv."""
_SAFE = re.compile(r"[\w.:/+ -]+", re.ASCII)
"""Names that TeX reads as they are; others are in numbers.csv and numbers.json only."""


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
