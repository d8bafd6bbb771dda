"""A printed number is an interval, as wide as its digits are precise."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.study.printed import (
    PrintedNumber,
    parse_printed,
    parse_scale,
    parse_within,
    reading_of_digits,
)

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
    ("text", "value", "unit", "exact"),
    [
        ("~110M", 110 * M, M, False),
        ("≈ 3.8 billion", 3800 * M, 100 * M, False),
        ("about 60 million", 60 * M, M, False),
        ("-5", -5, 1, True),
        ("−3.8", Fraction("-3.8"), Fraction("0.1"), False),
        ("+0.4%", Fraction("0.004"), Fraction("0.001"), False),
        ("1 000 000", M, 1, True),
        ("1\u2009000\u2009000", M, 1, True),
        ("1\u00a0000\u202f000.5", Fraction("1000000.5"), Fraction("0.1"), False),
        ("1'000'000", M, 1, True),
        ("1’000", 1000, 1, True),
        ("1.234.567", 1_234_567, 1, True),
        ("3.6×10⁹", 3600 * M, 100 * M, False),
        ("2.4 × 10⁶", 2_400_000, 100_000, False),
        ("5 × 10⁻³", Fraction("0.005"), Fraction("0.001"), False),
        ("6.0E7", 60 * M, M, False),
        ("1.8e+09", 1800 * M, 100 * M, False),
        ("1.8 x 10^{9}", 1800 * M, 100 * M, False),
        ("1.6T", 1_600_000 * M, 100_000 * M, False),
        ("3 PFLOPs", 3000 * M * M, 1000 * M * M, False),
        ("2 trillion", 2_000_000 * M, M * M, False),
        ("1.5 bn", 1500 * M, 100 * M, False),
        ("3.8 GFLOPs", 3800 * M, 100 * M, False),
        ("569 MMACs", 569 * M, M, False),
        ("300 million mult-adds", 300 * M, M, False),
        ("25.6M parameters", 25_600_000, 100_000, False),
        ("4096 neurons", 4096, 1, True),
        ("64Ki", 65_536, 1024, False),
        ("98 MiB", 98 * 2**20, 2**20, False),
        ("5‰", Fraction("0.005"), Fraction("0.001"), False),
        ("12x", 12, 1, False),
        ("1.5 ×", Fraction("1.5"), Fraction("0.1"), False),
        ("12-fold", 12, 1, False),
        ("12 times", 12, 1, False),
        ("1/12", Fraction(1, 12), Fraction(1, 12), False),
        ("10^6", M, M, False),
        ("10⁶", M, M, False),
        ("2^20", 2**20, 1, True),
        (".5", Fraction("0.5"), Fraction("0.1"), False),
        ("25.557M", 25_557_000, 1000, False),
        ("0.125", Fraction("0.125"), Fraction("0.001"), False),
    ],
)  # fmt: skip
def test_spellings(text: str, value: Fraction, unit: Fraction, exact: bool) -> None:
    """Numbers are read as papers print them."""
    printed = parse_printed(text)
    assert (printed.value, printed.unit, printed.exact) == (value, unit, exact)


@pytest.mark.parametrize(
    "text",
    ["", "many", "1,00", "1,0000", "12,34,567", "1.", "1..5", "5 zillion", "1 2", "3.6 × 109",
     "60 million dollars", "0x10", "1e", "1 x 10^", "∞", "5%%", "1,000.5.5", "0,123", "1,000 000",
     "99999^99", "1/0", "--5", "5 ~", "²", "1" * 61],
)  # fmt: skip
def test_what_is_no_printed_number(text: str) -> None:
    """Anything else is refused with the accepted forms."""
    with pytest.raises(
        ValueError, match=r'is no printed number; accepted are forms like "253,440"'
    ):
        parse_printed(text)


@pytest.mark.parametrize("text", ["1.000", "253.440", "~253.440", "12.500 parameters"])
def test_a_point_that_may_separate_thousands(text: str) -> None:
    """A point before three digits may be of a decimal or of thousands: that is asked."""
    digits = text.removeprefix("~").split()[0]
    with pytest.raises(ValueError, match=f"may be {digits} or {digits.replace('.', ',')}: give"):
        parse_printed(text)
    decimal, whole = parse_printed(text, scale=1), parse_printed(text, 1)
    assert decimal.value * 1000 == whole.value
    assert (decimal.unit, whole.unit) == (Fraction(1, 1000), 1)


@pytest.mark.parametrize("text", ["<1%", "≥ 60M", "over 60 million", "At most 5", "up to 3x"])
def test_a_bound_is_asked_as_a_relation(text: str) -> None:
    """A sign or word of a bound is the claim's relation and no part of its digits."""
    with pytest.raises(ValueError, match=r"is a bound: leave .* out and say `relation: at-most`"):
        parse_printed(text)


