"""Parts left out or counted twice, on networks whose parts are known by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from counted import Counted, images, words

from reconcile.search.candidates import NetworkFacts
from reconcile.search.parts import (
    MOST_CHANGES,
    MOST_PARTS,
    MOST_SUBSETS,
    OF_LAYERS,
    OF_TENSORS,
    part_candidates,
)
from reconcile.study.expressions import evaluate

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
def test_each_expression_gives_its_number(network: str, quantity: str, tmp_path: Path) -> None:
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
def test_the_bound_on_what_is_tried(parts: int) -> None:
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
