"""Slips in a product: factors replaced or mistyped, and products of other numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from math import comb, gcd, lcm, prod
from typing import Final

import numpy as np

from reconcile.search.combinations import (
    BLOCK,
    Chance,
    Integers,
    Reach,
    scaled,
    unordered_products,
)
from reconcile.search.digits import single_edits
from reconcile.search.misprint import (
    COST_DIGIT_EDIT,
    COST_FREE_FACTOR,
    COST_REPLACED_BY_ANY,
    COST_REPLACED_BY_PRINTED,
    Hit,
    Misprint,
    SlipFindings,
    result_of,
)

# What changes in a product: (position of a factor, its new value), for each factor that does.
Change = tuple[tuple[int, int], ...]

MOST_FREE_FACTORS: Final = 5
# About two seconds and 100 MB: all lengths but the last are kept.
MOST_FREE_PRODUCTS: Final = 200_000_000
FEWEST_FREE_FACTORS: Final = 2


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
    """Write a product."""
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
    hits = [
        *_hits(
            misprint, (c for c in changes if _is_printed(misprint, c)), COST_REPLACED_BY_PRINTED
        ),
        *_hits(
            misprint, (c for c in changes if not _is_printed(misprint, c)), COST_REPLACED_BY_ANY
        ),
    ]
    searched = (
        f"each factor of {_times(misprint.values)} replaced by all integers, in closed form: "
        f"{misprint.printed}/{misprint.product} is {p}/{q} in lowest terms, so that a factor can "
        f"be replaced if and only if {q} divides it"
    )
    kind = ("one-replaced-by-any", "One factor replaced by any integer")
    return result_of(kind, searched, len(misprint.parts), hits, _chance_of_any(misprint))


def _is_printed(misprint: Misprint, change: Change) -> bool:
    """Tell whether the paper prints the new value of the one factor that changes."""
    return change[0][1] in misprint.vocabulary


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


def free_products(misprint: Misprint, most: int = MOST_FREE_FACTORS) -> SlipFindings:
    """Multiply 2 to `most` numbers that the paper prints, repeated or not, in any order.

    A product in another order is the same product and is not counted again. Ones are left out:
    they change no product. Where the numbers are too many, fewer of them are multiplied.
    """
    numbers = [number for number in misprint.vocabulary if number > 1]
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
