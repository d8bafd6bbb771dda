"""Any number of a study can be had by its own names, in LaTeX, as a table and as JSON."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from report_support import write_results

from reconcile.cite.numbers import (
    all_found,
    load_numbers,
    lookup_tex,
    numbers_csv,
    numbers_json,
    numbers_tex,
    write_citations,
)
from reconcile.study.load import load_study

LAYER = {"interpretation": "ceil", "network": "main", "layer": "conv", "neurons": "1024"}
WRITE_UP = r"""
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\input{numbers}
\begin{document}
\section{\reconcile{tiny}{ceil}{conv}{neurons}}
CALL
\end{document}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the tiny study with what write-ups need."""
    study, out = write_results(tmp_path_factory.mktemp("lookup"))
    write_citations(load_study(study), out)
    return out


def test_layers_networks_and_claims_are_places() -> None:
    """A layer of one of several networks has that network before it."""
    other = LAYER | {"network": "large"}
    total = {"interpretation": "ceil", "network": "large", "status": "measured", "macs": "7"}
    verdict = {"interpretation": "ceil", "claim": "conv", "measured": "64", "printed": "48"}
    found = all_found([LAYER, other], [total], [verdict])
    assert [one.names[1:] for one in found] == [
        ("claim/conv", "measured"),
        ("claim/conv", "printed"),
        ("conv", "neurons"),
        ("large/conv", "neurons"),
        ("large/network", "macs"),
        ("large/network", "status"),
    ]


def test_what_is_ambiguous_is_left_out() -> None:
    """Two values of one name are worth none."""
    assert all_found([LAYER, LAYER | {"neurons": "9"}], [], []) == []
    assert len(all_found([LAYER, LAYER], [], [])) == 1


def test_names_that_tex_would_read_otherwise_are_in_the_tables_only() -> None:
    """A layer's name is any text; a brace or a comma in it reaches no TeX file."""
    found = all_found([LAYER | {"layer": "a{,}#1"}], [], [])
    assert r"\rc@n" not in lookup_tex("tiny", found)
    assert "a{,}#1" in numbers_csv("tiny", found) and "a{,}#1" in numbers_json("tiny", found)


def test_a_name_is_no_formula() -> None:
    """A spreadsheet takes a layer's name for text, as in every other table."""
    found = all_found([LAYER | {"layer": "=1+1"}], [], [])
    assert numbers_csv("tiny", found).endswith("\ntiny,ceil,'=1+1,neurons,1024\n")


def test_the_index_and_the_json_hold_the_tables(results: Path) -> None:
    """What can be looked up is what was measured, digit for digit."""
    with (results / "numbers.csv").open(encoding="utf-8", newline="") as stream:
        index = {tuple(row[:4]): row[4] for row in csv.reader(stream)}
    assert index["tiny", "ceil", "conv", "neurons"] == "64"
    assert index["tiny", "slip", "claim/conv", "verdict"] == "explained-by-slip"
    content = json.loads((results / "numbers.json").read_text(encoding="utf-8"))
    assert content["tiny"]["ceil"]["conv"]["neurons"] == 64
    flat = {
        ("tiny", reading, place, quantity): str(value)
        for reading, places in content["tiny"].items()
        for place, quantities in places.items()
        for quantity, value in quantities.items()
    }
    assert flat == {key: value for key, value in index.items() if key[0] == "tiny"}


def typeset(results: Path, folder: Path, call: str) -> tuple[int, str, str]:
    """A write-up with a call: the exit status, what was reported, and the text."""
    text = numbers_tex(load_numbers(results))
    (folder / "numbers.tex").write_text(text, encoding="utf-8")
    (folder / "paper.tex").write_text(WRITE_UP.replace("CALL", call), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.returncode, done.stdout.replace("\n", ""), ""
    shown = ["pdftotext", "paper.pdf", "-"]
    read = subprocess.run(shown, cwd=folder, capture_output=True, text=True, check=True)
    return 0, "", read.stdout


@pytest.mark.slow
def test_latex_finds_every_kind_of_number(results: Path, tmp_path: Path) -> None:
    """In a heading, in text and in a formula, grouped as the report has it."""
    call = (
        r"$\reconcile{tiny}{slip}{claim/conv}{measured}$ was printed as "
        r"\reconcile{tiny}{slip}{claim/conv}{printed}: \reconcile{tiny}{slip}{claim/conv}{verdict}"
    )
    status, _, text = typeset(results, tmp_path, call)
    assert status == 0
    assert "64 was printed as 48: explained-by-slip" in " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "told"),
    [
        (r"{tiny}{ceil}{konv}{neurons}", "no place `konv' in tiny/ceil, there are claim/conv,"),
        (r"{tiny}{ceil}{conv}{nurons}", "no quantity `nurons' in tiny/ceil/conv, near are neurons"),
        (r"{tiny}{cell}{conv}{neurons}", "no reading `cell' in tiny, near are ceil;"),
        (r"{tini}{ceil}{conv}{neurons}", "no study `tini'; \\input its numbers.tex first"),
    ],
)
def test_latex_says_what_is_near(results: Path, tmp_path: Path, call: str, told: str) -> None:
    """A number that is not there stops the run with the names that are."""
    status, reported, _ = typeset(results, tmp_path, rf"\reconcile{call}")
    assert status != 0
    assert f"reconcile: there is {told}" in reported
