"""Values of an argument are measured as networks, and a search says what these give.

Few are measured, both edges among them, and enough.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solved import Count, by_trying, found
from support import measured, study_data, write_study

from reconcile.measure.process import Zygote
from reconcile.measure.solving import (
    MOST_MEASURED,
    MOST_SCANNED,
    AnswerScope,
    Newton,
    solution_rows,
)
from reconcile.search.candidates import Given
from reconcile.search.run import search_solutions
from reconcile.study.expressions import ExpressionError, evaluate
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.frames import table, write_table

VALUES = range(1, 3001)


def multiple(value: float, of: int = 8) -> int:
    """``make_divisible`` of the mobile networks: the nearest multiple, never a tenth less."""
    nearest = max(of, int(value + of / 2) // of * of)
    return nearest + of if nearest < 0.9 * value else nearest


def agrees(count: Count, low: int, high: int, stride: int = 1, values: range = VALUES) -> str:
    """Check a search against trying every value in the part that it speaks of."""
    one = found(count, values, low, high, stride)
    assert one.holding == by_trying(count, one.searched, low, high)
    return one.method.name


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=4),
    st.integers(-(10**6), 10**6),
    st.integers(1, 10**6),
)
def test_polynomials(factors: list[int], low: int, width: int) -> None:
    """Of a polynomial every value is found from a few, wherever it rises and falls."""
    name = agrees(lambda v: sum(f * v**i for i, f in enumerate(factors)), low, low + width)
    assert name == "polynomial"


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from([2, 4, 8]), st.integers(1, 20_000), st.integers(1, 5_000))
def test_a_polynomial_for_each_remainder(
    data: st.DataObject, stride: int, low: int, width: int
) -> None:
    """Of a count that depends on the remainder of the stride too, every value is found."""
    factors = st.tuples(st.integers(-9, 9), st.integers(-3, 9))
    each = [data.draw(factors) for _ in range(stride)]

    def count(value: int) -> int:
        constant, rise = each[value % stride]
        return constant * 10 + rise * (value // stride)

    agrees(count, low, low + width, stride)


@st.composite
def uneven(draw: st.DrawFn) -> tuple[Count, int]:
    """A polynomial, or one for each remainder, of a width with kinks and gaps; and its stride."""
    factors = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4))
    stride = draw(st.sampled_from([1, 1, 2, 4]))
    shifts = [draw(st.integers(0, 40)) for _ in range(stride)]
    kink = draw(st.sampled_from(["none", "least", "most", "multiple"]))
    at = draw(st.sampled_from([8, 11, 900, 2990]))
    gap, first = draw(st.sampled_from([1, 1, 1, 3, 8])), draw(st.sampled_from([1, 1, 30]))

    def count(value: int) -> int | None:
        if value < first or value % gap:
            return None
        width = {
            "none": value,
            "least": max(at, value),
            "most": min(at, value),
            "multiple": multiple(value * 0.9),
        }[kink]
        return sum(f * width**i for i, f in enumerate(factors)) + shifts[value % stride] * value

    return count, stride


@settings(max_examples=60, deadline=None)
@given(uneven(), st.integers(1, 3000), st.integers(1, 400))
def test_no_interval_is_claimed_that_was_not_measured(
    drawn: tuple[Count, int], at: int, width: int
) -> None:
    """Both ends of each are measured and hold, what follows on them is measured and does not."""
    count, stride = drawn
    low = count(at - at % 24 or 24) or 0
    one = found(count, VALUES, low - width, low + width, stride)
    claimed, step = set(one.holding), one.method.step
    for value in claimed:
        for beyond in (value - step, value + step):
            if beyond not in claimed:
                assert one.measured[value] == count(value), "an edge is measured"
                assert low - width <= (count(value) or 0) < low + width
                outside = one.measured[beyond] if beyond in one.searched else None
                assert outside is None or not low - width <= outside < low + width


KINKED: dict[str, Count] = {
    "at least eight": lambda v: 1000 * max(8, v // 4) + 3,
    "kink in the middle": lambda v: 5 * max(v, 1500),
    "multiples of eight": lambda v: 9 * multiple(v * 0.75) ** 2 + 7,
    "multiples of 256": lambda v: 3 * v * 256 * ceil(8 * v / 3 / 256),
    "halved and cut": lambda v: ((v - 1) // 2 + 1) ** 2 * 64,
    "falling": lambda v: 10**7 - v**2 - v % 2 * v // 10,
}


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("at", [2, 9, 700, 1501, 2999])
def test_kinks_and_steps(name: str, at: int) -> None:
    """Counts that are rounded up to something, or have a least size, are no polynomials."""
    count = KINKED[name]
    value = count(at)
    assert value is not None
    assert agrees(count, value - 3, value + 4, stride=2) != "polynomial"


@pytest.mark.parametrize("heads", [12, 48, 64])
def test_a_width_is_a_multiple_of_its_heads(heads: int) -> None:
    """Values that do not build are no points: those that do are the values to solve for."""

    def count(value: int) -> int | None:
        return 12 * value**2 if value % heads == 0 else None

    one = found(count, range(1, 100_001), 12 * 768**2, 12 * 768**2 + 1)
    assert one.method.name == "polynomial"
    assert (one.holding, one.method.step) == ([768], heads)
    assert len(one.measured) < 40 + 3 * heads


def test_few_values_are_measured_and_every_edge() -> None:
    """A vocabulary of up to 100,000 words: the ends of the answer and their neighbours are run."""

    def count(value: int) -> int:
        return 768 * value + 85_056_000 + 786_432

    one = found(count, range(1, 100_001), 116_500_000, 117_500_000)
    assert (one.holding[0], one.holding[-1]) == (39_919, 41_220)
    assert {39_918, 39_919, 41_220, 41_221} <= set(one.measured)
    assert len(one.measured) < 40


def test_halving_measures_few() -> None:
    """A count that only grows in steps is solved without being a polynomial."""
    one = found(lambda v: 7 * ceil(v / 3) ** 2, range(1, 100_001), 7 * 900**2, 7 * 910**2)
    assert one.method.name == "monotone"
    assert one.holding == list(range(2698, 2728))
    assert len(one.measured) < 120


def test_a_small_range_is_measured_whole() -> None:
    """Nothing surpasses measuring every value, and then nothing need be expected."""
    one = found(lambda v: v * 7919 % 1000, range(1, MOST_SCANNED + 1), 10, 20)
    assert one.method.name == "scan"
    assert len(one.measured) == MOST_SCANNED
    assert one.holding == by_trying(lambda v: v * 7919 % 1000, range(1, MOST_SCANNED + 1), 10, 20)


def test_work_is_bounded_and_only_what_was_searched_is_claimed() -> None:
    """Of what is neither of it a part is measured, and the answer speaks of that part."""
    one = found(lambda v: v * 7919 % 100_003, range(1, 1_000_001), 500, 600)
    assert one.method.name == "scan"
    assert len(one.searched) == MOST_MEASURED
    assert len(one.measured) < MOST_MEASURED + 400
    assert set(one.holding) <= set(one.measured)


def test_no_value_builds() -> None:
    """Where no network can be built nothing is found, and the search ends."""
    one = found(lambda v: None, range(1, 1_000_001), 500, 600)
    assert one.holding == []
    assert len(one.measured) < MOST_MEASURED + 400


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=5), st.integers(-2000, 2000))
def test_cuts_are_where_a_polynomial_crosses(factors: list[int], bound: int) -> None:
    """Every place at which it comes to lie on the other side of a bound, and no other."""
    places = range(len(factors))
    fitted = Newton(places, [Fraction(f) for f in factors])
    above = [fitted(place) >= bound for place in range(60)]
    crossings = [i for i in range(1, 60) if above[i] != above[i - 1]]
    assert fitted.cuts(Fraction(bound), 60) == crossings


SOLVE = [
    {"id": "kernels", "argument": "kernels", "range": {"first": 1, "last": 5000}},
    {"id": "size", "argument": "size", "range": {"first": 1, "last": 900}},
    {"id": "both", "argument": "kernels", "range": {"first": 1, "last": 40}},
]
CLAIMS = {"kernels": ["conv", "parameters"], "size": ["map", "products"], "both": ["conv", "map"]}
PRODUCTS = {
    "id": "products",
    "quote": "36 thousand products",
    "where": "p. 4",
    "printed": "36 thousand",
    "quantity": "macs",
    "of": "conv",
}


def rows_found(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """The rows of both tables of the tiny study, and the lines of progress."""
    data = study_data()
    data["claims"].append(PRODUCTS)
    data["solve"] = [
        wanted | {"interpretation": "floor", "claims": CLAIMS[wanted["id"]]} for wanted in SOLVE
    ]
    study = load_study(write_study(folder / "tiny", data))
    plan, told = plan_of(study, "tiny"), list[str]()
    network = plan["network"] | {"file": str(folder / "tiny" / "network.py")}
    with Zygote(Measuring(device="cpu")) as pool:
        tried = list(solution_rows(plan["solve"], network, pool, told.append))
    write_table(folder, "solutions_measured.csv", table("solutions_measured.csv", tried))
    given = Given(study, folder / "tiny", measured(study, []), folder, told.append)
    return tried, list(search_solutions(given)), told


@pytest.fixture(scope="module")
def solved(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """What comes of three searches."""
    return rows_found(tmp_path_factory.mktemp("solving"))


Found = tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]


def answer(solved: Found, search: str, claim: str, digits: str = "rounded") -> dict[str, Any]:
    """The row of one search and claim."""
    (row,) = (
        row
        for row in solved[1]
        if (row["search"], row["claim"], row["digits"]) == (search, claim, digits)
    )
    return row


def test_a_width_is_found_by_interpolation(solved: Found) -> None:
    """Nine neurons and a hundred parameters a kernel, ten beside: 48 is none of the former."""
    assert answer(solved, "kernels", "conv")["intervals"] == ""
    row = answer(solved, "kernels", "parameters")
    assert (row["intervals"], row["method"]) == ("7", "polynomial")
    tried = [r for r in solved[0] if (r["search"], r["claim"]) == ("kernels", "parameters")]
    assert {6, 7, 8} <= {r["value"] for r in tried}
    assert all(int(r["measured"]) == 100 * r["value"] + 10 for r in tried)
    assert len(tried) < 60


def test_the_size_of_an_input_is_found_by_halving(solved: Found) -> None:
    """Maps grow every second pixel; four in a row are those of nine and ten pixels."""
    row = answer(solved, "size", "map")
    assert (row["intervals"], row["method"]) == ("9..10", "monotone")
    # 4 kernels x 9 x 32 x 32 = 36,864 is cut to 36 thousand and not rounded to it.
    assert answer(solved, "size", "products")["intervals"] == ""
    assert answer(solved, "size", "products", "cut")["intervals"] == "65..66"


def test_what_claims_ask_for_together(solved: Found) -> None:
    """Two claims without a common value give a sentence that says what each asks for."""
    row = answer(solved, "both", "")
    assert row["values"] == 0
    assert row["says"] == (
        "no kernels from 1 to 40 satisfies conv and map together: "
        "conv asks for none of them, map asks for none of them"
    )


def test_progress_is_told_for_each_claim(solved: Found) -> None:
    """A line says how many values were measured, and how they were chosen; others may precede."""
    done = [line for line in solved[2] if " measured at " in line]
    assert [line.partition(" measured at ")[0] for line in done] == [
        f"{wanted['id']}: {claim}: {wanted['argument']}"
        for wanted in SOLVE
        for claim in CLAIMS[wanted["id"]]
    ]


SIDED = """from torch import nn


