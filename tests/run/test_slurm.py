"""Jobs of a killed run are cancelled before the next run starts; the queue stands in for sacct.

What failed on a cluster, and why, stands in one line a job at the end of a run.
Only what measures becomes a job on a cluster; a run on one machine knows nothing of it.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from living import a_run
from snakemake_interface_logger_plugins.common import LogEvent
from support import PROJECT

from reconcile.run import slurm
from reconcile.run.processes import RUN_VARIABLE, Alive
from reconcile.run.slurm import (
    JOB_PREFIX,
    STAND_IN,
    FailedJobs,
    LeftoverError,
    answer_from_queue,
    cancel_leftovers,
)

RUN = f"{JOB_PREFIX}_2f1c5d0e-8a3b-4c6d-9e7f-0123456789ab"
SQUEUE = '#!/bin/sh\ncat "$QUEUE"\n'
QUESTION = ["sacct", "-X", "--format=JobIdRaw,State", "--endtime", "now", "--name", "reconcile_1"]
SCANCEL = '#!/bin/sh\necho "$*" >"$CANCELLED"\n: >"$QUEUE"\n'


STATUS = "SLURM-job '{job}' failed, SLURM status is: '{state}'. Detailed reason unavailable"
REFUSAL = """\
SLURM sbatch failed. The error message was 'sbatch: error: invalid partition
sbatch: error: Batch job submission failed'.
    sbatch call:
"""


class Cluster:
    """Stand-ins for squeue and scancel: a queue in a file, which cancelling empties."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.queue = folder / "queue"
        self.cancelled = folder / "cancelled"
        self.lines: list[str] = []
        monkeypatch.setenv(RUN_VARIABLE, "")
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

    def run(self, *jobs: str) -> str:
        """Start a run in this folder while these jobs are in the queue; what it cancelled."""
        self.queue.write_text("".join(f"{job}\n" for job in jobs))
        Alive(self.folder).begin()
        cancel_leftovers(self.folder, self.lines.append)
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
    assert cluster.run(*jobs) == "7"
    assert cluster.lines == ["cancelling SLURM jobs that a killed run left behind: 7"]


def test_leaves_another_run_alone(cluster: Cluster) -> None:
    """While another run is going on here, its jobs are not leftovers."""
    with a_run(cluster.folder):
        assert cluster.run(f"7|{RUN}|{cluster.folder}") == ""
    assert cluster.lines == ["another run is going on here: its SLURM jobs 7 are left alone"]
    assert cluster.run(f"7|{RUN}|{cluster.folder}") == "7"


def test_waits_for_the_end(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leftover that does not end stops the run: two jobs would write the same files."""
    monkeypatch.setattr(slurm, "END_LIMIT_S", 0)
    cluster.command("scancel", "#!/bin/sh\n")
    with pytest.raises(LeftoverError, match="7 of a killed run have not ended yet"):
        cluster.run(f"7|{RUN}|{cluster.folder}")


def test_refused(cluster: Cluster) -> None:
    """Where SLURM refuses to cancel, its own words are passed on."""
    cluster.command("scancel", "#!/bin/sh\necho 'Access denied' >&2\nexit 1\n")
    with pytest.raises(LeftoverError, match="7 are not cancelled: Access denied"):
        cluster.run(f"7|{RUN}|{cluster.folder}")


def test_no_answer(cluster: Cluster) -> None:
    """A cluster that does not answer is said, and stops nothing."""
    cluster.command("squeue", "#!/bin/sh\nexit 1\n")
    assert cluster.run() == ""
    assert "SLURM does not answer" in cluster.lines[0]


def test_no_cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SLURM nothing happens and nothing is said."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert cluster.run(f"7|{RUN}|{cluster.folder}") == ""
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


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a rule that failed while it measured."""
    file = tmp_path / "15.log"
    file.write_text("[ 1/100] a: measured\nb: counted 3, expected 4\n\n")
    return file


@pytest.fixture
def failed() -> FailedJobs:
    """Nothing failed yet."""
    return FailedJobs()


def tell(failed: FailedJobs, event: LogEvent, **facts: object) -> None:
    """Log an event as Snakemake does."""
    logger = logging.Logger("snakemake")
    logger.addHandler(failed)
    logger.info("", extra={"event": event, **facts})


def error(failed: FailedJobs, message: str | None, log: Path, jobid: int = 25) -> None:
    """Log that a batch was not measured."""
    logs = [str(log), "logs/slurm/rule_measure_batch/sweep_15/17.log"]
    facts = {"rule_name": "measure_batch", "rule_msg": message, "jobid": jobid, "log": logs}
    tell(failed, LogEvent.JOB_ERROR, **facts, input=["a.json"], indent=False)


def test_reason(failed: FailedJobs, log: Path) -> None:
    """The reason is the last line of the rule's log, named after the last attempt's job."""
    for job in (17, 22):
        error(failed, STATUS.format(job=job, state="FAILED"), log)
    status = STATUS.format(job=22, state="FAILED")
    expected = f"measure_batch: {status}; {log} ends with: b: counted 3, expected 4"
    assert failed.lines() == [expected]


@pytest.mark.parametrize(("finished", "lines"), [(25, 0), (2, 1)])
def test_retried(failed: FailedJobs, log: Path, finished: int, lines: int) -> None:
    """A job whose next attempt went well did not fail; another's success changes nothing."""
    error(failed, STATUS.format(job=17, state="CANCELLED"), log)
    tell(failed, LogEvent.JOB_FINISHED, job_id=finished)
    assert len(failed.lines()) == lines


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_no_reason(failed: FailedJobs, log: Path, content: str | None) -> None:
    """A job that wrote nothing is named with its state and its log."""
    log.unlink() if content is None else log.write_text(content)
    error(failed, STATUS.format(job=17, state="TIMEOUT"), log)
    (line,) = failed.lines()
    assert line.startswith("measure_batch: SLURM-job '17' failed, SLURM status is: 'TIMEOUT'")
    assert str(log) in line


def test_no_job_is_taken(failed: FailedJobs, log: Path) -> None:
    """What SLURM refuses is said once, in SLURM's words, for however many jobs."""
    for jobid in range(3):
        error(failed, REFUSAL, log, jobid)
    expected = "measure_batch: SLURM sbatch failed. The error message was 'sbatch: error: invalid"
    (line,) = failed.lines()
    assert line.startswith(expected)
    assert "call" not in line


@pytest.mark.parametrize("message", [None, "For further error details see the log."])
def test_local(failed: FailedJobs, log: Path, message: str | None) -> None:
    """Failures of a rule that is no job of the cluster are left to Snakemake."""
    error(failed, message, log)
    assert failed.lines() == []


def test_only_measuring_leaves() -> None:
    """Every rule but those that measure stays local; a new one shows up here first."""
    files = [PROJECT / "Snakefile", *sorted((PROJECT / "workflow" / "rules").glob("*.smk"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    rules = re.findall(r"^(?:use )?rule (.+):\n((?:(?:    .*)?\n)+)", text, re.MULTILINE)
    assert len(rules) > len(("instantiate", "measure", "reconcile", "render_report"))
    leaving = {name for name, body in rules if "\n    localrule: True\n" not in body}
    assert leaving == {"measure", "measure as measure_batch with"}


def test_a_local_run_knows_no_cluster() -> None:
    """Nothing that a run on one machine imports imports what a cluster needs."""
    code = (
        "import sys, reconcile.run.jobs, reconcile.run.fresh\n"
        "import reconcile.run.processes, reconcile.measure.run\n"
        "print('reconcile.run.slurm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
