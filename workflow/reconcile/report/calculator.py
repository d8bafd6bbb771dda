"""Where a number occurs among all that a study counted: for the page's calculator, and for paper.

The page carries every number of the readings that it shows, each with what is counted and under
which readings, so that a number can be looked up from disk. ``templates/calculator.js`` looks up as
``looked_up`` does here; a test holds them against each other.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from reconcile.report.views import Results
from reconcile.search.candidates import NetworkFacts, quoted
from reconcile.search.conventions import convention_candidates
from reconcile.search.unexplained import Assumed, rank_of
from reconcile.search.units import UNITS, Unit, part_candidates
from reconcile.study.expressions import count_in, with_own_parts
from reconcile.study.model import SINGLE, Claim, Study
from reconcile.study.printed import PrintedNumber, reading_of_digits, spelling
from reconcile.tables.contract import (
    FITS,
    INPUT,
    KINDS,
    MEASURED,
    MULTIPLIED,
    NETWORK,
    QUANTITIES,
    WEAKLY,
    layer_quantities,
    total_quantities,
)
from reconcile.tables.rows import Row, grouped_by
from reconcile.words import count_of

MOST_BYTES: Final = 120_000
"""Of the numbers in a page; what is beyond is left out, the readings that rank last first."""
LEAST: Final = 2
"""What a layer has less of than this, everything has."""
PLAIN: Final = Unit("", Fraction(1), "")
OTHER_UNITS: Final = tuple(unit for unit in UNITS if unit.factor != 100)  # noqa: PLR2004 - percent
"""A percentage is read as the share that it is; a count in percent is nothing."""
_OF_LAYERS: Final = tuple(
    name
    for name in layer_quantities()
    if not QUANTITIES[name].seen and name not in ("layers", "calls")
)
_AS_ANOTHER: Final = {
    "all_parameters": ("parameters", 1),
    "real_parameters": ("parameters", 1),
    "used_parameters": ("parameters", 1),
    "connections": ("macs", 1),
    "length": ("height", 1),
    "features": ("channels", 1),
    "weight_bytes": ("all_parameters", 4),
    "output_bytes": ("neurons", 4),
}
"""A quantity that is left out where it is so many times another: a unit says it."""
MOST_PLACES: Final = 3
"""Other places of a printed number that paper names."""
USUAL: Final = ("parameters", "macs", "flops", "neurons", "connections")
"""What papers count: first among what must assume as much and fits as well."""


class CountedNumber(NamedTuple):
    """What is counted.

    Attributes:
        says: in words.
        expression: to be pasted into a study.
        cost: how many things must be assumed.
    """

    says: str
    expression: str
    cost: int


class Place(NamedTuple):
    """A quantity of a layer, of a kind of layers, or of the network.

    Attributes:
        quantity: its name.
        layer: of what.
        more: how many further layers have the same under the same readings.
    """

    quantity: str
    layer: str
    more: int = 0

    @property
    def counted(self) -> CountedNumber:
        """The same in words and as an expression."""
        words, cost = QUANTITIES[self.quantity].words, int(self.layer != NETWORK)
        also = f" and {count_of(self.more, 'more layer')}" if self.more else ""
        of = "" if self.layer == NETWORK else f" of {named(self.layer)}{also}"
        return CountedNumber(f"{words}{of}", quoted(self.quantity, self.layer), cost)


def named(layer: str) -> str:
    """A layer, or a kind of layers, in words."""
    kind = layer.removeprefix("kind:")
    return layer if kind == layer else f"all layers of kind {kind}"


What = Place | CountedNumber
Key = tuple[str, ...]
"""A reading, and the name of one of its networks."""
Values = Iterable[tuple[Fraction, What]]


@dataclass(frozen=True)
class LookupTable:
    """Everything that was counted under some readings.

    Attributes:
        networks: what each network is called: its reading, and its own name where it has one.
        found: by number, in ascending order, what is counted and the places of its networks.
        left_out: networks of readings that the page shows, and of which there was no room.
    """

    networks: tuple[str, ...]
    found: Mapping[Fraction, Sequence[tuple[What, tuple[int, ...]]]]
    left_out: int = 0

    @property
    def packed(self) -> Markup:
        """The same for a script in the page, with how numbers are spelled and in which units."""
        units = [[unit.says, str(unit.factor), unit.text] for unit in OTHER_UNITS]
        known = {"spelling": spelling(), "units": units, "usual": USUAL}
        return _json(self._indexed() | known)

    def _indexed(self) -> dict[str, Any]:
        """Every word once, and places of words."""
        sets, quantities, layers, texts = ({}, {}, {NETWORK: 0}, {})  # type: ignore[var-annotated]
        at = []
        for occurrences in self.found.values():
            cells: list[int] = []
            for what, networks in occurrences:
                chosen = sets.setdefault(networks, len(sets))
                if isinstance(what, Place):
                    quantity = quantities.setdefault(what.quantity, len(quantities))
                    layer = layers.setdefault(what.layer, len(layers))
                    cells += [quantity, layer, chosen, what.more]
                else:
                    cells += [-1 - texts.setdefault(what, len(texts)), 0, chosen, 0]
            at.append(cells)
        return {
            "networks": self.networks,
            "sets": [*sets],
            "quantities": [[name, QUANTITIES[name].words] for name in quantities],
            "layers": [[name, named(name)] if name != named(name) else name for name in layers],
            "texts": [*texts],
            # Exactly: whole, or as a ratio.
            "values": [*map(str, self.found)],
            "at": at,
        }


def _json(data: Any) -> Markup:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # Within a script element nothing else ends the data.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - it is data, and escaped


class LookedUp(NamedTuple):
    """One way in which a number occurs.

    Attributes:
        counted: what is counted, with its unit.
        value: the number that it is, in that unit.
        fit: how that stands to the digits.
        networks: places of the networks of which it is true.
        plain: whether no unit is assumed.
        usual: whether it is what papers count, or a study or a tool for them.
    """

    counted: CountedNumber
    value: Fraction
    fit: str
    networks: tuple[int, ...]
    plain: bool
    usual: bool


def numbers_of(results: Results, shown: Sequence[str]) -> LookupTable:
    """Every number of the readings that a page shows, as many of them as there is room for.

    Those of the best ranked readings, which are ``shown`` first, go before others.
    """
    measured = [
        (row["interpretation"], row["network"])
        for reading in shown
        for row in results.table("totals")
        if row["interpretation"] == reading and row["status"] in MEASURED
    ]
    counted = _by_network(results, measured)
    known = len(measured)
    while True:
        numbers = _put_together({key: counted[key] for key in measured[:known]})
        if known <= 1 or len(_json(numbers._indexed())) <= MOST_BYTES:
            return LookupTable(numbers.networks, numbers.found, len(measured) - known)
        known = known * 3 // 4


def _by_network(results: Results, keys: Sequence[Key]) -> dict[Key, list[tuple[Fraction, What]]]:
    """Everything that was counted of each network."""
    layers, tensors = (
        grouped_by(results.table(name), "interpretation", "network")
        for name in ("layers", "tensors")
    )
    readings = {reading for reading, _ in keys}
    countings = grouped_by(
        (row for row in results.table("countings") if row["interpretation"] in readings),
        "interpretation",
    )
    found = {}
    for key in keys:
        own = with_own_parts(tensors.get(key, []), results.study.parts)
        facts = NetworkFacts(layers.get(key, []), own)
        claims = _of_claims(results.study, key[1], countings.get(key[:1], []))
        found[key] = [*_of_network(facts), *claims]
    return found


def _put_together(counted: Mapping[Key, Values]) -> LookupTable:
    """What several networks share told once, and layers with the same number put together."""
    places: dict[tuple[Fraction, What], list[int]] = {}
    for i, values in enumerate(counted.values()):
        for value, what in values:
            own = places.setdefault((value, what), [])
            if own[-1:] != [i]:
                own.append(i)
    alike: dict[tuple[Fraction, str, tuple[int, ...]], list[Place]] = {}
    found: dict[Fraction, list[tuple[What, tuple[int, ...]]]] = {}
    for (value, what), own in places.items():
        if isinstance(what, Place) and what.layer != NETWORK:
            alike.setdefault((value, what.quantity, tuple(own)), []).append(what)
        else:
            found.setdefault(value, []).append((what, tuple(own)))
    for (value, _, networks), several in alike.items():
        first = several[0]._replace(more=len(several) - 1)
        found.setdefault(value, []).append((first, networks))
    names = tuple(r if network == SINGLE else f"{r}: {network}" for r, network in counted)
    return LookupTable(names, {value: found[value] for value in sorted(found)})


def _of_network(facts: NetworkFacts) -> Iterator[tuple[Fraction, What]]:
    """Totals, layers, kinds of layers, conventions and parts of one network."""
    rows = facts.layers
    whole = not any(row["uncounted"] for row in rows)
    summed = [name for name in total_quantities() if name in QUANTITIES]
    yield from _told({name: facts.total(name) for name in (*summed, "flops")}, NETWORK, whole=whole)
    for (kind,), own in grouped_by(rows, "kind").items():
        if kind in KINDS and len(own) > 1:
            sums = {name: sum(count_in(row, name) for row in own) for name in summed}
            yield from _told(sums, f"kind:{kind}", whole=whole)
    for row in rows:
        own_counts = {name: count_in(row, name) for name in _OF_LAYERS}
        layer = INPUT if row["kind"] == INPUT else row["layer"]
        yield from _told(own_counts, layer, whole=not row["uncounted"])
    for quantity in ("parameters", *(("macs",) if whole else ())):
        totals = {facts.total(name) for name in (quantity, "flops")}
        several = convention_candidates(facts, quantity), part_candidates(facts, quantity, most=1)
        for one in (one for candidates in several for one in candidates if one.cost == 1):
            if one.value >= LEAST and one.value not in totals:
                yield one.value, CountedNumber(one.says, one.expression, one.cost)


def _told(
    counts: Mapping[str, int], layer: str, *, whole: bool
) -> Iterator[tuple[Fraction, Place]]:
    """Each count that no other one says; of products that were not all counted nothing is said."""
    for name, value in counts.items():
        same, times = _AS_ANOTHER.get(name, ("", 0))
        told = same in counts and value == times * counts[same]
        lacking = not whole and name in (*MULTIPLIED, "flops")
        if value >= LEAST and not told and not lacking:
            yield Fraction(value), Place(name, layer)


def _of_claims(
    study: Study, network: str, rows: Iterable[Row]
) -> Iterator[tuple[Fraction, CountedNumber]]:
    """What a study counts for its claims by expressions of its own."""
    claims = {claim.id: claim for claim in study.claims if claim.network == network}
    for row in (row for row in rows if row["measured"] and row["claim"] in claims):
        claim = claims[row["claim"]]
        own = {one.id: one.count for one in claim.countings}
        expression = own.get(row["counting"], claim.expression)
        if not _is_plain(expression):
            says = f"{row['title'] or claim.id}, for {claim.id}"
            yield Fraction(row["measured"]), CountedNumber(says, expression, 0)


def _is_plain(expression: str) -> bool:
    """Whether an expression is a quantity of something, which the tables hold."""
    head, _, rest = expression.partition("(")
    return head in QUANTITIES and rest.count("(") == 0 and rest.endswith(")")


def looked_up(numbers: LookupTable, printed: PrintedNumber) -> list[LookedUp]:
    """Everything that gives a number, what must assume least first."""
    values = [*numbers.found]
    hits = []
    for unit in (PLAIN, *OTHER_UNITS):
        low, high = (bound / unit.factor for bound in _widest(printed))
        for value in values[bisect_left(values, low) : bisect_right(values, high)]:
            if fit := _fit(value * unit.factor, printed):
                hits += [
                    LookedUp(
                        _in_unit(what.counted if isinstance(what, Place) else what, unit),
                        value * unit.factor,
                        fit,
                        networks,
                        unit is PLAIN,
                        not isinstance(what, Place) or what.quantity in USUAL,
                    )
                    for what, networks in numbers.found[value]
                ]
    return sorted(hits, key=_rank)


def _rank(hit: LookedUp) -> tuple[Any, ...]:
    cost, expression = Fraction(hit.counted.cost), hit.counted.expression
    *assumed, length, text = rank_of(Assumed(cost, hit.fit, 0, expression, "total"))
    return (*assumed, not hit.usual, length, text, hit.networks)


def _widest(printed: PrintedNumber) -> tuple[Fraction, Fraction]:
    """Between which numbers all lie that may fit."""
    unit = printed.open_unit if _may_open(printed) else printed.unit
    return printed.value - unit, printed.value + unit


def _may_open(printed: PrintedNumber) -> bool:
    """Whether last zeros may be no digits: something must be left of the number."""
    return printed.zeros > 0 and printed.open_unit < printed.value


def _fit(measured: Fraction, printed: PrintedNumber) -> str:
    """How a number stands to the digits; empty where it is another one."""
    fit = reading_of_digits(measured, printed)
    if fit is None and _may_open(printed) and printed.fits_without_zeros(measured):
        return WEAKLY
    return fit or ""


def _in_unit(counted: CountedNumber, unit: Unit) -> CountedNumber:
    if unit is PLAIN:
        return counted
    sums = any(sign in counted.expression for sign in (" + ", " - ", " / "))
    expression = f"({counted.expression})" if sums else counted.expression
    return CountedNumber(f"{counted.says}, {unit.says}", expression + unit.text, counted.cost + 1)


class Elsewhere(NamedTuple):
    """A claim that a reading gives, and where else its number occurs.

    Attributes:
        claim: the claim.
        places: the best of these.
        more: how many others there are.
    """

    claim: Claim
    places: tuple[CountedNumber, ...]
    more: int


def elsewhere(results: Results, numbers: LookupTable) -> list[Elsewhere]:
    """The printed numbers that some reading gives, and what else has the number as it stands."""
    given = {row["claim"] for row in results.table("verdicts") if row["verdict"] in FITS}
    found = []
    for claim in (c for c in results.study.claims if c.id in given and c.relation == "equals"):
        own = {claim.expression, *(one.count for one in claim.countings)}
        own |= {one.replace("'", "") for one in own}
        hits = (
            hit.counted
            for hit in looked_up(numbers, claim.number)
            if hit.plain and hit.fit in FITS and hit.counted.expression not in own
        )
        other = tuple({counted.expression: counted for counted in hits}.values())
        found.append(Elsewhere(claim, other[:MOST_PLACES], max(len(other) - MOST_PLACES, 0)))
    return found
