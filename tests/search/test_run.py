"""A search is registered once, and is in the contract, the report and the docs by that."""

from __future__ import annotations

import re

import pytest
from support import PROJECT

from reconcile.report.render import SEARCH, SEARCH_OF
from reconcile.search.run import SEARCHES, Search
from reconcile.tables.contract import FILES

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