def test_bytes_are_asked() -> None:
    """MB are 1,000,000 or 1,048,576: nobody knows before the study says."""
    with pytest.raises(ValueError, match=r"may count in 1,000 or in 1,024: say which as `scale:`"):
        parse_printed("98 MB")
    assert parse_printed("98 MB", scale="2^20").value == 98 * 2**20
    assert parse_printed("98 MB", scale="million").value == 98 * M


@pytest.mark.parametrize(
    ("text", "scale", "value", "unit", "said"),
    [
        ("133", "million", 133 * M, M, "133 million"),
        ("133", 1_000_000, 133 * M, M, "133 × 1,000,000"),
        ("133", "2^20", 133 * 2**20, 2**20, "133 × 2^20"),
        ("15.5", "billions", 15_500 * M, 100 * M, "15.5 billions"),
        ("64", 1024, 65_536, 1024, "64 × 1,024"),
        ("64K", 1024, 65_536, 1024, "64K"),
        ("0.54", "%", Fraction("0.0054"), Fraction("0.0001"), "0.54%"),
        ("4096", 1, 4096, 1, "4096"),
    ],
)
def test_a_scale_from_a_head(
    text: str, scale: str | int, value: Fraction, unit: Fraction, said: str
) -> None:
    """A scale multiplies the digits, or says what the letter after them is worth."""
    printed = parse_printed(text, scale=scale)
    assert (printed.value, printed.unit, printed.said) == (value, unit, said)
    assert printed.exact == (value == 4096)


def test_millions() -> None:
    """133 in millions is 132.5 to 133.5 million."""
    low, high = parse_printed("133", scale="million").rounded
    assert (low, high) == (132_500_000, 133_500_000)


@pytest.mark.parametrize("scale", ["zillion", 0, -5, "", "1.000"])
def test_what_is_no_scale(scale: str | int) -> None:
    """Anything but a positive number or a word for one is refused."""
    with pytest.raises(ValueError, match="must be a scale like million, K, 1024"):
        parse_scale(scale)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64K", "has a scale of its own, 1,000"),
        ("1%", "is a share or ratio, which has no `scale:`"),
        ("1/12", "is a share or ratio"),
        ("12x", "is a share or ratio"),
    ],
)
def test_two_scales(text: str, message: str) -> None:
    """A number that has a scale takes no other."""
    with pytest.raises(ValueError, match=message):
        parse_printed(text, scale="million")


@pytest.mark.parametrize("scale", [None, 1024, 7])
@pytest.mark.parametrize("text", ["98 MB", "2 KB", "3GB", "1.5 TB", "64 KiB", "2 GiB", "7M", "8K"])
def test_scales_that_a_message_names(text: str, scale: int | None) -> None:
    """Where a message says which scales a letter may have, each of them is accepted."""
    try:
        parse_printed(text, scale=scale)
    except ValueError as error:
        named = re.search(r"(\d+) or (\d+)$", str(error))
        assert named is not None
        for accepted in map(int, named.groups()):
            assert parse_printed(text, scale=accepted).value > 0
    else:
        assert scale is None or text.endswith(("K", "KB", "KiB"))


@pytest.mark.parametrize(
    ("within", "distance"), [(500, 500), ("500", 500), ("5%", 1850), (0.5, Fraction(1, 2))]
)
def test_within(within: str | float, distance: Fraction) -> None:
    """About is a number or a share of the printed one."""
    assert parse_within(within, Fraction(37_000)) == distance


SPELLINGS: list[Callable[[int], str]] = [
    str,
    lambda n: f"{n:,}",
    lambda n: f"{n:,}".replace(",", " "),
    lambda n: f"{n:,}".replace(",", "\u202f"),
    lambda n: f"{n:,}".replace(",", "’"),
    lambda n: f"+{n}",
    lambda n: f" {n} parameters ",
]
SCALED: list[Callable[[Decimal], str]] = [
    lambda d: f"{d:f} million",
    lambda d: f"{d:f}M",
    lambda d: f"{d:f} M",
    lambda d: f"{d:f} MMACs",
    lambda d: f"~{d:f} millions",
    lambda d: f"{d:f} × 10⁶",
    lambda d: f"{d:f}×10^6",
    lambda d: f"{d:f}e6",
    lambda d: f"{d:f}E+06",
    lambda d: f"{d.scaleb(3):f}K" if d.as_tuple().exponent <= -3 else f"{d:f}M",
    lambda d: f"{d.scaleb(-3):f} billion",
    lambda d: f"{d.scaleb(-6):f} T",
]


