"""Units and scopes: a number counted in 1,024s, of a layer in place of all, of a batch of two.

Every quantity of the network, of each kind of layer and of each layer is taken as it is and in each
unit. A paper may count in powers of 1,024 without saying so; GoogLeNet's table prints 1000K for
1,024,000.

Of a claim that counts more than one thing (a sum, share, ratio or product) one quantity at a time
is taken as something else, wherever it stands; the others stay as they were measured. Whatever the
expression does with them, it is evaluated and not taken apart. Of one that holds no plain quantity
(``printed(a) * 2``) nobody can say what to vary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

from reconcile.search.candidates import Candidate, NetworkFacts, quoted, words_of
from reconcile.study.expressions import Scope, number_or_none
from reconcile.study.printed import PrintedNumber, reading_of_digits
from reconcile.tables.contract import INPUT, KINDS, NETWORK, QUANTITIES

MOST_SCOPES: Final = 400
"""Layers and kinds of layers of one network that are tried, the largest first."""
MOST_TERMS: Final = 4
"""Quantities of one expression that are varied, the first ones."""
MOST_ASSUMED: Final = 2
"""Things that a candidate may assume of the quantity it takes the place of."""
_PLAIN: Final = re.compile(r"\b(\w+)\((['\"]?)([^'\"(),]+)\2\)")

Candidates = Callable[[NetworkFacts, str, str], list[Candidate]]


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
    asked = facts.total(quantity, selector)
    yield _Scope(_words(quantity, selector), quoted(quantity, selector), asked, 0)
    if quantity == "neurons":
        given = facts.total(quantity, INPUT)
        both = f"{quoted(quantity, selector)} + neurons(input)"
        yield _Scope(f"{_words(quantity, selector)} and of the input", both, asked + given, 1)
    if selector != NETWORK:
        yield _Scope(_words(quantity, NETWORK), quoted(quantity, NETWORK), facts.total(quantity), 1)
    others = [f"kind:{kind}" for kind in KINDS] + [str(row["layer"]) for row in facts.ran]
    counted = [(facts.total(quantity, name), name) for name in others if name != selector]
    counted.sort(key=lambda one: -one[0])
    for value, name in counted[:MOST_SCOPES]:
        if value:
            yield _Scope(_words(quantity, name), quoted(quantity, name), value, 1)


def _words(quantity: str, selector: str) -> str:
    return words_of(quantity, selector.replace("kind:", "all layers of kind ", 1))


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

    Both the numbers and what was counted for each are by claim.
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


class Varied(NamedTuple):
    """A quantity of some layers, or of ``network``."""

    quantity: str
    selector: str

    @property
    def words(self) -> str:
        """The same in words."""
        return words_of(self.quantity, self.selector)


def terms_of(expression: str) -> tuple[Varied, ...]:
    """The plain quantities of an expression, each once, in order; of another network none."""
    found = (Varied(m[1], m[3]) for m in _PLAIN.finditer(expression) if m[1] in QUANTITIES)
    return tuple(dict.fromkeys(found))


def is_plain(expression: str) -> bool:
    """Whether an expression is one quantity and nothing else."""
    match = _PLAIN.fullmatch(expression.strip())
    return match is not None and match[1] in QUANTITIES


@dataclass(frozen=True)
class Changed:
    """What an expression finds where one of its quantities is another number.

    Attributes:
        scope: what was measured.
        term: the quantity.
        value: what it is instead.
    """

    scope: Scope
    term: Varied
    value: Fraction

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """As measured, but for the one."""
        changed = (name, selector) == self.term
        return [self.value] if changed else self.scope.quantity(name, selector)

    def lookup(self, function: str, name: str) -> Any:
        """As it is."""
        return self.scope.lookup(function, name)

    def other(self, network: str) -> Scope:
        """Of another network nothing is changed."""
        return self.scope.other(network)

    def count(self, function: str, claims: list[str]) -> int:
        """As it is."""
        return self.scope.count(function, claims)

    def errors(self, claims: list[str]) -> list[Fraction]:
        """As they are: each claim counts for itself."""
        return self.scope.errors(claims)


def composed_candidates(
    expression: str, facts: NetworkFacts, scope: Scope, candidates: Candidates
) -> list[Candidate]:
    """Every number that an expression gives with one of its quantities taken as a candidate."""
    found = []
    for term in terms_of(expression)[:MOST_TERMS]:
        for one in candidates(facts, *term):
            value = number_or_none(expression, Changed(scope, term, one.value))
            if value is not None and one.cost <= MOST_ASSUMED:
                says = f"{one.says} for {term.words}"
                text = with_term(expression, term, one.expression)
                found.append(Candidate(says, text, value, one.cost))
    return found


def in_units(expression: str, scope: Scope) -> Iterator[Candidate]:
    """The number of a whole expression in each unit."""
    value = number_or_none(expression, scope)
    for unit in UNITS if value is not None else ():
        text = f"({expression}){unit.text}"
        yield Candidate(f"the same, {unit.says}", text, (value or 0) * unit.factor, 1)


def without_units(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Other scopes alone: a unit is the whole expression's."""
    return [c for c in candidates if not any(c.expression.endswith(u.text) for u in UNITS)]


def with_term(expression: str, term: Varied, text: str) -> str:
    """An expression with something in the place of one of its quantities."""
    put = f"({text})" if " " in text else text

    def placed(match: re.Match[str]) -> str:
        return put if (match[1], match[3]) == term else match[0]

    return _PLAIN.sub(placed, expression)
