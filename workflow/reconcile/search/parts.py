"""Parts of a network left out or counted twice: "without the classifier", "with the statistics".

A part is a set of tensors (``PARTS`` in the contract, by ``tensors.csv``). For parameters the
smallest pieces are the tensors themselves; for what is counted by layer (multiply-adds, neurons)
they are the layers, each with the parts that its weights belong to, and the products of data with
data. A piece that several of the parts hold that are left out is left out once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Final

from reconcile.search.candidates import Candidate, NetworkFacts, quoted, words_of
from reconcile.study.expressions import Row, count_in
from reconcile.tables.contract import BUFFER, NETWORK, PARTS, TRAINABLE
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
        found.append(Candidate(says, text, Fraction(value), cost, _who(chosen)))
    return found


def _who(chosen: Sequence[Change]) -> str:
    """Who leaves just these out, as far as that is known."""
    gone = all(change.sign < 0 for change in chosen)
    return USERS.get(frozenset(change.part for change in chosen), "") if gone else ""


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
    own = set(map(id, facts.selected(selector)))
    for row in facts.ran:
        if id(row) not in own:
            continue
        parts = layer_parts(facts, row)
        one = NetworkFacts([row])
        count = one.total(quantity)
        data = 2 * count_in(row, "data_macs") if quantity == "flops" else count_in(row, "data_macs")
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