class Sided(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.conv = nn.Conv2d(3, maps, 3, stride=2)

    def forward(self, image):
        return self.conv(image)
"""


def test_the_size_of_an_input_is_solved_for(tmp_path: Path) -> None:
    """Where the study gives it and it is no argument: both sides of the image, no channels."""
    data = study_data()
    for key in ("statements", "evidence", "consistency", "slips", "geometries", "argument_help"):
        data.pop(key, None)
    data |= {
        "network": "network.py:Sided",
        "arguments": {"maps": 4},
        "inputs": [{"shape": [1, 3, 32, 32]}],
        "claims": [data["claims"][0] | {"printed": "196"}],
        "interpretations": [
            {
                "id": "floor",
                "title": "As it is",
                "assumes": ["Nothing."],
                "proposed_by": [{"name": "A"}],
            }
        ],
        "conclusion": {"interpretation": "floor", "answer": "A.", "text": "B."},
        "solve": [
            {
                "id": "side",
                "argument": "input_side",
                "interpretation": "floor",
                "claims": ["conv"],
                "range": {"first": 1, "last": 40},
            }
        ],
    }
    folder = write_study(tmp_path / "tiny", data)
    (folder / "network.py").write_text(SIDED)
    plan = plan_of(load_study(folder), "tiny")
    network = plan["network"] | {"file": str(folder / "network.py")}
    with Zygote(Measuring(device="cpu")) as pool:
        rows = list(solution_rows(plan["solve"], network, pool, lambda line: None))
    held = {row["value"] for row in rows if row["measured"] == "196"}
    assert held == {15, 16}
    assert [row["measured"] for row in rows[:2]] == [None, None], "smaller than the window"


CONV = {"layer": "conv", "kind": "conv", "neurons": 8, "macs": 72, "uncounted": ""}
LAYERS = [CONV, CONV | {"layer": "odd", "macs": 0, "uncounted": "aten::inverse:9"}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("neurons(conv) + argument(size)", 16),
        ("flops(conv)", 144),
        ("neurons('*')", 16),
        ("neurons(network, main)", 16),
        ("macs(odd)", None),
        ("macs(network)", None),
        ("height('*')", None),
        ("height(network)", None),
        ("seen(network)", None),
        ("neurons(network, other)", None),
        ("printed(conv)", None),
        ("argument(width)", None),
        ("readings()", None),
    ],
)
def test_what_is_asked_of_a_network(expression: str, value: int | None) -> None:
    """Counts as in a judged reading; what is not known, or not all of it, is no number."""
    answers = {"main": {"status": "measured-on-meta", "layers": LAYERS}}
    scope = AnswerScope(answers, {"main": {"size": 8}}, "main")
    if value is None:
        with pytest.raises(ExpressionError):
            evaluate(expression, scope)
    else:
        assert evaluate(expression, scope) == value
