"""What a search for terms says of a study: determined first, and what it means in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import PROJECT

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements
from reconcile.search.candidates import Given
from reconcile.search.term_rows import search_terms, terms_to_try
from reconcile.study.load import load_study
from reconcile.study.model import Study, TermSearch
from reconcile.study.plan import networks_of
from reconcile.tables.contract import TERM_PARTS
from reconcile.tables.frames import table

FOLDER = PROJECT / "studies" / "chinchilla"
Change = Callable[[str, dict[str, Any]], None]


@pytest.fixture(scope="module")
def study() -> Study:
    """The study of Chinchilla."""
    return load_study(FOLDER)


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invent fewer tables: how many they must be is tested with the search itself."""
    monkeypatch.setattr("reconcile.search.terms.WORLDS", 10)
    monkeypatch.setattr("reconcile.search.term_rows.WORLDS", 10)


def ordinary(study: Study, change: Change = lambda network, total: None) -> Measurements:
    """The closed form of every network of the standard reading, in place of a run."""
    totals = []
    for name, a in networks_of(study, study.interpretations[0]).items():
        inner = a["kv_size"] * a["heads"]
        layer = 4 * a["width"] * inner + 2 * a["width"] * a["ffw"]
        total = {
            "interpretation": "standard",
            "network": name,
            "status": "measured",
            "parameters": a["vocabulary"] * a["width"] + a["layers"] * layer,
        }
        change(name, total)
        totals.append(total)
    layers = table("layers.csv", [])
    return Measurements(
        layers, table("totals.csv", totals), table("coverage.csv", []), table("outputs.csv", [])
    )


def rows(study: Study, measured: Measurements, wanted: TermSearch) -> list[dict[str, Any]]:
    """The rows of one search, digits rounded."""
    asked = study.model_copy(update={"terms": [wanted]})
    found = search_terms(Given(asked, FOLDER, measured, FOLDER, lambda line: None))
    return [row for row in found if row["digits"] == "rounded"]


def says(found: list[dict[str, Any]], part: str) -> dict[str, str]:
    """What the rows of one part say, by name."""
    return {row.get("name", ""): row["says"] for row in found if row["part"] == part}


def test_what_is_determined_comes_first(study: Study) -> None:
    """One more matrix in every solution; all else is free, and said to be."""
    found = rows(study, ordinary(study), study.terms[0])
    places = [TERM_PARTS.index(row["part"]) for row in found]
    assert places == sorted(places)
    assert says(found, "found")[""].startswith("370 of 4,826,809 combinations of 6 terms bring all")
    assert says(found, "coefficient") == {
        "attention-matrix": "determined: exactly 1 in every solution",
        "width-a-layer": "free: 0 to 10 times",
        "heads-a-layer": "free: 0 to 10 times",
        "feed-forward-a-layer": "free: 0 to 2 times",
        "vocabulary-once": "free: 0 to 1 times",
        "width-once": "free: 0 to 12 times",
    }
    assert says(found, "otherwise") == {
        f"{times} × attention-matrix": f"with {times} × attention-matrix at most 0 of 50 numbers "
        "come out"
        for times in (0, 2)
    }
    assert [row["count"] for row in found if row["part"] == "box"] == [30, 174, 370, 643]
    assert {row["name"] for row in found if row["part"] == "smooth"} == {"small", "large"}
    cheapest = next(row for row in found if row["part"] == "solution")
    assert cheapest["expression"].startswith("1 * (argument(layers) * argument(width)")
    assert (cheapest["least"], cheapest["count"], cheapest["of"]) == (6, 3, 196)


def test_the_formula_with_five_matrices_alone(study: Study) -> None:
    """Without small terms five matrices give 23 of the fifty numbers, and no number gives more."""
    (found,) = rows(study, ordinary(study), study.terms[1])
    assert found["says"].endswith("brings more than 23 of 50 numbers out")


def test_most_of_the_numbers_and_which_not(study: Study) -> None:
    """A number that no solution reaches is named, and the others are explained without it."""

    def change(network: str, total: dict[str, Any]) -> None:
        total["parameters"] += 7_000_000 * (network == "m2007")

    found = rows(study, ordinary(study, change), study.terms[0])
    first = found[0]
    assert first["says"].endswith("bring 49 of 50 numbers out, and none brings more")
    assert first["claims"] == "a9.m2007.parameters"
    assert says(found, "coefficient")["attention-matrix"].startswith("determined: exactly 1")
    assert not says(found, "smooth")


def test_what_was_not_measured_is_left_out_and_named(study: Study) -> None:
    """Networks without counts are no rows of the table."""

    def change(network: str, total: dict[str, Any]) -> None:
        if network in ("m44", "m57"):
            total.update(status="does-not-run", parameters=None)

    first = rows(study, ordinary(study, change), study.terms[0])[0]
    assert "all 48 numbers out" in first["says"]
    assert first["says"].endswith("not measured: a9.m44.parameters, a9.m57.parameters")


def test_derived_terms_are_products_each_a_layer_and_once(study: Study) -> None:
    """Named numbers give a term a layer and a term once, and so do their products."""
    wanted = TermSearch.model_validate(
        {
            "id": "derived",
            "interpretation": "standard",
            "claims": ["a9.m44.*", "a9.m57.*"],
            "derived": {
                "of": {"d": "argument(width)", "h": "argument(heads)"},
                "layers": "argument(layers)",
                "degree": 2,
            },
            "most": 1,
        }
    )
    found = rows(study, ordinary(study), wanted)
    of = found[0]["of"]
    assert of == 2**10
    names = [f"{n} {how}" for n in ("d", "h", "d · d", "d · h", "h · h") for how in HOW]
    assert list(says(found, "coefficient")) in ([], names)


HOW = ("a layer", "once")


@pytest.mark.parametrize(
    ("size", "said"),
    [("argument(depth)", "there is no argument 'depth'"), ("argument(relative)", "no number")],
)
def test_a_term_that_is_no_number_names_its_line(study: Study, size: str, said: str) -> None:
    """One line with the place of the search in the study."""
    wanted = study.terms[0].model_copy(update={"terms": {"strange": size}})
    with pytest.raises(InputError, match=said) as caught:
        rows(study, ordinary(study), wanted)
    assert caught.value.faults[0].key.startswith("terms.0")


def test_verifying_knows_how_much_there_is_to_do(study: Study) -> None:
    """The bound on the work grows with the searches, and two are below what is made again."""
    none = study.model_copy(update={"terms": []})
    assert terms_to_try(none) == 0
    assert terms_to_try(study) == 2 * terms_to_try(
        study.model_copy(update={"terms": study.terms[:1]})
    )
