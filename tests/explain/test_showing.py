"""How an answer reads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from reconcile.cli import main
from reconcile.explain.ranking import Answered, Explanation
from reconcile.explain.showing import as_json, chance, lines, page_context
from reconcile.project import TEMPLATES
from reconcile.report.pages import render_explanation
from reconcile.search.candidates import Candidate
from reconcile.study.load import load_study
from reconcile.study.printed import parse_printed

LINEAR = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.fc = nn.Linear(12, width)

    def forward(self, images):
        return self.fc(images.flatten(1))
"""


def hit(says: str, by_chance: float = 0.01, network: str = "", who: str = "") -> Explanation:
    """An explanation of 5,200."""
    candidate = Candidate(says, "macs(network)", Fraction(5_200), 1, who)
    return Explanation(network, "conventions", candidate, "matches", 40, by_chance)


def answer(*found: Explanation) -> Answered:
    """An answer with these explanations."""
    return Answered(parse_printed("5,200"), "macs", found, None, None, ("said\x1b[2J",))


def test_whose_convention() -> None:
    """Who counts so is carried by what was found, and by other ways to the same number."""
    other = Candidate("b", "b", Fraction(5_200), 1, "fvcore")
    assert replace(hit("a", who="thop"), also=(other, other)).who == "thop, fvcore"
    assert hit("a multiply-add as two").who == ""


def test_lines() -> None:
    """A note, a head, a row each; how many are not shown; no letter that steers a terminal."""
    found = list(lines(answer(hit("as thop says", who="thop"), hit("b"), hit("c")), 2))
    assert found[0] == "said\\x1b[2J"
    assert found[2].split() == [
        *("5,200", "exact", "1", "40", "0.01", "as", "thop", "says", "thop", "macs(network)")
    ]
    assert found[-1] == "1 more explanation; --most shows them"


def test_a_lucky_hit_looks_like_one() -> None:
    """Where the best would be hit by any number, the answer says so."""
    assert "Any number of this precision" in list(lines(answer(hit("a", 3.0)), 5))[-1]
    assert chance(0.00001) == "under 0.001"
    assert chance(2.345) == "2.3"


def test_the_reading_of_a_study() -> None:
    """Where there are readings, a column names them."""
    head, row = list(lines(answer(hit("a", network="floor")), 5))[1:]
    assert head.split()[6:8] == ["reading", "what"]
    assert row.split()[5] == "floor"


def test_json() -> None:
    """The same for programs: all found are counted, as many as asked are listed."""
    found = as_json(answer(hit("as thop says", who="thop"), hit("b")), 1)
    assert json.loads(json.dumps(found)) == found
    assert (found["total"], len(found["explanations"])) == (2, 1)
    assert found["explanations"][0]["who"] == "thop"
    assert found["nearest"] == {"below": None, "above": None}


def test_a_page() -> None:
    """The same as a page: what a stranger wrote is escaped, and equal bytes come out each time."""
    found = answer(hit("<b>a</b>", 3.0, who="thop"), hit("b"))
    page, again = (
        render_explanation(TEMPLATES, page_context(found, "x.py:Net<script>", 1)) for _ in "ab"
    )
    assert page == again
    text = page.partition("</style>")[2]
    assert "&lt;b&gt;a&lt;/b&gt;" in text
    assert "Net&lt;script&gt;" in text
    assert "<script" not in text
    assert "2 explanations, 1 of them shown, best first" in text
    assert "none of these says much" in text
    assert re.findall(r'scope="col"[^>]*>([^<]+)<', text)[:2] == ["What is counted", "Digits"]
    assert text.count("<tr>") == 2


def test_a_page_without_an_explanation() -> None:
    """Where nothing fits the page says so, with what comes nearest."""
    near = hit("a multiply-add as one")
    found = Answered(parse_printed("7"), "", (), None, near, ())
    text = render_explanation(TEMPLATES, page_context(found, "x.py:Net", 10))
    assert "Nothing that was tried gives 7." in text
    assert "nearest above: 5,200, a multiply-add as one: macs(network)" in text
    assert "<table" not in text


def test_a_study_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The claim counts as the best explanation does, of the network with its inputs."""
    file = tmp_path / "network.py"
    file.write_text(LINEAR, encoding="utf-8")
    typed = ["explain", "96", f"{file}:Net", "--input", "3x2x2"]
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 0
    assert "now: reconcile check" in capsys.readouterr().err
    study = load_study(tmp_path / "begun")
    assert study.claims[0].expression == "macs(network)"
    assert study.inputs[0].shape == [1, 3, 2, 2]
    assert study.network == "network.py:Net"
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_nothing_is_left_of_what_would_be_no_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study whose claim cannot be read by itself is refused, and its folder is not there."""
    file = tmp_path / "network.py"
    file.write_text(LINEAR, encoding="utf-8")
    typed = ["explain", "0.4 KB", f"{file}:Net", "--input", "3x2x2"]
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("explain: --study: would be no study: claims.0.printed: ")
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["network.py"]
