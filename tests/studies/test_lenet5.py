"""The LeNet-5 study: a paper whose numbers all agree."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from reconcile.study.expressions import evaluate

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "lenet5"
PARAMETERS = {
    "paper": 60_000,
    "without-output": 60_000,
    "trained-patterns": 60_840,
    "linear-output": 60_850,
    "full-c3": 60_900,
    "plain-average": 59_956,
    "modern": 61_706,
}
CONNECTIONS = {
    "paper": 340_908,
    "without-output": 340_068,
    "trained-patterns": 340_908,
    "linear-output": 340_918,
    "full-c3": 430_908,
    "plain-average": 339_332,
    "modern": 429_342,
}
SEEN_BY_C3 = [3] * 6 + [4] * 9 + [6]


@pytest.mark.parametrize("reading", PARAMETERS)
def test_totals(readings: Readings, reading: str) -> None:
    """Parameters and connections of each reading, from closed forms."""
    run = readings.run(reading)
    assert run.total("parameters") == PARAMETERS[reading]
    assert run.total("connections") == CONNECTIONS[reading]


def test_every_printed_number_is_reproduced(readings: Readings) -> None:
    """The control: under the paper's own reading every claim matches exactly."""
    claims = [claim.id for claim in readings.study.claims]
    assert [c for c in claims if readings.verdict("paper", c) != "matches"] == []
    assert len(claims) == 18


def test_output_explains_the_difference_of_the_sums(readings: Readings) -> None:
    """The six layers have 840 connections fewer than the printed total: the output's."""
    scope = readings.run("paper")
    values = {c.id: evaluate(c.compute, scope) for c in readings.study.consistency}
    assert values["parameter-sum"] == 60_000
    assert values["connection-sum-six"] == 340_068
    assert values["connection-sum"] == 340_908
    assert scope.value("connections(output)") == 840


def test_sparse_c3_is_the_full_layer_with_zeros(readings: Readings) -> None:
    """C3 computes what a full layer with the missing kernels set to zero computes (Table I)."""
    torch.manual_seed(0)
    layer = readings.build("paper").c3
    tables = chain(*(table for table in _tables(layer)))
    weight = torch.zeros(16, 6, 5, 5)
    kernels = [k for part in (layer.three, layer.four, layer.six) for k in part.weight]
    for row, (sources, kernel) in enumerate(zip(tables, kernels, strict=True)):
        weight[row, sources] = kernel.detach()
    bias = torch.cat([layer.three.bias, layer.four.bias, layer.six.bias])
    maps = torch.rand(1, 6, 14, 14)
    torch.testing.assert_close(layer(maps), functional.conv2d(maps, weight, bias))
    assert [int(w.flatten(1).any(1).sum()) for w in weight] == SEEN_BY_C3
    assert int((weight != 0).sum()) == 1500


def _tables(layer: torch.nn.Module) -> list[list[list[int]]]:
    """Table I as the network's file states it."""
    names = type(layer).forward.__globals__
    return [names["THREE"], names["FOUR"], [[0, 1, 2, 3, 4, 5]]]


def test_subsampling_sums_and_scales(readings: Readings) -> None:
    """Four inputs are added, multiplied by a coefficient, and a bias is added."""
    layer = readings.build("paper").s2
    torch.nn.init.constant_(layer.coefficient, 0.5)
    torch.nn.init.constant_(layer.bias, 3.0)
    out = layer(torch.ones(1, 6, 4, 4))
    torch.testing.assert_close(out, torch.full((1, 6, 2, 2), 0.5 * 4 + 3))


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.study.conclusion.interpretation not in readings.excluded()
