"""Recovering: what a killed run left is cleared away, and a live run is never touched."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
from living import JOIN, a_run, living

from reconcile.proc import boot_id
from reconcile.run.alive import RUN_VARIABLE, SIGN, Alive
from reconcile.run.processes import CLUSTER_MARK, HOST_FILE, LOCKS, note_host, recover


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
    assert recover(killed) == 0
    assert not lock().exists()
    assert capsys.readouterr().err == "recover: cleared the lock of a run that was killed\n"
    assert recover(killed) == 0
    assert capsys.readouterr().err == ""


def test_a_live_run(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its lock nor its job is touched, and nothing is said."""
    with a_run(killed) as run, living(JOIN, killed, **{RUN_VARIABLE: run}) as (job, _):
        assert recover(killed) == 0
        assert lock().exists()
        assert job.poll() is None
    assert capsys.readouterr().err == ""


def test_a_job_that_outlived_its_run(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is ended before the lock goes."""
    with living(JOIN, killed, **{RUN_VARIABLE: "7 another-kernel"}) as (job, _):
        assert recover(killed) == 0
        assert job.wait(timeout=30) == -9
    ended, cleared = capsys.readouterr().err.splitlines()
    assert ended == f"recover: ended process {job.pid}, left running by a run that was killed"
    assert cleared == "recover: cleared the lock of a run that was killed"


def test_a_job_that_cannot_be_ended(
    killed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock stays and a line says why; a run on a cluster will cancel it."""
    monkeypatch.setattr(Alive, "job", lambda self: 0)
    assert recover(killed) == 0
    assert lock().exists()
    assert "is still going on (another container or host)" in capsys.readouterr().err
    CLUSTER_MARK.touch()
    assert recover(killed) == 0
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
    assert recover(killed) == 0
    assert lock().exists() != cleared
    (told,) = capsys.readouterr().err.splitlines()
    assert told.isprintable()
    assert ("if that run is gone: snakemake --unlock" in told) != cleared


def test_a_lock_that_nobody_left_word_of(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lock of an older release's run, which may be alive, stays, and a line says so."""
    SIGN.unlink()
    assert recover(killed) == 0
    assert lock().exists()
    assert "whether that run is alive is not known: it left no sign" in capsys.readouterr().err


def test_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing ran nothing is made, and nothing said."""
    monkeypatch.chdir(tmp_path)
    assert recover(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""
