"""What a run settles with SLURM before it submits anything, and what it says of jobs that failed.

Jobs that a killed run left in the queue are cancelled: they would go on and write the same files as
the jobs of this run. SLURM's executor names jobs after the profile's prefix and a number of the
run, and starts them in the project's folder. Where accounting is off, the queue also answers what
the executor asks of accounting.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

from reconcile.run.processes import Alive
from reconcile.words import Report

JOB_PREFIX = "reconcile"
"""As in profiles/slurm/profile.yaml."""
JOB_NAME = re.compile(rf"{JOB_PREFIX}_[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
STAND_IN = Path(__file__).parent / "bin"
"""The folder of what takes the place of ``sacct`` where accounting is off."""
ANSWER_LIMIT_S = 60
END_LIMIT_S = 120
"""SLURM gives a cancelled job 30 seconds (KillWait) before it kills it."""


class LeftoverError(Exception):
    """Jobs of a killed run are still there, and would write what this run writes."""


def cancel_leftovers(folder: Path, report: Report) -> None:
    """Cancel this user's jobs of a killed run in this folder, and wait until they have ended.

    Args:
        folder: the project's folder; jobs of another checkout are nobody's leftovers here.
        report: is told what is done, if there is anything to do.

    Raises:
        LeftoverError: a job has not ended in time, or SLURM refuses to cancel it.
    """
    if shutil.which("squeue") is None:
        return
    jobs = _jobs(folder, report)
    if not jobs:
        return
    shown = ", ".join(jobs)
    if not Alive(folder).alone():
        report(f"another run is going on here: its SLURM jobs {shown} are left alone")
        return
    report(f"cancelling SLURM jobs that a killed run left behind: {shown}")
    _cancel(jobs)
    deadline = time.monotonic() + END_LIMIT_S
    while jobs := _jobs(folder, report):
        if time.monotonic() > deadline:
            raise LeftoverError(f"SLURM jobs {', '.join(jobs)} of a killed run have not ended yet")
        time.sleep(1)


def _jobs(folder: Path, report: Report) -> list[str]:
    done = _asked("squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%j|%Z")
    if done is None or done.returncode:
        report("SLURM does not answer: whether a killed run left jobs behind is not known")
        return []
    rows = (line.split("|", 2) for line in done.stdout.splitlines())
    return [
        job
        for job, name, directory in rows
        if JOB_NAME.fullmatch(name) and Path(directory).resolve() == folder.resolve()
    ]


def _cancel(jobs: list[str]) -> None:
    done = _asked("scancel", *jobs)
    if done is None or done.returncode:
        reason = "SLURM does not answer" if done is None else done.stderr
        raise LeftoverError(f"SLURM jobs {', '.join(jobs)} are not cancelled: {reason}")


def _asked(*command: str) -> subprocess.CompletedProcess[str] | None:
    """What a command of SLURM says; None where it is not there or says nothing in time."""
    try:
        return subprocess.run(  # noqa: S603 - fixed words, and numbers that squeue gave
            command, capture_output=True, text=True, timeout=ANSWER_LIMIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None


def answer_from_queue() -> bool:
    """Put a stand-in for ``sacct`` on this process's path if the real one cannot answer.

    The executor turns from the queue to ``sacct`` whenever SLURM does not answer, and no setting
    keeps it from that.

    Returns:
        Whether it was necessary: not without ``sacct``, nor where accounting is on.
    """
    if shutil.which("sacct") is None:
        return False
    done = _asked("sacct", "--allocations", "--noheader", "--starttime=now")
    if done is not None and done.returncode == 0:
        return False
    os.environ["PATH"] = f"{STAND_IN}{os.pathsep}{os.environ['PATH']}"
    return True


class FailedJobs(logging.Handler):
    """Listens to the events that Snakemake logs, and keeps the jobs that failed for good.

    Snakemake prints a block for every attempt as it fails, a screen or more before the end, and
    names files; the cluster knows a state but no reason. That is the last line of the rule's log.
    """

    def __init__(self) -> None:
        super().__init__()
        self._failed: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event that is a failure, or the success of another attempt."""
        facts = vars(record)
        if facts.get("event") == LogEvent.JOB_FINISHED:
            self._failed.pop(facts["job_id"], None)
        # Of a rule that is no job of the cluster the executor says nothing.
        elif facts.get("event") == LogEvent.JOB_ERROR and "SLURM" in (facts["rule_msg"] or ""):
            said = " ".join(facts["rule_msg"].partition("sbatch call:")[0].split())
            end = "" if "sbatch" in said else f"; {_end_of(facts['log'][0])}"
            self._failed[facts["jobid"]] = f"{facts['rule_name']}: {said}{end}"

    def lines(self) -> list[str]:
        """A line for each job that failed, in the order of the failures; equal ones once."""
        return list(dict.fromkeys(self._failed.values()))


def _end_of(log: str) -> str:
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return f"there is no {log}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return f"{log} is empty" if last is None else f"{log} ends with: {last}"
