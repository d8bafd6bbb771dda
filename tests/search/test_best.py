"""The best explanations are taken from all searches' tables by one rule: what must assume least."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search.best import (
    KINDS,
    MOST_BEST,
    Assumed,
    Tables,
    alike,
    best_explanations,
    rank_of,
)
from reconcile.search.misprint import FIT
from reconcile.study.model import Study
from reconcile.tables.contract import FITS, SLIP, WEAKLY, head_of
from reconcile.tables.rows import Row

MakeStudy = Callable[..., Study]
READING = "floor"
costs = st.integers(1, 4).map(Fraction)
hits = st.builds(
    Assumed,
    costs,
    st.sampled_from([*FITS, WEAKLY, SLIP, FIT]),
    st.floats(0, 10),
    st.text("ab+", min_size=1, max_size=4),
    st.sampled_from(KINDS),
    st.sampled_from([Fraction(1), Fraction(6, 5)]),
)


def row(table: str, **cells: Any) -> Row:
    """A row of a table; what is not said is empty."""
    return {name: str(cells.get(name, "")) for name in head_of(table)}


def candidate(table: str, expression: str, **more: Any) -> Row:
    """A hit of a search of candidates for the claim ``conv``."""
    known = {
        "claim": "conv",
        "kind": table,
        "searched": "all",
        "tried": 7,
        "hit": f"what {expression} counts",
        "interpretations": READING,
        "expression": expression,
        "value": 48,
        "fit": "matches",
        "cost": 1,
        "by_chance": 0.1,
    }
    return row(f"{table}.csv", **(known | more))


def contradicted(*claims: str) -> list[Row]:
    """Verdicts under which no reading gives these claims."""
    return [
        row("verdicts.csv", interpretation=READING, claim=c, verdict="contradicts") for c in claims
    ]


@pytest.fixture
def study(make_study: MakeStudy) -> Study:
    """The tiny study."""
    return make_study()


def best_of(study: Study, tables: Tables) -> list[str]:
    """The expressions of the best explanations of its first claim."""
    (one,) = best_explanations(study, {"verdicts.csv": contradicted("conv"), **tables})
    return [hit.hit.expression for hit in one.best]


@given(st.lists(hits, max_size=6))
def test_what_assumes_less_is_never_behind(some: list[Assumed]) -> None:
    """A weak reading of the digits is one thing more to assume; chance speaks among equals."""
    for one, other in pairwise(sorted(some, key=rank_of)):
        first, second = (hit.cost + (hit.fit in (WEAKLY, SLIP, FIT)) for hit in (one, other))
        assert first <= second
        alike = [
            (cost, hit.fit in ("matches", "matches-rounded"), *hit[4:])
            for cost, hit in ((first, one), (second, other))
        ]
        if alike[0] == alike[1]:
            assert round(one.by_chance, 6) <= round(other.by_chance, 6)


def test_all_searches_are_put_in_one_order(study: Study) -> None:
    """A tool before two parts, and these before a slip of as many things; three are told."""
    tables = {
        "parts.csv": [candidate("parts", "two_parts", cost=2, by_chance=0.2)],
        "conventions.csv": [candidate("conventions", "tool")],
        "units.csv": [candidate("units", "unit_and_layer", cost=4)],
        "slips.csv": [
            row("slips.csv", claim="conv", hit="3 -> 4", expression="3*4", cost=2, chance=0.01)
        ],
    }
    assert best_of(study, tables) == ["tool", "two_parts", "3*4"]
    assert MOST_BEST == 3


def test_one_number_by_equal_assumptions_is_told_once(study: Study) -> None:
    """A layer, and the only layer of its kind, are one explanation; readings are put together."""
    rows = [
        candidate("units", "neurons('kind:conv')"),
        candidate("units", "neurons(conv)"),
        candidate("units", "neurons(conv)", interpretations="ceil"),
        candidate("units", "neurons(fc)", value=49),
    ]
    (one,) = best_explanations(study, {"verdicts.csv": contradicted("conv"), "units.csv": rows})
    assert [hit.hit.expression for hit in one.best] == ["neurons(fc)", "neurons(conv)"]
    assert one.best[1].readings == (READING, "ceil")
    assert (one.found, one.tried) == (3, 7)


def test_a_rewritten_slip_and_a_whole_table_are_none(study: Study) -> None:
    """The one is another hit again, the other speaks of no claim's number."""
    tables = {
        "slips.csv": [
            row("slips.csv", claim="conv", hit="a", expression="4*3", cost=1, rewrites="3*4")
        ],
        "units.csv": [candidate("units", "* 1000 / 1024", fit="", value="", by_chance="")],
    }
    assert best_of(study, tables) == []


def test_a_claim_that_something_gives_is_not_explained(study: Study) -> None:
    """Nor one that was not measured: only what no reading gives asks for an explanation."""
    verdicts = [
        row("verdicts.csv", interpretation=READING, claim="conv", verdict="matches-rounded"),
        row("verdicts.csv", interpretation="ceil", claim="conv", verdict="contradicts"),
    ]
    assert best_explanations(study, {"verdicts.csv": verdicts}) == []
    assert best_explanations(study, {}) == []


def test_terms_and_values_explain_each_claim_they_bring_out(make_study: MakeStudy) -> None:
    """A solution costs as often as terms are there; another value of an argument costs one."""

    def searching(data: dict[str, Any]) -> None:
        data["terms"] = [
            {
                "id": "biases",
                "claims": ["conv", "map"],
                "interpretation": READING,
                "terms": {"bias": "4"},
            }
        ]
        data["solve"] = [
            {
                "id": "side",
                "argument": "size",
                "interpretation": READING,
                "range": {"first": 1, "last": 9},
                "claims": ["conv"],
            }
        ]

    study = make_study(searching)
    solution = {"search": "biases", "digits": "rounded", "part": "solution", "says": "2 × bias"}
    value = {"search": "side", "digits": "rounded", "argument": "size", "says": "48 for size 3"}
    tables = {
        "verdicts.csv": contradicted("conv", "map"),
        "terms.csv": [
            row("terms.csv", **solution, name=1, least=2, claims="map", expression="2 * (4)")
        ],
        "solutions.csv": [
            row("solutions.csv", claim="conv", intervals="3 5..6", **value),
            row("solutions.csv", intervals="3", **value),
        ],
    }
    conv, map_ = best_explanations(study, tables)
    added = f"{conv.claim.expression} + 2 * (4)"
    assert [hit.hit.expression for hit in conv.best] == ["size: 3, 5..6", added]
    assert not map_.best


def test_claims_of_one_explanation_are_told_together(study: Study) -> None:
    """Those that nothing explains come last, together."""
    ids = [claim.id for claim in study.claims if claim.relation == "equals"][:3]
    rows = [candidate("parts", "same", claim=claim) for claim in ids[1:]]
    found = best_explanations(study, {"verdicts.csv": contradicted(*ids), "parts.csv": rows})
    assert [[one.claim.id for one in group] for group in alike(found)] == [ids[1:], ids[:1]]
