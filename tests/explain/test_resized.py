"""Another number of classes, another vocabulary."""

from __future__ import annotations

from pathlib import Path

import torch
from counted import Counted as Rows
from torch import Tensor, nn

from reconcile.explain.resized import resized_candidates
from reconcile.study.expressions import evaluate


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
