"""Who is alive in a project's folder: asked of the kernel, which lets a lock go with its process.

A run holds one byte of ``.snakemake/alive`` as long as it lives, and each of its jobs another. Such
a lock (POSIX, by ``fcntl``) is inherited by no child and left behind by nobody. Every process of
this machine sees it, whatever the other is called, wherever it works and whichever container it is
in. Another host sees it where the disk that both share passes locks on, and cannot tell otherwise.
"""

from __future__ import annotations

import os
import secrets
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconcile.proc import boot_id

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

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
