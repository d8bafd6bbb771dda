"""Units and scopes: GoogLeNet's table counts in 1,024s; a layer for all; with the input."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from counted import images, words

from reconcile.search.candidates import Pool
from reconcile.search.facts import NetworkFacts
from reconcile.search.units import MOST_CANDIDATES, UNITS, common_unit, unit_candidates
from reconcile.study.expressions import evaluate
from reconcile.study.printed import parse_printed

GOOGLENET = {
    "conv2": ("112K", 114_944),
    "3a": ("159K", 163_696),
    "3b": ("380K", 388_736),
    "4a": ("364K", 376_176),
    "4b": ("437K", 449_160),
    "4c": ("463K", 510_104),
    "4e": ("840K", 868_352),
    "5a": ("1072K", 1_043_456),
    "5b": ("1388K", 1_444_080),
    "linear": ("1000K", 1_024_000),
}
"""Table 1 of Szegedy et al. (2015), and what the layers hold: with biases, but for the last."""


def test_the_classifier_of_googlenet() -> None:
    """1000K for 1,024,000 weights: K stands for 1,024."""
    facts = NetworkFacts([{"layer": "linear", "kind": "fc", "parameters": 1_024_000}])
    found = Pool(unit_candidates(facts, "parameters")).against(parse_printed("1000K"))
    best = found.hits[0].candidate
    assert (best.says, best.cost) == ("parameters, with K for 2^10", 1)
    assert best.expression == "parameters(network) * 1000 / 1024"


def test_a_table_at_once() -> None:
    """One unit for all numbers of a table, which fits more of them than none does."""
    printed = {name: parse_printed(text) for name, (text, _) in GOOGLENET.items()}
    found = common_unit(printed, {name: Fraction(n) for name, (_, n) in GOOGLENET.items()})
    assert found is not None
    assert (found.unit.says, found.plain, found.of) == ("with K for 2^10", 0, 10)
    assert {"conv2", "linear"} <= set(found.fits)


def test_a_table_that_needs_no_unit() -> None:
    """Where the plain numbers fit as many, there is nothing to say."""
    printed = {"a": parse_printed("100"), "b": parse_printed("200")}
    assert common_unit(printed, {"a": Fraction(100), "b": Fraction(200)}) is None
    assert common_unit(printed, {"a": Fraction(50), "b": Fraction(7)}) is None


def test_scopes() -> None:
    """A kind, a layer, and the neurons with those of the input."""
    facts = images().facts
    found = {c.expression: c for c in unit_candidates(facts, "neurons")}
    neurons = 4 * 64 + 8 * 16 * 2 + 10
    assert found["neurons(network) + neurons(input)"].value == neurons + 3 * 64
    assert found["neurons('kind:conv')"].value == neurons - 10
    assert (found["neurons(stem)"].value, found["neurons(stem)"].cost) == (256, 1)
    assert found["neurons(stem) * 2"].cost == 2


@pytest.mark.parametrize("quantity", ["parameters", "macs", "flops", "neurons", "connections"])
@pytest.mark.parametrize("selector", ["network", "body", "back"])
def test_each_expression_gives_its_number(quantity: str, selector: str, tmp_path: Path) -> None:
    """Pasted into a study, the expression is worth what the search says."""
    counted = words() if selector == "back" else images()
    scope = counted.scope(tmp_path)
    for candidate in unit_candidates(counted.facts, quantity, selector):
        assert evaluate(candidate.expression, scope) == candidate.value, candidate


def test_the_bound_on_what_is_tried() -> None:
    """Of a thousand layers the largest are tried."""
    layers = [
        {"layer": f"layer{i}", "kind": "conv", "parameters": i, "neurons": i} for i in range(1000)
    ]
    found = unit_candidates(NetworkFacts(layers), "neurons")
    assert len(UNITS) < len(found) <= MOST_CANDIDATES
    assert any(c.expression == "neurons(layer999)" for c in found)
    assert not any(c.expression == "neurons(layer1)" for c in found)


def test_what_does_not_add_up_has_no_scopes() -> None:
    """A width is of one layer."""
    assert unit_candidates(images().facts, "width") == []
