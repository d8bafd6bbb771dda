"""The searches for what would explain a printed number that no reading reproduces: which there are.

A search is registered here once, by its table. What follows from that: its columns stand in
``tables/contract.py``, the rule ``search`` writes it, ``verify`` makes it again, the report shows
it with ``templates/partials/search-<name>.jinja``, and docs/searches.md explains it. Hits are
listed with how likely they are by chance; they change no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from reconcile.search.asked import (
    geometries_to_try,
    search_geometries,
    search_slips,
    slips_to_try,
)
from reconcile.search.given import Given, Row
from reconcile.search.solve import search_solutions, values_to_try
from reconcile.search.term_rows import search_terms, terms_to_try
from reconcile.search.unexplained import (
    conventions_to_try,
    digits_to_try,
    parts_to_try,
    search_conventions,
    search_digits,
    search_parts,
    search_units,
    units_to_try,
)
from reconcile.study.model import Study
from reconcile.tables.frames import table


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        table: the table of the contract that it fills.
        rows: what gives its rows.
        most: how many candidates it tries at most in a study; verifying makes no more than it can.
    """

    table: str
    rows: Callable[[Given], Iterable[Row]]
    most: Callable[[Study], int]

    @property
    def name(self) -> str:
        """The table's name without its ending, as templates and docs call it."""
        return self.table.removesuffix(".csv")


SEARCHES = (
    Search("slips.csv", search_slips, slips_to_try),
    Search("geometries.csv", search_geometries, geometries_to_try),
    Search("parts.csv", search_parts, parts_to_try),
    Search("conventions.csv", search_conventions, conventions_to_try),
    Search("units.csv", search_units, units_to_try),
    Search("digits.csv", search_digits, digits_to_try),
    Search("terms.csv", search_terms, terms_to_try),
    Search("solutions.csv", search_solutions, values_to_try),
)
"""Every search, in the order in which the report shows them."""


def search_all(given: Given) -> Iterator[tuple[str, pd.DataFrame]]:
    """The table of each search, with its name.

    Raises:
        InputError: what a study asks for cannot be searched, or a table is missing.
    """
    return ((search.table, table(search.table, search.rows(given))) for search in SEARCHES)


def most_candidates(study: Study) -> int:
    """How many candidates all searches of a study try together, at most."""
    return sum(search.most(study) for search in SEARCHES)
