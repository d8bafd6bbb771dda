"""The processes of a run: which belong to it, how they end with it, and what a killed one left.

A job inherits RECONCILE_COMMAND from the run that started it. Where there is no /proc (outside
Linux) nothing is found.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from reconcile.proc import children, commands, environment, working_folder
from reconcile.run import COMMAND_VARIABLE

HOST_FILE = Path(".snakemake/host")
"""Where a run leaves its host's name: on a shared disk its processes cannot be seen from others."""
LOCKS = Path(".snakemake/locks")
PATIENCE_S = 10
_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <sys/prctl.h>."""
END_LIMIT_S = 5
"""How long processes that are killed may take to be gone."""


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when the one that started it is gone, whatever it does.

    Args:
        parent: the process that should be the parent; when it has gone already, this one exits.
    """
    if sys.platform != "linux":
        return
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        sys.exit(1)


def adopt_orphans(adopt: bool = True) -> None:
    """Become the parent of every process below this one whose own parent ends, on Linux."""
    if sys.platform == "linux":
        _prctl(_SET_CHILD_SUBREAPER, int(adopt))


def _prctl(option: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def end_children(but: AbstractSet[int] = frozenset()) -> None:
    """Kill what is left below this process, grandchildren that it adopted included.

    Args:
        but: children that are left alone.
    """
    deadline = time.monotonic() + END_LIMIT_S
    while (left := children() - but) and time.monotonic() < deadline:
        for child in left:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(child, 0)


def answered_in_a_thread(number: signal.Signals) -> None:
    """Have a signal answered as now, but in a thread of its own.

    Snakemake 9 answers SIGTERM by taking a lock in its main thread. Where the signal comes while
    that thread has the lock already, it would wait for itself, and hold its folder, for ever.
    """
    answer = signal.getsignal(number)
    if callable(answer):
        signal.signal(
            number, lambda *told: threading.Thread(target=answer, args=told, daemon=True).start()
        )


def runs_in(folder: Path) -> list[int]:
    """The Snakemake processes that work in a folder, or that may: another user's do not say."""
    return [
        process
        for process, words in commands()
        if any(Path(word).name == "snakemake" for word in words[:3])
        and working_folder(process) in (None, folder.resolve())
    ]


def jobs_in(folder: Path) -> list[int]:
    """The processes that a run in a folder started."""
    return [
        process
        for process, _ in commands()
        if working_folder(process) == folder.resolve()
        and any(line.startswith(f"{COMMAND_VARIABLE}=".encode()) for line in environment(process))
    ]


def recover(folder: Path) -> int:
    """Clear away what a killed run left in a folder, so that the next one starts.

    Ends the processes it left running and clears its lock. Nothing is done while a run is going on:
    that Snakemake then says so itself.

    Returns:
        An exit code.
    """
    if runs_in(folder):
        return 0
    for process in _ended(folder):
        _say(f"ended process {process}, left running by a run that was killed")
    if not any(LOCKS.glob("*.lock")):
        return 0
    host = _host_of_lock()
    if host != platform.node():
        _say(f"locked by a run on {host}; if that run is gone: snakemake --unlock")
        return 0
    command = [sys.executable, "-m", "snakemake", "--unlock", "--quiet", "all"]
    done = subprocess.run(command, check=False)  # noqa: S603 - this interpreter, fixed words
    if done.returncode == 0:
        _say("cleared the lock of a run that was killed")
    return done.returncode


def _host_of_lock() -> str:
    """The host of the last run; this one where a run was killed before it could say."""
    try:
        return HOST_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return platform.node()


def _ended(folder: Path) -> list[int]:
    processes = jobs_in(folder)
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and set(processes) & set(jobs_in(folder)):
        time.sleep(0.05)
    return processes


def _say(line: str) -> None:
    print(f"recover: {line}", file=sys.stderr, flush=True)
