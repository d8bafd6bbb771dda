"""Replies and corrections stand in the report, and who checked the study, where a study says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_support import Page, html_of, tiny_results
from support import study_data

from reconcile.errors import InputError
from reconcile.report.pages import render_page
from reconcile.report.render import context_of
from reconcile.study.config import ReportOptions

SAID = {
    "checked": {"by": "Mary Somerville", "date": "2026-05-03"},
    "replies": [
        {
            "text": "Both halves were counted.",
            "who": "Charles Babbage, author",
            "link": "https://example.org/reply",
            "date": "2026-06-01",
        }
    ],
    "corrections": [
        {"said": "The paper prints 47.", "why": "It prints 48.", "date": "2026-04-02"},
        {"said": "The paper has 9 pages.", "why": "It has 8.", "date": "2026-04-30"},
    ],
}


def pages_of(folder: Path, more: dict[str, Any]) -> list[str]:
    """The text of the report for browsers and for paper."""
    results = tiny_results(folder, study_data() | more)
    context = context_of(results, ReportOptions())
    return [Page(html_of(results)).text, Page(render_page(context, "paper")).text]


def test_what_a_study_says_is_shown(tmp_path: Path) -> None:
    """Both media have the check, the reply before the reasons, and corrections, newest first."""
    for text in pages_of(tmp_path, SAID):
        assert "Study checked against its sources by Mary Somerville on 3 May 2026." in text
        reply = text.index("“Both halves were counted.” Reply of Charles Babbage, author , 1 June")
        assert reply < text.index("Four maps of 4 have 64.")
        assert "Corrected on 30 April 2026" in text
        assert text.index("“The paper has 9 pages.” It has 8.") < text.index("It prints 48.")


def test_what_a_study_does_not_say_is_left_out(tmp_path: Path) -> None:
    """Without them the report has no word of them."""
    for text in pages_of(tmp_path, {}):
        assert not any(word in text for word in ("Study checked", "Reply of", "Corrected on"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("checked", {"by": "Ada", "date": "2026-02-30"}, "2026-02-30 is no day of the calendar"),
        ("checked", {"by": "Ada", "date": "3 May"}, "a day like"),
        ("replies", [SAID["replies"][0] | {"link": "javascript:x"}], "replies.0.link"),
        ("corrections", [{"said": "47.", "date": "2026-04-02"}], "corrections.0.why"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, key: str, value: Any, message: str) -> None:
    """A day that is none, an unsafe link or a missing reason is one line with its key."""
    with pytest.raises(InputError) as caught:
        tiny_results(tmp_path, study_data() | {key: value})
    assert message in str(caught.value)
