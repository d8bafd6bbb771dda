"""Slips in the product of a layer's map: one factor of channels x height x width was another one.

A factor is replaced by another size of the same network, mistyped by a digit, or replaced by any
whole number whatever; each kind knows how often an arbitrary number would be hit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from reconcile.search.candidates import Candidate
from reconcile.search.given import NetworkFacts, number
from reconcile.search.misprint import Hit, Misprint, SlipFindings
from reconcile.search.slips import factors_edited, factors_replaced, one_replaced_by_any
from reconcile.study.printed import PrintedNumber

SIZES: Final = ("channels", "height", "width")
FEWEST, MOST = 10**3, 10**12
"""Numbers among which slips are searched: of smaller ones everything is a slip of anything."""
MOST_PRODUCTS: Final = 40
"""Different maps of a network that are taken, in order."""
MOST_CHANGE: Final = 8
"""Times that a number may be more or less than its map; farther off it is no slip of that map."""
Kind = Callable[[Misprint], SlipFindings]
_KINDS: Final[tuple[tuple[int, Kind], ...]] = (
    (2, partial(factors_replaced, count=1)),
    (2, partial(factors_edited, count=1)),
    (3, one_replaced_by_any),
)
"""What must be assumed of each kind, and its search."""


class SlipInMap(NamedTuple):
    """A slip that gives the number, and how many times that is more or less than the map has."""

    candidate: Candidate
    change: Fraction


@dataclass(frozen=True)
class Slips:
    """What one kind of slip gives over all maps of a network.

    Attributes:
        hits: those that give the number.
        tried: how many products were tried.
        by_chance: how many would hit an arbitrary number of as many digits.
    """

    hits: tuple[SlipInMap, ...]
    tried: int
    by_chance: float


def slips_in_maps(facts: NetworkFacts, printed: PrintedNumber) -> Iterator[Slips]:
    """Every kind of slip over the maps of a network; none of a number that is no whole one."""
    if not printed.exact or not FEWEST <= printed.value <= MOST:
        return
    maps = dict(list(_maps(facts))[:MOST_PRODUCTS])
    vocabulary = sorted({size for sizes in maps for size in sizes})
    for cost, search in _KINDS:
        found = []
        for sizes, layer in maps.items():
            parts = list(zip(SIZES, sizes, strict=True))
            misprint = Misprint.of(int(printed.value), parts, vocabulary)
            change = Fraction(printed.value) / math.prod(sizes)
            found.append((layer, max(change, 1 / change), search(misprint)))
        hits = tuple(
            SlipInMap(_candidate(layer, hit, printed, cost), change)
            for layer, change, findings in found
            for hit in findings.hits
            if change <= MOST_CHANGE
        )
        chance = sum((f.chance.probability for *_, f in found), Fraction(0))
        yield Slips(hits, sum(f.tried for *_, f in found), float(chance))


def _candidate(layer: str, hit: Hit, printed: PrintedNumber, cost: int) -> Candidate:
    says = f"neurons of {layer}, {hit.description}"
    return Candidate(says, hit.expression, printed.value, cost)


def _maps(facts: NetworkFacts) -> Iterator[tuple[tuple[int, ...], str]]:
    """The sizes of each different map, with the layer that is the first to have it."""
    seen = set()
    for row in facts.ran:
        sizes = tuple(number(row, name) for name in SIZES)
        if min(sizes) > 1 and sizes not in seen:
            seen.add(sizes)
            yield sizes, str(row["layer"])
