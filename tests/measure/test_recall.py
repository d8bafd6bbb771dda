"""Operators that are remembered: the same rows as in a plain run, whatever a network does."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from geometry import NETWORK, samples

from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import Row, count_layers, tensors_of
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
        with nullcontext() if known is None else known:
            model, inputs = build_network(load_class(file, name), arguments, META, 0)
        given = () if known is None else (known.run,)
        found.append(count_layers(model, inputs, *given)[0])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_recalled_rows_are_those_of_a_plain_run(network: Path, seed: int) -> None:
    """Random combinations, changed layers among them: every row equal, on the first and second run.

    Layers that are tied, frozen, hooked or changed after they were built are among them.
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


def test_operators_are_executed_once(network: Path) -> None:
    """Networks of equal layers and inputs execute no operator that was executed for the first."""
    memory = Recalled()
    rows_of(network, "Geometry", ARGUMENTS, memory)
    executed = len(memory)
    rows_of(network, "Geometry", ARGUMENTS, memory, memory)
    assert executed and len(memory) == executed
    rows_of(network, "Geometry", ARGUMENTS | {"size": 33}, memory)
    assert len(memory) > executed


x = torch.ones(2, 3, device="meta")
ALIKE = {
    "numbers of two types": (torch.mul, (x.int(), 2), (x.int(), 2.0)),
    "a type that was asked for": (torch.sum, (x,), (x,), {}, {"dtype": torch.float64}),
    "strides": (torch.relu, (x.t(),), (torch.ones(3, 2, device="meta"),)),
    "several results": (torch.max, (x, 0), (x, 1)),
    "no dimension": (torch.sum, (x, [0], False), (x, [0], True)),
    "a list or its elements": (torch.cat, ([x, x], 0), ([x], 0)),
    "a word": (torch.div, (x, x), (x.int(), x.int()), {}, {"rounding_mode": "floor"}),
}


@pytest.mark.parametrize("name", ALIKE)
def test_nearly_equal_arguments_are_two(name: str) -> None:
    """What differs in a type, a stride or a keyword only gives what it gives by itself, twice."""
    function, one, other, *more = ALIKE[name]
    keywords = more or [{}, {}]
    memory = Recalled()

    def results(*modes: Recalled) -> list[Any]:
        found = []
        for args, kwargs in zip((one, other), keywords, strict=True):
            with modes[0] if modes else nullcontext():
                result = function(*args, **kwargs)
            found.append([(t.shape, t.stride(), t.dtype) for t in tensors_of(result)])
        return found

    plain = results()
    assert results(memory) == results(memory) == plain and len(memory)


def test_default_type_decides_too() -> None:
    """The type of a quotient of whole numbers is the default one of that moment."""
    memory, whole = Recalled(), torch.ones(2, dtype=torch.int64, device="meta")
    found = []
    for dtype in (torch.float32, torch.float64, torch.float32):
        torch.set_default_dtype(dtype)
        try:
            with memory:
                found.append((whole / 3).dtype)
        finally:
            torch.set_default_dtype(torch.float32)
    assert found == [torch.float32, torch.float64, torch.float32]


def test_what_is_written_or_real_is_not_remembered() -> None:
    """An operator that writes into what it takes, or gives values, is executed each time."""
    memory, real = Recalled(), torch.ones(2)
    with memory:
        for _ in range(2):
            real.add_(1)
            assert float((real * 2).sum()) == 4 * float(real[0])
    assert not len(memory) and real.tolist() == [3, 3]


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
