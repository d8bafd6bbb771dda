"""What a run that succeeded says last: each study's answer in a line, and where its report is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconcile.errors import visible

REPORT = "report.html"


def answers(results: Path, studies: Iterable[str]) -> Iterator[str]:
    """A line for each study that has a report of its reconciliation.

    A run that only measured leaves an older report, or none: nothing is said of it.

    Args:
        results: the folder of all results.
        studies: the names of the studies that were run.
    """
    for name in studies:
        page, found = results / name / REPORT, results / name / "reconciliation.json"
        if page.is_file() and found.is_file() and _time(found) <= _time(page):
            read = json.loads(found.read_text(encoding="utf-8"))
            yield visible(f"{name}: {read['conclusion']['answer']}")
            yield f"  {page.as_posix()}"


def _time(file: Path) -> int:
    return file.stat().st_mtime_ns
