"""The device that networks run on: which, what it is, and how long a forward pass takes there.

Times are of CUDA events on a GPU, of the monotonic clock on a CPU. Totals come from plain passes;
layers from separate passes with hooks, whose own cost would otherwise be part of the total.
Milliseconds throughout.
"""

from __future__ import annotations

import platform
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reconcile.measure.building import called
from reconcile.measure.counting import hooked, is_layer, layer_names
from reconcile.measure.provenance import output_of, processor
from reconcile.measure.weights import holders
from reconcile.proc import proc_field

try:
    import resource
except ImportError:  # not a Unix, where nothing is measured
    resource = None  # type: ignore[assignment]


_DRIVER = ("--query-gpu=driver_version", "--format=csv,noheader", "--id=0")


class DeviceError(Exception):
    """The device that the configuration demands cannot be used."""


@dataclass(frozen=True)
class Choice:
    """The device to run on, and why it is not the GPU when it is not.

    Attributes:
        device: where networks run.
        fallback: the reason for taking the CPU under ``auto``, or None.
    """

    device: torch.device
    fallback: str | None


def choose_device(policy: str) -> Choice:
    """The device for a policy: ``auto``, ``cuda`` or ``cpu``.

    Raises:
        DeviceError: ``cuda`` is demanded and cannot be used.
    """
    if policy == "cpu":
        return Choice(torch.device("cpu"), None)
    problem = cuda_problem()
    if problem is None:
        return Choice(torch.device("cuda", 0), None)
    if policy == "cuda":
        raise DeviceError(f"device: cuda was asked for, but {problem}; accepted: auto, cuda, cpu")
    return Choice(torch.device("cpu"), problem)


def cuda_problem() -> str | None:
    """Why CUDA cannot be used, found out by using it: a visible GPU may still be unusable.

    A GPU that is full, busy or lost, or a driver that is too old, says so in what torch reports.
    """
    if not torch.backends.cuda.is_built():
        return "this build of torch has no CUDA"
    with warnings.catch_warnings(record=True) as said:
        # Why there is none, torch tells in a warning, and only once.
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        return f"there is no usable CUDA device{_reason(*(w.message for w in said))}"
    try:
        torch.ones(8, device="cuda").sum().item()
    except (RuntimeError, AssertionError) as error:
        return f"the CUDA device does not work{_reason(error)}"
    return None


def _reason(*said: Warning | str | Exception) -> str:
    """The first sentence of what torch says, in brackets; the rest is advice for its developers."""
    lines = [str(words).strip().splitlines()[0] for words in said if str(words).strip()]
    return f" ({lines[0].partition('. ')[0].rstrip('.')})" if lines else ""


def available_memory(device: torch.device) -> int | None:
    """Free bytes on the device now; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = proc_field("meminfo", "MemAvailable")
    return int(free.split()[0]) * 1024 if free else None


def limit_memory(more: int) -> None:
    """Have torch refuse what would take this process so many bytes more than it has now.

    On a CPU nothing else does: the system lends what it has not, and kills who uses it.
    """
    held = proc_field("self/status", "VmData")
    if held is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(held.split()[0]) * 1024 + more
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def describe_device(choice: Choice, policy: str) -> dict[str, Any]:
    """What the record says about the device."""
    facts: dict[str, Any] = {
        "policy": policy,
        "type": choice.device.type,
        "name": processor() or platform.machine(),
        "fallback": choice.fallback,
    }
    if choice.device.type == "cuda":
        properties = torch.cuda.get_device_properties(choice.device)
        facts |= {
            "name": properties.name,
            "compute_capability": f"{properties.major}.{properties.minor}",
            "memory_bytes": properties.total_memory,
            "driver": output_of("nvidia-smi", *_DRIVER) or None,
        }
    return {key: value for key, value in facts.items() if value is not None or key == "fallback"}


# How long a pass takes.


class Spread(NamedTuple):
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


def time_network(
    model: nn.Module, inputs: tuple[Tensor, ...], device: torch.device, warmup: int, repeats: int
) -> Spread:
    """Latency of the plain forward pass, nothing hooked."""
    samples = []
    with torch.no_grad(), _memory_as_it_is():
        for _ in range(warmup):
            called(model, inputs)
        for _ in range(repeats):
            _wait(device)
            start = _stamp(device)
            called(model, inputs)
            end = _stamp(device)
            _wait(device)
            samples.append(_elapsed(start, end))
    return Spread.of(samples)


def time_layers(
    model: nn.Module, inputs: tuple[Tensor, ...], device: torch.device, repeats: int
) -> dict[str, Spread]:
    """Latency of every layer of a network that is warm, by name, the calls of one pass summed."""
    every = layer_names(model)
    parts = holders(every)
    names = {m: name for m, name in every.items() if is_layer(m) and m not in parts}
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
            called(model, inputs)
            _wait(device)
            totals: dict[str, float] = {}
            for module, start, end in calls:
                totals[names[module]] = totals.get(names[module], 0.0) + _elapsed(start, end)
            for name, total in totals.items():
                samples.setdefault(name, []).append(total)
    return {name: Spread.of(values) for name, values in samples.items()}


def reset_peak_memory(device: torch.device) -> None:
    """Forget earlier peaks. Writing 5 to clear_refs resets Linux's high-water mark."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> int | None:
    """Peak bytes since the reset: of the allocator on a GPU, resident in this process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = proc_field("self/status", "VmHWM")
    return int(peak.split()[0]) * 1024 if peak else None
