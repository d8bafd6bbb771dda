"""Searches as tables: what the studies ask for, with hits that are one counted once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured

from reconcile.errors import InputError
from reconcile.search.asked import search_geometries, search_slips
from reconcile.search.given import Given
from reconcile.study.model import Study
from reconcile.tables.frames import table

MakeStudy = Callable[..., Study]


def given(study: Study, folder: Path) -> Given:
    """The tiny study as measured."""
    return Given(study, folder, measured(study, TINY_LAYERS), folder, lambda line: None)


def slips(study: Study, folder: Path) -> list[dict[str, Any]]:
    """The rows of slips.csv."""
    return table("slips.csv", search_slips(given(study, folder))).to_dict("records")


def geometries(study: Study, folder: Path) -> list[dict[str, Any]]:
    """The rows of geometries.csv."""
    return table("geometries.csv", search_geometries(given(study, folder))).to_dict("records")


def test_hits_that_are_one_product_are_told(make_study: MakeStudy, tmp_path: Path) -> None:
    """48 = 4*4*3 is one replacement; other searches come upon it again, and name it."""
    study = make_study(lambda data: data["slips"][0].update(vocabulary=[2, 3, 4, 8, 12]))
    rows = slips(study, tmp_path / "tiny")
    by_kind = {row["kind"]: row for row in reversed(rows)}
    assert by_kind["one-replaced"]["rewrites"] == ""
    own = by_kind["one-replaced"]["expression"]
    assert by_kind["one-replaced-by-any"]["rewrites"] == own
    assert "No new hit: another search has it." in by_kind["one-replaced-by-any"]["found"]
    products = {r["expression"]: r["rewrites"] for r in rows if r["kind"] == "free-products"}
    assert products["4*12"] == own
    assert products["2*3*8"] == ""


@pytest.mark.parametrize("divisor", [None, "4", "channels(conv)"])
def test_both_chances_are_told(make_study: MakeStudy, tmp_path: Path, divisor: str | None) -> None:
    """Among the multiples of a divisor a hit is likelier; digits of a result know of none."""
    study = make_study(lambda data: data["slips"][0].update(divisor=divisor))
    rows = {row["kind"]: row for row in slips(study, tmp_path / "tiny")}
    of_multiples = rows["one-replaced"]["chance_of_multiples"]
    if divisor is None:
        assert not of_multiples
    else:
        assert float(of_multiples) > float(rows["one-replaced"]["chance"])
    assert not rows["result-edited"]["chance_of_multiples"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"factors": {"half": "width(conv) / 3"}}, "no whole number"),
        ({"claim": "parameters"}, "is not printed in full"),
    ],
)
def test_what_cannot_be_searched_names_its_line(
    make_study: MakeStudy, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    """One line with the place of the search in the study."""
    study = make_study(lambda data: data["slips"][0].update(change))
    with pytest.raises(InputError, match=said) as caught:
        slips(study, tmp_path / "tiny")
    assert caught.value.faults[0].key.startswith("slips.0")


def test_geometries_are_a_row_a_map(make_study: MakeStudy, tmp_path: Path) -> None:
    """Each map that has the number, and a row of its own for a search that finds none."""
    study = make_study(lambda data: data["geometries"][0].update(channels=[3, 4, 7]))
    rows = geometries(study, tmp_path / "tiny")
    assert [row["hit"] for row in rows] == ["4x4x3"]
    none = make_study(lambda data: data["geometries"][0].update(channels=[7]))
    (row,) = geometries(none, tmp_path / "tiny")
    assert (row["hit"], row["found"][:29]) == ("", "No geometry gives the number.")
