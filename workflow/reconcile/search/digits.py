"""Slips of digits over everything that was measured of a network: one digit wrong, anywhere.

The printed digits are held against each quantity of each layer, rounded and cut to their precision:
a digit substituted, inserted or deleted, or two neighbours swapped. The distance is symmetric, so
the numbers one edit away from the printed digits are looked up among what was measured.

By chance: a number of as many digits that has nothing to do with them is drawn evenly, and as many
candidates are one edit away as the share of such numbers that one candidate reaches, summed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Final

from reconcile.search.candidates import MOST_LISTED, Candidate, Findings, Fitting
from reconcile.search.given import NetworkFacts, number, quoted
from reconcile.search.misprint import single_edits
from reconcile.study.printed import PrintedNumber
from reconcile.tables.contract import COUNTED_KINDS, INPUT, NETWORK, QUANTITIES, layer_quantities

FEWEST_DIGITS: Final = 3
"""Two digits are one edit away from almost anything."""
MOST_MEASURED: Final = 20_000
"""Quantities of layers of one network that are looked at, in the order of the table."""
FIT: Final = "one-edit"


@lru_cache(maxsize=200_000)
def _edits(value: int) -> tuple[int, ...]:
    return single_edits(value)


class Digits:
    """Every measured number of one network, looked up by digits one edit away.

    Args:
        facts: the network.
    """

    def __init__(self, facts: NetworkFacts) -> None:
        self._measured = list(_measured(facts))[:MOST_MEASURED]
        self._by_unit: dict[Fraction, dict[int, list[tuple[str, str, int]]]] = {}

    @property
    def signature(self) -> tuple[tuple[str, str, int], ...]:
        """Equal for two networks that this search cannot tell apart."""
        return tuple(self._measured)

    def against(self, printed: PrintedNumber, quantity: str, selector: str) -> Findings:
        """What was measured whose digits are one edit away from the printed ones.

        Args:
            printed: the number; with fewer than ``FEWEST_DIGITS`` digits nothing is found.
            quantity: what the claim is about, which costs least.
            selector: the layers that it is about.
        """
        step = Fraction(1) if printed.exact else printed.unit
        digits = int(printed.value / step)
        known = self._at(step)
        length = len(str(digits))
        if digits <= 0 or length < FEWEST_DIGITS:
            return Findings(0, (), 0, 0.0, (None, None))
        asked = (quantity, selector)
        hits = [
            Fitting(_candidate(measured, near, printed, asked), FIT)
            for near in _edits(digits)
            for measured in known.get(near, ())
        ]
        hits.sort(key=lambda hit: (hit.candidate.cost, hit.candidate.expression))
        by_chance = _by_chance(tuple(known), length)
        return Findings(
            len(self._measured), tuple(hits[:MOST_LISTED]), len(hits), by_chance, (None, None)
        )

    def _at(self, step: Fraction) -> dict[int, list[tuple[str, str, int]]]:
        """What was measured, by its digits in steps of the last printed one."""
        if step not in self._by_unit:
            found: dict[int, list[tuple[str, str, int]]] = {}
            for one in self._measured:
                cut, rounded = int(one[2] / step), int(one[2] / step + Fraction(1, 2))
                for digits in {cut, rounded}:
                    found.setdefault(digits, []).append(one)
            self._by_unit[step] = found
        return self._by_unit[step]


def _measured(facts: NetworkFacts) -> Iterator[tuple[str, str, int]]:
    """Quantity, layer and value of each number, totals first; each value of a quantity once."""
    names = [n for n in layer_quantities() if not QUANTITIES[n].seen]
    for name in names:
        kinds = COUNTED_KINDS if QUANTITIES[name].total == "counted" else ()
        if QUANTITIES[name].total is not None:
            rows = (row for row in facts.layers if not kinds or row["kind"] in kinds)
            yield name, NETWORK, sum(number(row, name) for row in rows)
    seen: set[tuple[str, int]] = set()
    for row in facts.layers:
        for name in names:
            value = number(row, name)
            if value and (name, value) not in seen:
                seen.add((name, value))
                yield name, INPUT if row["kind"] == INPUT else str(row["layer"]), value


def _candidate(
    measured: tuple[str, str, int], near: int, printed: PrintedNumber, asked: tuple[str, str]
) -> Candidate:
    """What was measured; another layer and another quantity must be assumed besides the slip."""
    name, layer, value = measured
    cost = 1 + (layer != asked[1]) + (name != asked[0])
    of = "" if layer == NETWORK else f" of {layer}"
    says = f"{near} typed as {printed.text}: {QUANTITIES[name].words}{of}"
    return Candidate(says, quoted(name, layer), Fraction(value), cost)


@lru_cache(maxsize=4096)
def _by_chance(known: tuple[int, ...], length: int) -> float:
    """How many of the known numbers are one edit away from one of so many digits, on average."""
    low, high = int(10 ** (length - 1)), int(10**length)
    near = (n for n in known if low // 10 <= n < high * 10)
    reached = sum(sum(low <= other < high for other in _edits(n)) for n in near)
    return reached / (high - low)
