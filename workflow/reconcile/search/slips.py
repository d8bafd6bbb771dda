"""Search the ways in which a person could have got a printed number from the right parts.

Nothing here decides that a slip was made: a search lists what would turn the right product or
sum into the printed number, how many combinations were computed, at what cost each hit comes,
and how likely such a search is to hit a number that has nothing to do with it (`Chance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconcile.search.misprint import Misprint, SlipFindings, listed
from reconcile.search.products import (
    factors_edited,
    factors_replaced,
    free_products,
    one_replaced_by_any,
)
from reconcile.search.slip_results import (
    result_edited,
    term_replaced,
    terms_miscounted,
    unit_or_scope,
)


def search_product(
    misprint: Misprint, quantities: Mapping[str, int] | Iterable[tuple[str, int]] = ()
) -> tuple[SlipFindings, ...]:
    """Search every kind of slip in a product; `quantities` may have been printed in its place."""
    return (
        factors_replaced(misprint, 1),
        one_replaced_by_any(misprint),
        factors_replaced(misprint, 2),
        factors_edited(misprint, 1),
        factors_edited(misprint, 2),
        result_edited(misprint, misprint.product),
        free_products(misprint),
        unit_or_scope(misprint, misprint.product, misprint.parts, listed(quantities)),
    )


def search_sum(
    misprint: Misprint, quantities: Mapping[str, int] | Iterable[tuple[str, int]] = ()
) -> tuple[SlipFindings, ...]:
    """Search every kind of slip in a sum; `quantities` may have been printed in its place."""
    return (
        terms_miscounted(misprint),
        term_replaced(misprint),
        result_edited(misprint, misprint.total),
        unit_or_scope(misprint, misprint.total, (), listed(quantities)),
    )
