"""Processes that say that they are a run, or a job of one, and live until a test is done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support import PROJECT

LIBRARY = PROJECT / "workflow"
IN_A_CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""In front of a command: it and what it starts see no other process, and numbers of their own."""
ISOLATED = not subprocess.run(
    [*IN_A_CONTAINER, "true"], capture_output=True, check=False
).returncode
"""Whether this user may do that here."""
BEGIN = """
import os, sys
from pathlib import Path
from reconcile.run.processes import RUN_VARIABLE, Alive
Alive(Path(sys.argv[1])).begin()
print(os.environ.get(RUN_VARIABLE), flush=True)
sys.stdin.read()
"""
JOIN = """
import sys
from pathlib import Path
from reconcile.run.processes import Alive
print(Alive(Path(sys.argv[1])).join(), flush=True)
sys.stdin.read()
"""


def descendants(process: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            children = [int(word) for word in (task / "children").read_text().split()]
            found += [*children, *(grandchild for c in children for grandchild in descendants(c))]
    return found


@contextmanager
def living(
    code: str, folder: Path, *before: str, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that runs code with a folder, and the first line that it says; ended after."""
    with subprocess.Popen(
        [*before, sys.executable, "-c", code, str(folder)],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(LIBRARY)} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
            if process.stdin is not None:
                process.stdin.close()
            process.stdout.read()  # until what it started has ended too, in a container later


@contextmanager
def a_run(folder: Path, *before: str) -> Iterator[str]:
    """A run in a folder, and what it tells its jobs."""
    with living(BEGIN, folder, *before) as (_, told):
        yield told
