"""How a reading stands to a claim: by the digits, the relation, the counting and the slip.

Conflicts: the search against trying every set, and what is said of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from hypothesis import given, settings
from hypothesis import strategies as st
from support import measured, study_data, write_study

from reconcile.errors import InputError
from reconcile.judge import verdicts as searched
from reconcile.judge.measurements import Measurements
from reconcile.judge.verdicts import (
    Counted,
    Verdict,
    conflicts_of,
    conventions,
    countings_of,
    digits_columns,
    failing_claims,
    judge,
    judge_reading,
    smallest_sets,
)
from reconcile.study.expressions import ExpressionError
from reconcile.study.load import load_study
from reconcile.study.model import Claim, Study, next_by_id
from reconcile.tables.contract import FITS, VERDICTS
from reconcile.words import number

MakeStudy = Callable[..., Study]


def claim(printed: str, relation: str = "equals", **keys: Any) -> Claim:
    """A claim with these digits."""
    reasons = {f"{key}_reason": "round" for key in ("unit", "zeros") if key in keys}
    return Claim(
        id="c", quote="q", where="w", printed=printed, quantity="neurons", of="network",
        relation=relation, **keys, **reasons,
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
        "matches", "matches-rounded", "matches-truncated", "matches-zeros", "explained-by-slip",
        "contradicts", "not-measured",
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


@pytest.mark.parametrize(
    ("number", "printed", "within", "verdict", "said"),
    [
        (37_400, "37000", 500, "matches", "37,400 is within 500 of 37000"),
        (37_500, "37000", 500, "matches", "37,500 is within 500 of 37000"),
        (36_499, "37000", 500, "contradicts", "36,499 is not within 500 of 37000 (-1.35%)"),
        (115 * 10**6, "~110M", "5%", "matches", "115,000,000 is within 5,500,000 of ~110M"),
        (116 * 10**6, "~110M", "5%", "contradicts", "116,000,000 is not within 5,500,000 of ~110M"),
    ],
)
def test_about(number: int, printed: str, within: int | str, verdict: str, said: str) -> None:
    """About is as near as the study says; both ends belong to it."""
    found, reason = judge(Fraction(number), claim(printed, "about", within=within))
    assert found == verdict
    assert reason.startswith(said)


@pytest.mark.parametrize(
    ("printed", "keys", "number", "verdict", "said"),
    [
        ("133", {"scale": "million"}, 132_863_336, "matches-rounded",
         "132,863,336 is 133 million when rounded to the printed digits"),
        ("133", {"scale": "million"}, 132_400_000, "contradicts", "132,400,000 is not 133 million"),
        ("64K", {"scale": 1024}, 65_536, "matches", "65,536 is the printed number"),
        ("0.54", {"scale": "%"}, Fraction(539, 100_000), "matches-rounded", "0.54% is 0.54% when"),
        ("133", {}, Fraction("132.86"), "matches-rounded", "132.86 is 133 when rounded"),
        ("5,120", {}, 5140, "contradicts", "5,140 is not 5,120 (+0.39%)"),
    ],
)  # fmt: skip
def test_scale(printed: str, keys: dict[str, Any], number: Any, verdict: str, said: str) -> None:
    """A head's scale makes the interval, and the reason names it."""
    found, reason = judge(Fraction(number), claim(printed, **keys))
    assert (found, reason[: len(said)]) == (verdict, said)


@pytest.mark.parametrize(
    ("printed", "number", "opened", "unopened"),
    [
        (
            "110M",
            109_482_240,
            "matches-zeros",
            "; in units of 10,000,000 it would be, were",
        ),
        (
            "340M",
            335_141_888,
            "matches-zeros",
            "; in units of 10,000,000 it would be, were",
        ),
        ("340M", 320_000_000, "contradicts", ""),
        ("60,000", 61_706, "matches-zeros", ""),
        ("110M", 110_400_000, "matches-rounded", ""),
    ],
)
def test_last_zeros(printed: str, number: int, opened: str, unopened: str) -> None:
    """Open zeros have a verdict of their own; closed ones a word in the reason, if scaled."""
    assert judge(Fraction(number), claim(printed, zeros="open"))[0] == opened
    verdict, reason = judge(Fraction(number), claim(printed))
    assert verdict == ("matches-rounded" if opened == "matches-rounded" else "contradicts")
    assert unopened in reason and ("zeros" in reason) == bool(unopened)


