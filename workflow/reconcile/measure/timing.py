"""How long a forward pass takes: CUDA events on a GPU, the monotonic clock on a CPU.

Totals come from plain passes; layers from separate passes with hooks, whose own cost would
otherwise be part of the total. Milliseconds throughout.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reconcile.measure.counting import hooked, is_layer, layer_names
from reconcile.proc import proc_field


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over repeats, in milliseconds."""

    median: float
    q1: float
    q3: float

    @classmethod
    def of(cls, samples: list[float]) -> Spread:
        """The spread of at least one sample."""
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0])
        q1, median, q3 = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, q1, q3)


Stamp = Any
"""A moment on the device: a CUDA event, or nanoseconds of the monotonic clock."""


def _stamp(device: torch.device) -> Stamp:
    if device.type != "cuda":
        return time.perf_counter_ns()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _elapsed(start: Stamp, end: Stamp) -> float:
    if isinstance(start, int):
        return float(end - start) / 1e6
    return float(start.elapsed_time(end))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def _memory_as_it_is() -> Iterator[None]:
    """Without torch's filling of memory before a layer writes to it, which is no work of a network.

    It goes with deterministic kernels, and on a GPU is a kernel more for many an operator.
    """
    settings: Any = torch.utils.deterministic
    before = settings.fill_uninitialized_memory
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        settings.fill_uninitialized_memory = before


def _passes(
    run: Callable[[], None], device: torch.device, warmup: int, repeats: int
) -> list[float]:
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(repeats):
        _wait(device)
        start = _stamp(device)
        run()
        end = _stamp(device)
        _wait(device)
        samples.append(_elapsed(start, end))
    return samples


def time_network(
    model: nn.Module, inputs: tuple[Tensor, ...], device: torch.device, warmup: int, repeats: int
) -> Spread:
    """Latency of the plain forward pass, nothing hooked."""
    with torch.no_grad(), _memory_as_it_is():
        return Spread.of(_passes(lambda: model(*inputs), device, warmup, repeats))


def time_layers(
    model: nn.Module, inputs: tuple[Tensor, ...], device: torch.device, repeats: int
) -> dict[str, Spread]:
    """Latency of every layer of a network that is warm, by name, the calls of one pass summed."""
    names = {m: name for m, name in layer_names(model).items() if is_layer(m)}
    stamps: list[tuple[nn.Module, Stamp]] = []
    calls: list[tuple[nn.Module, Stamp, Stamp]] = []

    def before(module: nn.Module, args: Any) -> None:
        stamps.append((module, _stamp(device)))

    def after(module: nn.Module, args: Any, output: Any) -> None:
        module, start = stamps.pop()
        calls.append((module, start, _stamp(device)))

    samples: dict[str, list[float]] = {}
    with torch.no_grad(), _memory_as_it_is(), hooked(list(names), before, after):
        for _ in range(repeats):
            calls.clear()
            model(*inputs)
            _wait(device)
            for name, total in _by_layer(calls, names).items():
                samples.setdefault(name, []).append(total)
    return {name: Spread.of(values) for name, values in samples.items()}


def _by_layer(
    calls: list[tuple[nn.Module, Stamp, Stamp]], names: dict[nn.Module, str]
) -> dict[str, float]:
    totals: dict[str, float] = {}
    for module, start, end in calls:
        totals[names[module]] = totals.get(names[module], 0.0) + _elapsed(start, end)
    return totals


def reset_peak_memory(device: torch.device) -> None:
    """Forget earlier peaks. Writing 5 to clear_refs resets Linux's high-water mark."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory(device: torch.device) -> int | None:
    """Peak bytes since the reset: of the allocator on a GPU, resident in this process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = proc_field("self/status", "VmHWM")
    return int(peak.split()[0]) * 1024 if peak else None
