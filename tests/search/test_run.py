"""A search is registered once, and is in the contract, the report and the docs by that.

Which values of an argument follow from those that were measured, and how it is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from conftest import TINY_LAYERS
from hypothesis import strategies as st
from support import PROJECT, measured

from reconcile.errors import InputError
from reconcile.judge.reconciliation import reconcile_study
from reconcile.report.pages import html_templates
from reconcile.report.render import SEARCH, SEARCH_OF
from reconcile.search.candidates import Given
from reconcile.search.run import (
    MOST_JOINED,
    SEARCHES,
    Points,
    Search,
    common,
    joined,
    search_geometries,
    search_slips,
)
from reconcile.study.model import Study
from reconcile.tables.contract import FILES
from reconcile.tables.frames import table, write_table

EXPLAINED = re.findall(
    r"^## .*\(`(\w+\.csv)`\)$", (PROJECT / "docs/searches.md").read_text("utf-8"), re.MULTILINE
)
MakeStudy = Callable[..., Study]


def test_what_is_registered_is_what_the_rule_writes() -> None:
    """The tables of the contract that the rule makes, in its order."""
    tables = [name for name, file in FILES.items() if file.rule == "search"]
    assert [search.table for search in SEARCHES] == tables


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.name)
def test_each_search_has_its_part_of_the_report(search: Search) -> None:
    """A template shows it, and its table says which claim and which search a row is of."""
    part = html_templates().get_template(f"partials/search-{search.name}.jinja")
    context = {"searched": {search.name: []}, "study": SimpleNamespace(slips=[]), "data": {}}
    assert f'id="{search.name}"' in part.render(context, paper=False)
    assert set(SEARCH_OF.get(search.name, SEARCH)) <= set(FILES[search.table].keys)


def test_each_search_is_explained() -> None:
    """docs/searches.md has a section for each, in their order."""
    assert [search.table for search in SEARCHES] == EXPLAINED


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.name)
def test_each_search_has_a_bound_of_its_work(
    search: Search, make_study: Callable[..., Study], tmp_path: Path
) -> None:
    """What it tries in a study that asks for all searches is within what it says, and not nothing.

    How the walks of terms and the values of an argument are bounded, their own tests hold.
    """
    study = make_study(asking_for_all)
    known = measured(study, TINY_LAYERS)
    judged = reconcile_study(study, tmp_path / "tiny", known)
    write_table(tmp_path, "verdicts.csv", judged.tables["verdicts.csv"])
    tried = [
        {
            "search": "kernels",
            "claim": "conv",
            "value": v,
            "measured": v,
            "method": "scan",
            "step": 1,
        }
        for v in range(1, 10)
    ]
    write_table(tmp_path, "solutions_measured.csv", table("solutions_measured.csv", tried))
    write_table(tmp_path, "tensors.csv", table("tensors.csv", []))
    rows = list(search.rows(Given(study, tmp_path / "tiny", known, tmp_path, lambda line: None)))
    work = sum(
        {
            (r["claim"], r["kind"], r["searched"]): int(r.get("tried") or 0)
            for r in rows
            if "kind" in r
        }.values()
    )
    most = search.most(study)
    assert 0 < most < 10**13
    assert (work or len(rows)) <= most
    assert rows or search.name in ("parts", "conventions"), "of these tables know no parts"


def asking_for_all(data: dict[str, Any]) -> None:
    """A number that no reading gives, terms and a value of an argument besides."""
    data["claims"][0]["printed"] = "128"
    data["interpretations"] = [r for r in data["interpretations"] if r["id"] != "slip"]
    data["conclusion"]["interpretation"] = "ceil"
    for item in data["evidence"]:
        item["supports"] = [r for r in item.get("supports", []) if r != "slip"]
        item["excludes"] = [r for r in item.get("excludes", []) if r != "slip"]
    shared = {"interpretation": "ceil", "claims": ["conv"]}
    data["terms"] = [{"id": "missing", "terms": {"map": "16", "one": "1"}, **shared}]
    kernels = {"id": "kernels", "argument": "kernels", "range": {"first": 1, "last": 9}}
    data["solve"] = [kernels | shared]


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


TEN = Fraction(10), Fraction(20)


def points(method: str, step: int, **counts: int | None) -> Points:
    """Measured counts by value, as ``v3=12``."""
    values = {int(name[1:]): None if c is None else Fraction(c) for name, c in counts.items()}
    return Points(values, method, step)


def test_between_two_measured_values_a_way_may_fill() -> None:
    """Interpolation and halving speak of what lies between; a scan of what was measured only."""
    counts = {"v1": 5, "v2": 10, "v9": 19, "v10": 20}
    assert points("polynomial", 1, **counts).holding(TEN) == [range(2, 10)]
    assert points("scan", 1, **counts).holding(TEN) == [range(2, 3), range(9, 10)]


def test_a_value_without_a_network_ends_an_interval() -> None:
    """What was not measured is in no interval."""
    found = points("monotone", 1, v1=11, v4=12, v5=None, v6=13, v7=30)
    assert found.holding(TEN) == [range(1, 5), range(6, 7)]


def test_each_remainder_has_its_own_values() -> None:
    """Values of several remainders that follow on each other are one interval."""
    found = points("residues", 2, v1=9, v3=10, v7=18, v9=21, v2=9, v4=11, v8=19, v10=22)
    assert found.holding(TEN) == [range(3, 9)]


def test_a_step_is_kept() -> None:
    """Of widths that must be multiples of eight, an answer names these."""
    found = points("polynomial", 8, v8=9, v16=11, v64=19, v72=40, v13=None)
    assert found.holding(TEN) == [range(16, 65, 8)]


def test_what_was_searched() -> None:
    """Of a scan the longest run without a gap; all of it if it is the whole of the values."""
    part = points("scan", 1, v1=0, v40=1, v41=2, v42=3, v99=4)
    assert part.searched(range(1, 101)) == range(40, 43)
    assert points("scan", 4, v1=None, v2=None, v3=None, v4=1, v8=2).searched(range(1, 12)) == range(
        1, 12
    )
    assert points("polynomial", 1, v1=0, v99=4).searched(range(1, 101)) == range(1, 101)


ranges = st.builds(
    range, st.integers(-20, 20), st.integers(21, 60), st.sampled_from([1, 2, 3, 4, 6])
)


@hypothesis.given(st.lists(ranges, max_size=3), st.lists(ranges, max_size=3))
def test_common_values(one: list[range], other: list[range]) -> None:
    """What two lists of ranges share is what their values share."""
    shared = set(chain.from_iterable(one)) & set(chain.from_iterable(other))
    assert set(chain.from_iterable(common(one, other))) == shared


@hypothesis.given(st.lists(ranges, max_size=4))
def test_joining_keeps_the_values(found: list[range]) -> None:
    """Ranges put together have the same values, in order."""
    together = list(chain.from_iterable(joined(found, 1)))
    assert set(together) == set(chain.from_iterable(found))


def test_joining_is_bounded() -> None:
    """Ranges of more values than can be put in order stay as they are."""
    large = [range(0, 3 * MOST_JOINED, 2), range(1, 3 * MOST_JOINED, 2)]
    assert joined(large, 1) == large


@pytest.mark.parametrize(("values", "gap"), [((3, 7, 15), 4), ((3,), 5), ((), 5), ((1, 2, 9), 1)])
def test_the_gap_between_networks(values: tuple[int, ...], gap: int) -> None:
    """The step to the next value that has a network follows from those that have one."""
    assert Points({value: Fraction(1) for value in values}, "scan", 5).gap == gap
