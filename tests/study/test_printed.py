"""A printed number is an interval, as wide as its digits are precise."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.study.printed import PrintedNumber, parse_printed, reading_of_digits

M = 10**6


@pytest.mark.parametrize(
    ("text", "value", "unit", "exact"),
    [
        ("253,440", 253_440, 1, True),
        ("4096", 4096, 1, True),
        ("1000", 1000, 1, True),
        ("0", 0, 1, True),
        ("3.8", Fraction("3.8"), Fraction("0.1"), False),
        ("3.80", Fraction("3.8"), Fraction("0.01"), False),
        ("60 million", 60 * M, M, False),
        ("60.0 million", 60 * M, M // 10, False),
        ("117M", 117 * M, M, False),
        ("1.5B", 1500 * M, 100 * M, False),
        ("2 thousand", 2000, 1000, False),
        ("12k", 12_000, 1000, False),
        ("1.8 x 10^9", 1800 * M, 100 * M, False),
        ("1.8×10^9", 1800 * M, 100 * M, False),
        ("1.8e9", 1800 * M, 100 * M, False),
        ("3.6 x 10^9", 3600 * M, 100 * M, False),
        ("1%", Fraction(1, 100), Fraction(1, 100), False),
        ("37.5%", Fraction(375, 1000), Fraction(1, 1000), False),
        ("2 percent", Fraction(2, 100), Fraction(1, 100), False),
        (" 55 ", 55, 1, True),
    ],
)
def test_value_and_unit(text: str, value: Fraction, unit: Fraction, exact: bool) -> None:
    """The last printed digit, with its scale word, gives the unit; a full integer is exact."""
    printed = parse_printed(text)
    assert (printed.value, printed.unit, printed.exact) == (value, unit, exact)


@pytest.mark.parametrize(
    "text",
    ["", "many", "-5", "+5", "1,00", "1,0000", "12,34,567", "1.", ".5", "1..5", "5 zillion",
     "1 2", "60 million dollars", "0x10", "1e", "1 x 10^", "∞", "5%%", "1,000.5.5"],
)  # fmt: skip
def test_what_is_no_printed_number(text: str) -> None:
    """Anything else is refused with the accepted forms."""
    with pytest.raises(
        ValueError, match=r'is no printed number; accepted are forms like "253,440"'
    ):
        parse_printed(text)


def test_sixty_million() -> None:
    """Printed "60 million" is [59.5, 60.5) million rounded and [60, 61) million truncated."""
    printed = parse_printed("60 million")
    assert printed.rounded == (Fraction(59_500_000), Fraction(60_500_000))
    assert printed.truncated == (60 * M, 61 * M)


@pytest.mark.parametrize(
    ("measured", "reading"),
    [
        (60 * M, "matches"),
        (59_500_000, "matches-rounded"),
        (59_499_999, None),
        (60_499_999, "matches-rounded"),
        (60_500_000, "matches-truncated"),
        (60_965_224, "matches-truncated"),
        (60_999_999, "matches-truncated"),
        (61 * M, None),
    ],
)
def test_edges_of_the_intervals(measured: int, reading: str | None) -> None:
    """Halves round up, the lower bounds belong to the intervals and the upper ones do not."""
    assert reading_of_digits(Fraction(measured), parse_printed("60 million")) == reading


def test_an_exact_number_has_no_neighbours() -> None:
    """An integer printed in full is matched by itself alone."""
    printed = parse_printed("253,440")
    assert reading_of_digits(Fraction(253_440), printed) == "matches"
    assert reading_of_digits(Fraction(253_441), printed) is None
    assert reading_of_digits(Fraction(2_534_401, 10), printed) is None


def test_a_stated_unit() -> None:
    """A unit widens a round figure: 650,000 to the next 10,000."""
    printed = parse_printed("650,000", 10_000)
    assert not printed.exact
    assert reading_of_digits(Fraction(650_080), printed) == "matches-rounded"
    assert reading_of_digits(Fraction(648_808), printed) == "matches-rounded"
    assert reading_of_digits(Fraction(659_272), printed) == "matches-truncated"
    assert reading_of_digits(Fraction(660_000), printed) is None
    assert reading_of_digits(Fraction(645_000), printed) == "matches-rounded"
    assert reading_of_digits(Fraction(644_999), printed) is None


def test_a_unit_of_a_decimal_is_the_written_decimal() -> None:
    """A unit of 0.1 is one tenth and not the nearest binary fraction."""
    assert parse_printed("3", 0.1).unit == Fraction(1, 10)


@given(whole=st.integers(0, 10**15), decimals=st.integers(0, 6))
def test_rounding_a_number_matches_it(whole: int, decimals: int) -> None:
    """Whatever is printed with fewer digits matches what it was printed from."""
    measured = Fraction(whole, 10**6)
    step = Fraction(1, 10**decimals)
    truncated = measured // step * step
    rounded = (measured + step / 2) // step * step
    for shown in (truncated, rounded):
        text = (
            f"{int(shown)}.{int(shown % 1 * 10**decimals):0{decimals}d}"
            if decimals
            else str(int(shown))
        )
        printed = parse_printed(text, None if decimals else 1)
        assert printed.value == shown
        assert reading_of_digits(measured, printed) is not None


@given(text=st.text(max_size=20))
def test_any_text(text: str) -> None:
    """Any text is a printed number or refused as none."""
    try:
        printed = parse_printed(text)
    except ValueError as error:
        assert "is no printed number" in str(error)
    else:
        assert isinstance(printed, PrintedNumber) and printed.value >= 0 and printed.unit > 0
