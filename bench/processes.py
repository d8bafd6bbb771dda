"""Run whole processes: how long they take, how much memory their tree holds, in turn with peers."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL_S = 0.05
"""Between two looks at the memory of a process tree."""
SHOWN = 4000
"""Characters of a failed command's output that are shown."""


@dataclass(frozen=True)
class Took:
    """What one run of a command took, with everything that it started and waited for."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Ratio:
    """Ours over a peer's: the ratio of the medians, and the range over pairs of runs."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], peers: Sequence[float]) -> Ratio:
        """From runs that were taken in turn."""
        pairs = [mine / theirs for mine, theirs in zip(ours, peers, strict=True)]
        median = statistics.median(ours) / statistics.median(peers)
        return cls(median, min(pairs), max(pairs))


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], accepted: int = 0
) -> Took:
    """Run a command to its end.

    Raises:
        RuntimeError: its exit code is not the accepted one; the message ends with what it printed
            last.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != accepted:
        said = (done.stdout + done.stderr)[-SHOWN:]
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, cpu)


def in_turn(
    name: str, runs: int, commands: Mapping[str, Callable[[], Took]]
) -> dict[str, list[Took]]:
    """Run peers one after the other, again and again, so that all see the same machine."""
    taken: dict[str, list[Took]] = {peer: [] for peer in commands}
    begun, total = time.monotonic(), runs * len(commands)
    for done in range(total):
        peer = list(commands)[done % len(commands)]
        taken[peer].append(commands[peer]())
        left = (time.monotonic() - begun) / (done + 1) * (total - done - 1)
        tell(f"{name}: {peer} {done + 1}/{total}, {left:.0f} s left")
    return taken


def tell(line: str) -> None:
    """Say how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


def peak_memory(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """The most bytes that a command and its descendants held at once.

    Pages that several processes share count once in all (proportional set size), so a browser of
    many processes is not charged its libraries many times. Looking takes time: memory is measured
    in runs of its own.

    Raises:
        RuntimeError: the command failed.
    """
    peak = 0
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            peak = max(peak, _held(process.pid))
            time.sleep(INTERVAL_S)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return peak


def _held(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        return sum(_share(process.pid) for process in (root, *root.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith("Pss:")), 0)


def seconds(taken: Sequence[Took]) -> list[float]:
    """The wall-clock times of some runs."""
    return [took.seconds for took in taken]


def clean_environment(**more: str) -> dict[str, str]:
    """This environment, in which Python may keep its bytecode as it does for users."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE",)}
    return kept | more
