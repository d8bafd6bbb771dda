"""Modules in place of a network or left out, and bytes."""

from __future__ import annotations

from pathlib import Path

import torch
from counted import Counted as Rows
from torch import Tensor, nn

from reconcile.explain.numbers import number_asked
from reconcile.explain.scopes import byte_candidates, module_candidates
from reconcile.study.expressions import evaluate


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
