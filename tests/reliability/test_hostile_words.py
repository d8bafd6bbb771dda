"""Words of a study or its network on a terminal, in a log, in a command: they stay words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects import EVERYTHING
from reliability.hostile import accepted, cells_of, is_formula, put
from reliability.payloads import PAYLOADS
from support import PROJECT, study_data, write_study

from reconcile.cite.bibliography import Reference, bibtex
from reconcile.errors import InputError, visible
from reconcile.files import write_json
from reconcile.measure.run import measure_study
from reconcile.run.jobs import logged
from reconcile.study.load import load_study
from reconcile.study.settings import Measuring

NETWORK = """
import torch
from torch import nn

WORDS = {words!r}


class Tiny(nn.Module):
    def __init__(self, *, number):
        super().__init__()
        word = WORDS[number]
        print(word)
        if number % 2:
            raise RuntimeError(word)
        self.add_module(word.replace(".", "") or "x", nn.Conv2d(1, 1, 3))

    def example_inputs(self):
        return (torch.rand(1, 1, 8, 8),)

    def forward(self, images):
        return next(self.children())(images)
"""


def test_what_a_network_says_is_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Messages and layer names of a network reach tables and log as text on one line."""
    numbers = range(0, len(PAYLOADS), 1 if EVERYTHING else 3)
    reading = {"networks": {"main": {"number": 0}}, "placement": "auto"}
    readings = [reading | {"id": f"p{i}", "networks": {"main": {"number": i}}} for i in numbers]
    write_study(tmp_path, network=NETWORK.format(words=PAYLOADS))
    plan = {"network": {"file": "network.py", "class": "Tiny"}, "interpretations": readings}
    write_json(tmp_path / "plan.json", plan)
    settings = Measuring(device="cpu", warmup=0, repeats=0)
    with logged(str(tmp_path / "log")) as log:
        measure_study(tmp_path / "plan.json", tmp_path, tmp_path, settings, report=log)
    capfd.readouterr()
    found = [row for name in ("totals", "layers") for row in cells_of(tmp_path / f"{name}.csv")]
    assert {row[0] for row in found} == {"interpretation", *(f"p{i}" for i in numbers)}
    for cell in (cell for row in found for cell in row):
        assert visible(cell) == cell
        assert not is_formula(cell)
    lines = (tmp_path / "log").read_text("utf-8").split("\n")[:-1]
    assert lines
    assert all(visible(line) == line for line in lines)


@pytest.mark.parametrize("place", [(), ("claims", 0, "id"), ("arguments",), ("network",)])
def test_faults_cannot_steer_a_terminal(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    """A fault about hostile keys and values is one line of characters that can be seen."""
    for text in PAYLOADS:
        data = study_data()
        if place in ((), ("arguments",)):
            container = data["arguments"] if place else data
            container[f"{text} !"] = text
        else:
            put(data, place, text)
        with pytest.raises(InputError) as failed:
            load_study(write_study(tmp_path, data))
        assert all(visible(line) == line for line in str(failed.value).split("\n"))
        assert len(str(failed.value).split("\n")) == len(failed.value.faults)


def test_links_lead_to_the_web() -> None:
    """No payload is taken as a link, nor any scheme but http and https."""
    for place in (("paper", "url"), ("evidence", 0, "source", 0, "url")):
        assert not [text for text in PAYLOADS if accepted(place, text)]
        assert accepted(place, "https://example.org/a?b=c#d")
        assert not accepted(place, "ftp://example.org/")
    assert not [text for text in PAYLOADS if accepted(("paper", "doi"), text)]


def test_ids_are_safe_in_paths_and_anchors() -> None:
    """An id holds letters, digits, dots, dashes and underscores, and starts with no mark."""
    taken = [text for text in PAYLOADS if accepted(("claims", 0, "id"), text)]
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", text) for text in taken)
    assert len(taken) < len(PAYLOADS) / 10


@pytest.mark.parametrize("field", ["title", "authors", "venue"])
def test_references_keep_their_entries(field: str) -> None:
    """Text in a reference neither ends its entry nor starts another: every brace is balanced."""
    for text in PAYLOADS:
        words = {"title": text, "authors": [text, "Ada Lovelace"], "venue": text}[field]
        values = {"title": "A title", "authors": ["Ada Lovelace"], "venue": None} | {field: words}
        found = bibtex([Reference("key", "other", fields={"year": "1843"}, **values)])
        depth = 0
        for place, char in enumerate(found.rstrip()):
            depth += {"{": 1, "}": -1}.get(char, 0)
            assert depth > 0 or place in (*range(len("@misc")), len(found.rstrip()) - 1), found
        assert depth == 0
        names = found.partition("author = {")[2].partition("},\n")[0]
        while "{" in names:
            names = re.sub(r"\{[^{}]*\}", "", names)
        assert len(names.split(" and ")) == len(values["authors"]), found


def test_no_rule_hands_text_to_a_shell() -> None:
    """Rules call Python with data; a `shell` that came would have to quote what it is given."""
    rules = [PROJECT / "Snakefile", *(PROJECT / "workflow" / "rules").glob("*.smk")]
    for file in rules:
        text = file.read_text("utf-8")
        for command in re.findall(r"^    shell:\n((?: {8}.*\n)+)", text, re.MULTILINE):
            assert not re.findall(r"\{(?!.*:q)[^}]*\}", command), file
