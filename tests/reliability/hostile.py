"""Studies and results full of hostile text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from odd_studies import run_study
from pydantic import ValidationError
from reliability.payloads import PAYLOADS
from report_support import results_in, write_results
from support import NETWORK, study_data, write_study

from reconcile.cite.numbers import write_citations
from reconcile.errors import InputError, visible
from reconcile.files import write_json
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.report.pages import render_page
from reconcile.report.render import context_of
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.tables.contract import head_of
from reconcile.tables.frames import write_table
from reconcile.tables.rows import Csv

Place = tuple[str | int, ...]
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
_NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)")
WORDS = "Any words, really"


def places_of_text(data: Any, place: Place = ()) -> Iterator[Place]:
    """Where a study holds text."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        if isinstance(value, str):
            yield (*place, key)
        elif isinstance(value, dict | list):
            yield from places_of_text(value, (*place, key))


def with_text(place: Place, text: str) -> dict[str, Any]:
    """The tiny study with a text in one place."""
    data = study_data()
    put(data, place, text)
    return data


def put(data: Any, place: Place, value: Any) -> None:
    """Set a value in plain data."""
    for part in place[:-1]:
        data = data[part]
    data[place[-1]] = value


@cache
def free_places() -> tuple[Place, ...]:
    """The places that take any words: found by trying, so that a new field is tried too."""
    with TemporaryDirectory() as folder:
        return tuple(place for place in places_of_text(study_data()) if _loads(place, folder))


def _loads(place: Place, folder: str) -> bool:
    try:
        load_study(write_study(Path(folder), with_text(place, WORDS)))
    except InputError:
        return False
    # What selects a layer is no text to be shown; see quantities.
    return place[-1] != "of"


def accepted(place: Place, text: str) -> bool:
    """Whether the data model takes a text in a place."""
    try:
        Study.model_validate(with_text(place, text))
    except ValidationError:
        return False
    return True


def hostile_study(turn: int, step: int) -> tuple[dict[str, Any], list[tuple[Place, str]]]:
    """The tiny study with another payload in every free place, and what was put where."""
    data, done = study_data(), []
    for number, place in enumerate(free_places()):
        text = PAYLOADS[(number * step + turn) % len(PAYLOADS)]
        # References of a conclusion are a language of their own, with tests of its own.
        if place[0] == "conclusion":
            text = text.replace("{", "(").replace("}", ")")
        if accepted(place, text):
            put(data, place, text)
            done.append((place, text.strip()))
    return data, done


def hostile_results(folder: Path, turn: int, step: int) -> tuple[Path, Path]:
    """A hostile study with its results and all that is rendered from them but the PDF."""
    study, out = write_results(folder, hostile_study(turn, step)[0])
    poison(out, visible(PAYLOADS[turn % len(PAYLOADS)]))
    judge(study, out)
    options = ReportOptions(checked_by=_plain(PAYLOADS[turn % len(PAYLOADS)]))
    page = render_page(context_of(results_in(study, out), options), "screen")
    (out / "report.html").write_text(page, "utf-8")
    write_citations(load_study(study), out)
    return study, out


def measured_results(folder: Path, turn: int, step: int) -> Path:
    """A hostile study done by every rule, archived and verified: its network is hostile too."""
    data, text = hostile_study(turn, step)[0], PAYLOADS[turn % len(PAYLOADS)]
    for own, plain in zip(data["interpretations"], study_data()["interpretations"], strict=True):
        own |= {"network": plain.get("network", {})}
    data["arguments"] = study_data()["arguments"]
    study = write_study(folder / "studies" / "tiny", data)
    (study / "network.py").write_text(NETWORK + _HOSTILE_NETWORK.format(text=text), "utf-8")
    run_study(study, folder / "results" / "tiny", {"checked_by": _plain(text)})
    return folder / "results" / "tiny"


_HOSTILE_NETWORK = """

Kind = Tiny
TEXT = {text!r}
NAME = TEXT.replace(".", "")[:60] or "nothing"


class Tiny(Kind):
    \"\"\"A layer's name and a failure's message are hostile.\"\"\"

    def __init__(self, **arguments):
        super().__init__(**arguments)
        if arguments["rule"] == "floor":
            raise ValueError(TEXT)
        self.add_module(NAME, nn.Identity())

    def forward(self, images):
        return super().forward(getattr(self, NAME)(images))
"""


def poison(out: Path, text: str) -> None:
    """Payloads where no study stands behind them: messages, names of layers, the record."""
    failed = {"interpretation": "slip", "network": "main", "status": "does-not-run"}
    _replace(out / "totals.csv", "slip,", failed | {"message": text})
    layer = {"interpretation": "ceil", "network": "main", "kind": "other", "layer": text[:60]}
    sizes = dict.fromkeys(head_of("layers.csv")[4:8], 1) | dict.fromkeys(
        head_of("layers.csv")[8:], 0
    )
    _replace(out / "layers.csv", "no row", layer | sizes)
    record = json.loads((out / "record.json").read_text("utf-8"))
    record["command"] = record["host"]["cpu"] = text
    record["device"] |= {"name": text, "fallback": text}
    record["source"] = {}
    write_json(out / "record.json", record)


def _plain(text: str) -> str:
    """What an option of the report takes of a payload."""
    return "".join(c for c in text if c.isprintable())[:200]


def judge(study: Path, out: Path) -> None:
    """All that follows from the study and the poisoned measurements."""
    write_json(out / "interpretations.json", plan_of(load_study(study), study.name))
    done = reconcile_study(load_study(study), study, Measurements.read(out))
    for name, content in done.tables.items():
        write_table(out, name, content)
    write_json(out / "reconciliation.json", done.summary)


def _replace(file: Path, start: str, row: dict[str, Any]) -> None:
    """Put a row in the place of those that start in some way, as measuring writes rows."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    added = Csv(file, head_of(file.name))
    added.add([row])
    added.close()
    own = file.read_text("utf-8").split("\n", 1)[1]
    file.write_text("".join([*(ln for ln in lines if not ln.startswith(start)), own]), "utf-8")


def cells_of(file: Path) -> list[list[str]]:
    """The cells of a table, row by row."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would compute a cell."""
    return _FORMULA.match(cell) is not None and not _NUMBER.fullmatch(cell)
