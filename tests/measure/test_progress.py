"""Progress is told often enough to be seen and seldom enough to be read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reconcile.measure.progress import EVERY_ONE, Progress
from reconcile.report import pdf

GOOD = {"status": "measured", "message": ""}
BAD = {"status": "does-not-run", "message": "ValueError: no"}


def told(total: int, seconds: float, answers: list[dict[str, str]]) -> list[str]:
    """The lines for networks that take some seconds each by the clock."""
    now = [0.0]
    lines: list[str] = []
    progress = Progress(total, lines.append, lambda: now[0])
    for number, answer in enumerate(answers):
        now[0] += seconds
        progress.tell(f"r{number}", answer)
    return lines


def test_few_networks() -> None:
    """Each of a few networks has its line: its place, its status and the time left."""
    assert told(3, 10.0, [GOOD, BAD, GOOD]) == [
        "[1/3] r0: measured (20 s left)",
        "[2/3] r1: does-not-run ValueError: no (10 s left)",
        "[3/3] r2: measured (0 s left)",
    ]


def test_many_networks() -> None:
    """Of many, one a second is told and always the last, with the rate and how many failed."""
    total = EVERY_ONE * 10
    lines = told(total, 0.25, [BAD, *[GOOD] * (total - 1)])
    assert len(lines) == total // 4
    assert lines[0] == "[  4/600] r3: measured (4 a second, 149 s left, 1 not measured)"
    assert lines[-1].startswith("[600/600] r599: measured")


def test_no_time_at_all() -> None:
    """A clock that stands still gives no rate and no division by zero."""
    assert told(1, 0.0, [GOOD]) == ["[1/1] r0: measured (0 s left)"]


def test_pages_of_a_pdf_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering says which page it has come to, and leaves WeasyPrint's logging as it was."""
    monkeypatch.setattr(pdf, "SECONDS", 0.0)
    logger = logging.getLogger("weasyprint.progress")
    lines: list[str] = []
    before = logger.level, list(logger.handlers)
    page = "<html lang=en><title>t</title>" + "<p style='break-after:page'>x" * 2 + "<p>x"
    pdf.pdf_of(page, tmp_path, "2031-01-01T00:00:00+00:00", lines.append)
    assert [line.partition(" (")[0] for line in lines] == [
        f"report.pdf: page {n}" for n in (1, 2, 3)
    ]
    assert (logger.level, logger.handlers) == before
