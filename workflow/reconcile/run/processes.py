"""The processes of a run: which belong to it, how they end with it, and what a killed one left.

What is known of those that this process did not start is what ``alive`` tells.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from reconcile.errors import visible
from reconcile.files import not_written
from reconcile.proc import boot_id, children
from reconcile.run.alive import Alive, NotKnownError

HOST_FILE = Path(".snakemake/host")
"""Where a run leaves the name of its host, and which start of it."""
CLUSTER_MARK = Path(".snakemake/cluster")
"""There where a run on a cluster began. Its jobs may outlive it, so later runs look for them."""
LOCKS = Path(".snakemake/locks")
_IF_GONE = "if that run is gone: snakemake --unlock"
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


def note_host() -> None:
    """Leave word of where this run is: on a shared disk other hosts cannot see its processes."""
    HOST_FILE.write_text(f"{platform.node()}\n{boot_id()}\n", encoding="utf-8")


def recover(folder: Path) -> int:
    """Clear away what a killed run left in a folder, so that the next one starts.

    Ends the jobs it left running and removes its lock. Nothing is done while a run is going on, or
    where that cannot be told: Snakemake then says itself that the folder is locked.

    Returns:
        An exit code.

    Raises:
        InputError: the lock cannot be removed.
    """
    locks = sorted((folder / LOCKS).glob("*.lock"))
    try:
        with Alive(folder).kept_out() as nobody:
            if nobody and _jobs_ended(folder):
                _clear(folder, locks)
    except NotKnownError as reason:
        if locks:
            _say(f"locked, and whether that run is alive is not known: {reason}; {_IF_GONE}")
    return 0


def _jobs_ended(folder: Path) -> bool:
    """End the jobs of a killed run; False where one is left that cannot be ended from here."""
    deadline, ended = time.monotonic() + PATIENCE_S, set()
    while (process := Alive(folder).job()) is not None:
        if not process or time.monotonic() > deadline:
            break
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
            ended.add(process)
        time.sleep(0.05)
    for one in sorted(ended):
        _say(f"ended process {one}, left running by a run that was killed")
    # The next run on a cluster cancels what is left in its queue.
    if process is None or (folder / CLUSTER_MARK).exists():
        return True
    where = f"process {process}" if process else "another container or host"
    _say(f"a job of a run that was killed is still going on ({where}); end it, or wait for it")
    return False


def _clear(folder: Path, locks: list[Path]) -> None:
    """Remove Snakemake's locks, whose run is not alive, unless it may be on another host."""
    if not locks:
        return
    if host := _other_host(folder / HOST_FILE):
        _say(f"locked by a run on {host}, which cannot be seen from here; {_IF_GONE}")
        return
    for lock in locks:
        try:
            lock.unlink(missing_ok=True)
        except OSError as error:
            raise not_written(lock, error) from None
    _say("cleared the lock of a run that was killed")


def _other_host(file: Path) -> str:
    """The host of the last run, where it is not this machine; empty, too, where it did not say."""
    try:
        host, boot, *_ = [*file.read_text(encoding="utf-8").splitlines(), "", ""]
    except (OSError, UnicodeDecodeError):
        return ""
    # Containers of one machine have names of their own, and a machine that started again the same.
    return "" if boot == boot_id() or host in ("", platform.node()) else visible(host)


def _say(line: str) -> None:
    print(f"recover: {line}", file=sys.stderr, flush=True)
