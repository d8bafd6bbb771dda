"""Conflicts: the search against trying every set, and what is said of them."""

from __future__ import annotations

from itertools import combinations
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import study_data, write_study

from reconcile.judge import conflicts as searched
from reconcile.judge.conflicts import conflicts_of, failing_claims, smallest_sets
from reconcile.judge.verdicts import Verdict
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.tables.contract import FITS, VERDICTS

CLAIMS = "abcdefg"
FAILING = st.lists(st.frozensets(st.sampled_from(CLAIMS)), max_size=7)


def all_smallest(failing: list[frozenset[str]]) -> set[tuple[str, ...]]:
    """Every set of claims of which each candidate fails one, and no part of which is such a set."""
    found: list[set[str]] = []
    for size in range(1, len(CLAIMS) + 1):
        for chosen in map(set, combinations(CLAIMS, size)):
            if all(chosen & fails for fails in failing) and not any(f <= chosen for f in found):
                found.append(chosen)
    return {tuple(sorted(chosen)) for chosen in found} if failing else set()


@settings(deadline=None)
@given(FAILING)
def test_search_agrees_with_trying_all(failing: list[frozenset[str]]) -> None:
    """Every smallest set is found once, and the sizes are those of all of them."""
    found = smallest_sets(failing, CLAIMS)
    assert set(found.first) == all_smallest(failing)
    assert len(set(found.first)) == len(found.first) == sum(found.sizes.values())
    assert [len(chosen) for chosen in found.first] == sorted(map(len, found.first))
    assert found.complete == bool(failing)


def test_larger_sets_are_left_where_they_are_not_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of up to three claims are searched, and that there may be more is known."""
    failing = [frozenset({f"{name}{i}" for i in range(4)}) for name in "abcdef"]
    claims = sorted(frozenset.union(*failing))
    assert smallest_sets(failing, claims).complete
    monkeypatch.setattr(searched, "CHEAP", 0)
    found = smallest_sets([fails | {"x"} for fails in failing], [*claims, "x", "y"])
    assert (found.searched, found.complete, found.first) == (3, False, (("x",),))


def test_no_search_is_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even small sets are too many, the size that was searched is lower, and told."""
    failing = [frozenset(CLAIMS) - {one, two} for one, two in combinations(CLAIMS, 2)]
    assert smallest_sets(failing, CLAIMS).sizes == {3: comb(7, 3)}
    monkeypatch.setattr(searched, "MOST_STEPS", 30 * len(failing))
    found = smallest_sets(failing, CLAIMS)
    assert (found.searched, found.complete, found.first) == (2, False, ())


def test_many_alike_are_counted_and_the_first_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readings that share nothing exclude every pair of their claims."""
    monkeypatch.setattr(searched, "MOST_CONFLICTS", 5)
    left, right = ([f"{side}{i}" for i in range(200)] for side in "lr")
    found = smallest_sets([frozenset(left), frozenset(right)], [*left, *right])
    assert found.sizes == {2: 40_000}
    assert found.first == tuple(("l0", f"r{i}") for i in range(5))


def verdict(reading: str, claim: str, word: str) -> Verdict:
    """A verdict of which only the word matters."""
    return Verdict(reading, claim, None, word, "", "as-stated")


@pytest.mark.parametrize("word", VERDICTS)
def test_what_satisfies_a_claim(word: str) -> None:
    """What fits the digits satisfies a claim; a slip does not, and what is not known fails none."""
    fails = failing_claims([verdict("r", "one", "matches"), verdict("r", "two", word)])["r"]
    satisfied = {"matches", "matches-rounded", "matches-truncated"}
    assert set(FITS) == satisfied
    assert fails == (frozenset() if word in {*satisfied, "not-measured"} else {"two"})


def test_a_reading_that_was_not_measured_is_no_candidate() -> None:
    """It neither satisfies claims nor stands against them."""
    assert failing_claims([verdict("r", "one", "not-measured")]) == {}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The tiny study."""
    return load_study(write_study(tmp_path / "tiny", study_data()))


def test_a_pair_that_excludes_each_other(study: Study) -> None:
    """Each is satisfied by one reading, and none satisfies both."""
    verdicts = [
        verdict("floor", "conv", "matches"),
        verdict("floor", "map", "contradicts"),
        verdict("ceil", "conv", "contradicts"),
        verdict("ceil", "map", "matches-rounded"),
        verdict("slip", "conv", "not-measured"),
        verdict("elsewhere", "conv", "matches"),
    ]
    found = conflicts_of(study, "readings", {"floor", "ceil", "slip"}, verdicts)
    assert [c.claims for c in found.found] == [("conv", "map")]
    assert (
        found.found[0].says == "No reading that was measured satisfies both 48 (conv) and 4 (map)."
    )
    assert found.says == (
        "1 pair of claims is satisfied by no reading that was measured, "
        "though every part of each is."
    )


def test_what_no_reading_satisfies(study: Study) -> None:
    """A claim by itself is a conflict, and who explains it by a slip is named."""
    verdicts = [
        verdict("floor", "share", "contradicts"),
        verdict("slip", "share", "contradicts"),
        verdict("slip", "conv", "explained-by-slip"),
        verdict("floor", "conv", "contradicts"),
    ]
    found = conflicts_of(study, "readings", {"floor", "slip"}, verdicts)
    assert [c.says for c in found.found] == [
        "No reading satisfies 48 (conv); slip explains it by a slip.",
        "No reading satisfies at most 90% (share).",
    ]
    assert found.says == "2 claims are satisfied by no reading."


def test_without_conflicts(study: Study) -> None:
    """That nothing excludes anything is said, and so is that nothing was measured."""
    assert conflicts_of(study, "combinations", {"c"}, [verdict("c", "conv", "matches")]).says == (
        "No claims exclude each other: c fails none that was measured."
    )
    assert conflicts_of(study, "readings", {"floor"}, []).says == (
        "Nothing is known of conflicts: no claim was measured under any reading."
    )
