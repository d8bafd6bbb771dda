"""What failed on a cluster, and why, stands in one line a job at the end of a run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from reconcile.run.cluster.failures import FailedJobs

STATUS = "SLURM-job '{job}' failed, SLURM status is: '{state}'. Detailed reason unavailable"
REFUSAL = """\
SLURM sbatch failed. The error message was 'sbatch: error: invalid partition
sbatch: error: Batch job submission failed'.
    sbatch call:
"""


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
    expected = f"measure_batch: SLURM job 22 FAILED; {log} ends with: b: counted 3, expected 4"
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
    assert line.startswith("measure_batch: SLURM job 17 TIMEOUT; ")
    assert str(log) in line


def test_refused(failed: FailedJobs, log: Path) -> None:
    """What SLURM refuses is said once, in SLURM's words, for however many jobs."""
    for jobid in range(3):
        error(failed, REFUSAL, log, jobid)
    expected = "SLURM takes no job: sbatch: error: invalid partition; sbatch: error: Batch job"
    (line,) = failed.lines()
    assert line.startswith(expected)


@pytest.mark.parametrize("message", [None, "For further error details see the log."])
def test_local(failed: FailedJobs, log: Path, message: str | None) -> None:
    """Failures of a rule that is no job of the cluster are left to Snakemake."""
    error(failed, message, log)
    assert failed.lines() == []
