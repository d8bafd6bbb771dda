"""Clear away what a killed run left, so that the next one starts: ``reconcile recover``.

Ends the processes it left running and clears its lock. Nothing is done while a run is going on:
that Snakemake then says so itself.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from reconcile.run.processes import HOST_FILE, jobs_in, runs_in

LOCKS = Path(".snakemake/locks")
PATIENCE_S = 10


def recover(folder: Path) -> int:
    """End what a killed run left running in a folder and clear its lock; returns an exit code."""
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
