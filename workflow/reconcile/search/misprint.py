"""A misprinted number: what a search for slips is given, what it returns, and slips of the pen.

One edit of a number substitutes, inserts or deletes a digit, or swaps two neighbours. The distance
is the optimal string alignment distance, i.e. the Damerau-Levenshtein distance in which no digit is
edited twice (F. J. Damerau, Communications of the ACM 7(3), 1964, found that these four edits
make up most typing errors). Numbers are positive and printed without leading zeros.

``Digits`` looks for such slips in everything that was measured of a network. The printed digits are
held against each quantity of each layer, rounded and cut to their precision. The distance is
symmetric, so the numbers one edit away from the printed ones are looked up among what was measured.
By chance: a number of as many digits that has nothing to do with them is drawn evenly, and as many
candidates are one edit away as the share of such numbers that one candidate reaches, summed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reconcile.search.candidates import (
    MOST_LISTED,
    Candidate,
    Findings,
    Fitting,
    NetworkFacts,
    quoted,
    words_of,
)
from reconcile.study.expressions import count_in
from reconcile.study.printed import PrintedNumber
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES, layer_quantities
from reconcile.words import count_of

Integers = NDArray[np.int64]
# 64-bit integers end at 9.2e18, and a product is computed only up to one more digit.
LARGEST: Final = 10**17
# 128 KiB of integers, so that a block and its results stay in a core's second-level cache.
BLOCK: Final = 1 << 14

# Small numbers have hits without end. The first ones are kept, and all of them are counted.
MOST_HITS: Final = 100
FEWEST_DIGITS: Final = 3
"""Two digits are one edit away from almost anything."""
MOST_MEASURED: Final = 20_000
"""Quantities of layers of one network that are looked at, in the order of the table."""
FIT: Final = "one-edit"


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a search is to hit a number that has nothing to do with it.

    The model: the number is drawn evenly from all integers with as many digits as the printed
    one (`possible`), and the search hits it if it is one of the `reached` values. With a
    `divisor`, both are counted among its multiples only: what is asked then is how likely a hit
    is for a number already known to be, say, a multiple of the number of channels.
    """

    reached: int
    possible: int
    divisor: int = 1

    @property
    def probability(self) -> Fraction:
        """The share of the possible numbers that the search reaches, exactly."""
        return Fraction(self.reached, self.possible) if self.possible else Fraction(0)


class Named(NamedTuple):
    """A factor of a product, a term of a sum or another quantity, by the name a reader knows."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Misprint:
    """A printed number, the parts that should have given it, and the numbers at hand.

    Args:
        printed: The number as printed.
        parts: The factors of the right product, or the terms of the right sum.
        vocabulary: The numbers that the paper prints; sorted, and each kept once.
        divisor: What the chance of a hit takes for granted: that the number is a multiple.
    """

    printed: int
    parts: tuple[Named, ...]
    vocabulary: tuple[int, ...]
    divisor: int = 1

    @classmethod
    def of(
        cls,
        printed: int,
        parts: Iterable[tuple[str, int]],
        vocabulary: Iterable[int] = (),
        divisor: int = 1,
    ) -> Misprint:
        """Check the numbers and bring them into the one order that every search uses."""
        named = tuple(Named(name, value) for name, value in parts)
        numbers = tuple(sorted(set(vocabulary)))
        for number in (printed, divisor, *(part.value for part in named), *numbers):
            if not 1 <= number <= LARGEST:
                message = f"slips are searched among integers from 1 to {LARGEST:,}, not {number}"
                raise ValueError(message)
        if not named:
            message = f"nothing says how {printed} should have come about: no factors or terms"
            raise ValueError(message)
        return cls(printed, named, numbers, divisor)

    @property
    def values(self) -> tuple[int, ...]:
        """The values of the parts, in their order."""
        return tuple(part.value for part in self.parts)

    @property
    def product(self) -> int:
        """What the parts give as factors."""
        return prod(self.values)

    @property
    def total(self) -> int:
        """What the parts give as terms."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Hit:
    """One way to the printed number.

    Attributes:
        description: What went wrong, in words and numbers.
        expression: What was computed instead, e.g. `55*48*48*2`.
        cost: How many things must have gone wrong; see the table of costs in `slips`.
        tokens: How many numbers the expression has.
        multiplicity: In how many places the same slip could have been made; equal factors give
            the same expression.
    """

    description: str
    expression: str
    cost: int
    tokens: int
    multiplicity: int = 1


