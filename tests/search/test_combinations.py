"""Products and sums in blocks, against the same ones made one by one."""

from __future__ import annotations

from itertools import chain, combinations, combinations_with_replacement, product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search import combinations as searched
from reconcile.search.combinations import Reach, scaled, signed_sums, unordered_products

NUMBERS = st.lists(st.integers(2, 40), min_size=1, max_size=6, unique=True).map(sorted)


def with_digits_of(printed: int, values: set[int], divisor: int) -> int:
    """Count the values with as many digits as the printed one that the divisor divides."""
    return sum(len(str(v)) == len(str(printed)) and v % divisor == 0 for v in values if v > 0)


@given(NUMBERS, st.integers(2, 4), st.integers(1, 9_999), st.integers(1, 4))
def test_products_agree_with_trying_all(
    numbers: list[int], most: int, printed: int, divisor: int
) -> None:
    """Every product of so many numbers is computed once, and the hits are those that fit."""
    made = [*chain(*(combinations_with_replacement(numbers, k) for k in range(2, most + 1)))]
    reach = Reach(printed, divisor)
    tried, hits = unordered_products(numbers, most, reach)
    assert tried == len(made)
    assert sorted(hits) == sorted(factors for factors in made if prod(factors) == printed)
    assert reach.chance().reached == with_digits_of(printed, set(map(prod, made)), divisor)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.data())
def test_sums_agree_with_trying_all(terms: list[int], data: st.DataObject) -> None:
    """Every choice of terms left out or counted twice is computed once."""
    most = data.draw(st.integers(1, len(terms)))
    changes = [
        tuple(2 * i + twice for i, twice in zip(chosen, signs, strict=True))
        for k in range(1, most + 1)
        for chosen in combinations(range(len(terms)), k)
        for signs in product((0, 1), repeat=k)
    ]
    sums = {c: sum(terms) + sum((1 if x % 2 else -1) * terms[x // 2] for x in c) for c in changes}
    printed = data.draw(st.sampled_from([*sums.values(), 7]).filter(lambda value: value > 0))
    reach = Reach(printed)
    tried, hits = signed_sums(sum(terms), terms, most, reach)
    assert tried == len(changes)
    assert sorted(hits) == sorted(c for c in changes if sums[c] == printed)
    assert reach.chance().reached == with_digits_of(printed, set(sums.values()), 1)


@given(st.integers(1, 10**17), st.integers(1, 10**17), st.integers(1, 18))
def test_multiplying_is_exact_up_to_the_limit(number: int, factor: int, digits: int) -> None:
    """No product overflows: it is exact, or it is beyond the limit like the true one."""
    limit = 10**digits
    (result,) = scaled(np.array([min(number, limit)]), factor, limit)
    true = min(number, limit) * factor
    assert result == true if true <= limit else result > limit


@pytest.mark.parametrize("printed", [12_345_678_901, 253_440])
def test_many_blocks_give_what_one_gives(printed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the size of a block nor when values are merged changes a result."""
    numbers = [3, 7, 48, 55, 96, 1000, 4096, 64_896]
    whole = Reach(printed)
    expected = unordered_products(numbers, 5, whole)
    monkeypatch.setattr(searched, "BLOCK", 7)
    monkeypatch.setattr(searched, "PENDING", 5)
    cut = Reach(printed)
    assert unordered_products(numbers, 5, cut) == expected
    assert cut.chance() == whole.chance()
