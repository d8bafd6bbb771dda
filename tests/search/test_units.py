"""Units and scopes: GoogLeNet's table counts in 1,024s; a layer for all; with the input."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from counted import Counted, images, words

from reconcile.search.candidates import NetworkFacts, Pool
from reconcile.search.units import (
    MOST_ASSUMED,
    MOST_CANDIDATES,
    MOST_CHANGES,
    MOST_PARTS,
    MOST_SUBSETS,
    MOST_TERMS,
    OF_LAYERS,
    OF_TENSORS,
    UNITS,
    Varied,
    common_unit,
    composed_candidates,
    in_units,
    is_plain,
    part_candidates,
    terms_of,
    unit_candidates,
    with_term,
    without_units,
)
from reconcile.study.expressions import evaluate
from reconcile.study.printed import parse_printed

NETWORKS = {"words": words, "images": images}
WORDS, PLACES, ATTENTION = 800, 128, 8 * 24 + 24 + 64 + 8
BLOCK, POOLER, NORM = 8 * 32 + 32 + 32 * 8 + 8, 72, 16
BIASES = 24 + 8 + 32 + 8 + 8
"""What ``Words`` is made of; its norm is frozen and its pooler never runs."""
TRAINED = WORDS + PLACES + ATTENTION + BLOCK + POOLER
IMAGES = 108 + 4 + 8 + 288 + 40 + 90
"""The stem, its norm, the body, the shortcut, the classes."""
EXPECTED = {
    ("words", "parameters", "parameters without the embeddings"): TRAINED - WORDS,
    ("words", "parameters", "parameters without the biases"): TRAINED - BIASES,
    ("words", "parameters", "parameters with the embeddings"): TRAINED + WORDS,
    ("words", "parameters", "parameters with the norms"): TRAINED + NORM,
    ("words", "parameters", "parameters without the tensors that were not read"): TRAINED - POOLER,
    (
        "words",
        "parameters",
        "parameters without the embeddings and without the positions",
    ): TRAINED - WORDS - PLACES,
    ("images", "parameters", "parameters without the classifier"): IMAGES - 90,
    ("images", "parameters", "parameters with the batch statistics"): IMAGES + 8,
    (
        "images",
        "parameters",
        "parameters without the biases and without the classifier",
    ): IMAGES - 90 - 4 - 8,
    ("images", "macs", "multiply-adds (MACs) without the first layer"): 4 * 16 * 36
    + 4 * 16 * 8 * 4
    - 4 * 16 * 36
    + 16 * 8 * 36
    + 16 * 8 * 4
    + 80
    - 4 * 16 * 8 * 4,
    ("words", "macs", "multiply-adds (MACs) without the products of data with data"): 5
    * (8 * 24 + 64 + 8 * 32 + 32 * 8 + 800),
}


@pytest.mark.parametrize(("network", "quantity", "says"), EXPECTED)
def test_parts_by_hand(network: str, quantity: str, says: str) -> None:
    """What a reader would work out on paper comes out, in these words."""
    found = {c.says: c.value for c in part_candidates(NETWORKS[network]().facts, quantity)}
    assert found[says] == EXPECTED[network, quantity, says]


@pytest.mark.parametrize("quantity", [*OF_TENSORS, *OF_LAYERS])
@pytest.mark.parametrize("network", NETWORKS)
def test_each_expression_of_parts_is_right(network: str, quantity: str, tmp_path: Path) -> None:
    """Pasted into a study, the expression is worth what the search says."""
    counted = NETWORKS[network]()
    scope = counted.scope(tmp_path)
    found = part_candidates(counted.facts, quantity)
    assert found
    for candidate in found:
        assert evaluate(candidate.expression, scope) == candidate.value, candidate


@pytest.mark.parametrize(("layer", "without"), [("mix", 256), ("attention", 8 * 24)])
def test_parts_of_one_layer(layer: str, without: int, tmp_path: Path) -> None:
    """A layer without its biases, and the expression says of which layer."""
    counted = words()
    (candidate,) = (
        c for c in part_candidates(counted.facts, "parameters", layer) if "without" in c.says
    )
    assert candidate.value == without
    assert evaluate(candidate.expression, counted.scope(tmp_path)) == without


def made(parts: int) -> NetworkFacts:
    """A network that has so many parts, all of different sizes."""
    names = [f"part{i}" for i in range(parts)]
    tensors = [
        {"layer": "all", "parts": name, "elements": 1000 + 3**i, "held": "trainable"}
        for i, name in enumerate([*names, ""])
    ]
    return NetworkFacts([{"layer": "all", "kind": "other"}], tensors)


@pytest.mark.parametrize("parts", [1, MOST_PARTS, MOST_PARTS + 5])
def test_the_bound_on_parts_that_are_tried(parts: int) -> None:
    """However many parts there are, the largest are varied, and no more subsets than stated."""
    found = part_candidates(made(parts), "parameters")
    assert 0 < len(found) <= MOST_SUBSETS
    assert max(c.says.count("with") for c in found) == min(parts, MOST_CHANGES)
    varied = {name for c in found for name in c.says.split() if name.startswith("part")}
    assert len({name.strip(",") for name in varied} - {"parts"}) == min(parts, MOST_PARTS)


def test_a_quantity_without_parts_has_none() -> None:
    """What does not add up over parts is not searched."""
    counted: Counted = images()
    assert part_candidates(counted.facts, "width") == []


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
SHARE = "parameters(wte) / parameters(network)"


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