def test_open_zeros_are_weaker() -> None:
    """What fits only without its zeros is no fit: no conflict is dissolved by it."""
    assert "matches-zeros" not in FITS
    assert VERDICTS.index("matches-truncated") < VERDICTS.index("matches-zeros")


@pytest.mark.parametrize(
    ("printed", "relation", "number", "columns"),
    [
        ("60 million", "equals", 60_200_000, ("yes", "yes")),
        ("60 million", "equals", 60_965_224, ("no", "yes")),
        ("60 million", "equals", 59_700_000, ("yes", "no")),
        ("4096", "equals", 4096, ("yes", "yes")),
        ("4096", "equals", 4097, ("no", "no")),
        ("4096", "at-most", 4096, ("", "")),
        ("4096", "equals", None, ("", "")),
    ],
)
def test_rounded_and_cut_are_columns(
    printed: str, relation: str, number: int | None, columns: tuple[str, str]
) -> None:
    """Whether a number rounds to the digits, and whether it is cut to them, are two facts."""
    measured_number = None if number is None else Fraction(number)
    assert tuple(digits_columns(claim(printed, relation), measured_number).values()) == columns


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


def test_layers_that_ran_before_a_failure(tiny: Study) -> None:
    """Claims on layers that ran are judged; those on a total or another layer are not."""
    ran = [r for r in TINY_LAYERS if r["interpretation"] != "floor" or r["layer"] != "fc"]
    rows = measured(tiny, ran, floor="does-not-run")
    found = {c: (v.verdict, v.reason) for c, (v, _) in judged(tiny, rows, "floor").items()}
    assert found["conv"][0] == found["map"][0] == "contradicts"
    assert (
        found["parameters"] == found["share"] == ("not-measured", "does-not-run: as the test says")
    )
    # One of its countings is of a layer that ran.
    assert found["neurons"][0] == "contradicts"


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


def _asked(make_study: MakeStudy, expression: str, **cells: Any) -> Verdict:
    """The verdict on 64 by an expression, where the layer `conv` of a reading has more cells."""

    def change(data: dict[str, Any]) -> None:
        data["claims"][0] |= {"quantity": expression, "printed": "64"}
        data["claims"][0].pop("of", None)

    study = make_study(change)
    rows = [r | (cells if r["layer"] == "conv" else {"layers": 1}) for r in TINY_LAYERS]
    return judged(study, measured(study, rows), "ceil")["conv"][0]


@pytest.mark.parametrize(
    "expression",
    ["neurons(twin)", "neurons('body.*')", "neurons('kind:conv')", "64 * layers('kind:fc')"],
)
def test_other_ways_to_name_layers(make_study: MakeStudy, expression: str) -> None:
    """A layer answers to all of its names, and layers to their kind."""
    found = _asked(make_study, expression, also="twin body.twin")
    assert found.verdict == "matches"


def test_a_count_that_lacks_something(make_study: MakeStudy) -> None:
    """A claim on multiply-adds that are not complete is not judged, and says how many there are."""
    missing = "aten._fft_r2c:32 aten.mul+sum:5"
    found = _asked(make_study, "macs(conv) / 9", uncounted=missing)
    assert (found.verdict, found.measured) == ("not-measured", None)
    wanted = "at least 64: the multiply-adds of aten._fft_r2c, aten.mul+sum were not counted"
    assert found.reason == wanted
    assert _asked(make_study, "neurons(conv)", uncounted=missing).verdict == "matches"


def test_a_field_that_is_everything(make_study: MakeStudy) -> None:
    """A layer that sees all of its input has no receptive field in numbers, and the reason why."""
    found = _asked(make_study, "receptive_field(conv)", sees_all="height width")
    assert found.verdict == "not-measured"
    assert "sees all of its input (height width)" in found.reason


