"""Which jobs on a cluster failed for good, and why: one line each, at the end of a run.

Snakemake prints a block for every attempt as it fails, a screen or more before the end, and names
files; the cluster knows a state but no reason. The reason is the last line of the rule's own log.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

# As the SLURM executor puts it; Snakemake passes it on as the message of the error.
_ENDED = re.compile(r"SLURM-job '(?P<job>\d+)' failed.*?'(?P<state>[A-Z_]+)'", re.DOTALL)
_REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '([^']*)'")


class FailedJobs(logging.Handler):
    """Listens to what Snakemake tells its loggers, and keeps what failed in its last attempt."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: dict[int, str] = {}
        self._refusals: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event that is a failure, or the success of another attempt."""
        event = vars(record).get("event")
        if event == LogEvent.JOB_FINISHED:
            self._failed.pop(vars(record)["job_id"], None)
        elif event == LogEvent.JOB_ERROR:
            self._note(**vars(record))

    def _note(
        self, jobid: int, rule_name: str, rule_msg: str | None, log: list[str], **_: object
    ) -> None:
        said = rule_msg or ""
        if ended := _ENDED.match(said):
            self._failed[jobid] = (
                f"{rule_name}: SLURM job {ended['job']} {ended['state']}; {_end_of(log[0])}"
            )
        if refused := _REFUSED.search(said):
            self._refusals["; ".join(refused[1].splitlines())] = None

    def lines(self) -> list[str]:
        """A line for each job that failed, in the order of the failures."""
        return [*self._failed.values(), *(f"SLURM takes no job: {r}" for r in self._refusals)]


def _end_of(log: str) -> str:
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return f"there is no {log}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return f"{log} is empty" if last is None else f"{log} ends with: {last}"
