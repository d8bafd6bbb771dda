"""The processes of a run: which belong to it, how they end with it, and what a killed one left.

Who is alive in a project's folder is asked of the kernel, which lets a lock go with its process. A
run holds one byte of ``.snakemake/alive`` as long as it lives, and each of its jobs another. Such a
lock (POSIX, by ``fcntl``) is inherited by no child and left behind by nobody. Every process of this
machine sees it, whatever the other is called, wherever it works and whichever container it is in.
Another host sees it where the disk that both share passes locks on, and cannot tell otherwise.
"""

from __future__ import annotations

import ctypes
import os
import platform
import secrets
import shutil
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path

from reconcile.errors import visible
from reconcile.files import not_written
from reconcile.proc import boot_id, children

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

HOST_FILE = Path(".snakemake/host")
"""Where a run leaves the name of its host, and which start of it."""
CLUSTER_MARK = Path(".snakemake/cluster")
"""There where a run on a cluster began. Its jobs may outlive it, so later runs look for them."""
LOCKS = Path(".snakemake/locks")
_COPIES = Path(".snakemake/backups")
_IF_GONE = "if that run is gone: snakemake --unlock"
PATIENCE_S = 10
_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <sys/prctl.h>."""
END_LIMIT_S = 5
"""How long processes that are killed may take to be gone."""
SIGN = Path(".snakemake/alive")
"""Relative to the project's folder. Never removed here: locks belong to a file, not to its name."""
RUN_VARIABLE = "RECONCILE_RUN"
"""The byte of the run that started a process, and the kernel that knows of it."""
_SPAN = 1 << 31
_RUNS, _JOBS = (0, _SPAN), (_SPAN, _SPAN)
"""Start and length of the part of the file in which runs, and in which jobs, hold a byte."""
_FLOCK = "hhqqi"
"""``struct flock`` of Linux on 64 bits: l_type, l_whence, l_start, l_len, l_pid."""

_opened: dict[Path, int] = {}
"""Never closed: closing any descriptor of a file gives up all that this process holds of it."""


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


def recover(folder: Path) -> None:
    """Clear away what a killed run left in a folder, so that the next one starts.

    Ends the jobs it left running and removes its lock. Nothing is done while a run is going on, or
    where that cannot be told: Snakemake then says itself that the folder is locked.

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


def forget_copies(folder: Path) -> None:
    """Remove the copies of results that a killed run made before it replaced them.

    Snakemake 9 copies a folder of results where no copy lies, and otherwise fails, now and ever
    after. Where a folder is locked another run may have made them, and nothing is removed.
    """
    if not any((folder / LOCKS).glob("*.lock")):
        shutil.rmtree(folder / _COPIES, ignore_errors=True)


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


class NotKnownError(Exception):
    """It cannot be told who is alive: the message says why."""


class Alive:
    """The processes that are alive in a folder.

    Args:
        folder: the project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder.resolve() / SIGN

    def begin(self) -> None:
        """Say that this process is a run, until it ends, and leave its jobs word of which.

        Where nothing can be written or locked nothing is said: nothing can be run there either, or
        nobody could tell.
        """
        os.environ.pop(RUN_VARIABLE, None)
        byte = secrets.randbelow(_SPAN)
        try:
            # Waits for a recovery, which takes the bytes of all runs for a moment.
            file = self._descriptor()
            fcntl.lockf(file, fcntl.LOCK_EX, 1, byte)
        except (OSError, NotKnownError):
            return
        os.environ[RUN_VARIABLE] = f"{byte} {boot_id()}"

    def join(self) -> bool:
        """Say that this process is a job, until it ends.

        Returns:
            False if the run that started it is gone: another may be writing the same results now.
        """
        byte, _, kernel = os.environ.get(RUN_VARIABLE, "").partition(" ")
        if not byte.isdecimal():
            return True
        run = int(byte)
        try:
            file = self._descriptor()
            fcntl.lockf(file, fcntl.LOCK_SH, 1, _JOBS[0] + run)
            # Of a run on another host the disk may pass no locks on.
            return kernel != boot_id() or self._holder(run, 1) is not None
        except (OSError, NotKnownError):
            return True

    def alone(self) -> bool:
        """Whether it is known that no other process is a run here."""
        try:
            return self._holder(*_RUNS) is None
        except (OSError, NotKnownError):
            return False

    def job(self) -> int | None:
        """A process that is a job of a run here, or None where there is none.

        It is 0 where its number cannot be known: in another container, or on another host.
        """
        return self._holder(*_JOBS)

    @contextmanager
    def kept_out(self) -> Iterator[bool]:
        """Keep runs from beginning meanwhile, where none is alive; whether that is so.

        Raises:
            NotKnownError: it cannot be told.
        """
        if not self._file.exists():
            raise NotKnownError("it left no sign of life to ask for")
        try:
            file = self._descriptor()
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _RUNS[1], _RUNS[0])
        except BlockingIOError:
            yield False
            return
        except OSError as error:
            raise NotKnownError(f"{SIGN} cannot be asked: {error.strerror or error}") from None
        try:
            yield True
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, _RUNS[1], _RUNS[0])

    def _holder(self, start: int, length: int) -> int | None:
        """Another process that holds a lock in a part of the file, as ``job`` says."""
        file = self._descriptor()
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
        kind, *_, process = struct.unpack(_FLOCK, answer)
        return None if kind == fcntl.F_UNLCK else max(process, 0)

    def _descriptor(self) -> int:
        """The file, opened once for as long as its name leads to it.

        Raises:
            OSError: it cannot be opened.
            NotKnownError: this system has no such locks.
        """
        if sys.platform != "linux":
            raise NotKnownError("only Linux can be asked")
        known = _opened.get(self._file)
        if known is None or not _is_there(known, self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            known = _opened[self._file] = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        return known


def _is_there(descriptor: int, file: Path) -> bool:
    """Whether an open file is the one of this name, which may have been removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return False
