"""Jobs of a killed run are cancelled before the next run starts; the queue stands in for sacct."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import PROJECT

from reconcile.run.cluster import queue
from reconcile.run.cluster.queue import (
    JOB_PREFIX,
    STAND_IN,
    LeftoverError,
    RunMark,
    answer_from_queue,
    cancel_leftovers,
)

RUN = f"{JOB_PREFIX}_2f1c5d0e-8a3b-4c6d-9e7f-0123456789ab"
SQUEUE = '#!/bin/sh\ncat "$QUEUE"\n'
QUESTION = ["sacct", "-X", "--format=JobIdRaw,State", "--endtime", "now", "--name", "reconcile_1"]
SCANCEL = '#!/bin/sh\necho "$*" >"$CANCELLED"\n: >"$QUEUE"\n'


class Cluster:
    """Stand-ins for squeue and scancel: a queue in a file, which cancelling empties."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.queue = folder / "queue"
        self.cancelled = folder / "cancelled"
        self.lines: list[str] = []
        monkeypatch.setenv("QUEUE", str(self.queue))
        monkeypatch.setenv("CANCELLED", str(self.cancelled))
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        self.command("squeue", SQUEUE)
        self.command("scancel", SCANCEL)

    def command(self, name: str, script: str) -> None:
        """Put a command on the path."""
        file = self.folder / name
        file.write_text(script)
        file.chmod(0o755)

    def run(self, mark: RunMark | None = None, *jobs: str) -> str:
        """Start a run in this folder while these jobs are in the queue; what it cancelled."""
        self.queue.write_text("".join(f"{job}\n" for job in jobs))
        mark = mark or RunMark(self.folder / "mark")
        cancel_leftovers(self.folder, mark, self.lines.append)
        return self.cancelled.read_text().strip() if self.cancelled.exists() else ""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster with an empty queue."""
    return Cluster(tmp_path, monkeypatch)


def test_profile_names_jobs() -> None:
    """Jobs are looked for by the name that the profile gives them."""
    profile = yaml.safe_load((PROJECT / "profiles/slurm/profile.yaml").read_text())
    assert profile["slurm-jobname-prefix"] == JOB_PREFIX


def test_cancels_own(cluster: Cluster) -> None:
    """Only jobs that a run in this very folder submitted are leftovers."""
    here, elsewhere = str(cluster.folder), str(cluster.folder.parent)
    jobs = [f"7|{RUN}|{here}", f"8|{RUN}|{elsewhere}", f"9|{JOB_PREFIX}|{here}", f"10|sh|{here}"]
    assert cluster.run(None, *jobs) == "7"
    assert cluster.lines == ["cancelling SLURM jobs that a killed run left behind: 7"]


def test_leaves_another_run_alone(cluster: Cluster) -> None:
    """While another run is going on here, its jobs are not leftovers."""
    other = RunMark(cluster.folder / "mark")
    assert other.alone()
    assert cluster.run(None, f"7|{RUN}|{cluster.folder}") == ""
    assert cluster.lines == ["another run is going on here: its SLURM jobs 7 are left alone"]


def test_waits_for_the_end(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leftover that does not end stops the run: two jobs would write the same files."""
    monkeypatch.setattr(queue, "END_LIMIT_S", 0)
    cluster.command("scancel", "#!/bin/sh\n")
    with pytest.raises(LeftoverError, match="7 of a killed run have not ended yet"):
        cluster.run(None, f"7|{RUN}|{cluster.folder}")


def test_refused(cluster: Cluster) -> None:
    """Where SLURM refuses to cancel, its own words are passed on."""
    cluster.command("scancel", "#!/bin/sh\necho 'Access denied' >&2\nexit 1\n")
    with pytest.raises(LeftoverError, match="7 are not cancelled: Access denied"):
        cluster.run(None, f"7|{RUN}|{cluster.folder}")


def test_no_answer(cluster: Cluster) -> None:
    """A cluster that does not answer is said, and stops nothing."""
    cluster.command("squeue", "#!/bin/sh\nexit 1\n")
    assert cluster.run() == ""
    assert "SLURM does not answer" in cluster.lines[0]


def test_no_cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SLURM nothing happens and nothing is said."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert cluster.run(None, f"7|{RUN}|{cluster.folder}") == ""
    assert cluster.lines == []


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
    assert answer_from_queue()
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
    assert not answer_from_queue()
    assert os.environ["PATH"] == str(path)
