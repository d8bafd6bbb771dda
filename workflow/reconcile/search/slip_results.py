"""Slips in a sum, and in a result as a whole: digits, unit, scope, another quantity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np

from reconcile.search.combinations import LARGEST, Chance, Reach, signed_sums
from reconcile.search.digits import count_within, edit_distance
from reconcile.search.misprint import (
    COST_DIGIT_EDIT,
    COST_QUANTITY,
    COST_REPLACED_BY_PRINTED,
    COST_TERM,
    COST_UNIT,
    Hit,
    Misprint,
    Named,
    SlipFindings,
    result_of,
)

# Further away than this, the digits of two numbers have little to do with each other.
MOST_RESULT_EDITS: Final = 3
# Terms of a sum that may be wrong at a time.
MOST_TERMS: Final = 3
# Factors by which counts go wrong: twice or half, colour channels, bytes of a float, bits of a
# byte, and the thousands of either kind.
UNITS: Final = (2, 3, 4, 8, 1000, 1024, 1000**2, 1024**2)


def result_edited(misprint: Misprint, right: int) -> SlipFindings:
    """Measure how many digit edits turn the right result into the printed number.

    The chance is the share of numbers within the same reach of edits, whatever they divide by.
    """
    printed, digits = misprint.printed, len(str(misprint.printed))
    edits = edit_distance(right, printed)
    hit = Hit(f"{right} typed as {printed}", f"{printed}", edits * COST_DIGIT_EDIT, 1)
    searched = (
        f"the digits of {right} against those of {printed}, up to {MOST_RESULT_EDITS} digits "
        f"substituted, inserted, deleted or swapped with a neighbour; their distance is {edits}"
    )
    near = count_within(right, digits, MOST_RESULT_EDITS) - (len(str(right)) == digits)
    chance = Chance(near, 9 * 10 ** (digits - 1))
    hits = [hit] if 0 < edits <= MOST_RESULT_EDITS else []
    return result_of(("result-edited", "Digits of the result"), searched, 1, hits, chance)


def _quantities(right: int, others: Iterable[Named]) -> Iterator[tuple[Hit, int]]:
    """Yield the right result, at no cost, and each other quantity, with their values."""
    yield Hit("the result", f"{right}", 0, 1), right
    for name, value in others:
        yield Hit(f"{name} in place of the result", f"{value}", COST_QUANTITY, 1), value


def _in_units(hit: Hit, value: int) -> Iterator[tuple[Hit, int]]:
    """Yield the quantity itself, and times and divided by each unit.

    What does not divide evenly would have been printed truncated or rounded: both are tried.
    """

    def scaled(sign: str, unit: int, how: str = "") -> Hit:
        description, expression = f"{hit.description}{sign}{unit}{how}", f"{value}{sign}{unit}"
        return Hit(description, expression, hit.cost + COST_UNIT, 2)

    yield hit, value
    for unit in UNITS:
        yield scaled("*", unit), value * unit
        whole, rest = divmod(value, unit)
        yield scaled("/", unit, ", truncated" if rest else ""), whole
        if 2 * rest >= unit:
            yield scaled("/", unit, ", rounded"), whole + 1


def _in_scope(factors: Iterable[Named], right: int) -> Iterator[tuple[Hit, int]]:
    """Yield a product without each of its factors, and with each of them twice."""
    for name, value in factors:
        yield Hit(f"{name} {value} left out", f"{right}/{value}", COST_UNIT, 2), right // value
        yield Hit(f"{name} {value} counted twice", f"{right}*{value}", COST_UNIT, 2), right * value


def unit_or_scope(
    misprint: Misprint, right: int, factors: Iterable[Named], others: Iterable[Named]
) -> SlipFindings:
    """Take the result in a wrong unit or scope, or another quantity in its place.

    `factors` are those that may have been left out or counted twice: none for a sum.
    """
    quantities, scope = tuple(_quantities(right, others)), tuple(factors)
    scaled = chain.from_iterable(_in_units(*quantity) for quantity in quantities)
    # The first is the right result as it is, which no slip gives.
    tried = [*scaled, *_in_scope(scope, right)][1:]
    reach = Reach(misprint.printed, misprint.divisor)
    places = reach.add(np.array([min(value, reach.limit) for _, value in tried], dtype=np.int64))
    searched = (
        f"{right} and {len(quantities) - 1} other quantities, each as it is and times and "
        f"divided by {', '.join(map(str, UNITS))}"
        + ("; each factor left out or counted twice" if scope else "")
    )
    hits = _merged(tried[place][0] for place in places)
    kind = ("unit-or-scope", "Wrong unit, scope or quantity")
    return result_of(kind, searched, len(tried), hits, reach.chance())


def _merged(hits: Iterable[Hit]) -> list[Hit]:
    """Return the hits with those that read the same put together."""
    return [*{(hit.description, hit.expression): hit for hit in hits}.values()]


def terms_miscounted(misprint: Misprint) -> SlipFindings:
    """Leave out or count twice up to `MOST_TERMS` terms of a sum."""
    most = min(MOST_TERMS, len(misprint.parts))
    reach = _sum_reach(misprint)
    tried, found = signed_sums(misprint.total, misprint.values, most, reach)
    hits = [_miscounted(misprint, changes) for changes in found]
    searched = (
        f"up to {most} of the {len(misprint.parts)} terms of {misprint.total}, each left out or "
        "counted twice"
    )
    kind = ("terms-miscounted", "Terms left out or counted twice")
    return result_of(kind, searched, tried, hits, reach.chance())


def _miscounted(misprint: Misprint, changes: tuple[int, ...]) -> Hit:
    """Describe the changes of a sum: position 2i leaves out term i, 2i + 1 counts it twice."""
    said, counts = [], dict.fromkeys(range(len(misprint.parts)), 1)
    for index, twice in (divmod(change, 2) for change in changes):
        name, value = misprint.parts[index]
        said.append(f"{name} {value} {'counted twice' if twice else 'left out'}")
        counts[index] = 2 * twice
    terms = [str(misprint.values[i]) for i, count in counts.items() for _ in range(count)]
    return Hit(" and ".join(said), " + ".join(terms), COST_TERM * len(changes), len(terms))


def term_replaced(misprint: Misprint) -> SlipFindings:
    """Replace one term of a sum by a number that the paper prints."""
    reach = _sum_reach(misprint)
    vocabulary = np.array(misprint.vocabulary, dtype=np.int64)
    tried, hits = 0, []
    for index, (name, value) in enumerate(misprint.parts):
        others = vocabulary[vocabulary != value]
        tried += others.size
        for place in reach.add(others + (misprint.total - value)):
            new = int(others[place])
            terms = [*misprint.values[:index], new, *misprint.values[index + 1 :]]
            said = f"{name} {value} -> {new}"
            hits.append(
                Hit(said, " + ".join(map(str, terms)), COST_REPLACED_BY_PRINTED, len(terms))
            )
    searched = (
        f"each of the {len(misprint.parts)} terms of {misprint.total} replaced by each of "
        f"{len(vocabulary)} numbers that the paper prints"
    )
    kind = ("term-replaced", "One term replaced by a printed number")
    return result_of(kind, searched, tried, hits, reach.chance())


def _sum_reach(misprint: Misprint) -> Reach:
    """Return an empty reach, once the sum is known to fit the arithmetic."""
    if misprint.total > LARGEST:
        message = f"sums are searched up to {LARGEST:,}, not {misprint.total}"
        raise ValueError(message)
    return Reach(misprint.printed, misprint.divisor)
