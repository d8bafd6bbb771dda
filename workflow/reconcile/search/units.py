"""Parts, scopes and units: "without the classifier", of a layer in place of all, counted in 1,024s.

Parts of a network are left out or counted twice. A part is a set of tensors (``PARTS`` in the
contract, by ``tensors.csv``). For parameters the smallest pieces are the tensors themselves; for
what is counted by layer (multiply-adds, neurons) they are the layers, each with the parts that its
weights belong to, and the products of data with data. A piece that several of the parts hold that
are left out is left out once.

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
from itertools import combinations
from math import comb
from typing import Any, Final, NamedTuple

from reconcile.search.candidates import Candidate, NetworkFacts, quoted, words_of
from reconcile.study.expressions import Row, Scope, count_in, number_or_none
from reconcile.study.printed import PrintedNumber, reading_of_digits
from reconcile.tables.contract import BUFFER, INPUT, KINDS, NETWORK, PARTS, QUANTITIES, TRAINABLE
from reconcile.words import listed

MOST_PARTS: Final = 16
"""Parts of one network that are varied, the largest first."""
MOST_CHANGES: Final = 3
"""Parts that are left out or counted twice at a time."""
MOST_SUBSETS: Final = sum(comb(2 * MOST_PARTS, n) for n in range(1, MOST_CHANGES + 1))
"""Candidates for one quantity of one network, at most: each part left out or counted twice."""
OF_TENSORS: Final = ("parameters", "all_parameters")
"""The quantities that are counted tensor by tensor."""
OF_LAYERS: Final = ("macs", "flops", "connections", "neurons")
"""Those that are counted layer by layer."""
DATA: Final = "products of data with data"
_WORDS: Final = {name: name.replace("-", " ") for name in PARTS} | {
    "first": "first layer",
    "tokens": "learned tokens",
    "shared": "tensors that layers share",
    "unused": "tensors that were not read",
    "frozen": "frozen tensors",
    "statistics": "batch statistics",
    "counters": "counters",
    "buffers": "other buffers",
    "auxiliary": "auxiliary heads",
}


USERS: Final = {
    frozenset({"classifier"}): "backbones that are reused",
    frozenset({"fully-connected"}): "backbones that are reused",
    frozenset({"auxiliary"}): "networks as they are used after training",
    **dict.fromkeys(
        (
            frozenset({"embeddings"}),
            frozenset({"embeddings", "positions"}),
            frozenset({"embeddings", "classifier"}),
            frozenset({"embeddings", "positions", "classifier"}),
        ),
        "papers on scaling",
    ),
}
"""Who leaves which parts out."""


@dataclass(frozen=True)
class Piece:
    """What belongs to the same parts.

    Attributes:
        parts: these.
        count: how much of the quantity it is.
        counted: whether the plain count holds it; what is not can only be added.
    """

    parts: frozenset[str]
    count: int
    counted: bool


@dataclass(frozen=True)
class Change:
    """A part that is left out, or counted once more.

    Attributes:
        part: which.
        pieces: the places of its pieces.
        sign: -1 where it is left out, 1 where it is counted once more.
        quantity: what is asked of the part.
    """

    part: str
    pieces: frozenset[int]
    sign: int
    quantity: str

    @property
    def words(self) -> str:
        """The change in words."""
        part = _WORDS.get(self.part, self.part.replace("-", " "))
        return f"{'without' if self.sign < 0 else 'with'} the {part}"


def part_candidates(
    facts: NetworkFacts, quantity: str, selector: str = NETWORK, most: int = MOST_CHANGES
) -> list[Candidate]:
    """Every number that a quantity has with some parts changed.

    Args:
        facts: the network.
        quantity: one of ``OF_TENSORS`` or ``OF_LAYERS``; of others there is none.
        selector: the layers in question, or ``network``.
        most: parts that are changed at a time, at most.
    """
    if quantity not in (*OF_TENSORS, *OF_LAYERS):
        return []
    pieces = pieces_of(facts, quantity, selector)
    total = sum(piece.count for piece in pieces if piece.counted)
    changes = _changes(pieces, quantity)
    base = quoted(quantity, selector)
    found = []
    for chosen in _subsets(changes, most):
        value = total + sum(_effect(pieces, chosen))
        says = f"{words_of(quantity, selector)} {listed([change.words for change in chosen])}"
        cost = sum(2 if _twice(pieces, change) else 1 for change in chosen)
        text = _expression(base, chosen, selector)
        gone = all(change.sign < 0 for change in chosen)
        who = USERS.get(frozenset(change.part for change in chosen), "") if gone else ""
        found.append(Candidate(says, text, Fraction(value), cost, who))
    return found


def pieces_of(facts: NetworkFacts, quantity: str, selector: str) -> list[Piece]:
    """What the selected layers are made of, what belongs to the same parts taken together."""
    if quantity in OF_TENSORS:
        found = _of_tensors(facts.tensors_of(facts.selected(selector)), quantity)
    else:
        found = _of_layers(facts, quantity, selector)
    together: dict[tuple[frozenset[str], bool], int] = {}
    for piece in found:
        key = piece.parts, piece.counted
        together[key] = together.get(key, 0) + piece.count
    return [Piece(parts, count, counted) for (parts, counted), count in together.items() if count]


def _of_tensors(tensors: Sequence[Row], quantity: str) -> Iterator[Piece]:
    for row in tensors:
        trained, kept = row["held"] == TRAINABLE, row["held"] == BUFFER
        counted = trained or (quantity == "all_parameters" and not kept)
        yield Piece(frozenset(row["parts"].split()), count_in(row, "elements"), counted)


def _of_layers(facts: NetworkFacts, quantity: str, selector: str) -> Iterator[Piece]:
    for row in facts.selected(selector):
        if row["kind"] == INPUT:
            continue
        parts = layer_parts(facts, row)
        count = NetworkFacts([row]).total(quantity)
        data = count_in(row, "data_macs") * (2 if quantity == "flops" else 1)
        if quantity in ("macs", "flops") and data:
            yield Piece(parts | {DATA}, data, counted=True)
            count -= data
        yield Piece(parts, count, counted=True)


def layer_parts(facts: NetworkFacts, row: Row) -> frozenset[str]:
    """The parts of a layer as a whole: those of any of its tensors but its bias."""
    own = (t["parts"].split() for t in facts.tensors if t["layer"] == row["layer"])
    return frozenset(part for parts in own if "biases" not in parts for part in parts)


def _changes(pieces: Sequence[Piece], quantity: str) -> list[Change]:
    """Each part left out or counted once more, the largest parts only where they are too many."""
    sizes: dict[str, int] = {}
    for piece in pieces:
        for part in piece.parts:
            sizes[part] = sizes.get(part, 0) + piece.count
    largest = sorted(sizes, key=lambda part: (-sizes[part], part))[:MOST_PARTS]
    every = frozenset(i for i, piece in enumerate(pieces) if piece.counted)
    found, seen = [], set()
    for part in sorted(largest, key=_place):
        held = frozenset(i for i, piece in enumerate(pieces) if part in piece.parts)
        if held in seen:
            continue  # another name of a part that is varied already
        seen.add(held)
        counted = frozenset(i for i in held if pieces[i].counted)
        if counted == every:
            continue  # what is left would be nothing
        if counted:
            found += [Change(part, counted, sign, quantity) for sign in (-1, 1)]
        else:
            frozen = all("frozen" in pieces[i].parts for i in held)
            found.append(Change(part, held, 1, "frozen" if frozen else "buffers"))
    return found


def _place(part: str) -> tuple[int, str]:
    """Where a part stands among those that are known; a study's own come first."""
    known = list(PARTS)
    return (known.index(part) if part in PARTS else -1), part


