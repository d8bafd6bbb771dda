"""How an answer reads."""

from __future__ import annotations

import json
from fractions import Fraction

from reconcile.explain.ranking import Answered, Explanation
from reconcile.explain.showing import as_json, chance, lines, who_counts_so
from reconcile.search.candidates import Candidate
from reconcile.study.printed import parse_printed


def hit(says: str, by_chance: float = 0.01, network: str = "") -> Explanation:
    """An explanation of 5,200."""
    candidate = Candidate(says, "macs(network)", Fraction(5_200), 1)
    return Explanation(network, "conventions", candidate, "matches", 40, by_chance)


def answer(*found: Explanation) -> Answered:
    """An answer with these explanations."""
    return Answered(parse_printed("5,200"), "macs", found, None, None, ("said\x1b[2J",))


def test_whose_convention() -> None:
    """A tool is named that counts so, and nobody where none is."""
    assert who_counts_so(hit("as thop says")) == "thop"
    assert who_counts_so(hit("twice what fvcore says")) == "fvcore"
    assert who_counts_so(hit("a multiply-add as two")) == ""


def test_lines() -> None:
    """A note, a head, a row each; how many are not shown; no letter that steers a terminal."""
    found = list(lines(answer(hit("as thop says"), hit("b"), hit("c")), 2))
    assert found[0] == "said\\x1b[2J"
    assert found[2].split() == [
        *("5,200", "exact", "as", "thop", "says", "macs(network)", "1", "40", "0.01")
    ]
    assert found[-1] == "1 more explanation; --most shows them"


def test_a_lucky_hit_looks_like_one() -> None:
    """Where the best would be hit by any number, the answer says so."""
    assert "Any number of this precision" in list(lines(answer(hit("a", 3.0)), 5))[-1]
    assert chance(0.00001) == "under 0.001"
    assert chance(2.345) == "2.3"


def test_the_reading_of_a_study() -> None:
    """Where there are readings, a column names them."""
    head, row = list(lines(answer(hit("a", network="floor")), 5))[1:]
    assert head.endswith("reading")
    assert row.endswith("floor")


def test_json() -> None:
    """The same for programs: all found are counted, as many as asked are listed."""
    found = as_json(answer(hit("as thop says"), hit("b")), 1)
    assert json.loads(json.dumps(found)) == found
    assert (found["total"], len(found["explanations"])) == (2, 1)
    assert found["explanations"][0]["convention"] == "thop"
    assert found["nearest"] == {"below": None, "above": None}