@given(number=st.integers(0, 10**12))
def test_every_spelling_of_an_integer(number: int) -> None:
    """One value, one interval, however its thousands are separated."""
    read = {interval(parse_printed(spell(number))) for spell in SPELLINGS}
    assert read == {(number, Fraction(2 * number - 1, 2), Fraction(2 * number + 1, 2), True)}


@given(digits=st.integers(1, 10**6), decimals=st.integers(0, 6))
def test_every_spelling_of_a_scaled_number(digits: int, decimals: int) -> None:
    """One value of one precision, one interval, whatever word, letter or power scales it."""
    number = Decimal(digits).scaleb(-decimals)
    read = {interval(parse_printed(spell(number))) for spell in SCALED}
    value, step = Fraction(number) * M, Fraction(M, 10**decimals)
    assert read == {(value, value - step / 2, value + step / 2, False)}
    assert interval(parse_printed(f"{number:f}", scale="million")) in read


def interval(printed: PrintedNumber) -> tuple[Fraction, Fraction, Fraction, bool]:
    """What a number stands for."""
    return (printed.value, *printed.rounded, printed.exact)


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
    """An integer printed in full is matched by no other count."""
    printed = parse_printed("253,440")
    assert reading_of_digits(Fraction(253_440), printed) == "matches"
    assert reading_of_digits(Fraction(253_441), printed) is None


@pytest.mark.parametrize(
    ("measured", "reading"),
    [("132.86", "matches-rounded"), ("133.2", "matches-rounded"), ("133.9", "matches-truncated"),
     ("132.4", None), ("134.1", None)],
)  # fmt: skip
def test_an_integer_beside_what_is_no_count(measured: str, reading: str | None) -> None:
    """An integer held against a share, or a count in millions, is rounded digits."""
    assert reading_of_digits(Fraction(measured), parse_printed("133")) == reading


@pytest.mark.parametrize(
    ("measured", "reading"),
    [("-3.84", "matches-rounded"), ("-3.75", "matches-rounded"), ("-3.749", None),
     ("-3.85", "matches-truncated"), ("-3.899", "matches-truncated"), ("-3.9", None),
     ("3.8", None)],
)  # fmt: skip
def test_negative_numbers(measured: str, reading: str | None) -> None:
    """Below zero, digits are rounded and cut as above it: halves away from zero, cuts to it."""
    assert reading_of_digits(Fraction(measured), parse_printed("-3.8")) == reading


@pytest.mark.parametrize(
    ("printed", "measured", "reading"),
    [("110M", 109_482_240, "matches-zeros"), ("340M", 335_141_888, "matches-zeros"),
     ("110M", 110_400_000, "matches-rounded"), ("110M", 104_999_999, None),
     ("110M", 119_999_999, "matches-zeros"), ("60,000", 61_706, "matches-zeros"),
     ("60,000", 70_000, None), ("1.50M", 1_560_000, None)],
)  # fmt: skip
def test_open_zeros(printed: str, measured: int, reading: str | None) -> None:
    """Zeros that may be no digits make a match of its own kind, after the stronger ones."""
    assert reading_of_digits(Fraction(measured), parse_printed(printed, open_zeros=True)) == reading
    assert reading_of_digits(Fraction(measured), parse_printed(printed)) != "matches-zeros"


@pytest.mark.parametrize(
    ("printed", "scaled", "zeros", "unit"),
    [("110M", True, 1, 10 * M), ("60,000", False, 4, 10_000), ("200 million", True, 2, 100 * M),
     ("1.50M", True, 0, 10_000), ("1.10 × 10^9", False, 0, 10 * M), ("0", False, 0, 1)],
)  # fmt: skip
def test_last_zeros(printed: str, scaled: bool, zeros: int, unit: int) -> None:
    """Zeros after a point are digits; others count, and name the unit that they leave."""
    read = parse_printed(printed)
    assert (read.scaled, read.zeros, read.open_unit) == (scaled, zeros, unit)


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


NEARLY = st.text(alphabet="0123456789.,' ~-+x×^/e⁶%KMBTi\u202f", max_size=14)


@given(text=st.text(max_size=20) | NEARLY, scale=st.none() | st.sampled_from([1, 1024, "million"]))
def test_any_text(text: str, scale: str | int | None) -> None:
    """Any text is a printed number or refused in one line."""
    try:
        printed = parse_printed(text, scale=scale)
    except ValueError as error:
        assert any(part in str(error) for part in REFUSALS)
    else:
        assert printed.unit > 0 and printed.rounds(printed.value) and printed.cuts(printed.value)


REFUSALS = (
    "is no printed number",
    "is a bound",
    "may be",
    "may count in",
    "scale of its own",
    "share or ratio",
)
