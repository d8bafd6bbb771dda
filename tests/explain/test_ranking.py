"""Best is what must assume least; a lucky hit looks like one."""

from __future__ import annotations

from fractions import Fraction

import torch
from counted import Counted as Rows
from torch import Tensor, nn

from reconcile.explain.asking import AskedNetwork, number_asked
from reconcile.explain.measuring import CountedNetwork
from reconcile.explain.ranking import Answered, explained, sized_for
from reconcile.search.best import KINDS
from reconcile.search.candidates import Candidate
from reconcile.study.expressions import evaluate


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
