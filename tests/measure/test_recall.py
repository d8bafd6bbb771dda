"""Layers that are remembered: the same rows as in a plain run, whatever was done to a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from geometry import NETWORK, samples
from torch import nn

from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import Row, count_layers
from reconcile.measure.recall import Recalled

META = torch.device("meta")
ARGUMENTS = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network file."""
    file = tmp_path_factory.mktemp("geometry") / "network.py"
    file.write_text(NETWORK, encoding="utf-8")
    return file


def rows_of(file: Path, name: str, arguments: dict[str, Any], *memory: Recalled) -> list[list[Row]]:
    """The rows of a network built anew: of a plain run, then with each memory."""
    found = []
    for known in (None, *memory):
        model, inputs = build_network(load_class(file, name), arguments, META, 0)
        given = () if known is None else (known.by,)
        found.append(count_layers(model, inputs, *given)[0])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_recalled_rows_are_those_of_a_plain_run(network: Path, seed: int) -> None:
    """Random combinations, changed layers among them: every row equal, on the first and second run.

    Layers that are tied, frozen, hooked or changed after they were built are not what their
    arguments say, and are executed.
    """
    memory = Recalled()
    for arguments in samples(12, seed):
        plain, first, second = rows_of(network, "Geometry", arguments, memory, memory)
        assert first == second == plain, arguments


OWN_WAYS = '''
import torch
from torch import nn


class Lazy(nn.Sequential):
    """A layer that learns its size from its input."""

    def __init__(self):
        super().__init__(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))

    def example_inputs(self):
        return torch.rand(1, 3, 8, 8)


class Fused(nn.Module):
    """Becomes another network when it is evaluated."""

    def __init__(self):
        super().__init__()
        self.part = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))

    def eval(self):
        self.part = self.part[:1]
        return super().eval()

    def example_inputs(self):
        return torch.rand(1, 4)

    def forward(self, x):
        return self.part(x)
'''


@pytest.mark.parametrize("name", ["Lazy", "Fused"])
def test_networks_with_ways_of_their_own(tmp_path: Path, name: str) -> None:
    """Lazy layers and a network that evaluation changes have the rows of a plain run, each time."""
    file = tmp_path / "network.py"
    file.write_text(OWN_WAYS, encoding="utf-8")
    memory = Recalled()
    plain, first, second = rows_of(file, name, {}, memory, memory)
    assert first == second == plain


def test_layers_are_executed_once(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer of equal settings meets an equal input only once, in whichever network."""
    ran: list[str] = []
    for kind in (nn.Conv2d, nn.Linear, nn.MaxPool2d):
        plain = kind.forward

        def forward(self: nn.Module, x: Any, run: Any = plain) -> Any:
            ran.append(type(self).__name__)
            return run(self, x)

        monkeypatch.setattr(kind, "forward", forward)
    memory = Recalled()
    for _turn in range(2):
        model, inputs = build_network(load_class(network, "Geometry"), ARGUMENTS, META, 0)
        count_layers(model, inputs, memory.by)
        # `again` and `twin` are equal, and so are `fc` and `last` but for the shape they meet.
        assert ran.count("Linear") <= 2
        assert "forward" not in vars(model.fc)
    assert ran.count("Linear") <= 2


def test_layers_are_what_they_are_when_they_run(tmp_path: Path) -> None:
    """A layer that the network changes on the way is executed as it then is."""
    file = tmp_path / "network.py"
    file.write_text(CHANGING, encoding="utf-8")
    memory = Recalled()
    plain, first, second = rows_of(file, "Changing", {}, memory, memory)
    assert first == second == plain
    assert [row.shape for row in plain][1:3] == [(4, 8, 8), (4, 4, 4)]


CHANGING = """
import torch
from torch import nn


class Changing(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def example_inputs(self):
        return torch.rand(1, 4, 8, 8)

    def forward(self, x):
        self.one(x)
        self.two.stride = (2, 2)
        return self.two(x)
"""
