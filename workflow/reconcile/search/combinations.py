"""Every product or sum that can be made of a list of numbers, computed in blocks.

Combinations are laid out by length and then by the position of their last number. Those of
length k + 1 that end in number j are then a beginning of those of length k, each combined with
number j: one vector operation, no index arithmetic, and a combination's place says what it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

# 64-bit integers end at 9.2e18, and a product is computed only up to one more digit.
LARGEST: Final = 10**17
# 128 KiB of integers, so that a block and its results stay in a core's second-level cache.
BLOCK: Final = 1 << 14
# Up to here the values reached are ticked off in a table of at most 10 MB, beyond it sorted.
TABLE_DIGITS: Final = 7
# Values waiting to be sorted: 32 MB.
PENDING: Final = 1 << 22


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


def scaled(numbers: Integers, factor: int, limit: int) -> Integers:
    """Multiply by `factor`, exactly up to `limit`; what is beyond stays beyond, unspecified.

    `limit + 1` and `factor` times the result must fit 64 bits, which `LARGEST` ensures.
    """
    factor = min(factor, limit + 1)
    return np.minimum(numbers, limit // factor + 1) * factor


class Reach:
    """The printed number, and the values with as many digits that a search has come upon."""

    def __init__(self, printed: int, divisor: int = 1) -> None:
        digits = len(str(printed))
        self.printed = printed
        self.divisor = divisor
        self.lowest: int = 10 ** (digits - 1)
        self.limit: int = 10**digits
        self._table = np.zeros(self.limit + 1 if digits <= TABLE_DIGITS else 0, dtype=np.bool_)
        self._parts: list[Integers] = []
        self._pending = 0

    def add(self, values: Integers) -> Integers:
        """Note the values, none negative, and return where in the block the printed one stands.

        Places are those of the flattened block.
        """
        flat = values.reshape(-1)
        if self._table.size:
            self._table[np.minimum(flat, self.limit)] = True
        else:
            self._keep(flat[(flat >= self.lowest) & (flat < self.limit)])
        return np.flatnonzero(flat == self.printed)

    def _keep(self, values: Integers) -> None:
        """Keep values too large for a table, and merge them once they are many."""
        self._parts.append(values)
        self._pending += values.size
        if self._pending > PENDING:
            self._parts, self._pending = [np.unique(np.concatenate(self._parts))], 0

    def chance(self) -> Chance:
        """Return the share of integers with as many digits that have been reached."""
        first = -(-self.lowest // self.divisor) * self.divisor
        if self._table.size:
            reached = int(np.count_nonzero(self._table[first : self.limit : self.divisor]))
        else:
            values = np.unique(np.concatenate([*self._parts, np.empty(0, dtype=np.int64)]))
            reached = int(np.count_nonzero(values % self.divisor == 0))
        return Chance(reached, len(range(first, self.limit, self.divisor)), self.divisor)


class Layout:
    """Where each combination stands, given which numbers may precede number j: `before(j)`.

    A combination is an ascending list of positions. `before(j)` is the first position that must
    not precede j: j + 1 where numbers may repeat, j where they may not.
    """

    def __init__(self, numbers: int, most: int, before: Callable[[int], int]) -> None:
        self.before = tuple(before(j) for j in range(numbers))
        # Of length 1, one combination ends in each number: the offsets are the positions.
        self.offsets = [tuple(range(numbers + 1))]
        for _ in range(most - 1):
            last = self.offsets[-1]
            blocks = (last[stop] for stop in self.before)
            self.offsets.append(tuple(accumulate(blocks, initial=0)))

    def count(self, length: int) -> int:
        """Return how many combinations have this length."""
        return self.offsets[length - 1][-1]

    def positions(self, length: int, place: int) -> tuple[int, ...]:
        """Return the positions of the numbers in the combination that stands at `place`."""
        offsets = self.offsets[length - 1]
        last = bisect_right(offsets, place) - 1
        if length == 1:
            return (last,)
        return (*self.positions(length - 1, place - offsets[last]), last)

    def blocks(
        self, first: Integers, combine: Callable[[Integers, int], Integers]
    ) -> Iterator[tuple[int, int, Integers]]:
        """Yield (length, place, values) in order; `combine(values, j)` brings in number j.

        Only the last length is not kept: its blocks are the bulk, and nothing builds on them.
        """
        values = first
        yield 1, 0, values
        for length, offsets in enumerate(self.offsets[1:], start=2):
            longest = length == len(self.offsets)
            longer = np.empty(0 if longest else offsets[-1], dtype=np.int64)
            for j, stop in enumerate(self.before):
                for at in range(0, self.offsets[length - 2][stop], BLOCK):
                    end = min(at + BLOCK, self.offsets[length - 2][stop])
                    block = combine(values[at:end], j)
                    place = offsets[j] + at
                    if not longest:
                        longer[place : place + block.size] = block
                    yield length, place, block
            values = longer


def _collect(
    layout: Layout, blocks: Iterator[tuple[int, int, Integers]], reach: Reach, shortest: int
) -> list[tuple[int, ...]]:
    """Return the positions of every combination, from `shortest` on, that gives the number."""
    return [
        layout.positions(length, place + int(hit))
        for length, place, values in blocks
        if length >= shortest
        for hit in reach.add(values)
    ]


def unordered_products(
    numbers: Sequence[int], most: int, reach: Reach
) -> tuple[int, list[tuple[int, ...]]]:
    """Multiply 2 to `most` of the numbers, repeated or not, in every way.

    Returns how many products were computed, and the factors of each that is the printed number.
    """
    layout = Layout(len(numbers), most, lambda j: j + 1)
    first = np.array([min(n, reach.limit) for n in numbers], dtype=np.int64)
    blocks = layout.blocks(first, lambda values, j: scaled(values, numbers[j], reach.limit))
    hits = [tuple(numbers[j] for j in hit) for hit in _collect(layout, blocks, reach, 2)]
    return sum(layout.count(length) for length in range(2, most + 1)), hits


def signed_sums(
    total: int, terms: Sequence[int], most: int, reach: Reach
) -> tuple[int, list[tuple[int, ...]]]:
    """Leave out or count twice 1 to `most` of the terms of a sum, in every way.

    Returns how many sums were computed, and the changes that give the printed number: position
    2i for term i left out, 2i + 1 for term i counted twice.
    """
    changes = np.array([sign * term for term in terms for sign in (-1, 1)], dtype=np.int64)
    # A term is not both left out and counted twice: only changes of earlier terms may precede.
    layout = Layout(changes.size, most, lambda j: j // 2 * 2)
    blocks = layout.blocks(total + changes, lambda values, j: values + changes[j])
    hits = _collect(layout, blocks, reach, 1)
    return sum(layout.count(length) for length in range(1, most + 1)), hits
