"""What gives a printed number, of everything that can be counted of a network, best first.

Best is what must assume least: a total as it is, then what a tool says or a part left out, a unit,
a layer in place of the network. Beside each stands how many such numbers there were that assume no
more, and how many of them would fit a number of this precision that has nothing to do with them.
Of explanations that assume the same, the one comes first that chance gives least often.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Final

from reconcile.explain.asking import refused
from reconcile.explain.factors import slips_in_maps
from reconcile.explain.measuring import CountedNetwork
from reconcile.search.best import SLIP, Assumed, Rank, rank_of
from reconcile.search.candidates import Candidate, Pool
from reconcile.search.conventions import convention_candidates
from reconcile.search.digits import FIT, Digits
from reconcile.search.facts import NetworkFacts, quoted
from reconcile.search.parts import part_candidates
from reconcile.search.units import unit_candidates
from reconcile.study.printed import PrintedNumber, parse_printed
from reconcile.tables.contract import NETWORK, QUANTITIES, WEAKLY

QUANTITIES_ASKED: Final = ("parameters", "macs", "flops", "neurons", "connections")
"""What a number without a word may count, the usual ones first."""
_OF_WORD: Final = (
    (re.compile(r"\d ?[kmgtbp]?[ -]?flops?\b|million flops?|billion flops?", re.I), "flops"),
    (re.compile(r"macs?\b|m-?adds?\b|mult", re.I), "macs"),
    (re.compile(r"params?\b|parameters?\b|weights?\b", re.I), "parameters"),
    (re.compile(r"neurons?\b|units?\b", re.I), "neurons"),
    (re.compile(r"connections?\b|synapses\b", re.I), "connections"),
)
"""What a number says that it counts."""
LUCKY: Final = 0.5
"""So many hits by chance, and one says nothing by itself."""
_WORDS: Final = {
    "matches": "exact",
    "matches-rounded": "rounded",
    "matches-truncated": "cut",
    "contradicts": "not these",
    WEAKLY: "last zeros open",
    SLIP: "slip",
    FIT: "one digit off",
}


@dataclass(frozen=True)
class Explanation:
    """One way in which a network gives the number.

    Attributes:
        network: the reading of a study; empty for a network that is no study's.
        search: which search found it: total, parts, conventions, units, sizes, digits or slips.
        candidate: what is counted, its expression, its number, what must be assumed.
        fit: how its digits stand to the printed ones.
        tried: how many candidates of this search assume no more.
        by_chance: how many of these would fit a number that has nothing to do with them.
        change: how many times the number is more or less than what was measured, of a slip.
    """

    network: str
    search: str
    candidate: Candidate
    fit: str
    tried: int
    by_chance: float
    change: Fraction = Fraction(1)

    @property
    def digits(self) -> str:
        """How the digits are read, in a word or two."""
        return _WORDS[self.fit]

    @property
    def lucky(self) -> bool:
        """Whether an arbitrary number would be explained as well, likely enough."""
        return self.by_chance >= LUCKY


@dataclass(frozen=True)
class Answered:
    """What was found for a number.

    Attributes:
        printed: the number.
        quantity: what it says that it counts; empty where it does not say.
        found: what gives it, best first.
        below: the plain candidate next below it, and the network's name; None where there is none.
        above: the same above it.
        notes: what must be said beside any of it.
    """

    printed: PrintedNumber
    quantity: str
    found: tuple[Explanation, ...]
    below: Explanation | None
    above: Explanation | None
    notes: tuple[str, ...]


Search = Callable[[NetworkFacts, str, str], list[Candidate]]


def number_asked(text: str) -> tuple[PrintedNumber, str]:
    """A number as it was typed, and the quantity it names; empty where it names none.

    Raises:
        InputError: it is no number, or may be one of two.
    """
    try:
        printed = parse_printed(text)
    except ValueError as error:
        raise refused("number", str(error)) from None
    if printed.value <= 0:
        raise refused("number", f'"{text}" counts nothing: accepted are numbers above zero')
    return printed, next((name for word, name in _OF_WORD if word.search(text)), "")


def is_plainly_explained(one: CountedNetwork, printed: PrintedNumber, quantity: str) -> bool:
    """Whether a total, a tool or another convention gives the number; then no size is tried."""
    kinds = ("total", "conventions")
    known = (kind for kind in _candidates(one, quantity) if kind[0] in kinds)
    return any(Pool(candidates).against(printed).hits for _, candidates in known)


def explained(
    networks: Sequence[CountedNetwork], printed: PrintedNumber, quantity: str = ""
) -> Answered:
    """Everything that gives a number, best first.

    Args:
        networks: counted networks: one, or the readings of a study.
        printed: the number.
        quantity: what it counts; empty where nothing says so, and any may be meant.
    """
    found: dict[str, Explanation] = {}
    below: list[Explanation] = []
    above: list[Explanation] = []
    for one in networks:
        for hit in _of_network(one, printed, quantity):
            known = found.get(hit.candidate.expression)
            # The readings of a study that give the same number by the same count are one hit.
            if known is None:
                found[hit.candidate.expression] = hit
            elif known.network != hit.network and hit.candidate.value == known.candidate.value:
                names = f"{known.network}, {hit.network}"
                found[hit.candidate.expression] = replace(known, network=names)
        for near, side in zip(_nearest(one, printed, quantity), (below, above), strict=True):
            side.extend(near)
    notes = dict.fromkeys(note for one in networks for note in one.notes)
    return Answered(
        printed,
        quantity,
        tuple(sorted(found.values(), key=_rank)),
        max(below, key=lambda near: near.candidate.value, default=None),
        min(above, key=lambda near: near.candidate.value, default=None),
        tuple(notes),
    )


def _of_network(
    one: CountedNetwork, printed: PrintedNumber, quantity: str
) -> Iterator[Explanation]:
    """Every hit in one network, that which assumes least first."""
    hits = [
        hit
        for search, candidates in _candidates(one, quantity)
        for hit in _hits(search, one.named.title, candidates, printed)
    ]
    yield from sorted(hits, key=_rank)
    yield from _slips_of(one, printed, quantity)


def _slips_of(one: CountedNetwork, printed: PrintedNumber, quantity: str) -> Iterator[Explanation]:
    """A digit that is wrong anywhere, and a factor of a map that is another one."""
    title = one.named.title
    asked = quantity or QUANTITIES_ASKED[0]
    edits = Digits(one.facts).against(printed, asked, NETWORK)
    for edit in edits.hits:
        cost = edit.candidate.cost + (0 if quantity else -1) + 1
        candidate = replace(edit.candidate, cost=max(cost, 2))
        yield Explanation(title, "digits", candidate, edit.fit, edits.tried, edits.by_chance)
    if quantity in ("", "neurons"):
        for slips in slips_in_maps(one.facts, printed):
            for slip, change in slips.hits:
                yield Explanation(title, "slips", slip, SLIP, slips.tried, slips.by_chance, change)


def _hits(
    search: str, network: str, candidates: list[Candidate], printed: PrintedNumber
) -> Iterator[Explanation]:
    """What fits, each held against the candidates that assume no more than it."""
    for cost in sorted({candidate.cost for candidate in candidates}):
        pool = Pool(c for c in candidates if c.cost <= cost)
        for number, added in _digits_of(printed):
            found = pool.against(number)
            for hit in (hit for hit in found.hits if hit.candidate.cost == cost):
                candidate = replace(hit.candidate, cost=cost + added)
                fit = WEAKLY if added else hit.fit
                yield Explanation(network, search, candidate, fit, found.tried, found.by_chance)


def _digits_of(printed: PrintedNumber) -> Iterator[tuple[PrintedNumber, int]]:
    """The number as it stands, and with last zeros that may be no digits, which assumes more."""
    yield printed, 0
    if printed.zeros and printed.open_unit < printed.value:
        yield replace(printed, unit=printed.open_unit, exact=False, zeros=0), 1


def _candidates(one: CountedNetwork, quantity: str) -> Iterator[tuple[str, list[Candidate]]]:
    """The candidates of each search, of the quantity that is named or of any."""
    names = (quantity,) if quantity else QUANTITIES_ASKED
    yield "total", [_total(one.facts, name, 0) for name in names]
    searches: dict[str, Search] = {
        "conventions": convention_candidates,
        "parts": part_candidates,
        "units": unit_candidates,
    }
    for search, candidates in searches.items():
        of_one = partial(candidates, one.facts)
        yield search, list(_different(c for name in names for c in of_one(name, NETWORK)))
    if one.sizes:
        yield "sizes", [c for c in one.sizes if c.expression.partition("(")[0] in names]


def _total(facts: NetworkFacts, quantity: str, cost: int) -> Candidate:
    value = Fraction(facts.total(quantity))
    return Candidate(QUANTITIES[quantity].words, quoted(quantity, NETWORK), value, cost)


def _different(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Each expression once, as what assumes least."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.expression)
        if known is None or candidate.cost < known.cost:
            best[candidate.expression] = candidate
    yield from best.values()


def _nearest(
    one: CountedNetwork, printed: PrintedNumber, quantity: str
) -> tuple[list[Explanation], list[Explanation]]:
    """What comes next below and above in a network, of what assumes one thing at most.

    Not of parts left out: sums come near anything.
    """
    pool = Pool(
        candidate
        for kind, candidates in _candidates(one, quantity)
        if kind != "parts"
        for candidate in candidates
        if candidate.value and candidate.cost <= 1
    )
    found = pool.against(printed)
    sides = (
        [Explanation(one.named.title, "nearest", near, "contradicts", len(pool), 0.0)]
        if near
        else []
        for near in found.nearest
    )
    below, above = sides
    return below, above


def _rank(hit: Explanation) -> Rank:
    candidate = hit.candidate
    cost = Fraction(candidate.cost)
    return rank_of(Assumed(cost, hit.fit, hit.by_chance, candidate.expression, hit.change))
