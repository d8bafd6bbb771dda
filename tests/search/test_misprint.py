"""Digit edits and the distance they span; hits that are one, and how hits are told."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from counted import images
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search.candidates import NetworkFacts
from reconcile.search.misprint import (
    FIT,
    MOST_MEASURED,
    Chance,
    Digits,
    Hit,
    SlipFindings,
    count_within,
    edit_distance,
    result_of,
    rewrites,
    single_edits,
)
from reconcile.study.expressions import evaluate
from reconcile.study.printed import parse_printed

NUMBERS = st.integers(1, 999_999)


def table_distance(first: int, second: int) -> int:
    """Compute the optimal string alignment distance by its textbook recursion."""
    a, b = str(first), str(second)
    d: dict[tuple[int, int], int] = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            d[i, j] = step(d, a, b, (i, j)) if i and j else i + j
    return d[len(a), len(b)]


def step(d: Mapping[tuple[int, int], int], a: str, b: str, at: tuple[int, int]) -> int:
    """Compute one entry of the table from the ones before it."""
    i, j = at
    best = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
    if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
        best = min(best, d[i - 2, j - 2] + 1)
    return best


@given(NUMBERS, NUMBERS)
def test_distance_agrees_with_the_textbook(first: int, second: int) -> None:
    """The distance is the optimal string alignment distance."""
    assert edit_distance(first, second) == table_distance(first, second)


@given(NUMBERS, NUMBERS)
def test_distance_has_no_direction(first: int, second: int) -> None:
    """An edit can be undone by an edit."""
    assert edit_distance(first, second) == edit_distance(second, first)


@given(st.integers(1, 99))
def test_single_edits_are_what_is_one_edit_away(number: int) -> None:
    """The edited numbers are exactly the positive numbers at distance one."""
    near = tuple(other for other in range(1, 1000) if table_distance(number, other) == 1)
    assert single_edits(number) == near


@pytest.mark.parametrize("number", [7, 55, 290, 1223, 9081])
@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_counting_agrees_with_trying_all(number: int, most: int) -> None:
    """Counting by rows gives what counting all numbers of a length gives."""
    for length in (1, 2, 3):
        numbers = range(10 ** (length - 1), 10**length)
        near = sum(table_distance(number, other) <= most for other in numbers)
        assert count_within(number, length, most) == near


def test_alexnet_product_is_three_edits_away() -> None:
    """290,400 is no misprint of 253,440 by one or two digits."""
    assert [edit_distance(n, 253_440) for n in (290_400, 279_936, 301_056)] == [3, 5, 6]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("55*48*48*2", "55*2*48*48", True),
        ("48*55*96", "2*48*48*55", True),
        ("2*5*11*48*48", "48*55*96", True),
        ("2*3*5*7", "6*35", True),
        ("10*21", "6*35", False),
        ("11*90*256", "48*55*96", False),
        ("1*6*35", "6*35", True),
        ("2*2*12", "4*4*3", False),
        ("4096 + 1000", "1000 + 4096", True),
        ("4096 + 1000", "5000 + 96", False),
        ("253440", "48*55*96", False),
        ("253440", "253440", False),
        ("580800/2", "580800/2", False),
    ],
)
def test_products_that_are_one(one: str, other: str, same: bool) -> None:
    """One product in another order or with factors put together is no second hit."""
    assert rewrites(one, other) == rewrites(other, one) == same


@given(st.lists(st.integers(2, 9), min_size=2, max_size=5), st.data())
def test_factors_put_together_are_the_same_product(factors: list[int], data: st.DataObject) -> None:
    """Whatever is multiplied beforehand."""
    i, j = data.draw(st.permutations(range(len(factors))))[:2]
    together = [f for place, f in enumerate(factors) if place not in (i, j)] + [2, 3]
    less = [*together, factors[i] * factors[j]]
    more = [*together, factors[i], factors[j]]
    assert rewrites("*".join(map(str, less)), "*".join(map(str, more)))


def findings(*expressions: str) -> SlipFindings:
    """A search with these hits."""
    hits = [Hit("said", expression, 1, 2) for expression in expressions]
    return result_of(("kind", "Kind"), "all", 9, hits, Chance(1, 9))


def test_what_was_found_counts_each_hit_once() -> None:
    """The sentence says how many hits are others written differently."""
    assert findings().found({}) == "No hit."
    assert findings("2*3").found({}) == "said: 2*3, at cost 1."
    two = findings("2*3", "6*1")
    assert two.found({"6*1": "2*3"}).endswith(
        "and 1 more. 1 of them is another hit, written differently."
    )
    assert two.found({"6*1": "a", "2*3": "a"}).endswith("No new hit: another search has them.")
    assert findings("2*3").found({"2*3": "3*2"}).endswith("No new hit: another search has it.")


def made(*values: int) -> Digits:
    """A network of layers with so many parameters."""
    layers = [{"layer": f"l{i}", "kind": "conv", "parameters": v} for i, v in enumerate(values)]
    return Digits(NetworkFacts(layers))


@pytest.mark.parametrize(
    ("printed", "measured"),
    [
        ("290,400", 290_404),
        ("290,400", 29_400),
        ("290,400", 2_900_400),
        ("290,400", 920_400),
        ("1.43M", 1_340_000),
        ("25.6M", 26_550_000),
    ],
)
def test_one_edit_is_found(printed: str, measured: int) -> None:
    """A digit wrong, missing or too many, two swapped; in the digits that are printed."""
    found = made(measured, 777_777_777).against(parse_printed(printed), "parameters", "l0")
    best = found.hits[0]
    assert (best.candidate.expression, best.candidate.value) == ("parameters(l0)", measured)
    assert (best.fit, best.candidate.cost) == (FIT, 1)


@pytest.mark.parametrize("measured", [290_400, 209_440, 123_456])
def test_the_number_itself_and_others_are_no_slips(measured: int) -> None:
    """No edit is none, two are too many."""
    found = made(measured, 777_777_777).against(parse_printed("290,400"), "parameters", "l0")
    assert found.hits == ()


def test_another_layer_and_another_quantity_cost_more() -> None:
    """What the claim is about comes first."""
    layers = [
        {"layer": "a", "kind": "conv", "parameters": 1111, "neurons": 22},
        {"layer": "b", "kind": "conv", "parameters": 1114, "neurons": 1112},
    ]
    found = Digits(NetworkFacts(layers)).against(parse_printed("1113"), "parameters", "a")
    costs = {hit.candidate.expression: hit.candidate.cost for hit in found.hits}
    assert costs["parameters(a)"] == 1
    assert costs["parameters(b)"] == 2
    assert costs["neurons(b)"] == 3


def test_two_digits_are_too_few() -> None:
    """Nothing is tried then, so that nothing is said."""
    assert made(123).against(parse_printed("12"), "parameters", "l0").tried == 0


def test_the_chance_is_how_many_are_one_edit_away() -> None:
    """Of numbers drawn evenly, as many are one edit away as the figure says."""
    draw = random.Random(3)  # noqa: S311 - a sample
    values = sorted({draw.randrange(100, 100_000) for _ in range(60)})
    searcher = made(*values)
    known = {*values, sum(values)}
    drawn = [draw.randrange(1000, 10_000) for _ in range(1500)]
    by_chance = searcher.against(parse_printed("1234"), "parameters", "l0").by_chance
    counted = sum(edit_distance(n, value) == 1 for n in drawn for value in known)
    assert counted / len(drawn) == pytest.approx(by_chance, rel=0.25)


def test_the_bound_on_what_is_looked_at() -> None:
    """Of more numbers than that the first are taken."""
    assert len(made(*range(1, MOST_MEASURED + 500)).signature) == MOST_MEASURED


def test_expressions_give_what_was_measured(tmp_path: Path) -> None:
    """Each can be pasted; the slip is not in it."""
    counted = images()
    scope = counted.scope(tmp_path)
    for name, layer, value in Digits(counted.facts).signature:
        assert evaluate(f"{name}({layer!r})", scope) == value