@pytest.mark.parametrize(
    ("expression", "measured_percent"),
    [
        ("largest_error(twice, half)", 100),
        ("largest_error(twice)", 50),
        ("mean_error('h*', 'tw*')", 75),
    ],
)
def test_how_far_a_reading_is_from_what_is_printed(
    make_study: MakeStudy, expression: str, measured_percent: int
) -> None:
    """Errors are shares of the printed numbers, of claims by id or pattern."""

    def change(data: dict[str, Any]) -> None:
        shared = {"quote": "a number", "where": "here"}
        neurons = {"quantity": "neurons", "of": "conv"}  # 64 in this reading
        data["claims"] += [
            {"id": "twice", "printed": "128"} | neurons | shared,
            {"id": "half", "printed": "32"} | neurons | shared,
            {"id": "off", "printed": f"{measured_percent}%", "quantity": expression} | shared,
        ]

    study = make_study(change)
    found, _ = judged(study, measured(study, TINY_LAYERS), "ceil")["off"]
    assert (found.verdict, found.measured) == ("matches", Fraction(measured_percent, 100))


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("mean_error('x*')", "there is no claim 'x*'"),
        ("largest_error(off)", "off is such a number itself"),
        ("largest_error(some)", "some prints no number that a reading could be off by a share of"),
        ("largest_error(ways)", "ways may be counted in several ways"),
    ],
)
def test_what_no_reading_is_off_from(make_study: MakeStudy, expression: str, problem: str) -> None:
    """A bound, several countings and an error itself have no error; told before anything runs."""

    def change(data: dict[str, Any]) -> None:
        shared = {"quote": "a number", "where": "here"}
        neurons = {"quantity": "neurons", "of": "conv", "printed": "64"}
        ways = [{"id": "other", "title": "other", "count": "neurons(fc)"}]
        data["claims"] += [
            {"id": "some", "relation": "at-least"} | neurons | shared,
            {"id": "ways", "title": "one", "countings": ways} | neurons | shared,
            {"id": "off", "printed": "3%", "quantity": expression} | shared,
        ]

    with pytest.raises(InputError) as caught:
        make_study(change)
    assert problem in str(caught.value)


@pytest.mark.parametrize("printed", ["abc", "1.000", "98 MB"])
def test_errors_of_digits_that_cannot_be_read(make_study: MakeStudy, printed: str) -> None:
    """What is wrong with the digits is told at their place, whoever asks for an error."""

    def change(data: dict[str, Any]) -> None:
        shared = {"quote": "a number", "where": "here"}
        bad = {"id": "bad", "printed": printed, "quantity": "neurons", "of": "conv"}
        off = {"id": "off", "printed": "3%", "quantity": "largest_error(bad)"}
        data["claims"] += [bad | shared, off | shared]

    with pytest.raises(InputError) as caught:
        make_study(change)
    (fault,) = caught.value.faults
    assert re.fullmatch(r"claims\.\d+\.printed", fault.key)


CLAIMS = "abcdefg"
FAILING = st.lists(st.frozensets(st.sampled_from(CLAIMS)), max_size=7)


def all_smallest(failing: list[frozenset[str]]) -> set[tuple[str, ...]]:
    """Every set of claims of which each candidate fails one, and no part of which is such a set."""
    found: list[set[str]] = []
    for size in range(1, len(CLAIMS) + 1):
        for chosen in map(set, combinations(CLAIMS, size)):
            if all(chosen & fails for fails in failing) and not any(f <= chosen for f in found):
                found.append(chosen)
    return {tuple(sorted(chosen)) for chosen in found} if failing else set()


@settings(deadline=None)
@given(FAILING)
def test_search_agrees_with_trying_all(failing: list[frozenset[str]]) -> None:
    """Every smallest set is found once, and the sizes are those of all of them."""
    found = smallest_sets(failing, CLAIMS)
    assert set(found.first) == all_smallest(failing)
    assert len(set(found.first)) == len(found.first) == sum(found.sizes.values())
    assert [len(chosen) for chosen in found.first] == sorted(map(len, found.first))
    assert found.complete == bool(failing)


