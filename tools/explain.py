"""Ask `reconcile explain` public questions with known answers, and write docs/explain-answers.md.

Slow; `make explain` runs it. The questions stand in docs/explain-questions.yaml. With ids only
these are asked, and nothing is written: `python tools/explain.py resnet50-usual`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from reconcile.errors import InputError
from reconcile.explain.asking import SETTINGS, counted_in, networks_asked, number_asked
from reconcile.explain.ranking import Answered, Explanation, explained, sized_for
from reconcile.measure.process import Zygote
from reconcile.study.expressions import evaluate

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "docs" / "explain-questions.yaml"
PAGE = ROOT / "docs" / "explain-answers.md"
FEW = 3
COLUMNS = ("number", "network", "accepted explanation", "rank", "what came first", "source")
HEAD = """# Explained numbers

Public questions with known answers, asked by `make explain` as anybody would ask
[`reconcile explain`](explain.md); the questions with their sources stand in
[explain-questions.yaml](explain-questions.yaml). An explanation counts as the accepted one where it
gives the same number to the last digit, a slip where the same was slipped.

- **rank**: where the accepted explanation stands in the answer; **bold** where that is not among
  the first three, "none" where it is not there at all.
- *total*: the number is a plain total of the network, however its digits are read.
- Where the source has a mark (*), nobody opened it to check the number for this table.

The rules of the ranking were written with most of these questions in sight, so the share says less
than it would of others. No rule knows one of them. Numbers for which no explanation is accepted are
not asked: ShuffleNet V2's 146M FLOPs and SE-ResNet-50's 3.87 GFLOPs, of which the networks at hand
have 145M and 3.86G multiply-adds.
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a question.

    Attributes:
        question: as it stands in the file.
        rank: of the accepted explanation; None where it is not there.
        first: what came first; None where nothing gives the number.
        why: why the question could not be asked; empty where it could.
    """

    question: dict[str, Any]
    rank: int | None
    first: Explanation | None
    why: str = ""

    @property
    def words(self) -> str:
        """The rank, and what came first."""
        came = self.first.candidate if self.first else None
        first = f"{came.says}: {float(came.value):,.10g}" if came else self.why or "nothing"
        return f"{self.rank or 'none'}; first {first}"


def questions() -> list[dict[str, Any]]:
    """The questions, in the order of the file."""
    found: list[dict[str, Any]] = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    return found


def accepted(question: dict[str, Any]) -> Fraction:
    """The number that the accepted explanation gives."""
    return Fraction(evaluate(str(question["value"]), {}))


def _package(question: dict[str, Any]) -> str:
    """The package that a question's network is from, imported once for all that are from it."""
    place = str(question["network"]).partition(":")[0]
    return "" if "/" in place else place.partition(".")[0]


def _asked(pool: Zygote, question: dict[str, Any]) -> Outcome:
    printed, quantity = number_asked(question["number"])
    try:
        asked = networks_asked(
            question["network"], question.get("with", ()), question.get("input", ())
        )
        single = len(asked) == 1
        networks = counted_in(
            pool, asked, lambda one: sized_for(one, printed, quantity) if single else None
        )
    except InputError as error:
        return Outcome(question, None, None, str(error))
    answered = explained(networks, printed, quantity)
    return Outcome(question, _rank(question, answered), next(iter(answered.found), None))


def _rank(question: dict[str, Any], answered: Answered) -> int | None:
    return next((n for n, hit in enumerate(answered.found, 1) if _is_it(question, hit)), None)


def _is_it(question: dict[str, Any], hit: Explanation) -> bool:
    """Whether an explanation is the accepted one: a slip by what was slipped, others by the number.

    Every slip in a map gives the printed number, and none with a wrong digit is what was counted.
    """
    if hit.search in ("slips", "digits"):
        return bool(hit.candidate.expression == question.get("slip"))
    return hit.candidate.value == accepted(question)


def outcomes(asked: Iterable[dict[str, Any]]) -> Iterator[Outcome]:
    """What comes of each question, those of a package by one process."""
    for package, group in groupby(sorted(asked, key=_package), key=_package):
        with Zygote(SETTINGS, package or None) as pool:
            for question in group:
                outcome = _asked(pool, question)
                print(f"{question['id']}: {outcome.words}", file=sys.stderr, flush=True)
                yield outcome


def _line(outcome: Outcome) -> str:
    question = outcome.question
    rank = "none" if outcome.rank is None else str(outcome.rank)
    source = question["source"]
    mark = "" if source["checked"] else " *"
    total = ", *total*" if question["total"] else ""
    came = outcome.first.candidate.says if outcome.first else outcome.why or "nothing"
    cells = (
        question["number"],
        f"`{' '.join([question['network'], *question.get('with', ())])}`",
        f"{question['counts']}{total}",
        rank if outcome.rank and outcome.rank <= FEW else f"**{rank}**",
        "" if outcome.rank == 1 else came,
        f"[{source['says']}]({source['url']}){mark}",
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _page(found: list[Outcome]) -> str:
    ranks = [outcome.rank for outcome in found]
    first, few = ranks.count(1), sum(rank is not None and rank <= FEW for rank in ranks)
    totals = sum(outcome.question["total"] for outcome in found)
    share = f"{100 * few / len(found):.0f}%"
    told = (
        f"Of {len(found)} questions, {totals} of them plain totals, the accepted explanation comes "
        f"first in {first}, among the first three in {few} ({share}), later in "
        f"{sum(rank is not None and rank > FEW for rank in ranks)}, not at all in "
        f"{ranks.count(None)}."
    )
    rows = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}", *map(_line, found)]
    return "\n".join([HEAD, told, "", *rows, ""])


def main() -> None:
    """Ask all questions and write the page, or some of them."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    some = sys.argv[1:]
    asked = [question for question in questions() if not some or question["id"] in some]
    by_id = {outcome.question["id"]: outcome for outcome in outcomes(asked)}
    if not some:
        PAGE.write_text(_page([by_id[question["id"]] for question in asked]), "utf-8")


if __name__ == "__main__":
    main()
