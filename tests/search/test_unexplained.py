"""The searches that need not be asked for: which claims they take, and what rows they write.

The best explanation of a number that nothing reproduces is the one that must assume least.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from conftest import TINY_LAYERS
from counted import words
from hypothesis import strategies as st
from support import measured

from reconcile.errors import InputError
from reconcile.judge.reconciliation import reconcile_study
from reconcile.search.candidates import Given, NetworkFacts
from reconcile.search.misprint import FIT
from reconcile.search.unexplained import (
    KINDS,
    MOST_BEST,
    Assumed,
    Tables,
    alike,
    best_explanations,
    digits_to_try,
    rank_of,
    search_digits,
    search_parts,
    search_units,
    unexplained,
    units_to_try,
)
from reconcile.search.units import part_candidates
from reconcile.study.expressions import evaluate, with_own_parts
from reconcile.study.model import Study
from reconcile.tables.contract import FITS, SLIP, WEAKLY, head_of
from reconcile.tables.frames import table, write_table
from reconcile.tables.rows import Row

MakeStudy = Callable[..., Study]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def given(make_study: MakeStudy, tmp_path: Path) -> Callable[..., Given]:
    """The tiny study, changed, measured by hand and judged."""

    def make(change: Change = lambda data: None) -> Given:
        study = make_study(change)
        known = measured(study, TINY_LAYERS)
        judged = reconcile_study(study, tmp_path / "tiny", known)
        write_table(tmp_path, "verdicts.csv", judged.tables["verdicts.csv"])
        return Given(study, tmp_path / "tiny", known, tmp_path, lambda line: None)

    return make


def printing(claim: int, printed: str, **more: Any) -> Change:
    """Another number in a claim, without the slip that explains the first."""

    def change(data: dict[str, Any]) -> None:
        data["claims"][claim].update(printed=printed, **more)
        data["interpretations"] = [r for r in data["interpretations"] if r["id"] != "slip"]
        data["conclusion"]["interpretation"] = "ceil"
        for item in data["evidence"]:
            item["supports"] = [r for r in item.get("supports", []) if r != "slip"]
            item["excludes"] = [r for r in item.get("excludes", []) if r != "slip"]

    return change


def test_which_claims_are_searched(given: Callable[..., Given]) -> None:
    """That which no reading gives: neither a matched claim nor a bound."""
    assert [asked.claim.id for asked in unexplained(given())] == ["conv"]


def test_a_scope_is_found(given: Callable[..., Given]) -> None:
    """128 neurons are twice the 64 of the layer; the row says who, how and how many by chance."""
    rows = table("units.csv", search_units(given(printing(0, "128")))).to_dict("records")
    (row,) = (r for r in rows if r["expression"] == "neurons(conv) * 2")
    assert (row["claim"], row["interpretations"], row["fit"]) == ("conv", "ceil", "matches")
    assert row["hit"] == "neurons of conv, for a batch of two, or two for one"
    assert int(row["tried"]) > 30
    assert 0 < float(row["by_chance"]) < 1
    none = [r for r in rows if r["interpretations"] == "floor"]
    assert [r["hit"] for r in none] == [""]
    assert none[0]["found"].startswith("No hit; nearest: ")


def test_a_share_is_searched(given: Callable[..., Given]) -> None:
    """Of a ratio one quantity at a time is another one, and the whole is in another unit."""
    ratio = {"quantity": "parameters(fc) / parameters(network)"}

    def change(data: dict[str, Any]) -> None:
        printing(0, "16.25", **ratio)(data)
        data["claims"][0].pop("of")

    some = given(change)
    rows = [r for r in table("units.csv", search_units(some)).to_dict("records") if r["hit"]]
    found = {r["expression"]: (r["value"], r["hit"]) for r in rows}
    value, says = found["parameters(fc) / parameters(conv)"]
    assert (value, says) == ("16.25", "parameters of conv for parameters")
    assert {r["claim"] for r in rows} == {"conv"}
    assert rows[0]["searched"].startswith("parameters(fc) / parameters(network): other scopes")
    assert list(search_digits(some)) == []


def test_one_unit_for_a_place(given: Callable[..., Given]) -> None:
    """Two numbers of one page that are both in 2^10 say so in a row of their own."""

    def change(data: dict[str, Any]) -> None:
        printing(0, "0.0625")(data)
        data["claims"][3] |= {"where": "p. 2", "printed": "0.072"}
        data["claims"][3].pop("unit"), data["claims"][3].pop("unit_reason")
        data["claims"][3].pop("countings")

    rows = table("units.csv", search_units(given(change))).to_dict("records")
    (row,) = (r for r in rows if r["kind"] == "whole-table")
    assert (row["claim"], row["interpretations"]) == ("conv", "ceil")
    assert row["found"] == "2 of 2 numbers of p. 2, neurons come out in 2^10; 0 without."
    assert row["hit"] == "in 2^10: conv neurons"


def test_a_digit_is_found(given: Callable[..., Given]) -> None:
    """585 for the 586 parameters of the layer above."""
    rows = table("digits.csv", search_digits(given(printing(0, "651")))).to_dict("records")
    found = {r["expression"]: r["interpretations"] for r in rows}
    assert found["parameters(fc)"] == "ceil"


def test_without_tensors_there_are_no_parts(given: Callable[..., Given]) -> None:
    """What is not known is not searched."""
    assert list(search_parts(given(printing(0, "128")))) == []


def test_the_bounds_hold(given: Callable[..., Given]) -> None:
    """No search tries more than it is said to."""
    tiny = given(printing(0, "128"))
    for search, most in ((search_units, units_to_try), (search_digits, digits_to_try)):
        tried = {(r["claim"], r["interpretations"]): r.get("tried", 0) for r in search(tiny)}
        assert 0 < sum(tried.values()) <= most(tiny.study)


def test_a_study_names_parts_of_its_own(tmp_path: Path) -> None:
    """By layers or tensors; they are varied like the others, and can be asked for."""
    counted = words()
    own = {"block": ["mix", "back"], "first-bias": ["mix.bias"]}
    facts = NetworkFacts(counted.layers, with_own_parts(counted.tensors, own))
    found = {c.says: c for c in part_candidates(facts, "parameters")}
    total = facts.total("parameters")
    block = 8 * 32 + 32 + 32 * 8 + 8
    without = found["parameters without the block"]
    assert without.value == total - block
    assert found["parameters without the first bias"].value == total - 32
    scope = counted.scope(tmp_path, parts=own)
    assert evaluate(without.expression, scope) == without.value


def test_a_part_that_is_known_is_not_named_again(make_study: MakeStudy) -> None:
    """The fault names the part and what it is."""
    with pytest.raises(InputError, match=r"biases.* is a part that is known already"):
        make_study(lambda data: data.update(parts={"biases": ["conv"]}))


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


@hypothesis.given(st.lists(hits, max_size=6))
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
