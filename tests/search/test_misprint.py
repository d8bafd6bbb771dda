"""Digit edits and the distance they span."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search.misprint import count_within, edit_distance, single_edits

NUMBERS = st.integers(1, 999_999)


def table_distance(first: int, second: int) -> int:
    """Compute the optimal string alignment distance by its textbook recursion."""
    a, b = str(first), str(second)
    d: dict[tuple[int, int], int] = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            d[i, j] = step(d, a, b, (i, j)) if i and j else i + j
    return d[len(a), len(b)]


def step(d: Mapping[tuple[int, int], int], a: str, b: str, at: tuple[int, int]) -> int:
    """Compute one entry of the table from the ones before it."""
    i, j = at
    best = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
    if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
        best = min(best, d[i - 2, j - 2] + 1)
    return best


@given(NUMBERS, NUMBERS)
def test_distance_agrees_with_the_textbook(first: int, second: int) -> None:
    """The distance is the optimal string alignment distance."""
    assert edit_distance(first, second) == table_distance(first, second)


@given(NUMBERS, NUMBERS)
def test_distance_has_no_direction(first: int, second: int) -> None:
    """An edit can be undone by an edit."""
    assert edit_distance(first, second) == edit_distance(second, first)


@given(st.integers(1, 99))
def test_single_edits_are_what_is_one_edit_away(number: int) -> None:
    """The edited numbers are exactly the positive numbers at distance one."""
    near = tuple(other for other in range(1, 1000) if table_distance(number, other) == 1)
    assert single_edits(number) == near


@pytest.mark.parametrize("number", [7, 55, 290, 1223, 9081])
@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_counting_agrees_with_trying_all(number: int, most: int) -> None:
    """Counting by rows gives what counting all numbers of a length gives."""
    for length in (1, 2, 3):
        numbers = range(10 ** (length - 1), 10**length)
        near = sum(table_distance(number, other) <= most for other in numbers)
        assert count_within(number, length, most) == near


def test_alexnet_product_is_three_edits_away() -> None:
    """290,400 is no misprint of 253,440 by one or two digits."""
    assert [edit_distance(n, 253_440) for n in (290_400, 279_936, 301_056)] == [3, 5, 6]
