"""What came out of a study is a rule over its verdicts."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reconcile.judge.outcome import best_verdicts, outcome_of, papers_own
from reconcile.judge.ranking import Ranked
from reconcile.judge.verdicts import Verdict
from reconcile.study.model import Interpretation, Source, Study

WORDS = {"=": "matches", "0": "matches-zeros", "s": "explained-by-slip", "x": "contradicts"}
WORDS |= {"r": "matches-rounded", "-": "not-measured"}


def verdicts(table: dict[str, str], counting: str = "as-stated") -> list[Verdict]:
    """Verdicts by reading: one letter for each of the claims a, b, c."""
    return [
        Verdict(reading, claim, Fraction(1), WORDS[letter], "", counting)
        for reading, letters in table.items()
        for claim, letter in zip("abc", letters, strict=False)
    ]


def reading(denies: tuple[str, ...] = (), **known: object) -> Ranked:
    """A reading that is concluded on."""
    made = Interpretation.model_validate(
        {"id": "one", "title": "One", "proposed_by": [{"name": "A"}], **known}
    )
    return Ranked(made, (), (), denies, (), (), "")


@pytest.mark.parametrize(
    ("letters", "concludes", "outcome"),
    [
        ("=r=", True, "agree"),
        ("=s=", True, "explained"),
        ("==0", True, "explained"),
        ("=sx", True, "contradicted"),
        ("=-x", True, "contradicted"),
        ("==-", True, "undecided"),
        ("==x", False, "contradicted"),
        ("===", False, "undecided"),
    ],
)
def test_outcome(letters: str, concludes: bool, outcome: str) -> None:
    """The first word that is true, in the order of the document."""
    told = {verdict.claim: verdict for verdict in verdicts({"one": letters})}
    assert outcome_of(told, reading() if concludes else None) == outcome


@pytest.mark.parametrize(
    ("chosen", "counting"),
    [
        (reading(denies=("stride",)), "as-stated"),
        (reading(assumes=["K is 1,024."]), "as-stated"),
        (reading(), "with-biases"),
    ],
    ids=["denies", "assumes", "counted otherwise"],
)
def test_what_must_be_assumed_is_an_explanation(chosen: Ranked, counting: str) -> None:
    """All agree only where nothing is assumed, denied or counted otherwise."""
    every = verdicts({"one": "==="}, counting)
    assert outcome_of({v.claim: v for v in every}, chosen) == "explained"


def test_the_verdict_that_tells(tiny: Study) -> None:
    """It is of the reading concluded on, and the best of the leading ones where that is none."""
    ids = [claim.id for claim in tiny.claims]
    every = [
        Verdict(name, claim, Fraction(1), word, "", "as-stated")
        for name, word in (
            ("floor", "contradicts"),
            ("slip", "matches-rounded"),
            ("ceil", "matches"),
        )
        for claim in ids
    ]
    chosen = tiny.conclusion.interpretation
    told = best_verdicts(tiny, every, [])
    assert [*told] == ids and {v.interpretation for v in told.values()} == {chosen}
    none = tiny.model_copy(
        update={"conclusion": tiny.conclusion.model_copy(update={"interpretation": "none"})}
    )
    leading = [Ranked(r, (), (), (), (), (), "") for r in none.own_readings]
    assert {v.interpretation for v in best_verdicts(none, every, leading).values()} == {"ceil"}


def test_what_others_print_is_not_the_papers(tiny: Study) -> None:
    """A number that someone else prints is judged and leaves the paper's outcome as it is."""
    first, *rest = tiny.claims
    other = first.model_copy(update={"printed_by": Source(name="A reader")})
    words = {claim.id: "matches" for claim in tiny.claims} | {other.id: "contradicts"}
    told = {c: Verdict("one", c, Fraction(1), w, "", "as-stated") for c, w in words.items()}
    mixed = tiny.model_copy(update={"claims": [other, *rest]})
    assert outcome_of(papers_own(tiny, told), reading()) == "contradicted"
    assert outcome_of(papers_own(mixed, told), reading()) == "agree"
    alone = tiny.model_copy(update={"claims": [other]})
    assert outcome_of(papers_own(alone, told), reading()) == "contradicted"
