"""Search the ways in which a person could have got a printed number from the right parts.

Nothing here decides that a slip was made: a search lists what would turn the right product or
sum into the printed number, how many combinations were computed, at what cost each hit comes,
and how likely such a search is to hit a number that has nothing to do with it (`Chance`).

Every product or sum that can be made of a list of numbers is computed in blocks. Combinations are
laid out by length and then by the position of their last number. Those of length k + 1 that end in
number j are then a beginning of those of length k, each combined with number j: one vector
operation, no index arithmetic, and a combination's place says what it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, combinations
from math import comb, gcd, lcm, prod
from typing import Final

import numpy as np

from reconcile.search.misprint import (
    BLOCK,
    LARGEST,
    Chance,
    Hit,
    Integers,
    Misprint,
    SlipFindings,
    count_within,
    edit_distance,
    result_of,
    single_edits,
)

# What changes in a product: (position of a factor, its new value), for each factor that does.
Change = tuple[tuple[int, int], ...]
# Numbers by the names a reader knows.
Quantities = Sequence[tuple[str, int]]

# A cost is the number of things that must have gone wrong; hits are listed cheapest first.
COST_REPLACED_BY_PRINTED: Final = 1  # another number of the paper in the place of the right one
COST_REPLACED_BY_ANY: Final = 2  # the same, and the number stands nowhere in the paper
COST_DIGIT_EDIT: Final = 1  # one digit typed wrong, too many, too few, or swapped with the next
COST_FREE_FACTOR: Final = 1  # each number of a product that owes nothing to the right one
COST_TERM: Final = 1  # one term of a sum left out or counted twice
COST_UNIT: Final = 1  # multiplied or divided by a factor that does not belong there
COST_QUANTITY: Final = 1  # another quantity in the place of the right one

MOST_FREE_FACTORS: Final = 5
# About two seconds and 100 MB: all lengths but the last are kept.
MOST_FREE_PRODUCTS: Final = 200_000_000
FEWEST_FREE_FACTORS: Final = 2
# Further away than this, the digits of two numbers have little to do with each other.
MOST_RESULT_EDITS: Final = 3
# Terms of a sum that may be wrong at a time.
MOST_TERMS: Final = 3
# Factors by which counts go wrong: twice or half, colour channels, bytes of a float, bits of a
# byte, and the thousands of either kind.
UNITS: Final = (2, 3, 4, 8, 1000, 1024, 1000**2, 1024**2)


def search_product(misprint: Misprint, quantities: Quantities = ()) -> tuple[SlipFindings, ...]:
    """Search every kind of slip in a product; `quantities` may have been printed in its place."""
    return (
        factors_replaced(misprint, 1),
        one_replaced_by_any(misprint),
        factors_replaced(misprint, 2),
        factors_edited(misprint, 1),
        factors_edited(misprint, 2),
        result_edited(misprint, misprint.product),
        free_products(misprint),
        unit_or_scope(misprint, misprint.product, misprint.parts, quantities),
    )


def search_sum(misprint: Misprint, quantities: Quantities = ()) -> tuple[SlipFindings, ...]:
    """Search every kind of slip in a sum; `quantities` may have been printed in its place."""
    return (
        terms_miscounted(misprint),
        term_replaced(misprint),
        result_edited(misprint, misprint.total),
        unit_or_scope(misprint, misprint.total, (), quantities),
    )


def factors_replaced(misprint: Misprint, count: int) -> SlipFindings:
    """Replace one factor, or each of two, by numbers that the paper prints."""
    vocabulary = np.array(misprint.vocabulary, dtype=np.int64)
    new = [vocabulary[vocabulary != value] for value in misprint.values]
    kind = _KINDS["replaced", count]
    how = f"replaced by each of {vocabulary.size} numbers that the paper prints"
    return _changed(misprint, kind, how, new, [COST_REPLACED_BY_PRINTED] * count)


def factors_edited(misprint: Misprint, count: int) -> SlipFindings:
    """Edit one digit of one factor, or one digit in each of two factors."""
    new = [np.array(single_edits(value), dtype=np.int64) for value in misprint.values]
    kind = _KINDS["edited", count]
    how = "with one digit substituted, inserted, deleted or swapped with its neighbour"
    return _changed(misprint, kind, how, new, [COST_DIGIT_EDIT] * count)


def _changed(
    misprint: Misprint,
    kind: tuple[str, str],
    how: str,
    new: Sequence[Integers],
    costs: Sequence[int],
) -> SlipFindings:
    """Put the values `new[i]` in the place of factor i, for as many factors as there are costs."""
    count, reach = len(costs), Reach(misprint.printed, misprint.divisor)
    hits = _hits(misprint, _CHANGES[count](misprint, new, reach), sum(costs))
    tried = sum(prod(values.size for values in chosen) for chosen in combinations(new, count))
    searched = f"{_SUBJECT[count]} of {_times(misprint.values)} {how}"
    return result_of(kind, searched, tried, hits, reach.chance())


def _changed_once(misprint: Misprint, new: Sequence[Integers], reach: Reach) -> Iterator[Change]:
    """Yield every change of one factor that gives the printed number."""
    for i, values in enumerate(new):
        rest = misprint.product // misprint.values[i]
        for place in reach.add(scaled(values, rest, reach.limit)):
            yield ((i, int(values[place])),)


def _changed_twice(misprint: Misprint, new: Sequence[Integers], reach: Reach) -> Iterator[Change]:
    """Yield every change of two factors that gives the printed number."""
    for i, j in combinations(range(len(new)), 2):
        rest = misprint.product // (misprint.values[i] * misprint.values[j])
        first = scaled(new[i], rest, reach.limit)[:, None]
        # As in `scaled`, for all second values at once: exact up to the limit.
        second = np.minimum(new[j], reach.limit + 1)
        most = reach.limit // second + 1
        rows = max(1, BLOCK // max(1, second.size))
        for at in range(0, first.size, rows):
            for place in reach.add(np.minimum(first[at : at + rows], most) * second):
                row, column = divmod(int(place), second.size)
                yield (i, int(new[i][at + row])), (j, int(new[j][column]))


_CHANGES: Final[Mapping[int, Callable[[Misprint, Sequence[Integers], Reach], Iterator[Change]]]] = {
    1: _changed_once,
    2: _changed_twice,
}
_SUBJECT: Final = {1: "each factor", 2: "every two factors"}
_KINDS: Final = {
    ("replaced", 1): ("one-replaced", "One factor replaced by a printed number"),
    ("replaced", 2): ("two-replaced", "Two factors replaced by printed numbers"),
    ("edited", 1): ("one-edited", "One digit edit of one factor"),
    ("edited", 2): ("two-edited", "One digit edit in each of two factors"),
}


def _hits(misprint: Misprint, changes: Iterable[Change], cost: int) -> list[Hit]:
    """Describe changes, those of equal factors to equal values as one hit."""
    alike: defaultdict[tuple[tuple[int, int], ...], list[Change]] = defaultdict(list)
    for change in changes:
        alike[tuple(sorted((misprint.values[i], new) for i, new in change))].append(change)
    return [_described(misprint, group, cost) for group in alike.values()]


def _described(misprint: Misprint, group: Sequence[Change], cost: int) -> Hit:
    """Describe changes that give the same numbers; the last one's expression stands for all."""
    names: defaultdict[tuple[int, int], dict[str, None]] = defaultdict(dict)
    for i, new in chain.from_iterable(group):
        names[misprint.values[i], new][misprint.parts[i].name] = None
    said = " and ".join(f"{old} -> {new} ({' or '.join(of)})" for (old, new), of in names.items())
    changed = {**dict(enumerate(misprint.values)), **dict(group[-1])}
    description = f"{said} in {_times(misprint.values)}"
    return Hit(description, _times(changed.values()), cost, len(changed), len(group))


