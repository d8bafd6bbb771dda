"""What failed on a cluster, and why, stands in one line a job at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.failures import failed_jobs

ATTEMPT = """\
[Mon Nov 23 19:17:59 2026]
Error in rule measure_batch:
    message: SLURM-job '{job}' failed, SLURM status is: '{state}'. Detailed reason unavailable
    jobid: 25
    input: results/sweep/interpretations.json, studies/sweep/network.py
    output: results/sweep/batches/15/layers.csv
    log: {log}, /scratch/logs/slurm/rule_measure_batch/sweep_15/{job}.log (check log file(s))
    external_jobid: {job}
"""
REFUSAL = """\
    message: SLURM sbatch failed. The error message was 'sbatch: error: invalid partition
sbatch: error: Batch job submission failed'.
    sbatch call:
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a rule that failed while it measured."""
    file = tmp_path / "15.log"
    file.write_text("[ 1/100] a: measured\nb: counted 3, expected 4\n\n")
    return file


def test_reason(log: Path) -> None:
    """The reason is the last line of the rule's log, named after the last attempt's job."""
    said = "".join(ATTEMPT.format(job=job, state="FAILED", log=log) for job in (17, 22))
    expected = f"measure_batch: SLURM job 22 FAILED; {log} ends with: b: counted 3, expected 4"
    assert failed_jobs(said) == [expected]


def test_retried(log: Path) -> None:
    """A job whose next attempt went well did not fail."""
    said = ATTEMPT.format(job=17, state="CANCELLED", log=log)
    assert failed_jobs(f"{said}Finished jobid: 25 (Rule: measure_batch)\n") == []
    assert len(failed_jobs(f"{said}Finished jobid: 2 (Rule: measure_batch)\n")) == 1


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_no_reason(log: Path, content: str | None) -> None:
    """A job that wrote nothing is named with its state and its log."""
    log.unlink() if content is None else log.write_text(content)
    (line,) = failed_jobs(ATTEMPT.format(job=17, state="TIMEOUT", log=log))
    assert line.startswith("measure_batch: SLURM job 17 TIMEOUT; ")
    assert str(log) in line


def test_refused() -> None:
    """What SLURM refuses is said once, in SLURM's words, for however many jobs."""
    expected = "SLURM takes no job: sbatch: error: invalid partition; sbatch: error: Batch job"
    (line,) = failed_jobs(REFUSAL * 3)
    assert line.startswith(expected)


def test_local() -> None:
    """Failures of a run without a cluster are left to Snakemake."""
    assert failed_jobs("Error in rule measure:\n    jobid: 1\n    log: logs/a/measure.log\n") == []
