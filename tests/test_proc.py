"""What is read of processes: of one that runs, one that ended, and where there is no /proc."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile import proc

WAITS = "import sys; print(flush=True); sys.stdin.read()"
"""A program that says when it runs, and then waits until nobody can say anything to it."""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this one that waits."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", WAITS], **pipes) as one:
        assert one.stdout is not None
        one.stdout.readline()
        yield one


def test_a_process_that_runs(child: subprocess.Popen[bytes]) -> None:
    """It is known to live, who started it, and what share of its time it waited."""
    assert proc.lives(child.pid)
    assert child.pid in proc.children()
    assert 0 <= proc.kept_waiting(child.pid) <= 1


def test_a_process_that_ended(child: subprocess.Popen[bytes]) -> None:
    """It lives no more, even where its parent has not asked yet how it ended."""
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not proc.lives(child.pid)
    child.wait()
    assert not proc.lives(child.pid)


def test_this_process() -> None:
    """It has a thread, and fields that the system tells of it."""
    assert proc.lives(os.getpid())
    assert proc.threads() >= 1
    assert proc.proc_field("self/status", "Pid") == str(os.getpid())
    assert proc.proc_field("self/status", "no such field") is None
    assert proc.oom_kills() >= 0


def test_killed_for_want_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's counter is found among its others."""
    monkeypatch.setattr(proc, "PROC", tmp_path)
    (tmp_path / "vmstat").write_text("oom_kill_disable 1\noom_kill 3\nnr_dirty 7\n")
    assert proc.oom_kills() == 3


def test_waiting_is_a_share_of_all_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the threads waited counts against all that they ran and waited, or the age if longer."""
    monkeypatch.setattr(proc, "PROC", tmp_path)
    for thread, times in (("7", "1000 3000 1"), ("8", "0 4000 2")):
        (tmp_path / "7" / "task" / thread).mkdir(parents=True)
        (tmp_path / "7" / "task" / thread / "schedstat").write_text(f"{times}\n")
    assert proc.kept_waiting(7) == 7000 / 8000
    started = 10 * os.sysconf("SC_CLK_TCK")
    (tmp_path / "7" / "stat").write_text(f"7 (a name) of) S {'0 ' * 18}{started} 0\n")
    (tmp_path / "uptime").write_text("10.000014 3\n")
    assert proc.kept_waiting(7) == pytest.approx(0.5)


def test_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no /proc, nothing is known and nothing fails."""
    monkeypatch.setattr(proc, "PROC", tmp_path / "none")
    assert proc.lives(os.getpid())
    assert (proc.children(), proc.threads()) == (set(), 0)
    assert proc.boot_id() == platform.node()
    assert (proc.oom_kills(), proc.kept_waiting(os.getpid())) == (0, 0)
    assert proc.proc_field("cpuinfo", "model name") is None


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_is_looked_for_as_before(collecting: bool) -> None:
    """The collector is off meanwhile, and afterwards as it was, whatever happens."""
    (gc.enable if collecting else gc.disable)()
    try:
        with pytest.raises(KeyError), proc.nothing_collected(), proc.nothing_collected():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() == collecting
    finally:
        gc.enable()