def _times(values: Iterable[int]) -> str:
    return "*".join(map(str, values))


def one_replaced_by_any(misprint: Misprint) -> SlipFindings:
    """Replace one factor by any integer whatever, decided in closed form.

    With printed / product = p / q in lowest terms, factor f has to become f * p / q. As p and q
    share no divisor, that is an integer if and only if q divides f: one division a factor
    decides the matter for all integers.
    """
    common = gcd(misprint.printed, misprint.product)
    p, q = misprint.printed // common, misprint.product // common
    changes = [((i, f * p // q),) for i, f in enumerate(misprint.values) if p != q and not f % q]
    printed = [change for change in changes if change[0][1] in misprint.vocabulary]
    others = [change for change in changes if change not in printed]
    hits = [
        *_hits(misprint, printed, COST_REPLACED_BY_PRINTED),
        *_hits(misprint, others, COST_REPLACED_BY_ANY),
    ]
    searched = (
        f"each factor of {_times(misprint.values)} replaced by all integers, in closed form: "
        f"{misprint.printed}/{misprint.product} is {p}/{q} in lowest terms, so that a factor can "
        f"be replaced if and only if {q} divides it"
    )
    kind = ("one-replaced-by-any", "One factor replaced by any integer")
    return result_of(kind, searched, len(misprint.parts), hits, _chance_of_any(misprint))


def _chance_of_any(misprint: Misprint) -> Chance:
    """Count the numbers that are one factor away: the multiples of the product of the others.

    Multiples of several such products are counted once, by inclusion and exclusion; the right
    product itself is left out, since nothing is replaced in it.
    """
    lowest: int = 10 ** (len(str(misprint.printed)) - 1)

    def multiples(step: int) -> int:
        return (10 * lowest - 1) // step - (lowest - 1) // step

    steps = sorted({misprint.product // value for value in misprint.values})
    chosen = chain.from_iterable(combinations(steps, n) for n in range(1, len(steps) + 1))
    reached = sum((1 if len(c) % 2 else -1) * multiples(lcm(misprint.divisor, *c)) for c in chosen)
    product = misprint.product
    itself = lowest <= product < 10 * lowest and product % misprint.divisor == 0
    return Chance(reached - itself, multiples(misprint.divisor), misprint.divisor)


def free_products(misprint: Misprint) -> SlipFindings:
    """Multiply 2 to `MOST_FREE_FACTORS` printed numbers, repeated or not, in any order.

    A product in another order is the same product and is not counted again. Ones are left out:
    they change no product. Where the numbers are too many, fewer of them are multiplied.
    """
    numbers, most = [n for n in misprint.vocabulary if n > 1], MOST_FREE_FACTORS
    while most > FEWEST_FREE_FACTORS and comb(len(numbers) + most, most) > MOST_FREE_PRODUCTS:
        most -= 1
    reach = Reach(misprint.printed, misprint.divisor)
    tried, found = unordered_products(numbers, most, reach)
    hits = [
        Hit(
            f"{len(hit)} printed numbers multiplied",
            _times(hit),
            COST_FREE_FACTOR * len(hit),
            len(hit),
        )
        for hit in found
    ]
    searched = f"products of 2 to {most} of {len(numbers)} numbers that the paper prints"
    kind = ("free-products", "Products of printed numbers")
    return result_of(kind, searched, tried, hits, reach.chance())


def result_edited(misprint: Misprint, right: int) -> SlipFindings:
    """Measure how many digit edits turn the right result into the printed number.

    The chance is the share of numbers within the same reach of edits, whatever they divide by.
    """
    printed, digits = misprint.printed, len(str(misprint.printed))
    edits = edit_distance(right, printed)
    hit = Hit(f"{right} typed as {printed}", f"{printed}", edits * COST_DIGIT_EDIT, 1)
    searched = (
        f"the digits of {right} against those of {printed}, up to {MOST_RESULT_EDITS} digits "
        f"substituted, inserted, deleted or swapped with a neighbour; their distance is {edits}"
    )
    near = count_within(right, digits, MOST_RESULT_EDITS) - (len(str(right)) == digits)
    chance = Chance(near, 9 * 10 ** (digits - 1))
    hits = [hit] if 0 < edits <= MOST_RESULT_EDITS else []
    return result_of(("result-edited", "Digits of the result"), searched, 1, hits, chance)


def _quantities(right: int, others: Quantities) -> Iterator[tuple[Hit, int]]:
    """Yield the right result, at no cost, and each other quantity, with their values."""
    yield Hit("the result", f"{right}", 0, 1), right
    for name, value in others:
        yield Hit(f"{name} in place of the result", f"{value}", COST_QUANTITY, 1), value


def _in_units(hit: Hit, value: int) -> Iterator[tuple[Hit, int]]:
    """Yield the quantity itself, and times and divided by each unit.

    What does not divide evenly would have been printed truncated or rounded: both are tried.
    """

    def scaled(sign: str, unit: int, how: str = "") -> Hit:
        description, expression = f"{hit.description}{sign}{unit}{how}", f"{value}{sign}{unit}"
        return Hit(description, expression, hit.cost + COST_UNIT, 2)

    yield hit, value
    for unit in UNITS:
        yield scaled("*", unit), value * unit
        whole, rest = divmod(value, unit)
        yield scaled("/", unit, ", truncated" if rest else ""), whole
        if 2 * rest >= unit:
            yield scaled("/", unit, ", rounded"), whole + 1


def _in_scope(factors: Quantities, right: int) -> Iterator[tuple[Hit, int]]:
    """Yield a product without each of its factors, and with each of them twice."""
    for name, value in factors:
        yield Hit(f"{name} {value} left out", f"{right}/{value}", COST_UNIT, 2), right // value
        yield Hit(f"{name} {value} counted twice", f"{right}*{value}", COST_UNIT, 2), right * value


def unit_or_scope(
    misprint: Misprint,
    right: int,
    factors: Quantities,
    others: Quantities,
) -> SlipFindings:
    """Take the result in a wrong unit or scope, or another quantity in its place.

    `factors` are those that may have been left out or counted twice: none for a sum.
    """
    quantities, scope = tuple(_quantities(right, others)), tuple(factors)
    scaled = chain.from_iterable(_in_units(*quantity) for quantity in quantities)
    # The first is the right result as it is, which no slip gives.
    tried = [*scaled, *_in_scope(scope, right)][1:]
    reach = Reach(misprint.printed, misprint.divisor)
    places = reach.add(np.array([min(value, reach.limit) for _, value in tried], dtype=np.int64))
    searched = (
        f"{right} and {len(quantities) - 1} other quantities, each as it is and times and "
        f"divided by {', '.join(map(str, UNITS))}"
        + ("; each factor left out or counted twice" if scope else "")
    )
    # Two units can come to one slip.
    hits = [*{(h.description, h.expression): h for h in (tried[p][0] for p in places)}.values()]
    kind = ("unit-or-scope", "Wrong unit, scope or quantity")
    return result_of(kind, searched, len(tried), hits, reach.chance())


def terms_miscounted(misprint: Misprint) -> SlipFindings:
    """Leave out or count twice up to `MOST_TERMS` terms of a sum."""
    most = min(MOST_TERMS, len(misprint.parts))
    reach = _sum_reach(misprint)
    tried, found = signed_sums(misprint.total, misprint.values, most, reach)
    hits = [_miscounted(misprint, changes) for changes in found]
    searched = (
        f"up to {most} of the {len(misprint.parts)} terms of {misprint.total}, each left out or "
        "counted twice"
    )
    kind = ("terms-miscounted", "Terms left out or counted twice")
    return result_of(kind, searched, tried, hits, reach.chance())


def _miscounted(misprint: Misprint, changes: tuple[int, ...]) -> Hit:
    """Describe the changes of a sum: position 2i leaves out term i, 2i + 1 counts it twice."""
    said, counts = [], dict.fromkeys(range(len(misprint.parts)), 1)
    for index, twice in (divmod(change, 2) for change in changes):
        name, value = misprint.parts[index]
        said.append(f"{name} {value} {'counted twice' if twice else 'left out'}")
        counts[index] = 2 * twice
    terms = [str(misprint.values[i]) for i, count in counts.items() for _ in range(count)]
    return Hit(" and ".join(said), " + ".join(terms), COST_TERM * len(changes), len(terms))


def term_replaced(misprint: Misprint) -> SlipFindings:
    """Replace one term of a sum by a number that the paper prints."""
    reach = _sum_reach(misprint)
    vocabulary = np.array(misprint.vocabulary, dtype=np.int64)
    tried, hits = 0, []
    for index, (name, value) in enumerate(misprint.parts):
        others = vocabulary[vocabulary != value]
        tried += others.size
        for place in reach.add(others + (misprint.total - value)):
            new = int(others[place])
            terms = [*misprint.values[:index], new, *misprint.values[index + 1 :]]
            said = f"{name} {value} -> {new}"
            hits.append(
                Hit(said, " + ".join(map(str, terms)), COST_REPLACED_BY_PRINTED, len(terms))
            )
    searched = (
        f"each of the {len(misprint.parts)} terms of {misprint.total} replaced by each of "
        f"{len(vocabulary)} numbers that the paper prints"
    )
    kind = ("term-replaced", "One term replaced by a printed number")
    return result_of(kind, searched, tried, hits, reach.chance())


def _sum_reach(misprint: Misprint) -> Reach:
    """Return an empty reach, once the sum is known to fit the arithmetic."""
    if misprint.total > LARGEST:
        message = f"sums are searched up to {LARGEST:,}, not {misprint.total}"
        raise ValueError(message)
    return Reach(misprint.printed, misprint.divisor)


# Every product or sum of a list of numbers.

# Up to here the values reached are ticked off in a table of at most 10 MB, beyond it sorted.
TABLE_DIGITS: Final = 7
# Values waiting to be sorted: 32 MB.
PENDING: Final = 1 << 22


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