def test_larger_sets_are_left_where_they_are_not_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of up to three claims are searched, and that there may be more is known."""
    failing = [frozenset({f"{name}{i}" for i in range(4)}) for name in "abcdef"]
    claims = sorted(frozenset.union(*failing))
    assert smallest_sets(failing, claims).complete
    monkeypatch.setattr(searched, "CHEAP", 0)
    found = smallest_sets([fails | {"x"} for fails in failing], [*claims, "x", "y"])
    assert (found.searched, found.complete, found.first) == (3, False, (("x",),))


def test_no_search_is_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even small sets are too many, the size that was searched is lower, and told."""
    failing = [frozenset(CLAIMS) - {one, two} for one, two in combinations(CLAIMS, 2)]
    assert smallest_sets(failing, CLAIMS).sizes == {3: comb(7, 3)}
    monkeypatch.setattr(searched, "MOST_STEPS", 30 * len(failing))
    found = smallest_sets(failing, CLAIMS)
    assert (found.searched, found.complete, found.first) == (2, False, ())


def test_many_alike_are_counted_and_the_first_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readings that share nothing exclude every pair of their claims."""
    monkeypatch.setattr(searched, "MOST_CONFLICTS", 5)
    left, right = ([f"{side}{i}" for i in range(200)] for side in "lr")
    found = smallest_sets([frozenset(left), frozenset(right)], [*left, *right])
    assert found.sizes == {2: 40_000}
    assert found.first == tuple(("l0", f"r{i}") for i in range(5))


def verdict(reading: str, claim: str, word: str) -> Verdict:
    """A verdict of which only the word matters."""
    return Verdict(reading, claim, None, word, "", "as-stated")


@pytest.mark.parametrize("word", VERDICTS)
def test_what_satisfies_a_claim(word: str) -> None:
    """What fits the digits satisfies a claim; a slip does not, and what is not known fails none."""
    fails = failing_claims([verdict("r", "one", "matches"), verdict("r", "two", word)])["r"]
    satisfied = {"matches", "matches-rounded", "matches-truncated"}
    assert set(FITS) == satisfied
    assert fails == (frozenset() if word in {*satisfied, "not-measured"} else {"two"})


def test_a_reading_that_was_not_measured_is_no_candidate() -> None:
    """It neither satisfies claims nor stands against them."""
    assert failing_claims([verdict("r", "one", "not-measured")]) == {}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The tiny study."""
    return load_study(write_study(tmp_path / "tiny", study_data()))


def test_a_pair_that_excludes_each_other(study: Study) -> None:
    """Each is satisfied by one reading, and none satisfies both."""
    verdicts = [
        verdict("floor", "conv", "matches"),
        verdict("floor", "map", "contradicts"),
        verdict("ceil", "conv", "contradicts"),
        verdict("ceil", "map", "matches-rounded"),
        verdict("slip", "conv", "not-measured"),
        verdict("elsewhere", "conv", "matches"),
    ]
    found = conflicts_of(study, "readings", {"floor", "ceil", "slip"}, verdicts)
    assert [c.claims for c in found.found] == [("conv", "map")]
    assert (
        found.found[0].says == "No reading that was measured satisfies both 48 (conv) and 4 (map)."
    )
    assert found.says == (
        "1 pair of claims is satisfied by no reading that was measured, "
        "though every part of each is."
    )


def test_what_no_reading_satisfies(study: Study) -> None:
    """A claim by itself is a conflict, and who explains it by a slip is named."""
    verdicts = [
        verdict("floor", "share", "contradicts"),
        verdict("slip", "share", "contradicts"),
        verdict("slip", "conv", "explained-by-slip"),
        verdict("floor", "conv", "contradicts"),
    ]
    found = conflicts_of(study, "readings", {"floor", "slip"}, verdicts)
    assert [c.says for c in found.found] == [
        "No reading satisfies 48 (conv); slip explains it by a slip.",
        "No reading satisfies at most 90% (share).",
    ]
    assert found.says == "2 claims are satisfied by no reading."


def test_without_conflicts(study: Study) -> None:
    """That nothing excludes anything is said, and so is that nothing was measured."""
    assert conflicts_of(study, "combinations", {"c"}, [verdict("c", "conv", "matches")]).says == (
        "No claims exclude each other: c fails none that was measured."
    )
    assert conflicts_of(study, "readings", {"floor"}, []).says == (
        "Nothing is known of conflicts: no claim was measured under any reading."
    )
