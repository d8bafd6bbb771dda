"""How a reading stands to a claim: by the digits, the relation, the counting and the slip."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured

from reconcile.judge.measurements import Measurements
from reconcile.judge.verdicts import (
    Counted,
    Verdict,
    conventions,
    countings_of,
    judge,
    judge_reading,
)
from reconcile.study.expressions import ExpressionError
from reconcile.study.model import Claim, Study, next_by_id
from reconcile.tables.contract import VERDICTS
from reconcile.words import number

MakeStudy = Callable[..., Study]


def claim(printed: str, relation: str = "equals", unit: float | None = None) -> Claim:
    """A claim with these digits."""
    return Claim(
        id="c", quote="q", where="w", printed=printed, quantity="neurons", of="network",
        relation=relation, unit=unit, unit_reason=None if unit is None else "round",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measured_number", "printed", "verdict"),
    [
        (253_440, "253,440", "matches"),
        (290_400, "253,440", "contradicts"),
        (60_965_224, "60 million", "matches-truncated"),
        (60_499_999, "60 million", "matches-rounded"),
        (60_500_000, "60 million", "matches-truncated"),
        (59_500_000, "60 million", "matches-rounded"),
        (59_499_999, "60 million", "contradicts"),
        (61_000_000, "60 million", "contradicts"),
        (62_378_344, "60 million", "contradicts"),
        (60_000_000, "60 million", "matches"),
    ],
)
def test_equality(measured_number: int, printed: str, verdict: str) -> None:
    """Exact, rounded and truncated are tried in this order at the precision of the digits."""
    found, reason = judge(Fraction(measured_number), claim(printed))
    assert found == verdict
    assert reason.startswith(f"{measured_number:,} is")


def test_tried_in_order() -> None:
    """The verdicts are listed from best to worst, as the design defines them."""
    assert VERDICTS == (
        "matches", "matches-rounded", "matches-truncated", "explained-by-slip", "contradicts",
        "not-measured",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("share", "verdict", "said"),
    [
        (Fraction(1, 100), "matches", "1.00% is at most 1%"),
        (Fraction(99, 10_000), "matches", "0.99% is at most 1%"),
        (Fraction(145, 10_000), "contradicts", "1.45% is not at most 1%, though it holds once"),
        (Fraction(101, 10_000), "contradicts", "1.01% is not at most 1%, though it holds once"),
        (Fraction(15, 1000), "contradicts", "1.50% is not at most 1%"),
        (Fraction(3, 100), "contradicts", "3.00% is not at most 1%"),
    ],
)
def test_no_more_than(share: Fraction, verdict: str, said: str) -> None:
    """A bound is compared exactly; the reason notes when it would hold after rounding."""
    found, reason = judge(share, claim("1%", "at-most"))
    assert found == verdict
    assert reason.startswith(said)
    assert ("rounded" in reason) == (verdict == "contradicts" and share < Fraction(15, 1000))


@pytest.mark.parametrize(
    ("number", "verdict", "rounded"),
    [(20, "matches", False), (25, "matches", False), (19, "contradicts", False)],
)
def test_at_least(number: int, verdict: str, rounded: bool) -> None:
    """A lower bound is compared exactly as well; an integer in full has no rounding to hope for."""
    found, reason = judge(Fraction(number), claim("20", "at-least"))
    assert found == verdict
    assert ("rounded" in reason) == rounded


def test_distance_is_told() -> None:
    """A contradiction says by how much, with its sign."""
    assert judge(Fraction(290_400), claim("253,440"))[1].endswith("(+14.58%)")
    assert judge(Fraction(173_056), claim("186,624"))[1].endswith("(-7.27%)")
    assert judge(Fraction(5), claim("0"))[1] == "5 is not 0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(290_400), "290,400"),
        (Fraction(7), "7"),
        (Fraction(1, 8), "0.125"),
        (Fraction(10_001, 4), "2,500.25"),
        (Fraction(885_120, 60_965_224), "0.01452"),
        (Fraction(-1, 3), "-0.3333"),
    ],
)
def test_numbers(value: Fraction, text: str) -> None:
    """Numbers for people have groups of three digits and few after the point."""
    assert number(value) == text


def test_conventions_of_digits() -> None:
    """A number may fit rounded digits, truncated ones, both or neither; exact ones say nothing."""
    assert conventions(Fraction(60_200_000), claim("60 million")) == {"rounded", "truncated"}
    assert conventions(Fraction(60_965_224), claim("60 million")) == {"truncated"}
    assert conventions(Fraction(59_700_000), claim("60 million")) == {"rounded"}
    assert conventions(Fraction(70_000_000), claim("60 million")) == frozenset()
    assert conventions(Fraction(4096), claim("4096")) == frozenset()
    assert conventions(Fraction(1, 100), claim("1%", "at-most")) == frozenset()


def judged(
    study: Study, measurements: Measurements, reading: str
) -> dict[str, tuple[Verdict, list[Counted]]]:
    """The verdicts and countings of one reading by claim."""
    own = next_by_id(study.interpretations, reading)
    return {v.claim: (v, counted) for v, counted in judge_reading(study, own, measurements)}


def verdicts(study: Study, measurements: Measurements, reading: str) -> dict[str, str]:
    """The verdict words of one reading by claim."""
    return {c: v.verdict for c, (v, _) in judged(study, measurements, reading).items()}


def test_readings_of_the_tiny_study(tiny: Study, tiny_measured: Measurements) -> None:
    """One verdict for every claim, from the measured layers and totals."""
    assert verdicts(tiny, tiny_measured, "floor") == {
        "conv": "contradicts", "map": "contradicts", "parameters": "contradicts",
        "neurons": "contradicts", "share": "contradicts",
    }  # fmt: skip
    assert verdicts(tiny, tiny_measured, "ceil") == {
        "conv": "contradicts", "map": "matches", "parameters": "matches-rounded",
        "neurons": "matches-rounded", "share": "contradicts",
    }  # fmt: skip


def test_best_counting_gives_the_verdict(tiny: Study, tiny_measured: Measurements) -> None:
    """Of several countings the one that fits best is taken and named; all are kept."""
    verdict, counted = judged(tiny, tiny_measured, "ceil")["neurons"]
    assert [(c.counting, c.measured) for c in counted] == [("as-stated", 74), ("conv-only", 64)]
    assert (verdict.counting, verdict.measured) == ("as-stated", 74)
    assert verdict.reason.endswith("; counted: all layers")


def test_nearest_of_equal_verdicts(make_study: MakeStudy) -> None:
    """Between countings that fit equally well, the nearer number is taken."""
    study = make_study(lambda data: data["claims"][3].update(printed="60"))
    verdict, _ = judged(study, measured(study, TINY_LAYERS), "ceil")["neurons"]
    assert (verdict.counting, verdict.verdict) == ("conv-only", "matches-rounded")


def test_countings_start_with_the_claims_own(tiny: Study) -> None:
    """The counting that `quantity` and `of` state is called as-stated and comes first."""
    assert [c.id for c in countings_of(tiny.claim("neurons"))] == ["as-stated", "conv-only"]
    assert countings_of(tiny.claim("conv"))[0].title == "neurons('conv')"


def test_slip_explains(tiny: Study, tiny_measured: Measurements) -> None:
    """A declared slip explains when its right side was measured and its wrong side is printed."""
    verdict, _ = judged(tiny, tiny_measured, "slip")["conv"]
    assert verdict.verdict == "explained-by-slip"
    assert verdict.measured == 64
    assert "64 was measured, 48 is the same with a slip" in verdict.reason


def test_slip_is_of_its_claim_and_reading(tiny: Study, tiny_measured: Measurements) -> None:
    """A slip changes no other claim and no other reading."""
    own = verdicts(tiny, tiny_measured, "slip") | {"conv": "contradicts"}
    assert own == verdicts(tiny, tiny_measured, "ceil")


@pytest.mark.parametrize(
    ("key", "calculation", "said"),
    [
        ("right", "height(conv) * width(conv) * 5", "starts from 80, which was not measured"),
        ("written", "2 * width(conv) * channels(conv)", "the slip gives 32, not 48"),
    ],
)
def test_slip_that_does_not_come_out(
    make_study: MakeStudy, key: str, calculation: str, said: str
) -> None:
    """A slip of which one calculation fails explains nothing, and the reason says which."""

    def change(data: dict[str, Any]) -> None:
        data["interpretations"][2]["slip"][key] = calculation

    study = make_study(change)
    verdict, _ = judged(study, measured(study, TINY_LAYERS), "slip")["conv"]
    assert verdict.verdict == "contradicts"
    assert said in verdict.reason


def test_slip_where_nothing_is_contradicted(make_study: MakeStudy) -> None:
    """A claim that matches needs no slip."""

    def change(data: dict[str, Any]) -> None:
        data["claims"][0]["printed"] = "64"

    study = make_study(change)
    assert verdicts(study, measured(study, TINY_LAYERS), "slip")["conv"] == "matches"


def test_reading_that_was_not_measured(tiny: Study) -> None:
    """A reading that does not build has the verdict not-measured, with its message."""
    found = judged(tiny, measured(tiny, TINY_LAYERS[4:], floor="does-not-build"), "floor")
    assert {v.verdict for v, _ in found.values()} == {"not-measured"}
    assert {v.measured for v, _ in found.values()} == {None}
    assert found["conv"][0].reason == "does-not-build: as the test says"


def test_layer_that_a_reading_lacks(make_study: MakeStudy) -> None:
    """A claim on a layer that this reading does not have is not measured; the layers are listed."""
    study = make_study(lambda data: data["claims"][0].update(of="conv9"))
    verdict, _ = judged(study, measured(study, TINY_LAYERS), "ceil")["conv"]
    assert verdict.verdict == "not-measured"
    assert "there is no layer 'conv9'; there are: input, conv, relu, fc" in verdict.reason


def test_quantity_that_gives_no_number(make_study: MakeStudy) -> None:
    """A claim whose expression is a comparison or text is refused."""

    def change(data: dict[str, Any]) -> None:
        data["claims"][0] |= {"quantity": "width(conv) == 4"}
        del data["claims"][0]["of"]

    study = make_study(change)
    with pytest.raises(ExpressionError, match="gives no number"):
        judged(study, measured(study, TINY_LAYERS), "ceil")


def test_patterns_sum_and_sides_do_not(make_study: MakeStudy) -> None:
    """A pattern sums over layers, but the width of several layers is refused."""

    def change(data: dict[str, Any]) -> None:
        data["claims"][0]["of"] = "[cf]*"
        data["claims"][1]["of"] = "[cf]*"

    study = make_study(change)
    with pytest.raises(ExpressionError, match="is of one layer, but 2 match"):
        judged(study, measured(study, TINY_LAYERS), "ceil")
