"""Choose the device that the policy asks for, and say what it is."""

from __future__ import annotations

import platform
import resource
import subprocess
import warnings
from dataclasses import dataclass
from typing import Any

import torch

from reconcile.measure.provenance import processor
from reconcile.proc import proc_field


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
            "driver": _driver(),
        }
    return {key: value for key, value in facts.items() if value is not None or key == "fallback"}


def _driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        result = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
