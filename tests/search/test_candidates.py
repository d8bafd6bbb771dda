"""Candidates against printed digits: which fit, in which order, and how many would by chance."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search.candidates import MOST_LISTED, Candidate, Pool, cells
from reconcile.study.printed import parse_printed


def candidates(*values: int | Fraction, cost: int = 1) -> list[Candidate]:
    """Candidates of some values, named after them."""
    return [Candidate(f"number {v}", f"x({v})", Fraction(v), cost) for v in values]


@pytest.mark.parametrize(
    ("printed", "value", "fit"),
    [
        ("1,024", 1024, "matches"),
        ("1.0M", 1_049_999, "matches-rounded"),
        ("1.0M", 1_050_000, "matches-truncated"),
        ("1.0M", 1_100_000, None),
        ("1.0M", 949_999, None),
    ],
)
def test_what_fits(printed: str, value: int, fit: str | None) -> None:
    """As a verdict would be given, and no other number."""
    found = Pool(candidates(value)).against(parse_printed(printed))
    assert [hit.fit for hit in found.hits] == ([fit] if fit else [])


def test_what_must_assume_least_comes_first() -> None:
    """By cost, then by how the digits fit, then by the length of the expression."""
    pool = Pool(
        [
            *candidates(101, cost=3),
            *candidates(100, cost=2),
            Candidate("rounded", "r", Fraction(1004, 10), 1),
            Candidate("cut", "c", Fraction(1006, 10), 1),
        ]
    )
    found = pool.against(parse_printed("100", scale=1))
    assert [hit.candidate.says for hit in found.hits] == ["rounded", "cut", "number 100"]


def test_without_a_hit_the_nearest_are_told() -> None:
    """From both sides, and a row that says so."""
    found = Pool(candidates(90, 95, 120)).against(parse_printed("100"))
    assert found.words == "No hit; nearest: 95 (number 95) and 120 (number 120)."
    (row,) = cells(found)
    assert row["tried"] == 3 and "hit" not in row


@given(st.fractions(Fraction(1, 1000), 10**13, max_denominator=10**6))
def test_a_sentence_spells_numbers_out(value: Fraction) -> None:
    """Whole ones to the last digit, others to ten digits or two decimals; no powers of ten."""
    printed = parse_printed("1 x 10^15")
    words = Pool([Candidate("it", "it", value, 1)]).against(printed).words
    told = words.removeprefix("No hit; nearest: ").removesuffix(" (it).")
    near = Fraction(told.replace(",", ""))
    assert "e" not in told
    assert near == value or value.denominator != 1
    assert abs(near - value) <= max(Fraction(1, 200), value / 10**9)


def test_all_are_counted_and_some_listed() -> None:
    """A thousand hits are a thousand, and few are shown."""
    found = Pool(candidates(*range(1_000_000, 1_001_000))).against(parse_printed("1.0M"))
    assert (found.total, len(found.hits)) == (1000, MOST_LISTED)


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_the_chance_is_how_many_would_fit(digits: int) -> None:
    """Against numbers drawn evenly over the logarithm, as many fit as the formula says."""
    draw = random.Random(1)  # noqa: S311 - a sample
    values = [int(math.exp(draw.uniform(math.log(10**5), math.log(10**8)))) for _ in range(4000)]
    pool = Pool(candidates(*values))
    told, fitted = 0.0, 0
    for _ in range(400):
        value = math.exp(draw.uniform(math.log(10**6), math.log(10**7)))
        text = f"{value:.{digits - 1}e}".replace("e+0", " x 10^")
        found = pool.against(parse_printed(text))
        told, fitted = told + found.by_chance, fitted + found.total
    assert fitted == pytest.approx(told, rel=0.2)
