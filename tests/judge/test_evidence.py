"""Evidence from outside the paper, and the paper held against itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured
from tiny_sweep import CEIL, FLOOR, add_sweep, swept_layers

from reconcile.errors import InputError
from reconcile.judge.evidence import (
    Checked,
    check_evidence,
    check_paper,
    excluding,
    supporting,
)
from reconcile.judge.measurements import Measurements
from reconcile.study.model import Study

MakeStudy = Callable[..., Study]


def first(study: Study, measurements: Measurements | None = None) -> Checked:
    """The first item of evidence, checked."""
    return check_evidence(study, measurements or measured(study, TINY_LAYERS))[0]


def with_evidence(make_study: MakeStudy, **keys: Any) -> Study:
    """The tiny study with its first item of evidence changed."""
    return make_study(lambda data: data["evidence"][0].update(keys))


def test_check_that_holds(tiny: Study, tiny_measured: Measurements) -> None:
    """A check holds when it is true of every supported reading and false of every excluded one."""
    checked = first(tiny, tiny_measured)
    assert checked.outcome == "holds"
    assert checked.detail == "true of 2 supported, false of 1 excluded"


def test_nothing_to_compute(tiny: Study, tiny_measured: Measurements) -> None:
    """An item without a check is not computed, and that is said."""
    assert check_evidence(tiny, tiny_measured)[1].outcome == "not-computed"


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"supports": ["ceil", "floor"], "excludes": []}, "false of floor, which it supports"),
        ({"supports": [], "excludes": ["floor", "slip"]}, "true of slip, which it excludes"),
    ],
)
def test_check_that_fails(make_study: MakeStudy, lists: dict[str, Any], said: str) -> None:
    """One reading that the check gets wrong fails the item and is named."""
    checked = first(with_evidence(make_study, **lists))
    assert checked.outcome == "fails"
    assert said in checked.detail


def test_failed_evidence_excludes_nothing(make_study: MakeStudy) -> None:
    """A reading is excluded by items that hold or have no check, never by one that fails."""
    study = with_evidence(make_study, supports=["floor"], excludes=["ceil"])
    checked = check_evidence(study, measured(study, TINY_LAYERS))
    assert checked[0].outcome == "fails"
    assert excluding(checked, "ceil") == []


def test_excluding(tiny: Study, tiny_measured: Measurements) -> None:
    """The items that exclude a reading are given by id."""
    checked = check_evidence(tiny, tiny_measured)
    assert excluding(checked, "floor") == ["rounds-up"]
    assert excluding(checked, "ceil") == []


def test_check_of_no_reading(make_study: MakeStudy) -> None:
    """A check that names no reading must simply be true of the paper's own words."""
    keys = {"supports": [], "excludes": []}
    true = first(with_evidence(make_study, **keys, check="printed(conv) == 48"))
    false = first(with_evidence(make_study, **keys, check="printed(conv) == 49"))
    assert (true.outcome, false.outcome) == ("holds", "fails")


def test_measured_quantity_without_a_reading(make_study: MakeStudy) -> None:
    """A check of no reading cannot speak of measured numbers."""
    with pytest.raises(InputError, match="here only the paper's words count"):
        with_evidence(make_study, supports=[], excludes=[], check="width(conv) == 4")


def test_reading_that_was_not_measured(tiny: Study) -> None:
    """A check is computed for the readings that were measured; the others are named."""
    without_floor = measured(tiny, TINY_LAYERS[4:], floor="killed")
    assert first(tiny, without_floor).outcome == "holds"
    assert "not measured: floor" in first(tiny, without_floor).detail
    without = measured(tiny, [], floor="killed", ceil="killed", slip="killed")
    assert first(tiny, without).outcome == "not-computed"


def test_every_network_of_a_reading_counts(make_study: MakeStudy) -> None:
    """A reading of several networks is true to a check only if each of them is."""

    def change(data: dict[str, Any]) -> None:
        data["interpretations"][1]["networks"] = {"one": {}, "two": {"size": 9}}
        data["evidence"][0] |= {
            "supports": ["ceil"],
            "excludes": [],
            "check": "argument(size) == 8",
        }
        data["conclusion"]["answer"] = "none"
        data["slips"] = []

    study = make_study(change)
    rows = [
        row | {"network": network}
        for row in TINY_LAYERS
        if row["interpretation"] == "ceil"
        for network in ("one", "two")
    ]
    measurements = measured(study, [*TINY_LAYERS[:4], *rows, *TINY_LAYERS[8:]])
    totals = measurements.totals[("ceil", "main")]
    measurements.totals |= {("ceil", "one"): totals, ("ceil", "two"): totals}
    assert "false of ceil, which it supports" in first(study, measurements).detail


def test_the_paper_against_itself(tiny: Study) -> None:
    """A check of printed numbers has what it computes and a verdict, without any measurement."""
    (check,) = check_paper(tiny)
    assert (check.computed, check.verdict) == (64, "contradicts")
    assert "64 is not 48" in check.reason


def test_printed_numbers_of_a_pattern_are_summed(make_study: MakeStudy) -> None:
    """printed('conv*') is the sum of all claims of that name, as a quantity's pattern is."""
    study = make_study(lambda data: data["consistency"][0].update(compute="printed('*a*')"))
    wanted = sum(claim.number.value for claim in study.claims if "a" in claim.id)
    (check,) = check_paper(study)
    assert check.computed == wanted > 700


def test_checks_of_combinations(make_study: MakeStudy) -> None:
    """A check supports the combinations that it is true of, and excludes those it is false of."""
    study = make_study(add_sweep)
    checked = check_evidence(study, measured(study, swept_layers()))
    assert (checked[0].supports, checked[0].excludes) == ({CEIL}, {FLOOR})
    assert excluding(checked, FLOOR) == ["rounds-up"]
    assert supporting(checked, CEIL) == ["rounds-up"]
    assert (excluding(checked, CEIL), supporting(checked, FLOOR)) == ([], [])


@pytest.mark.parametrize(
    ("lists", "supports", "excludes"),
    [
        ({"excludes": []}, {CEIL}, set()),
        ({"supports": []}, set(), {FLOOR}),
        ({"supports": ["floor"], "excludes": []}, set(), set()),
    ],
)
def test_what_an_item_does_to_combinations(
    make_study: MakeStudy, lists: dict[str, Any], supports: set[str], excludes: set[str]
) -> None:
    """An item that excludes nobody excludes no combination, and one that fails does nothing."""

    def change(data: dict[str, Any]) -> None:
        add_sweep(data)
        data["evidence"][0].update(lists)

    study = make_study(change)
    checked = check_evidence(study, measured(study, swept_layers()))[0]
    assert (checked.supports, checked.excludes) == (supports, excludes)


def test_combinations_that_were_not_measured(make_study: MakeStudy) -> None:
    """What is not known of a combination neither supports nor excludes it."""
    study = make_study(add_sweep)
    checked = check_evidence(
        study, measured(study, TINY_LAYERS, **{FLOOR: "killed", CEIL: "killed"})
    )
    assert (checked[0].supports, checked[0].excludes) == (set(), set())