def _twice(pieces: Sequence[Piece], change: Change) -> bool:
    """Whether something is counted twice that one layer holds."""
    shared = all("shared" in pieces[i].parts for i in change.pieces)
    return change.sign > 0 and any(pieces[i].counted for i in change.pieces) and not shared


def _subsets(changes: Sequence[Change], most: int) -> Iterator[tuple[Change, ...]]:
    """Changes of different parts, each of which changes something that the others do not."""
    for size in range(1, most + 1):
        for chosen in combinations(changes, size):
            if len({change.part for change in chosen}) == size and _apart(chosen):
                yield chosen


def _apart(chosen: Sequence[Change]) -> bool:
    """Whether nothing is both left out and counted twice, and no part lies within another."""
    for one, other in combinations(chosen, 2):
        if one.sign != other.sign or DATA in (one.part, other.part):
            if one.pieces & other.pieces:
                return False
        elif one.pieces <= other.pieces or other.pieces <= one.pieces:
            return False
    return True


def _effect(pieces: Sequence[Piece], chosen: Sequence[Change]) -> Iterator[int]:
    gone = frozenset[int]().union(*(change.pieces for change in chosen if change.sign < 0))
    yield -sum(pieces[i].count for i in gone)
    for change in chosen:
        if change.sign > 0:
            yield sum(pieces[i].count for i in change.pieces)


