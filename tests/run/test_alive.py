"""Who is alive is known of every process of this machine, and of none that has ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from living import BEGIN, IN_A_CONTAINER, ISOLATED, JOIN, a_run, living

from reconcile.run import alive
from reconcile.run.alive import RUN_VARIABLE, SIGN, Alive, NotKnownError

containers = pytest.mark.skipif(not ISOLATED, reason="no namespaces of processes for this user")

FORKS = BEGIN.replace("sys.stdin.read()", "os.fork() and os._exit(0)\nsys.stdin.read()")


def free(folder: Path) -> bool:
    """Whether nobody is a run in a folder."""
    with Alive(folder).kept_out() as nobody:
        return nobody


@pytest.mark.parametrize("before", [(), pytest.param(IN_A_CONTAINER, marks=containers)])
def test_a_run_is_alive_until_it_ends(tmp_path: Path, before: tuple[str, ...]) -> None:
    """Whatever its command and its folder, in a container too."""
    with a_run(tmp_path, *before):
        assert not free(tmp_path)
        assert not Alive(tmp_path).alone()
    assert free(tmp_path)
    assert Alive(tmp_path).alone()


def test_a_child_is_not_the_run(tmp_path: Path) -> None:
    """What a run forked may outlive it, and does not stand for it."""
    with living(FORKS, tmp_path) as (process, _):
        process.wait()
        assert free(tmp_path)


def test_a_run_waits_for_a_recovery(tmp_path: Path) -> None:
    """While runs are kept out none begins, and it begins right after."""
    with a_run(tmp_path):
        pass
    read, write = os.pipe()
    with Alive(tmp_path).kept_out() as nobody:
        assert nobody
        begins = subprocess.Popen(
            ["python", "-c", BEGIN, str(tmp_path)], stdin=subprocess.PIPE, stdout=write
        )
        os.set_blocking(read, False)
        with pytest.raises(subprocess.TimeoutExpired):
            begins.wait(timeout=1)
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
    os.set_blocking(read, True)
    assert os.read(read, 1)
    assert not free(tmp_path)
    begins.communicate(b"")
    os.close(read)
    os.close(write)


def test_a_job_knows_whether_its_run_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with its run, and not without it; of a run elsewhere nothing is known."""
    with a_run(tmp_path) as run, living(JOIN, tmp_path, **{RUN_VARIABLE: run}) as (job, told):
        assert told == "True"
        assert Alive(tmp_path).job() == job.pid
    assert Alive(tmp_path).job() is None
    with living(JOIN, tmp_path, **{RUN_VARIABLE: run}) as (_, told):
        assert told == "False"
    elsewhere = f"{run.partition(' ')[0]} another-kernel"
    with living(JOIN, tmp_path, **{RUN_VARIABLE: elsewhere}) as (_, told):
        assert told == "True"
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    assert Alive(tmp_path).join()


@containers
def test_a_job_that_cannot_be_seen(tmp_path: Path) -> None:
    """Seen from another container, a job is there and has no number."""
    ask = (
        "import sys; from pathlib import Path; from reconcile.run.alive import Alive\n"
        "print(Alive(Path(sys.argv[1])).job(), flush=True)"
    )
    with living(JOIN, tmp_path, **{RUN_VARIABLE: "7 another-kernel"}) as (_, joined):
        assert joined == "True"
        with living(ask, tmp_path, *IN_A_CONTAINER) as (_, told):
            assert told == "0"


def test_a_sign_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run holds the file that its folder has now, and nothing is known where there is none."""
    monkeypatch.setenv(RUN_VARIABLE, "")
    one = Alive(tmp_path)
    one.begin()
    (tmp_path / SIGN).unlink()
    with pytest.raises(NotKnownError, match="no sign of life"), one.kept_out():
        pass
    one.begin()
    with living(
        "import sys; from pathlib import Path; from reconcile.run.alive import Alive\n"
        "with Alive(Path(sys.argv[1])).kept_out() as nobody: print(nobody, flush=True)",
        tmp_path,
    ) as (_, told):
        assert told == "False"


def test_where_nothing_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without such locks a run begins, a job goes on, and nobody is known to be alone."""
    (tmp_path / SIGN).parent.mkdir()
    (tmp_path / SIGN).touch()
    monkeypatch.setattr(alive.sys, "platform", "win32")
    monkeypatch.setattr(alive, "fcntl", None)
    monkeypatch.setenv(RUN_VARIABLE, "7 here")
    one = Alive(tmp_path)
    one.begin()
    assert RUN_VARIABLE not in os.environ
    monkeypatch.setenv(RUN_VARIABLE, "7 here")
    assert one.join()
    assert not one.alone()
    with pytest.raises(NotKnownError, match="only Linux"), one.kept_out():
        pass
