"""A run ends with what it found."""

from __future__ import annotations

import os
from pathlib import Path

from reconcile.files import write_json
from reconcile.run.ending import answers


def found(results: Path, name: str, answer: str, report_time: int | None) -> None:
    """A study's reconciliation of second 10, and its report, if any, of another second."""
    file = results / name / "reconciliation.json"
    write_json(file, {"conclusion": {"answer": answer}})
    os.utime(file, (10, 10))
    if report_time is not None:
        page = results / name / "report.html"
        page.write_text("", encoding="utf-8")
        os.utime(page, (report_time, report_time))


def test_each_study_has_its_answer_and_its_report(tmp_path: Path) -> None:
    """In the order of the run; what an answer holds reaches the terminal as text."""
    found(tmp_path, "two", "Forty-eight.", 10)
    found(tmp_path, "one", "Sixty-four\x1b[2J.", 11)
    assert [*answers(tmp_path, ["one", "two"])] == [
        "one: Sixty-four\\x1b[2J.",
        f"  {tmp_path.as_posix()}/one/report.html",
        "two: Forty-eight.",
        f"  {tmp_path.as_posix()}/two/report.html",
    ]


def test_nothing_is_said_of_a_report_that_was_not_made(tmp_path: Path) -> None:
    """A report that is older than the reconciliation is not of it, and there may be none."""
    found(tmp_path, "old", "Old.", 9)
    found(tmp_path, "none", "None.", None)
    assert [*answers(tmp_path, ["old", "none", "unknown"])] == []
