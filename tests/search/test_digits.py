"""Slips of digits over all that was measured, and how many there would be by chance."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from counted import images

from reconcile.search.digits import FIT, MOST_MEASURED, Digits
from reconcile.search.given import NetworkFacts
from reconcile.search.misprint import edit_distance
from reconcile.study.expressions import evaluate
from reconcile.study.printed import parse_printed


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
    drawn = [draw.randrange(1000, 10_000) for _ in range(4000)]
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
