"""A search is registered once, and is in the contract, the report and the docs by that."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import PROJECT, measured

from reconcile.judge.reconciliation import reconcile_study
from reconcile.report.render import SEARCH, SEARCH_OF
from reconcile.search.given import Given
from reconcile.search.run import SEARCHES, Search
from reconcile.study.model import Study
from reconcile.tables.contract import FILES
from reconcile.tables.frames import table, write_table

EXPLAINED = re.findall(
    r"^## .*\(`(\w+\.csv)`\)$", (PROJECT / "docs/searches.md").read_text("utf-8"), re.MULTILINE
)


def test_what_is_registered_is_what_the_rule_writes() -> None:
    """The tables of the contract that the rule makes, in its order."""
    tables = [name for name, file in FILES.items() if file.rule == "search"]
    assert [search.table for search in SEARCHES] == tables


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.name)
def test_each_search_has_its_part_of_the_report(search: Search) -> None:
    """A template shows it, and its table says which claim and which search a row is of."""
    part = PROJECT / "templates" / "partials" / f"search-{search.name}.jinja"
    assert f'id="{search.name}"' in part.read_text(encoding="utf-8")
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
