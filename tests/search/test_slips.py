"""Slips: each search against a slower one that tries everything, and what AlexNet must give.

Every product and every sum is made, and counted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, combinations, combinations_with_replacement, product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search import slips as searched
from reconcile.search.misprint import Hit, Misprint, SlipFindings, single_edits
from reconcile.search.slips import (
    Reach,
    factors_edited,
    factors_replaced,
    one_replaced_by_any,
    scaled,
    search_product,
    search_sum,
    signed_sums,
    unordered_products,
)

FACTORS = st.lists(st.integers(1, 60), min_size=1, max_size=4)
VOCABULARY = st.lists(st.integers(1, 70), max_size=8, unique=True)
PRINTED = (2, 3, 4, 5, 8, 10, 11, 13, 16, 27, 48, 55, 96, 128, 192, 224, 256, 384, 1000, 2048, 4096)
CONV1 = (("height", 55), ("width", 55), ("channels per tower", 48), ("towers", 2))


def named(values: Iterable[int]) -> list[tuple[str, int]]:
    """Give every value a name of its own."""
    return [(f"part {i}", value) for i, value in enumerate(values)]


def expressions(search: SlipFindings) -> list[str]:
    """Return what each hit computes instead."""
    return [hit.expression for hit in search.hits]


def by_id(searches: Iterable[SlipFindings]) -> dict[str, SlipFindings]:
    """Return the searches by their kinds."""
    return {search.id: search for search in searches}


@pytest.fixture(scope="module")
def alexnet() -> dict[str, SlipFindings]:
    """Return every search for 253,440 in the right product."""
    misprint = Misprint.of(253_440, CONV1, PRINTED)
    return by_id(search_product(misprint, [("input", 150_528), ("conv2", 186_624)]))


def replaced(factors: list[int], new: list[list[int]], count: int) -> list[tuple[int, ...]]:
    """Replace `count` factors by every one of their new values, one by one."""
    made = []
    for chosen in combinations(range(len(factors)), count):
        for values in product(*(new[i] for i in chosen)):
            changed = dict(enumerate(factors)) | dict(zip(chosen, values, strict=True))
            made.append(tuple(changed.values()))
    return made


@pytest.mark.parametrize("count", [1, 2])
@given(factors=FACTORS, vocabulary=VOCABULARY, data=st.data())
def test_replacing_agrees_with_trying_all(
    factors: list[int], vocabulary: list[int], count: int, data: st.DataObject
) -> None:
    """Each factor takes each printed number but its own value, and all that fit are hits."""
    new = [[v for v in vocabulary if v != factor] for factor in factors]
    made = replaced(factors, new, count)
    printed = data.draw(st.sampled_from([*map(prod, made), 5040]))
    search = factors_replaced(Misprint.of(printed, named(factors), vocabulary), count)
    assert search.tried == len(made)
    assert sum(hit.multiplicity for hit in search.hits) == sum(prod(m) == printed for m in made)
    reached = {prod(m) for m in made if len(str(prod(m))) == len(str(printed))}
    assert search.chance.reached == len(reached)


@pytest.mark.parametrize("count", [1, 2])
@given(factors=FACTORS, data=st.data())
def test_editing_agrees_with_trying_all(
    factors: list[int], count: int, data: st.DataObject
) -> None:
    """Each factor takes each number one digit edit away, and all that fit are hits."""
    made = replaced(factors, [list(single_edits(factor)) for factor in factors], count)
    printed = data.draw(st.sampled_from([*map(prod, made[:200]), 5040]))
    search = factors_edited(Misprint.of(printed, named(factors)), count)
    assert search.tried == len(made)
    hits = sum(prod(m) == printed for m in made)
    assert sum(hit.multiplicity for hit in search.hits) == hits or search.total > len(search.hits)


@given(FACTORS, st.integers(1, 3000), st.integers(1, 5))
def test_closed_form_agrees_with_trying_all(factors: list[int], printed: int, divisor: int) -> None:
    """The closed form finds what trying every integer up to the printed number finds."""
    right = prod(factors)
    made = [
        (i, value)
        for i, factor in enumerate(factors)
        for value in range(1, printed + 1)
        if value != factor and right // factor * value == printed
    ]
    search = one_replaced_by_any(Misprint.of(printed, named(factors), (), divisor))
    assert sum(hit.multiplicity for hit in search.hits) == len(made)
    digits = len(str(printed))
    reached = {
        n
        for n in range(10 ** (digits - 1), 10**digits)
        if n != right and n % divisor == 0 and any(n % (right // f) == 0 for f in factors)
    }
    assert search.chance.reached == len(reached)


def test_alexnet_has_one_single_replacement_among_all_integers(
    alexnet: dict[str, SlipFindings],
) -> None:
    """48 for 55 is the only replacement of one factor that gives 253,440."""
    only = Hit("55 -> 48 (height or width) in 55*55*48*2", "55*48*48*2", 1, 4, multiplicity=2)
    assert alexnet["one-replaced"].hits == (only,)
    assert alexnet["one-replaced-by-any"].hits == (only,)
    assert "48/55 in lowest terms" in alexnet["one-replaced-by-any"].searched


def test_alexnet_has_no_digit_edit_of_factors(alexnet: dict[str, SlipFindings]) -> None:
    """No digit edit of one factor, nor one in each of two, gives 253,440."""
    assert not alexnet["one-edited"].hits
    assert not alexnet["two-edited"].hits


def test_alexnet_result_is_three_edits_away(alexnet: dict[str, SlipFindings]) -> None:
    """The result is three digit edits away, as are two in a hundred numbers."""
    assert [hit.cost for hit in alexnet["result-edited"].hits] == [3]
    assert Fraction(1, 50) < alexnet["result-edited"].chance.probability < Fraction(1, 40)


def test_alexnet_has_one_free_product_of_three(alexnet: dict[str, SlipFindings]) -> None:
    """48*55*96 is the only product of up to three printed numbers; longer ones cost more."""
    search = alexnet["free-products"]
    assert [h.expression for h in search.hits if h.cost <= 3] == ["48*55*96"]
    assert "2*48*48*55" in expressions(search)
    assert [h.cost for h in search.hits] == sorted(h.cost for h in search.hits)


def test_other_widths_have_no_single_replacement() -> None:
    """Neither a 54-wide nor a 56-wide map is one factor away from 253,440."""
    for side in (54, 56):
        parts = [("height", side), ("width", side), *CONV1[2:]]
        assert not one_replaced_by_any(Misprint.of(253_440, parts)).hits


def test_unprinted_replacement_costs_more() -> None:
    """A number that stands nowhere in the paper is less likely to have been typed."""
    hits = [one_replaced_by_any(Misprint.of(60, named([5, 7]), v)).hits[0] for v in ((12,), ())]
    assert [(hit.expression, hit.cost) for hit in hits] == [("5*12", 1), ("5*12", 2)]


def test_divisor_counts_chance_among_its_multiples() -> None:
    """Among multiples of 96 there are fewer numbers to hit, and so a hit is likelier."""
    any_number, multiple = (
        factors_replaced(Misprint.of(253_440, CONV1, PRINTED, divisor), 1).chance
        for divisor in (1, 96)
    )
    assert (any_number.possible, multiple.possible) == (900_000, 9_375)
    assert multiple.reached <= any_number.reached
    assert multiple.probability > any_number.probability


TERMS = (("conv1", 290_400), ("conv2", 186_624), ("conv3", 64_896), ("fc6", 4096), ("fc7", 4096))


@pytest.mark.parametrize(
    ("change", "kind", "said", "cost"),
    [
        (-186_624, "terms-miscounted", "conv2 186624 left out", 1),
        (64_896 - 290_400, "terms-miscounted", "conv1 290400 left out and conv3", 2),
        (1000 - 186_624, "term-replaced", "conv2 186624 -> 1000", 1),
    ],
)
def test_slips_in_a_sum_are_found(change: int, kind: str, said: str, cost: int) -> None:
    """A term left out, counted twice or replaced is found, and named."""
    right = sum(value for _, value in TERMS)
    search = by_id(search_sum(Misprint.of(right + change, TERMS, PRINTED)))[kind]
    assert search.hits[0].description.startswith(said)
    assert search.hits[0].cost == cost


@pytest.mark.parametrize(
    ("printed", "said", "cost"),
    [
        (290, "the result/1000, truncated", 1),
        (284, "the result/1024, rounded", 1),
        (580_800, "the result*2", 1),
        (145_200, "towers 2 left out", 1),
        (13_939_200, "channels per tower 48 counted twice", 1),
        (150_528, "input in place of the result", 1),
        (75_264, "input in place of the result/2", 2),
    ],
)
def test_wrong_unit_scope_or_quantity_is_found(printed: int, said: str, cost: int) -> None:
    """A wrong unit, a missing or doubled factor and another quantity are found, and named."""
    misprint = Misprint.of(printed, CONV1, PRINTED)
    search = by_id(search_product(misprint, [("input", 150_528)]))["unit-or-scope"]
    assert (said, cost) in [(hit.description, hit.cost) for hit in search.hits]


def test_numbers_out_of_range_are_refused() -> None:
    """Zero, and what 64 bits could not multiply, is an error that names the number."""
    with pytest.raises(ValueError, match="not 0"):
        Misprint.of(5, named([1, 0]))
    with pytest.raises(ValueError, match="no factors or terms"):
        Misprint.of(5, [])
    with pytest.raises(ValueError, match="sums are searched up to"):
        search_sum(Misprint.of(5, named([10**17, 10**17])))


def test_large_numbers_are_searched_exactly() -> None:
    """Results beyond 64 bits neither overflow nor hit."""
    factors = named([10**6, 10**6, 10**6, 10**6])
    misprint = Misprint.of(7 * 10**16, factors, [7, 10, 10**5, 10**17])
    assert not any(s.hits for s in search_product(misprint) if s.id == "one-replaced")
    assert expressions(by_id(search_product(misprint))["free-products"])


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
