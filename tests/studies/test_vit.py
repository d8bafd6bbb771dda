"""The ViT study: of all patches, resolutions and heads one has the three printed sizes."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from reconcile.study.plan import denied_statements

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "vit"
SIZES = {"base": (12, 768, 3072), "large": (24, 1024, 4096), "huge": (32, 1280, 5120)}
PRINTED = [86, 307, 632]
COSTS = {("base", 32, 7): 55, ("base", 16, 7): 224, ("large", 32, 7): 196}
COSTS |= {("large", 16, 7): 783, ("large", 16, 14): 1567, ("huge", 14, 14): 4262}


def parameters(size: str, patch: int, side: int, classes: int, *, hidden: bool) -> int:
    """Closed form: patches and positions, 4 d^2 + 2 d m + 9 d + m a block, a norm, and the head."""
    layers, d, m = SIZES[size]
    before = (3 * patch**2 + 1) * d + ((side // patch) ** 2 + 1) * d + d
    blocks = layers * (4 * d * d + 2 * d * m + 9 * d + m)
    return before + blocks + 2 * d + hidden * (d + 1) * d + classes * (d + 1) * (classes > 0)


def macs(size: str, patch: int) -> int:
    """Closed form: projection, blocks and products of attention on images of 224, and no head."""
    layers, d, m = SIZES[size]
    n = (224 // patch) ** 2
    block = (n + 1) * (4 * d * d + 2 * d * m) + 2 * (n + 1) ** 2 * d
    return n * 3 * patch**2 * d + layers * block


@pytest.mark.parametrize("reading", ["l32", "l16", "no-head", "library", "jft", "b14"])
def test_networks(readings: Readings, reading: str) -> None:
    """Every network of every reading has the parameters of its closed form."""
    for size in SIZES:
        run = readings.run(reading, size)
        a = run.arguments
        head: dict[str, Any] = {"hidden": a["hidden"]}
        wanted = parameters(size, a["patch"], a["resolution"], a["classes"], **head)
        assert run.total("parameters") == wanted


def test_numbers_of_the_answer(readings: Readings) -> None:
    """86.4, 306.6 and 632.4 million with L/32, and 304.4 million for L/16."""
    totals = [readings.run("l32", size).total("parameters") for size in SIZES]
    assert totals == [86_389_248, 306_560_000, 632_404_480]
    assert readings.run("l16", "large").total("parameters") == 304_351_232
    # What torchvision gives: 86.6, 304.3 and, for L/32, 306.5 million.
    assert readings.run("library", "base").total("parameters") == 86_567_656
    assert readings.run("library", "large").total("parameters") == 304_326_632
    assert parameters("large", 32, 224, 1000, hidden=False) == 306_535_400


def test_the_whole_grid() -> None:
    """By closed forms four of 432 round to all three sizes; one has the paper's own patches."""
    fits, either = [], []
    grid = product(product((14, 16, 32), repeat=3), (224, 384), (0, 1000, 18291, 21843), (0, 1))
    for patches, side, classes, hidden in grid:
        given = zip(SIZES, patches, strict=True)
        counts = [parameters(s, p, side, classes, hidden=bool(hidden)) for s, p in given]
        if [(c + 500_000) // 1_000_000 for c in counts] == PRINTED:
            fits.append((patches, side, classes, hidden))
        near = zip(counts, PRINTED, strict=True)
        if all(p in (c // 1_000_000, (c + 500_000) // 1_000_000) for c, p in near):
            either.append(patches)
    assert fits == [
        ((14, 32, 14), 224, 0, 1), ((14, 32, 14), 224, 1000, 0),
        ((14, 32, 16), 224, 1000, 0), ((16, 32, 14), 224, 0, 1),
    ]  # fmt: skip
    assert len(either) == 12 and all(large == 32 for _, large, _ in either)


def test_costs_of_training() -> None:
    """Six operations a multiply-add and 303 million images give four of the six printed costs."""
    exa = {key: 6 * macs(*key[:2]) * key[2] * 303 / 10**12 for key in COSTS}
    fits = {key for key, cost in exa.items() if round(cost) == COSTS[key]}
    assert COSTS.keys() - fits == {("base", 32, 7), ("huge", 14, 14)}
    assert round(exa["base", 32, 7], 1) == 56.1 and round(exa["huge", 14, 14]) == 4258


def test_attention(readings: Readings) -> None:
    """Each head takes of all patches what torch's attention takes."""
    torch.manual_seed(0)
    network = type(readings.run("l16", "base").network)
    sizes = {"layers": 1, "width": 12, "mlp": 16, "heads": 3, "patch": 8, "resolution": 16}
    blocks = network(**sizes, classes=0, hidden=False).blocks
    qkv = torch.randn(5, 36)
    q, k, v = (part.unflatten(1, (3, 4)).transpose(0, 1) for part in qkv.chunk(3, 1))
    expected = functional.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1)
    torch.testing.assert_close(blocks.attention(qkv), expected)


def test_statements_and_evidence(readings: Readings) -> None:
    """A reading without the hidden layer denies the paper; checks agree with their lists."""
    study = readings.study
    assert denied_statements(study, readings.reading("l32")) == []
    assert denied_statements(study, readings.reading("library")) == ["hidden"]
    assert readings.misjudged() == []
    assert readings.excluded() == {"b14"}
