"""Processes: one that does not outlive the one that started it, and whether one still lives."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["end_with_parent", "lives"]

_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of <sys/prctl.h>."""


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when the one that started it is gone, whatever it does.

    Args:
        parent: the process that should be the parent; when it has gone already, this one exits.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        sys.exit(1)


def lives(process: int) -> bool:
    """Whether a process of this machine runs; one that ended and was not asked how does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is another user's.
        return True
    return _state(process) != "Z"


def _state(process: int) -> str:
    """The state as Linux has it: "Z" for one that only waits to be asked how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(") ")[2][:1]
    except OSError:
        return ""
