"""What a search for slips is given and what it returns: the words of `slips`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple

from reconcile.search.combinations import LARGEST, Chance

# A cost is the number of things that must have gone wrong; hits are listed cheapest first.
COST_REPLACED_BY_PRINTED: Final = 1  # another number of the paper in the place of the right one
COST_REPLACED_BY_ANY: Final = 2  # the same, and the number stands nowhere in the paper
COST_DIGIT_EDIT: Final = 1  # one digit typed wrong, too many, too few, or swapped with the next
COST_FREE_FACTOR: Final = 1  # each number of a product that owes nothing to the right one
COST_TERM: Final = 1  # one term of a sum left out or counted twice
COST_UNIT: Final = 1  # multiplied or divided by a factor that does not belong there
COST_QUANTITY: Final = 1  # another quantity in the place of the right one

# Small numbers have hits without end. The first ones are kept, and all of them are counted.
MOST_HITS: Final = 100


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
        cost: How many things must have gone wrong; see the table of costs.
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

    @property
    def found(self) -> str:
        """What was found, in one sentence."""
        if not self.hits:
            return "No hit."
        first = self.hits[0]
        rest = f" and {self.total - 1:,} more" if self.total > 1 else ""
        return f"{first.description}: {first.expression}, at cost {first.cost}{rest}."


def result_of(
    kind: tuple[str, str], searched: str, tried: int, hits: Sequence[Hit], chance: Chance
) -> SlipFindings:
    """Return the search, its hits in the order of cost, tokens and expression."""
    ranked = sorted(hits, key=lambda hit: (hit.cost, hit.tokens, hit.expression, hit.description))
    return SlipFindings(*kind, searched, tried, tuple(ranked[:MOST_HITS]), len(ranked), chance)


def listed(values: Mapping[str, int] | Iterable[tuple[str, int]]) -> tuple[Named, ...]:
    """Return named values as a tuple, from a mapping or from pairs."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return tuple(Named(name, value) for name, value in pairs)
