"""The public questions: each is whole, and its accepted answer fits the number that is printed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import yaml
from support import PROJECT

from reconcile.explain.asking import networks_asked, number_asked
from reconcile.study.expressions import evaluate
from reconcile.study.printed import reading_of_digits

DOCS = PROJECT / "docs"
QUESTIONS: list[dict[str, Any]] = yaml.safe_load(
    (DOCS / "explain-questions.yaml").read_text(encoding="utf-8")
)
NEEDED = {"id", "number", "network", "counts", "value", "total", "source"}
OPTIONS = {"with", "input", "slip"}
OF_SOURCE = {"says", "url", "checked"}


def test_how_many_there_are() -> None:
    """At least thirty questions, each once, of which at most a third are plain totals."""
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) >= 30
    assert 3 * sum(question["total"] for question in QUESTIONS) <= len(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question["id"]))
def test_a_question(question: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It says all that is needed, names a network, and its answer has the printed digits."""
    monkeypatch.chdir(PROJECT)
    assert NEEDED <= set(question) <= NEEDED | OPTIONS
    assert set(question["source"]) == OF_SOURCE
    assert question["source"]["url"].startswith("https://")
    assert networks_asked(question["network"], question.get("with", ()), question.get("input", ()))
    printed, _ = number_asked(question["number"])
    value = Fraction(evaluate(str(question["value"]), {}))
    kilo = Fraction(1024, 1000)
    worth = {value, value * kilo, value / kilo}
    open_zeros = replace(printed, unit=printed.open_unit, exact=False)
    assert any(reading_of_digits(v, p) for v in worth for p in (printed, open_zeros))


def test_the_page_answers_every_question() -> None:
    """A question that was changed is asked again: the page has its number and its answer."""
    page = (DOCS / "explain-answers.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [
        question["number"] for question in QUESTIONS
    ]
    for question, row in zip(QUESTIONS, rows, strict=True):
        assert question["counts"] in row
        assert f"({question['source']['url']})" in row
