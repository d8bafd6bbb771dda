"""Timing: what is run how often, and how samples become a spread. No test here holds a clock."""

from __future__ import annotations

import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from reconcile.measure import device
from reconcile.measure.device import Spread, peak_memory, time_layers, time_network

CPU = torch.device("cpu")


class Counter(nn.Module):
    """Counts how often it runs and notes whether gradients were on."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.calls = 0
        self.gradients: set[bool] = set()

    def forward(self, x: Tensor) -> Tensor:
        """Use the layer twice."""
        self.calls += 1
        self.gradients.add(torch.is_grad_enabled())
        return self.fc(self.fc(x))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that advances by a millisecond each time it is asked."""
    now = [0]

    def tick() -> int:
        now[0] += 1_000_000
        return now[0]

    monkeypatch.setattr(device.time, "perf_counter_ns", tick)
    return now


def test_network(clock: list[int]) -> None:
    """The network runs warm-up and repeats, without gradients, and only the repeats are samples."""
    model = Counter()
    spread = time_network(model, (torch.ones(1, 2),), CPU, 3, 5)
    assert model.calls == 8
    assert model.gradients == {False}
    assert clock == [10_000_000]
    assert spread == Spread(1.0, 1.0, 1.0)


def test_layers(clock: list[int]) -> None:
    """A layer's time is the sum of its calls in one pass; containers have none."""
    model = nn.Sequential(Counter(), nn.ReLU())
    spreads = time_layers(model, (torch.ones(1, 2),), CPU, 4)
    assert model[0].calls == 4
    assert set(spreads) == {"0.fc", "1"}
    assert spreads["0.fc"] == Spread(2.0, 2.0, 2.0)
    assert spreads["1"] == Spread(1.0, 1.0, 1.0)


def test_parts_of_layers(clock: list[int]) -> None:
    """What makes the weight of a layer has no time of its own: the layer's has it."""
    model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(2, 2)))
    assert set(time_layers(model.eval(), (torch.ones(1, 2),), CPU, 1)) == {"0"}


class FakeDevice:
    """A GPU whose events are numbered and can be read once it was waited for."""

    def __init__(self) -> None:
        self.recorded = 0
        self.waited_for = 0

    def synchronize(self, device: torch.device) -> None:
        """All that was recorded has happened."""
        self.waited_for = self.recorded

    def event(self, *, enable_timing: bool) -> FakeEvent:
        """One event, not yet recorded."""
        assert enable_timing
        return FakeEvent(self)


class FakeEvent:
    """As much of torch.cuda.Event as timing needs."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        self.number = 0

    def record(self) -> None:
        """Take the next number."""
        self.device.recorded += 1
        self.number = self.device.recorded

    def elapsed_time(self, end: FakeEvent) -> float:
        """Milliseconds: one from each event to the next."""
        assert 0 < self.number <= end.number <= self.device.waited_for
        return float(end.number - self.number)


def test_events_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, events around a pass and around each layer are read when the device is done."""
    gpu, device = torch.device("cuda", 0), FakeDevice()
    monkeypatch.setattr(torch.cuda, "Event", device.event)
    monkeypatch.setattr(torch.cuda, "synchronize", device.synchronize)
    spread = time_network(Counter(), (torch.ones(1, 2),), gpu, 3, 5)
    assert device.recorded == 2 * 5
    assert spread == Spread(1.0, 1.0, 1.0)
    layers = time_layers(Counter(), (torch.ones(1, 2),), gpu, 4)
    assert device.recorded == 2 * 5 + 4 * 2 * 2
    assert layers == {"fc": Spread(2.0, 2.0, 2.0)}


def test_memory_is_not_filled() -> None:
    """Timed passes leave out torch's filling of memory; whoever counts still has it."""
    filled = []

    class Tells(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            filled.append(torch.utils.deterministic.fill_uninitialized_memory)
            return x

    time_network(Tells(), (torch.ones(1, 2),), CPU, 1, 1)
    time_layers(Tells(), (torch.ones(1, 2),), CPU, 1)
    assert filled == [False, False, False]
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_hooks_are_gone() -> None:
    """Timing leaves no hook on the model."""
    model = Counter()
    time_layers(model, (torch.ones(1, 2),), CPU, 1)
    assert not model.fc._forward_hooks and not model.fc._forward_pre_hooks


def test_layer_that_fails_inside(clock: list[int]) -> None:
    """A pass that fails leaves no hook either."""
    model = Counter()
    with pytest.raises(RuntimeError):
        time_layers(model, (torch.ones(1, 3),), CPU, 1)
    assert not model.fc._forward_hooks


@given(samples=st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_spread(samples: list[float]) -> None:
    """The spread is the median and the quartiles, in order, of what was sampled."""
    spread = Spread.of(samples)
    assert spread.median == statistics.median(samples)
    assert min(samples) <= spread.q1 <= spread.median <= spread.q3 <= max(samples)


def test_quartiles() -> None:
    """Quartiles are inclusive: those of five samples are the second and the fourth."""
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_peak_memory() -> None:
    """Peak memory is a number of bytes, or None where the system does not tell."""
    peak = peak_memory(CPU)
    assert peak is None or peak > 1_000_000
