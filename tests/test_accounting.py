"""On a cluster without accounting, what asks for it gets its answer from the queue."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import PROJECT

from reconcile.accounting import answer_from_queue

STAND_IN = PROJECT / "workflow" / "slurm"
QUESTION = ["sacct", "-X", "--format=JobIdRaw,State", "--endtime", "now", "--name", "reconcile_1"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder before all others on the path."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def command(folder: Path, name: str, script: str) -> None:
    """Put a command on the path."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_off(path: Path) -> None:
    """Where the real one fails, a question for a run's jobs goes to the queue."""
    command(path, "sacct", "exit 1")
    command(path, "squeue", 'echo "$@"')
    assert answer_from_queue(STAND_IN)
    assert shutil.which("sacct") == str(STAND_IN / "sacct")
    said = subprocess.run(QUESTION, capture_output=True, text=True, check=True).stdout
    assert said == "--noheader --states=all --format=%i|%T --name reconcile_1\n"


def test_other_questions(path: Path) -> None:
    """What only accounting knows is refused, not made up."""
    command(path, "squeue", "exit 0")
    question = [STAND_IN / "sacct", "-j", "7"]
    asked = subprocess.run(question, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "accounting is off" in asked.stderr


@pytest.mark.parametrize("script", ["exit 0", None])
def test_on_or_absent(path: Path, script: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where accounting is on, or there is no SLURM, nothing changes."""
    monkeypatch.setenv("PATH", str(path))
    if script:
        command(path, "sacct", script)
    assert not answer_from_queue(STAND_IN)
    assert os.environ["PATH"] == str(path)
