"""The searches that need not be asked for: which claims they take, and what rows they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from counted import words
from support import measured

from reconcile.errors import InputError
from reconcile.judge.reconciliation import reconcile_study
from reconcile.search.candidates import Given, NetworkFacts
from reconcile.search.parts import part_candidates
from reconcile.search.unexplained import (
    digits_to_try,
    search_digits,
    search_parts,
    search_units,
    unexplained,
    units_to_try,
)
from reconcile.study.expressions import evaluate, with_own_parts
from reconcile.study.model import Study
from reconcile.tables.frames import table, write_table

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