@dataclass(frozen=True, slots=True)
class SlipFindings:
    """One kind of slip, searched exhaustively.

    Attributes:
        id: The kind.
        title: The kind in words.
        searched: What was searched, in one sentence.
        tried: How many combinations were computed, each of them counted once.
        hits: The cheapest distinct hits, at most `MOST_HITS` of them.
        total: How many distinct hits there are.
        chance: How likely the search hits an arbitrary number of as many digits.
    """

    id: str
    title: str
    searched: str
    tried: int
    hits: tuple[Hit, ...]
    total: int
    chance: Chance

    def found(self, rewritten: Mapping[str, str]) -> str:
        """What was found, in one sentence or two.

        Args:
            rewritten: hits that are another one written differently, by expression.
        """
        if not self.hits:
            return "No hit."
        first, others = self.hits[0], self.total - 1
        again = sum(hit.expression in rewritten for hit in self.hits)
        more = f" and {others:,} more" if others else ""
        said = f"{first.description}: {first.expression}, at cost {first.cost}{more}."
        if not again:
            return said
        if again == self.total:
            return f"{said} No new hit: another search has {'it' if self.total == 1 else 'them'}."
        ways = count_of(again, "of them is another hit", "of them are other hits")
        return f"{said} {ways}, written differently."


def result_of(
    kind: tuple[str, str], searched: str, tried: int, hits: Sequence[Hit], chance: Chance
) -> SlipFindings:
    """Return the search, its hits in the order of cost, tokens and expression."""
    ranked = sorted(hits, key=lambda hit: (hit.cost, hit.tokens, hit.expression, hit.description))
    return SlipFindings(*kind, searched, tried, tuple(ranked[:MOST_HITS]), len(ranked), chance)


_PRODUCT: Final = re.compile(r"\d+(\*\d+)+")


def rewrites(one: str, other: str) -> bool:
    """Whether two products are one, written in two ways: ``48*55*96`` and ``2*48*48*55``.

    The factors of one, put into groups, give those of the other; nobody who finds the one has found
    anything more with the other. That both are a third one does not make them one: all products of
    a number have the same primes. Sums are one where their terms are the same; what is neither, a
    result that was mistyped or scaled, is like nothing else.
    """
    if all(" + " in text for text in (one, other)):
        return sorted(one.split(" + ")) == sorted(other.split(" + "))
    if not all(_PRODUCT.fullmatch(text) for text in (one, other)):
        return False
    few, many = (Counter(map(int, text.split("*"))) for text in (one, other))
    del few[1], many[1]
    few, many = few - many, many - few
    if few.total() > many.total():
        few, many = many, few
    return _grouped(sorted(few.elements(), reverse=True), list(many.elements()))


def _grouped(products: list[int], factors: list[int]) -> bool:
    """Whether the factors can be put into groups that have these products."""
    if not products:
        return not factors
    if any(factor > products[0] for factor in factors):
        return False
    return any(
        prod(group) == products[0]
        and _grouped(products[1:], list((Counter(factors) - Counter(group)).elements()))
        for size in range(1, len(factors) - len(products) + 2)
        for group in combinations(factors, size)
    )


DIGITS = "0123456789"


def _edited(text: str) -> Iterator[str]:
    """Yield every string that one edit makes of `text`, some of them more than once."""
    for at in range(len(text) + 1):
        head, tail = text[:at], text[at:]
        yield from (head + digit + tail for digit in DIGITS)
        if tail:
            yield head + tail[1:]
            yield from (head + digit + tail[1:] for digit in DIGITS)
            yield head + tail[1:2] + tail[0] + tail[2:]


@lru_cache(maxsize=200_000)
def single_edits(number: int) -> tuple[int, ...]:
    """Return the distinct positive numbers one digit edit away from `number`, ascending."""
    edited = {text for text in _edited(str(number)) if text and text[0] != "0"}
    return tuple(sorted({int(text) for text in edited} - {number}))


class _Row(NamedTuple):
    """What the distances of a longer text to a word follow from.

    `now[j]` is the distance of the text read so far to the first j digits of the word. Where the
    digit read last is digit j of the word, `swapped[j]` is the distance at which the one before
    it would follow as the next.
    """

    now: tuple[int, ...]
    swapped: tuple[int, ...]


