"""A printed number is an interval: its digits say how precise the claim is.

An integer printed in full is exact. A scale word, a percent sign or decimals make the unit that of
the last printed digit: "60 million" stands for [59.5, 60.5) million when it was rounded and for
[60, 61) million when it was truncated. All arithmetic is exact (``fractions.Fraction``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

SCALES = {
    "": 0,
    "%": -2,
    "percent": -2,
    "k": 3,
    "thousand": 3,
    "m": 6,
    "million": 6,
    "b": 9,
    "g": 9,
    "billion": 9,
}
_PRINTED = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?"
    r"(?:\s*(?:[x×*]\s*10\s*\^|e)\s*(?P<power>\d{1,2}))?"
    r"\s*(?P<scale>%|[A-Za-z]*)"
)

Interval = tuple[Fraction, Fraction]
"""Half open: the first bound belongs to it, the second does not."""


@dataclass(frozen=True)
class PrintedNumber:
    """Printed digits, read.

    Attributes:
        text: the digits as printed.
        value: the number they denote.
        unit: what one step of the last meaningful digit is worth.
        exact: an integer printed in full, which leaves no room for rounding.
    """

    text: str
    value: Fraction
    unit: Fraction
    exact: bool

    @property
    def rounded(self) -> Interval:
        """Every number that rounds to the printed one (half up)."""
        return self.value - self.unit / 2, self.value + self.unit / 2

    @property
    def truncated(self) -> Interval:
        """Every number that is cut to the printed one."""
        return self.value, self.value + self.unit


@lru_cache(maxsize=4096)
def parse_printed(text: str, unit: float | None = None) -> PrintedNumber:
    """Read printed digits such as "253,440", "60 million", "1.8 x 10^9", "117M" or "1%".

    Args:
        text: the digits as the paper prints them.
        unit: overrides the unit of the last digit ("650,000" in prose may be a round figure).

    Raises:
        ValueError: the text is not a printed number.
    """
    match = _PRINTED.fullmatch(text.strip())
    scale = SCALES.get(match["scale"].lower()) if match else None
    if match is None or scale is None:
        raise ValueError(
            f'"{text}" is no printed number; accepted are forms like "253,440", "3.8", '
            '"60 million", "117M", "1.8 x 10^9" and "1%"'
        )
    decimals = match["decimals"] or ""
    power = scale + int(match["power"] or 0)
    last_digit = Fraction(10) ** (power - len(decimals))
    value = int(match["whole"].replace(",", "") + decimals) * last_digit
    exact = unit is None and not decimals and power == 0
    return PrintedNumber(
        text, value, Fraction(str(unit)) if unit is not None else last_digit, exact
    )


def reading_of_digits(measured: Fraction, printed: PrintedNumber) -> str | None:
    """By which reading of the digits a measured number equals the printed one.

    Returns:
        "matches" (exact), "matches-rounded", "matches-truncated", or None.
    """
    if measured == printed.value:
        return "matches"
    if printed.exact:
        return None
    if printed.rounded[0] <= measured < printed.rounded[1]:
        return "matches-rounded"
    if printed.truncated[0] <= measured < printed.truncated[1]:
        return "matches-truncated"
    return None
