"""Which jobs on a cluster failed for good, and why: one line each, at the end of a run.

Snakemake prints a block for every attempt as it fails, a screen or more before the end, and names
files; the cluster knows a state but no reason. The reason is the last line of the rule's own log.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["failed_jobs"]

# As Snakemake and its SLURM executor write them.
ERROR = re.compile(
    r"^Error in rule (?P<rule>\w+):\n"
    r"    message: SLURM-job '(?P<job>\d+)' failed.*?'(?P<state>[A-Z_]+)'.*\n"
    r"    jobid: (?P<id>\d+)\n"
    r"(?:    .*\n)*?"
    r"    log: (?P<log>[^\s,]+)",
    re.MULTILINE,
)
REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '([^']*)'")


def failed_jobs(said: str) -> list[str]:
    """A line for each job that failed in its last attempt, in the order of the failures.

    Args:
        said: what Snakemake logged.
    """
    failures = {error["id"]: error for error in ERROR.finditer(said)}
    lines = [
        _line(error)
        for number, error in failures.items()
        if not re.search(rf"^Finished jobid: {number} ", said[error.end() :], re.MULTILINE)
    ]
    refusals = dict.fromkeys("; ".join(text.splitlines()) for text in REFUSED.findall(said))
    return lines + [f"SLURM takes no job: {refusal}" for refusal in refusals]


def _line(error: re.Match[str]) -> str:
    return f"{error['rule']}: SLURM job {error['job']} {error['state']}; {_end_of(error['log'])}"


def _end_of(log: str) -> str:
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return f"there is no {log}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return f"{log} is empty" if last is None else f"{log} ends with: {last}"
