"""Units and scopes: a number counted in 1,024s, of a layer in place of all, of a batch of two.

Every quantity of the network, of each kind of layer and of each layer is taken as it is and in each
unit. A paper may count in powers of 1,024 without saying so; GoogLeNet's table prints 1000K for
1,024,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reconcile.search.candidates import Candidate
from reconcile.search.facts import NetworkFacts, quoted
from reconcile.study.printed import PrintedNumber, reading_of_digits
from reconcile.tables.contract import INPUT, KINDS, NETWORK, QUANTITIES

MOST_SCOPES: Final = 400
"""Layers and kinds of layers of one network that are tried, the largest first."""


@dataclass(frozen=True)
class Unit:
    """A factor by which a count may have been printed.

    Attributes:
        says: what it is.
        factor: what the count is multiplied by.
        text: the same, to be written after an expression.
    """

    says: str
    factor: Fraction
    text: str


def _binary(power: int) -> Unit:
    """A letter that stands for a power of 1,024, where it is read as one of 1,000."""
    return Unit(
        f"with {'KMG'[power - 1]} for 2^{10 * power}",
        Fraction(1000, 1024) ** power,
        f" * {1000**power} / {1024**power}",
    )


UNITS: Final = (
    *map(_binary, (1, 2, 3)),
    *(Unit(f"in 2^{10 * n}", Fraction(1, 1024**n), f" / {1024**n}") for n in (1, 2, 3)),
    *(Unit(f"in 10^{3 * n}", Fraction(1, 1000**n), f" / {1000**n}") for n in (1, 2, 3)),
    Unit("in percent", Fraction(100), " * 100"),
    Unit("for a batch of two, or two for one", Fraction(2), " * 2"),
    Unit("halved", Fraction(1, 2), " / 2"),
    Unit("for three channels", Fraction(3), " * 3"),
    Unit("in bytes of four a number", Fraction(4), " * 4"),
    Unit("in bytes of eight a number", Fraction(8), " * 8"),
)
"""Every unit that is tried."""
MOST_CANDIDATES: Final = (MOST_SCOPES + 3) * (len(UNITS) + 1)
"""Candidates for one quantity of one network, at most."""


@dataclass(frozen=True)
class _Scope:
    says: str
    expression: str
    value: int
    cost: int


def unit_candidates(facts: NetworkFacts, quantity: str, selector: str = NETWORK) -> list[Candidate]:
    """Every number that a quantity has in another scope, another unit, or both.

    Args:
        facts: the network.
        quantity: one that adds up over layers; of others there is none.
        selector: the layers in question, which cost nothing, or ``network``.
    """
    known = QUANTITIES.get(quantity)
    if known is None or QUANTITIES[(known.multiple_of or (quantity,))[0]].total is None:
        return []
    return [
        candidate
        for scope in _scopes(facts, quantity, selector)
        for candidate in _in_units(scope)
        if candidate.cost
    ]


def _scopes(facts: NetworkFacts, quantity: str, selector: str) -> Iterator[_Scope]:
    words = QUANTITIES[quantity].words
    asked = facts.total(quantity, selector)
    yield _Scope(_of(words, selector), quoted(quantity, selector), asked, 0)
    if quantity == "neurons":
        given = facts.total(quantity, INPUT)
        both = f"{quoted(quantity, selector)} + neurons(input)"
        yield _Scope(f"{_of(words, selector)} and of the input", both, asked + given, 1)
    if selector != NETWORK:
        yield _Scope(words, quoted(quantity, NETWORK), facts.total(quantity), 1)
    others = [f"kind:{kind}" for kind in KINDS] + [str(row["layer"]) for row in facts.ran]
    counted = [(facts.total(quantity, name), name) for name in others if name != selector]
    counted.sort(key=lambda one: -one[0])
    for value, name in counted[:MOST_SCOPES]:
        if value:
            yield _Scope(_of(words, name), quoted(quantity, name), value, 1)


def _of(words: str, selector: str) -> str:
    if selector.startswith("kind:"):
        return f"{words} of all layers of kind {selector.removeprefix('kind:')}"
    return words if selector == NETWORK else f"{words} of {selector}"


def _in_units(scope: _Scope) -> Iterator[Candidate]:
    yield Candidate(scope.says, scope.expression, Fraction(scope.value), scope.cost)
    expression = f"({scope.expression})" if " + " in scope.expression else scope.expression
    for unit in UNITS:
        yield Candidate(
            f"{scope.says}, {unit.says}",
            expression + unit.text,
            scope.value * unit.factor,
            scope.cost + 1,
        )


@dataclass(frozen=True)
class WholeTable:
    """A unit that fits several printed numbers at once.

    Attributes:
        unit: which.
        fits: the claims that fit in it.
        plain: how many fit without it.
        of: how many there are.
    """

    unit: Unit
    fits: tuple[str, ...]
    plain: int
    of: int


def common_unit(
    printed: Mapping[str, PrintedNumber], counts: Mapping[str, Fraction]
) -> WholeTable | None:
    """The unit in which the most of several numbers come out, if more do than without one.

    Args:
        printed: the numbers, by claim.
        counts: what was counted for each.
    """

    def fitting(factor: Fraction) -> tuple[str, ...]:
        return tuple(
            claim
            for claim, number in printed.items()
            if reading_of_digits(counts[claim] * factor, number) is not None
        )

    plain = len(fitting(Fraction(1)))
    best: Sequence[tuple[int, Unit, tuple[str, ...]]] = sorted(
        ((len(found), unit, found) for unit in UNITS if (found := fitting(unit.factor))),
        key=lambda one: -one[0],
    )
    if not best or best[0][0] <= max(plain, 1):
        return None
    _, unit, fits = best[0]
    return WholeTable(unit, fits, plain, len(printed))
