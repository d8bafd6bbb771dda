"""Expressions of several quantities: one at a time is varied, and what comes out can be pasted."""

from __future__ import annotations

from pathlib import Path

import pytest
from counted import words

from reconcile.search.composed import (
    MOST_ASSUMED,
    MOST_TERMS,
    Varied,
    composed_candidates,
    in_units,
    is_plain,
    terms_of,
    with_term,
    without_units,
)
from reconcile.search.facts import NetworkFacts
from reconcile.search.parts import part_candidates
from reconcile.search.units import UNITS, unit_candidates
from reconcile.study.expressions import evaluate

SHARE = "parameters(wte) / parameters(network)"


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("parameters('network')", [("parameters", "network")]),
        ("neurons(conv1) + neurons('conv2.*')", [("neurons", "conv1"), ("neurons", "conv2.*")]),
        ("macs(a) / macs(a)", [("macs", "a")]),
        ("largest(parameters, 'conv*') / parameters(network)", [("parameters", "network")]),
        ("printed(conv) * stated(two)", []),
        ("macs(network, large)", []),
    ],
)
def test_which_quantities_are_varied(expression: str, terms: list[tuple[str, str]]) -> None:
    """Each that is a quantity of layers of the claim's own network, once."""
    assert terms_of(expression) == tuple(terms)


@pytest.mark.parametrize(
    ("expression", "plain"),
    [(" macs('features.*') ", True), ("macs(a) * 2", False), ("printed(a)", False)],
)
def test_what_is_plain(expression: str, plain: bool) -> None:
    """A quantity of something, and nothing else."""
    assert is_plain(expression) == plain


def test_a_quantity_is_replaced_wherever_it_stands() -> None:
    """What has several terms is put in brackets; others with the same beginning stay."""
    text = "macs(a) / (macs('a') + macs(ab))"
    assert with_term(text, Varied("macs", "a"), "x - y") == "(x - y) / ((x - y) + macs(ab))"


def test_what_is_found_is_what_the_expression_gives(tmp_path: Path) -> None:
    """Each candidate's expression, evaluated by the study's own rules, gives its number."""
    counted = words()
    facts = NetworkFacts(counted.layers, counted.tensors)
    scope = counted.scope(tmp_path)
    found = composed_candidates(SHARE, facts, scope, part_candidates)
    assert len(found) > 20
    for one in found:
        assert evaluate(one.expression, scope) == one.value, one.expression
        assert one.cost <= MOST_ASSUMED
    assert len({one.expression for one in found}) == len(found)


def test_a_unit_is_of_the_whole_expression(tmp_path: Path) -> None:
    """Another layer may stand in a ratio; a unit of one of its terms would be nothing."""
    counted = words()
    facts = NetworkFacts(counted.layers, counted.tensors)
    scope = counted.scope(tmp_path)
    whole = list(in_units(SHARE, scope))
    assert [one.expression for one in whole] == [f"({SHARE}){unit.text}" for unit in UNITS]
    assert all(evaluate(one.expression, scope) == one.value for one in whole)
    scopes = without_units(unit_candidates(facts, "parameters", "wte"))
    assert scopes and not any(" * " in one.expression for one in scopes)


def test_no_more_quantities_are_varied_than_is_said(tmp_path: Path) -> None:
    """Of a sum of many layers the first ones; a division by nothing is no number."""
    counted = words()
    facts = NetworkFacts(counted.layers, counted.tensors)
    layers = [str(row["layer"]) for row in facts.ran][: MOST_TERMS + 2]
    text = " + ".join(f"parameters({name!r})" for name in layers)
    found = composed_candidates(text, facts, counted.scope(tmp_path), unit_candidates)
    left = {name for name in layers if any(repr(name) not in c.expression for c in found)}
    assert left <= set(layers[:MOST_TERMS])
    scope = counted.scope(tmp_path / "other")
    text = f"1 / (parameters({layers[0]!r}) * 0)"
    assert composed_candidates(text, facts, scope, unit_candidates) == []
