"""A network of any geometry, and studies that sweep over it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from support import study_data

from reconcile.study.model import AxisRange
from reconcile.study.plan import combinations, values_of

NETWORK = '''
from torch import nn
from torch.nn import functional
import torch

from reconcile.layers import Conv2d, MaxPool2d


class Scale(nn.Module):
    """A layer of the study's own, with a functional product."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, width))

    def forward(self, x):
        return x @ self.gain


class Geometry(nn.Module):
    """Convolutions of any geometry, layers that are called twice, shared and changed ones."""

    def __init__(self, *, size, kernel, stride, padding, rule, odd="nothing"):
        super().__init__()
        self.size, self.odd = size, odd
        if odd == "fails":
            raise ValueError("this combination cannot be")
        self.conv1 = Conv2d(3, 8, kernel, stride=stride, padding=padding, rule=rule)
        self.norm = nn.BatchNorm2d(8)
        self.pool = MaxPool2d(3, stride=2, rule=rule)
        self.again = Conv2d(8, 8, 3, padding=1)
        self.twin = Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 8)
        self.last = nn.Linear(8, 8)
        self.scale = Scale(8)
        self.unused = nn.Linear(5, 5)
        self.drop = nn.Dropout(0.5)
        if odd == "tied":
            self.last.weight = self.fc.weight
        if odd == "strided":
            self.again.stride = (2, 2)
        if odd == "frozen":
            self.fc.weight.requires_grad_(False)
        if odd == "no-bias":
            self.fc.bias = None
        if odd == "hooked":
            self.twin.register_forward_hook(lambda m, a, out: out[:, :4].repeat(1, 2, 1, 1))

    def example_inputs(self):
        return (torch.rand(1, 3, self.size, self.size),)

    def forward(self, x):
        x = self.pool(functional.relu(self.norm(self.conv1(x))))
        x = self.twin(self.again(self.again(x)))
        x = functional.avg_pool2d(x, x.shape[2:]).flatten(1)
        return self.last(self.scale(self.drop(self.fc(x)).unsqueeze(0)))
'''
ODD = ("nothing", "tied", "strided", "frozen", "no-bias", "hooked")
AXES = {
    "size": {"first": 20, "last": 44},
    "kernel": [1, 3, 5, 7, 11],
    "stride": [1, 2, 3, 4],
    "padding": [0, 1, 2, 3, [1, 2]],
    "rule": ["floor", "ceil"],
    "odd": ["nothing", "tied"],
}
"""10,000 combinations."""


def geometry_study(axes: dict[str, Any]) -> dict[str, Any]:
    """A study without readings of its own, which asks for one map and one total."""
    data = study_data()
    for key in ("statements", "evidence", "consistency", "slips", "geometries", "argument_help"):
        data.pop(key)
    claim = {"quote": "q", "where": "p. 1"}
    data["network"] = "network.py:Geometry"
    data["arguments"] = {"odd": "nothing"}
    data["interpretations"] = []
    data["claims"] = [
        claim | {"id": "map", "printed": "14", "quantity": "width", "of": "conv1"},
        claim | {"id": "neurons", "printed": "1,568", "quantity": "neurons", "of": "conv1"},
    ]
    data["sweep"] = {"title": "Geometries", "axes": axes, "proposed_by": [{"name": "a test"}]}
    first = next(i for i, _ in combinations({k: _listed(v) for k, v in axes.items()}))
    data["conclusion"] = {"interpretation": first, "answer": "a", "text": "t"}
    return data


def _listed(axis: Any) -> Any:
    return values_of(AxisRange(**axis)) if isinstance(axis, dict) else axis


def samples(number: int, seed: int) -> Iterator[dict[str, Any]]:
    """Arguments of so many combinations, drawn at random, some of them odd."""
    chosen = random.Random(seed)  # noqa: S311 - samples of a test
    for _ in range(number):
        one = {name: chosen.choice(list(_listed(axis))) for name, axis in AXES.items()}
        yield one | {"odd": chosen.choice(ODD)}