def _start(word: str, most: int) -> _Row:
    """Return the distances of the empty text to every beginning of `word`."""
    return _Row(tuple(min(j, most + 1) for j in range(len(word) + 1)), (most + 1,) * len(word))


def _read(row: _Row, digit: str, word: str, most: int) -> _Row:
    """Return the distances after the text has gone on by one digit.

    Distances beyond `most` are all taken for `most + 1`, so that fewer rows differ.
    """
    beyond = most + 1
    now = [min(row.now[0] + 1, beyond)]
    swapped = [beyond]
    for j, expected in enumerate(word):
        best = min(row.now[j + 1] + 1, now[j] + 1, row.now[j] + (digit != expected), beyond)
        if j:
            best = min(best, row.swapped[j]) if digit == word[j - 1] else best
            swapped.append(min(row.now[j - 1] + 1, beyond) if digit == expected else beyond)
        now.append(best)
    return _Row(tuple(now), tuple(swapped))


def edit_distance(first: int, second: int) -> int:
    """Return the number of digit edits between two numbers."""
    word, text = str(second), str(first)
    most = len(word) + len(text)
    row = _start(word, most)
    for digit in text:
        row = _read(row, digit, word, most)
    return row.now[-1]


def count_within(number: int, length: int, most: int) -> int:
    """Count the numbers of `length` digits at most `most` edits away from `number`.

    The distance of a text depends on its digits only through the rows of the table above, so
    texts are counted by their rows, not one by one; digits that `number` lacks are alike.
    """
    word = str(number)
    rows = Counter({_start(word, most): 1})
    for position in range(length):
        longer: Counter[_Row] = Counter()
        classes = _classes(word, leading=position == 0)
        for row, texts in rows.items():
            for digit, alike in classes:
                following = _hopeful(_read(row, digit, word, most), length - position - 1, most)
                longer[following] += texts * alike
        rows = longer
    return sum(texts for row, texts in rows.items() if row.now[-1] <= most)


def _hopeful(row: _Row, left: int, most: int) -> _Row:
    """Give up distances that the digits left to read must bring beyond `most`.

    What remains of the text and of the word differ in length by at least that many edits. Rows
    that differ only in what is given up become one.
    """
    ahead = len(row.now) - 1 - left
    return _Row(
        *(
            tuple(d if d + abs(ahead - j) <= most else most + 1 for j, d in enumerate(distances))
            for distances in row
        )
    )


def _classes(word: str, *, leading: bool) -> list[tuple[str, int]]:
    """Return each digit of the word once, and one other digit for all that it lacks."""
    allowed = [digit for digit in DIGITS if not (leading and digit == "0")]
    classes = [(digit, 1) for digit in allowed if digit in word]
    others = [digit for digit in allowed if digit not in word]
    # The letter stands for digits that match nothing, and so behave in the same way.
    return [*classes, ("x", len(others))] if others else classes


# One digit wrong, anywhere in a network.


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
            for near in single_edits(digits)
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
        if QUANTITIES[name].total is not None:
            yield name, NETWORK, facts.total(name)
    seen: set[tuple[str, int]] = set()
    for row in facts.layers:
        for name in names:
            value = count_in(row, name)
            if value and (name, value) not in seen:
                seen.add((name, value))
                yield name, INPUT if row["kind"] == INPUT else str(row["layer"]), value


def _candidate(
    measured: tuple[str, str, int], near: int, printed: PrintedNumber, asked: tuple[str, str]
) -> Candidate:
    """What was measured; another layer and another quantity must be assumed besides the slip."""
    name, layer, value = measured
    cost = 1 + (layer != asked[1]) + (name != asked[0])
    says = f"{near} typed as {printed.text}: {words_of(name, layer)}"
    return Candidate(says, quoted(name, layer), Fraction(value), cost)


@lru_cache(maxsize=4096)
def _by_chance(known: tuple[int, ...], length: int) -> float:
    """How many of the known numbers are one edit away from one of so many digits, on average."""
    low, high = int(10 ** (length - 1)), int(10**length)
    near = (n for n in known if low // 10 <= n < high * 10)
    reached = sum(sum(low <= other < high for other in single_edits(n)) for n in near)
    return reached / (high - low)
