"""Recovering: what a killed run left is cleared away, and a live run is never touched."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from living import BEGIN, IN_A_CONTAINER, ISOLATED, JOIN, a_run, living

from reconcile.proc import boot_id
from reconcile.run import processes
from reconcile.run.processes import (
    CLUSTER_MARK,
    HOST_FILE,
    LOCKS,
    RUN_VARIABLE,
    SIGN,
    Alive,
    NotKnownError,
    forget_copies,
    note_host,
    recover,
)

containers = pytest.mark.skipif(not ISOLATED, reason="no namespaces of processes for this user")

FORKS = BEGIN.replace("sys.stdin.read()", "os.fork() and os._exit(0)\nsys.stdin.read()")


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a run of this machine that was killed."""
    monkeypatch.chdir(tmp_path)
    with a_run(tmp_path):
        LOCKS.mkdir()
        lock().touch()
        note_host()
    yield tmp_path


def lock() -> Path:
    """A lock of Snakemake's."""
    return LOCKS / "0.output.lock"


def test_a_killed_run(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its lock goes, in one line; then there is nothing to do and nothing to say."""
    recover(killed)
    assert not lock().exists()
    assert capsys.readouterr().err == "recover: cleared the lock of a run that was killed\n"
    recover(killed)
    assert capsys.readouterr().err == ""


def test_copies_that_a_killed_run_made(killed: Path) -> None:
    """They go once the folder is locked by nobody, and not before."""
    copies = killed / ".snakemake" / "backups" / "results"
    copies.mkdir(parents=True)
    forget_copies(killed)
    assert copies.exists()
    recover(killed)
    forget_copies(killed)
    assert not copies.parent.exists()


def test_a_live_run(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its lock nor its job is touched, and nothing is said."""
    with a_run(killed) as run, living(JOIN, killed, **{RUN_VARIABLE: run}) as (job, _):
        recover(killed)
        assert lock().exists()
        assert job.poll() is None
    assert capsys.readouterr().err == ""


def test_a_job_that_outlived_its_run(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is ended before the lock goes."""
    with living(JOIN, killed, **{RUN_VARIABLE: "7 another-kernel"}) as (job, _):
        recover(killed)
        assert job.wait(timeout=30) == -9
    ended, cleared = capsys.readouterr().err.splitlines()
    assert ended == f"recover: ended process {job.pid}, left running by a run that was killed"
    assert cleared == "recover: cleared the lock of a run that was killed"


def test_a_job_that_cannot_be_ended(
    killed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock stays and a line says why; a run on a cluster will cancel it."""
    monkeypatch.setattr(Alive, "job", lambda self: 0)
    recover(killed)
    assert lock().exists()
    assert "is still going on (another container or host)" in capsys.readouterr().err
    CLUSTER_MARK.touch()
    recover(killed)
    assert not lock().exists()


@pytest.mark.parametrize(
    ("host", "cleared"),
    [
        (f"{platform.node()}\nan earlier start\n", True),
        (f"a container of this machine\n{boot_id()}\n", True),
        (f"{platform.node()}", True),
        ("", True),
        ("another host\nof its own\n", False),
        ("another\x1b[2J\nof its own\n", False),
    ],
)
def test_a_run_on_another_host(
    killed: Path, capsys: pytest.CaptureFixture[str], host: str, cleared: bool
) -> None:
    """Its lock stays, with a line that says how to remove it: whether it is gone is not known."""
    HOST_FILE.write_text(host, encoding="utf-8")
    recover(killed)
    assert lock().exists() != cleared
    (told,) = capsys.readouterr().err.splitlines()
    assert told.isprintable()
    assert ("if that run is gone: snakemake --unlock" in told) != cleared


def test_a_lock_that_nobody_left_word_of(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lock of an older release's run, which may be alive, stays, and a line says so."""
    SIGN.unlink()
    recover(killed)
    assert lock().exists()
    assert "whether that run is alive is not known: it left no sign" in capsys.readouterr().err


def test_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing ran nothing is made, and nothing said."""
    monkeypatch.chdir(tmp_path)
    recover(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


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
        "import sys; from pathlib import Path; from reconcile.run.processes import Alive\n"
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
        "import sys; from pathlib import Path; from reconcile.run.processes import Alive\n"
        "with Alive(Path(sys.argv[1])).kept_out() as nobody: print(nobody, flush=True)",
        tmp_path,
    ) as (_, told):
        assert told == "False"


def test_where_nothing_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without such locks a run begins, a job goes on, and nobody is known to be alone."""
    (tmp_path / SIGN).parent.mkdir()
    (tmp_path / SIGN).touch()
    monkeypatch.setattr(processes.sys, "platform", "win32")
    monkeypatch.setattr(processes, "fcntl", None)
    monkeypatch.setenv(RUN_VARIABLE, "7 here")
    one = Alive(tmp_path)
    one.begin()
    assert RUN_VARIABLE not in os.environ
    monkeypatch.setenv(RUN_VARIABLE, "7 here")
    assert one.join()
    assert not one.alone()
    with pytest.raises(NotKnownError, match="only Linux"), one.kept_out():
        pass
