"""Clusters without accounting: what asks for it gets its answer from the queue instead."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["answer_from_queue"]

ANSWER_LIMIT_S = 30


def answer_from_queue(stand_in: Path) -> bool:
    """Put a stand-in for ``sacct`` on this process's path if the real one cannot answer.

    Args:
        stand_in: the folder that holds it.

    Returns:
        Whether it was necessary: not without ``sacct``, nor where accounting is on.
    """
    if shutil.which("sacct") is None or _accounting():
        return False
    os.environ["PATH"] = f"{stand_in.resolve()}{os.pathsep}{os.environ['PATH']}"
    return True


def _accounting() -> bool:
    command = ["sacct", "--allocations", "--noheader", "--starttime=now"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, timeout=ANSWER_LIMIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