def _expression(base: str, chosen: Sequence[Change], selector: str) -> str:
    """What is left out, each piece once, and what is counted once more."""
    gone = [change.part for change in chosen if change.sign < 0]
    quantity = next((change.quantity for change in chosen if change.sign < 0), "")
    text = base
    if parts := [part for part in gone if part != DATA]:
        text += f" - {_of_parts(quantity, parts, selector)}"
    if DATA in gone:
        text += f" - {_of_parts(quantity, [DATA], selector)}"
    for change in chosen:
        if change.sign > 0:
            text += f" + {_of_parts(change.quantity, [change.part], selector)}"
    return text


def _of_parts(quantity: str, parts: Sequence[str], selector: str) -> str:
    if DATA in parts:
        return f"{2 if quantity == 'flops' else 1} * {quoted('data_macs', selector)}"
    of = "" if selector == NETWORK else f" of {selector}"
    return f"{quantity}('part:{'|'.join(parts)}{of}')"


# Scopes and units.

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


UNITS: Final = (
    # A letter that stands for a power of 1,024, where it is read as one of 1,000.
    Unit("with K for 2^10", Fraction(1000, 1024), " * 1000 / 1024"),
    Unit("with M for 2^20", Fraction(1000, 1024) ** 2, " * 1000000 / 1048576"),
    Unit("with G for 2^30", Fraction(1000, 1024) ** 3, " * 1000000000 / 1073741824"),
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


def _scopes(facts: NetworkFacts, quantity: str, selector: str) -> Iterator[Candidate]:
    asked = Fraction(facts.total(quantity, selector))
    yield Candidate(_words(quantity, selector), quoted(quantity, selector), asked, 0)
    if quantity == "neurons":
        given = facts.total(quantity, INPUT)
        both = f"{quoted(quantity, selector)} + neurons(input)"
        yield Candidate(f"{_words(quantity, selector)} and of the input", both, asked + given, 1)
    if selector != NETWORK:
        whole = Fraction(facts.total(quantity))
        yield Candidate(_words(quantity, NETWORK), quoted(quantity, NETWORK), whole, 1)
    others = [f"kind:{kind}" for kind in KINDS] + [str(row["layer"]) for row in facts.ran]
    counted = [(facts.total(quantity, name), name) for name in others if name != selector]
    counted.sort(key=lambda one: -one[0])
    for value, name in counted[:MOST_SCOPES]:
        if value:
            yield Candidate(_words(quantity, name), quoted(quantity, name), Fraction(value), 1)


def _words(quantity: str, selector: str) -> str:
    return words_of(quantity, selector.replace("kind:", "all layers of kind ", 1))


def _in_units(scope: Candidate) -> Iterator[Candidate]:
    yield scope
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
class Changed(Scope):
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
