"""What Linux tells in /proc of processes and memory: read here and nowhere else.

Elsewhere, and of processes that ended or are not ours to look at, nothing is known; each function
says what it then returns. The last one is of this process alone: when it looks for garbage.
"""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
_STARTED = 19
"""Where a process's start stands in /proc/*/stat, counted after the name in brackets."""


def proc_field(file: str, key: str) -> str | None:
    """The first value of a key in a file of lines ``key: value``; None where there is none."""
    fields = (line.partition(":") for line in _content(file).splitlines())
    return next((value.strip() for name, _, value in fields if name.strip() == key), None)


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started, or 0."""
    counters = (line.partition(" ") for line in _content("vmstat").splitlines())
    return next((int(value) for name, _, value in counters if name == "oom_kill"), 0)


def threads() -> int:
    """How many threads this process has; 0 where that is not known."""
    return len(list((PROC / "self/task").glob("*")))


def children() -> set[int]:
    """The processes whose parent this one is; none where that is not known."""
    tasks = (PROC / "self/task").glob("*")
    return {int(child) for task in tasks for child in _content(task / "children").split()}


def lives(process: int) -> bool:
    """Whether a process of this machine runs; one that ended and was not asked how does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is another user's.
        return True
    return _stat(process)[:1] != ["Z"]


def kept_waiting(process: int) -> float:
    """The share of its threads' time in which a process could run and the system let others."""
    ran = waited = 0
    for file in (PROC / str(process) / "task").glob("*/schedstat"):
        with suppress(ValueError):
            own, others, _ = map(int, _content(file).split())
            ran, waited = ran + own, waited + others
    return waited / max(ran + waited, _age_s(process) * 1e9, 1)


def _age_s(process: int) -> float:
    with suppress(ValueError, IndexError):
        started = int(_stat(process)[_STARTED])
        return float(_content("uptime").split()[0]) - started / os.sysconf("SC_CLK_TCK")
    return 0.0


def boot_id() -> str:
    """Which start of which machine this is: the same in its containers; its name if not known."""
    return _content("sys/kernel/random/boot_id").strip() or platform.node()


def _stat(process: int) -> list[str]:
    """The fields of /proc/*/stat after the name, which may hold anything."""
    return _content(f"{process}/stat").rpartition(") ")[2].split()


def _content(file: str | Path) -> str:
    try:
        return (PROC / file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Keep Python's collector of cycles from looking, again and again, at what all stays."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.collect(0)  # all of it is young, and nothing older need be looked at
            gc.enable()
