"""Modules in place of a network or left out, and bytes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch
from counted import Counted as Rows
from torch import Tensor, nn

from reconcile.explain.asking import number_asked
from reconcile.explain.tried import (
    byte_candidates,
    module_candidates,
    resized_candidates,
    slips_in_maps,
)
from reconcile.search.candidates import NetworkFacts
from reconcile.study.expressions import evaluate
from reconcile.study.printed import parse_printed


class Pair(nn.Module):
    """An encoder of two layers with a scale of its own, and a decoder of two."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
        self.encoder.register_parameter("scale", nn.Parameter(torch.ones(3)))
        self.decoder = nn.Sequential(nn.Linear(8, 2), nn.Linear(2, 4, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """What comes in, scaled once more."""
        decoded: Tensor = self.decoder(self.encoder(x))
        return decoded


ROWS = Rows(Pair(), torch.rand(1, 4))
ENCODER, DECODER = 40 + 16 + 3, 18 + 8


def test_modules(tmp_path: Path) -> None:
    """Each module with several layers, and the network without it, as an expression to paste."""
    found = {c.says: c for c in module_candidates(ROWS.facts, "parameters")}
    assert {says: int(c.value) for says, c in found.items()} == {
        "parameters of encoder": ENCODER,
        "parameters without encoder": DECODER,
        "parameters of decoder": DECODER,
        "parameters without decoder": ENCODER,
    }
    scope = ROWS.scope(tmp_path)
    for candidate in found.values():
        assert evaluate(candidate.expression, scope) == candidate.value


def test_of_what_modules_are_asked() -> None:
    """A network's neurons are those of some kinds of layers, and no sum over modules."""
    assert module_candidates(ROWS.facts, "neurons") == []
    flops = {c.says: c.value for c in module_candidates(ROWS.facts, "flops")}
    assert flops["FLOPs (2 × MACs) of decoder"] == 2 * (16 + 8)


def test_bytes(tmp_path: Path) -> None:
    """Four for each parameter assume nothing; 1,024s are as likely as thousands."""
    printed, _ = number_asked("0.3 KB")
    found = byte_candidates(ROWS.facts, 1)
    free = {c.expression: c.value for c in found if not c.cost}
    assert free == {
        "parameters(network) * 4": (ENCODER + DECODER) * 4,
        "parameters(network) * 4 * 1000 / 1024": (ENCODER + DECODER) * 4 * 1000 / 1024,
    }
    assert printed.rounds(min(free.values()))
    scope = ROWS.scope(tmp_path)
    assert all(evaluate(c.expression, scope) == c.value for c in found)


def test_what_a_file_holds() -> None:
    """The statistics of normalisations besides, and whatever else is kept."""
    found = {c.says: c.value for c in byte_candidates(ROWS.facts, 0)}
    assert found["parameters and buffers in float32"] == (ENCODER + DECODER + 16) * 4
    assert found["parameters in float16"] == (ENCODER + DECODER) * 2
    assert not any("2^" in says for says in found)


class Scored(nn.Module):
    """A table of words, a layer, and scores: of classes, of every word, or none."""

    def __init__(self, scores: int = 0, words: int = 2000, *, tied: bool = False) -> None:
        super().__init__()
        self.words, self.layer = nn.Embedding(words, 8), nn.Linear(8, 6)
        self.back = nn.Linear(6, 8)
        self.head = nn.Linear(8, scores, bias=False) if scores else nn.LayerNorm(8)
        if tied:
            self.head.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        """Scores of each word."""
        scores: Tensor = self.head(self.back(self.layer(self.words(words))))
        return scores


def counted(network: nn.Module) -> dict[str, int]:
    """What is offered for the parameters of a network, by its words."""
    rows = Rows(network, torch.zeros(1, 4, dtype=torch.long))
    found = resized_candidates(rows.facts, "parameters")
    return {candidate.says: int(candidate.value) for candidate in found}


def parameters(network: nn.Module) -> int:
    """As torch sums them."""
    return sum(parameter.numel() for parameter in network.parameters())


def test_classes() -> None:
    """Ten classes in place of a hundred are the network with ten."""
    found = counted(Scored(100))
    assert found["parameters for 10 classes"] == parameters(Scored(10))
    assert found["parameters for 1,001 classes"] == parameters(Scored(1001))
    assert "parameters for 100 classes" not in found


def test_words() -> None:
    """A vocabulary changes the table, and the scores of every word where they are apart."""
    found = counted(Scored(2000))
    assert found["parameters for 30,522 words"] == parameters(Scored(30_522, 30_522))
    assert not any("classes" in says for says in found)
    tied = counted(Scored(2000, tied=True))
    assert tied["parameters for 30,522 words"] == parameters(Scored(30_522, 30_522, tied=True))


def test_a_trunk_scores_nothing() -> None:
    """The last layer of a trunk, normalised afterwards, is no classifier."""
    assert not any("classes" in says for says in counted(Scored()))


def test_work_and_expressions(tmp_path: Path) -> None:
    """Multiply-adds grow with classes as well, and an expression gives what is said."""
    rows = Rows(Scored(100), torch.zeros(1, 4, dtype=torch.long))
    scope = rows.scope(tmp_path)
    for quantity in ("parameters", "macs", "flops"):
        for candidate in resized_candidates(rows.facts, quantity):
            assert evaluate(candidate.expression, scope) == candidate.value
    work = {c.says: c.value for c in resized_candidates(rows.facts, "macs")}
    assert work["multiply-adds (MACs) for 10 classes"] == 4 * (48 + 48 + 80)
    assert resized_candidates(rows.facts, "neurons") == []


def facts(*maps: tuple[str, int, int, int]) -> NetworkFacts:
    """A network with these maps."""
    return NetworkFacts(
        {"layer": name, "kind": "conv", "channels": c, "height": h, "width": w}
        for name, c, h, w in maps
    )


def test_a_size_of_the_network() -> None:
    """A factor that is another size of the network assumes less than one from nowhere."""
    known = facts(("conv1", 96, 55, 55), ("conv2", 48, 27, 27))
    found = [c for slips in slips_in_maps(known, parse_printed("253,440")) for c, _ in slips.hits]
    assert (found[0].expression, found[0].cost) == ("96*55*48", 2)
    assert found[0].says.startswith("neurons of conv1, 55 -> 48 (height or width)")


def test_any_number() -> None:
    """Where the network has no such size the factor may be any, which assumes more."""
    known = facts(("conv1", 96, 55, 55))
    found = {
        c.expression: c.cost
        for slips in slips_in_maps(known, parse_printed("253,440"))
        for c, _ in slips.hits
    }
    assert found == {"96*55*48": 3}


def test_how_much_a_slip_changes() -> None:
    """Of two maps, the one that is nearer to the number changes less; a far one gives none."""
    known = facts(("conv1", 96, 55, 55), ("conv3", 384, 12, 12), ("pool5", 256, 6, 6))
    hits = [hit for slips in slips_in_maps(known, parse_printed("253,440")) for hit in slips.hits]
    nearest, *_, farthest = sorted(hits, key=lambda hit: hit.change)
    assert (nearest.candidate.expression, nearest.change) == ("96*55*48", Fraction(55, 48))
    assert farthest.candidate.says.startswith("neurons of conv3")


def test_chance_grows_with_the_maps() -> None:
    """More maps hit more numbers."""
    one = sum(
        s.by_chance for s in slips_in_maps(facts(("a", 96, 55, 55)), parse_printed("253,440"))
    )
    maps = [(f"l{n}", 8 + n, 5 + n, 5 + n) for n in range(20)]
    many = sum(s.by_chance for s in slips_in_maps(facts(*maps), parse_printed("253,440")))
    assert 0 < one < many


@pytest.mark.parametrize("text", ["253K", "2.5", "48"])
def test_numbers_that_are_not_searched(text: str) -> None:
    """Of a rounded number or a small one everything would be a slip of anything."""
    assert list(slips_in_maps(facts(("a", 96, 55, 55)), parse_printed(text))) == []
