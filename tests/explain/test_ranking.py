"""Best is what must assume least; a lucky hit looks like one.

Then how an answer reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from counted import Counted as Rows
from torch import Tensor, nn

from reconcile.cli import main
from reconcile.explain.asking import AskedNetwork, CountedNetwork, number_asked
from reconcile.explain.ranking import (
    Answered,
    Explanation,
    as_json,
    chance,
    explained,
    lines,
    page_context,
    sized_for,
)
from reconcile.report.pages import render_explanation
from reconcile.search.candidates import Candidate
from reconcile.search.unexplained import KINDS
from reconcile.study.expressions import evaluate
from reconcile.study.load import load_study
from reconcile.study.printed import parse_printed


class Small(nn.Module):
    """A convolution of 156 and a classifier of 47,050 parameters, with a norm between."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.norm1 = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6 * 28 * 28, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of ten classes."""
        scores: Tensor = self.fc(self.norm1(self.conv1(images)).flatten(1))
        return scores


ROWS = Rows(Small(), torch.rand(1, 1, 32, 32))
NAMED = AskedNetwork("", "main", {"file": "small.py", "class": "Small"}, {})
COUNTED = CountedNetwork(NAMED, ROWS.facts, ())
PARAMETERS = 156 + 12 + 47_050
MACS = 25 * 4_704 + 47_040


def asked(text: str, *networks: CountedNetwork) -> Answered:
    """The answer for a number as it is typed."""
    return explained(networks or (COUNTED,), *number_asked(text))


def test_a_total_comes_first() -> None:
    """A number that is the plain total needs nothing else, whatever else gives it."""
    best = asked(f"{PARAMETERS:,}").found[0]
    assert (best.search, best.candidate.expression) == ("total", "parameters(network)")
    assert (best.digits, best.candidate.cost, best.lucky) == ("exact", 0, False)
    rounded = asked("47K").found
    assert (rounded[0].candidate.expression, rounded[0].digits) == (
        "parameters(network)",
        "rounded",
    )
    assert any(hit.search == "parts" for hit in rounded[1:])


def test_one_row_for_each_number() -> None:
    """What gives the same number stands beside the best way to it, with who counts so."""
    rows = asked(f"{MACS / 1e6:.5f}M FLOPs").found
    assert len({hit.candidate.value for hit in rows}) == len(rows)
    best = rows[0]
    assert best.candidate.says == "a multiply-add as one"
    assert "flops(network) / 2" in {other.expression for other in best.also}
    assert best.who.startswith("usual in papers on images")


def test_a_convention_before_a_tool_and_rounded_before_cut() -> None:
    """Of what assumes the same, the usual comes first, and digits that were rounded."""
    ranked = asked(f"{MACS / 1e6:.1f}M FLOPs").found
    order = [(hit.candidate.cost, hit.digits == "cut") for hit in ranked if hit.digits != "slip"]
    assert order == sorted(order)
    alone = (hit for hit in ranked if hit.candidate.cost == 1 and not hit.also)
    of_one = [hit.search for hit in alone if hit.digits == "rounded"]
    assert of_one == sorted(of_one, key=KINDS.index)


def test_a_part_left_out() -> None:
    """What is the total without its biases and norms is found, in words and as an expression."""
    best = asked(f"{PARAMETERS - 12:,}").found[0]
    assert best.candidate.says == "parameters without the norms"
    assert best.candidate.cost == 1
    both = {hit.candidate.expression for hit in asked("47,190").found}
    assert "parameters(network) - parameters('part:biases|norms')" in both


def test_operations_for_multiply_adds() -> None:
    """FLOPs that are multiply-adds assume something; the word says what is meant."""
    best = asked(f"{2 * MACS / 1e6:.3f} MFLOPs").found[0]
    assert (best.candidate.expression, best.candidate.cost) == ("flops(network)", 0)
    found = {h.candidate.expression: h.candidate for h in asked(f"{MACS / 1e6:.5f}M FLOPs").found}
    assert found["macs(network)"].says == "a multiply-add as one"
    assert found["macs(network)"].cost == 1
    assert all(expression != "neurons(network)" for expression in found)


def test_a_layer() -> None:
    """The number of one layer is found, and says that it is one."""
    found = {hit.candidate.expression: hit for hit in asked("4,704").found}
    assert found["neurons(conv1)"].candidate.cost == 1
    assert found["neurons(conv1)"].digits == "exact"


def test_zeros_and_slips_come_last() -> None:
    """Last zeros that are no digits, and a digit that is wrong, are assumed besides."""
    zeros = asked("47,200").found
    best = next(hit for hit in zeros if hit.candidate.expression == "parameters(network)")
    assert (best.digits, best.candidate.cost) == ("last zeros open", 1)
    slip = asked("47,228 parameters").found
    edits = [hit for hit in slip if hit.search == "digits"]
    assert edits
    assert edits[0].candidate.expression == "parameters(network)"
    assert edits[0].digits == "one digit off"
    assert edits[0].candidate.cost >= 2


def test_the_nearest_slip_comes_first() -> None:
    """A map of 6 x 28 x 28 printed as 6 x 28 x 26, and not a far map whose factor is any number."""
    slips = [hit for hit in asked("4,368 neurons").found if hit.search == "slips"]
    assert slips[0].candidate.expression == "6*28*26"
    assert [hit.change for hit in slips] == sorted(hit.change for hit in slips)


def test_chance_is_said() -> None:
    """Two digits are given by much; that is said, and grows with what is tried."""
    found = asked("0.05M").found
    first, last = found[0], max(found, key=lambda hit: hit.tried)
    assert first.by_chance < last.by_chance
    assert last.lucky


def test_nothing_fits() -> None:
    """Where nothing gives the number, what comes next on both sides is said."""
    answered = asked("98,765,432,109")
    assert answered.found == ()
    assert answered.above is None
    assert answered.below is not None
    value = answered.below.candidate.value
    assert value < 98_765_432_109


def test_expressions_can_be_pasted(tmp_path: object) -> None:
    """Every expression, put into a study, gives the number that is said."""
    scope = ROWS.scope(tmp_path)
    for hit in asked("47K").found:
        assert evaluate(hit.candidate.expression, scope) == hit.candidate.value


def test_readings_of_a_study() -> None:
    """Readings that give a number by the same count stand in one line."""
    two = [
        CountedNetwork(AskedNetwork(name, "main", {}, {}), ROWS.facts, ("said",))
        for name in ("one", "two")
    ]
    answered = asked(f"{PARAMETERS:,}", *two)
    assert answered.found[0].network == "one, two"
    assert answered.notes == ("said",)


def test_other_sizes() -> None:
    """A size of the image is offered where one was counted, and assumes something."""
    bigger = Candidate("MACs for an image of 64 × 64", "macs(network)", Fraction(777_777), 1)
    sized = CountedNetwork(NAMED, ROWS.facts, (), (bigger,))
    best = asked("777,777", sized).found[0]
    assert (best.search, best.candidate.says) == ("sizes", "MACs for an image of 64 × 64")
    printed, quantity = number_asked("777,777")
    assert sized_for(COUNTED, printed, quantity) == printed
    assert sized_for(COUNTED, *number_asked(f"{PARAMETERS:,}")) is None
    assert sized_for(COUNTED, *number_asked("777,777 neurons")) is None


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
    page, again = (render_explanation(page_context(found, "x.py:Net<script>", 1)) for _ in "ab")
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
    text = render_explanation(page_context(found, "x.py:Net", 10))
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
