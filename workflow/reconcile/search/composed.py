"""Claims that count more than one thing: sums, shares, ratios, products of quantities.

One quantity of the expression at a time is taken as something else, wherever it stands in it; the
others stay as they were measured. Whatever the expression does with them, it is evaluated and not
taken apart. Of one that holds no plain quantity (``printed(a) * 2``) nobody can say what to vary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

from reconcile.search.candidates import Candidate
from reconcile.search.facts import NetworkFacts
from reconcile.search.units import UNITS
from reconcile.study.expressions import ExpressionError, Scope, evaluate
from reconcile.tables.contract import NETWORK, QUANTITIES

MOST_TERMS: Final = 4
"""Quantities of one expression that are varied, the first ones."""
MOST_ASSUMED: Final = 2
"""Things that a candidate may assume of the quantity it takes the place of."""
_PLAIN: Final = re.compile(r"\b(\w+)\((['\"]?)([^'\"(),]+)\2\)")

Candidates = Callable[[NetworkFacts, str, str], list[Candidate]]


class Varied(NamedTuple):
    """A quantity of some layers, or of ``network``."""

    quantity: str
    selector: str

    @property
    def words(self) -> str:
        """The same in words."""
        words = QUANTITIES[self.quantity].words
        return words if self.selector == NETWORK else f"{words} of {self.selector}"


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
    """Every number that an expression gives with one of its quantities taken as a candidate.

    Args:
        expression: of a claim, not a plain one.
        facts: the network that the claim is about.
        scope: what was measured of it and of others.
        candidates: those of a search, of one quantity.
    """
    found = []
    for term in terms_of(expression)[:MOST_TERMS]:
        for one in candidates(facts, *term):
            value = _evaluated(expression, Changed(scope, term, one.value))
            if value is not None and one.cost <= MOST_ASSUMED:
                says = f"{one.says} for {term.words}"
                text = with_term(expression, term, one.expression)
                found.append(Candidate(says, text, value, one.cost))
    return found


def in_units(expression: str, scope: Scope) -> Iterator[Candidate]:
    """The number of a whole expression in each unit."""
    value = _evaluated(expression, scope)
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


def _evaluated(expression: str, scope: Scope) -> Fraction | None:
    try:
        value = evaluate(expression, scope)
    except ExpressionError:
        return None
    return value if isinstance(value, Fraction) else None
