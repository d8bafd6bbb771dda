"""A printed number is an interval: its digits say how precise the claim is.

An integer printed in full is exact where a count is held against it. A scale word, a percent sign
or decimals make the unit that of the last printed digit: "60 million" stands for [59.5, 60.5)
million when it was rounded and for [60, 61) million when it was cut. All arithmetic is exact
(``fractions.Fraction``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

Interval = tuple[Fraction, Fraction]
"""Half open: the bound nearer to zero belongs to it, the other does not."""

_THINGS = (
    r"(?:(?:trainable|learnable|total) )?(?:"
    r"flops?|flop/s|macs?|m-?adds?|mult(?:iply|i)?-?(?:adds?|accumulates?)|ops?|operations?|"
    r"params?|parameters?|weights?|neurons?|units?|connections?|synapses|tokens?|pixels?|px|"
    r"layers?|maps?|channels?|features?|words?|images?|bits?|bytes?)"
)
"""What papers write after a number: it says what is counted, as the claim's quantity does."""
_ABOUT = (
    "(?:[~\u223c≈≃≅]"
    r"|(?:about|approximately|approx\.?|around|roughly|circa|ca\.)(?=[ \d])) ?"
)
_DIGITS = (
    r"[1-9]\d{0,2}(?P<separator>[, '])\d{3}(?:(?P=separator)\d{3})*(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?:\.\d{3}){2,}"
    r"|\d*\.\d+|\d+"
)
_TEN = r" ?(?:[x*] ?10 ?(?:\^|\*\*) ?\{?|e)(?P<ten>[+-]?\d{1,2})\}?(?!\d)"
_PRINTED = re.compile(
    rf"(?P<about>{_ABOUT})?(?P<sign>[+-])? ?"
    r"(?:(?P<base>\d{1,5}) ?(?:\^|\*\*) ?\{?(?P<exponent>\d{1,2})\}?"
    r"|(?P<part>[1-9]\d{0,8}) ?/ ?(?P<whole>[1-9]\d{0,8})"
    rf"|(?P<digits>{_DIGITS})(?:{_TEN})?)"
    r" ?(?P<tail>\D.*)?",
    re.ASCII | re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?P<share>%|per ?cent|‰|per ?mille)|(?P<fold>x|-? ?fold|times)"
    rf"|(?P<word>thousand|million|billion|trillion|[mbt]n)s?(?: {_THINGS})?"
    rf"|(?P<letter>[kmbgtp])(?P<binary>i)?(?:[ -]?{_THINGS}|(?P<bytes> ?b))?"
    rf"|{_THINGS}",
    re.ASCII | re.IGNORECASE,
)
_THOUSANDS = {"th": 1, "mi": 2, "bi": 3, "tr": 4, "mn": 2, "bn": 3, "tn": 4} | {
    **{"k": 1, "m": 2, "b": 3, "g": 3, "t": 4, "p": 5}
}
"""Powers of 1,000 by the first letters of the words."""
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)
_BOUND = re.compile(r"[<>≤≥]=?|(?:over|under|up to|more than|less than|at (?:most|least)) ", re.I)
_SUPERSCRIPT = re.compile("[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_SAME = str.maketrans(
    dict.fromkeys("\u00a0\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f", " ")
    | dict.fromkeys("’\u02bc\u2032", "'")
    | dict.fromkeys("×✕\u2217·⋅", "x")
    | dict.fromkeys("−–", "-")
    | {"\u2044": "/"}
)
MAX_LENGTH = 60
"""Characters of a printed number; papers need fewer."""
MAX_SCALE = 10**30
MAX_BITS = 400
"""Of a power that is written as one; no count comes near it."""
_NEARLY = Fraction(10, 9)
"""1,024^4 is 1.0995 x 10^12: a letter may stand for either."""


@dataclass(frozen=True)
class PrintedNumber:
    """Printed digits, read.

    Attributes:
        text: the digits as printed.
        value: the number they denote.
        unit: what one step of the last meaningful digit is worth.
        exact: an integer printed in full, which leaves a count no room for rounding.
        said: the digits with the scale that the paper names elsewhere: "133 million".
        approximate: the paper says "about", with a sign or a word.
        zeros: how many zeros stand last in it, none of them after a point.
        scaled: printed with a word or letter, or under a head, that scales it: "110M".
        open_zeros: its last zeros may be no digits.
    """

    text: str
    value: Fraction
    unit: Fraction
    exact: bool
    said: str = ""
    approximate: bool = False
    zeros: int = 0
    scaled: bool = False
    open_zeros: bool = False

    @cached_property
    def rounded(self) -> Interval:
        """Every number that rounds to the printed one (halves away from zero)."""
        return self._rounded(self.unit)

    @cached_property
    def truncated(self) -> Interval:
        """Every number that is cut to the printed one."""
        return self._truncated(self.unit)

    @property
    def open_unit(self) -> Fraction:
        """What one step of the last digit is worth that is no zero."""
        return self.unit * Fraction(10) ** self.zeros

    def rounds(self, measured: Fraction) -> bool:
        """Whether a measured number, rounded, gives the printed digits."""
        return self._fits(measured, self.rounded)

    def cuts(self, measured: Fraction) -> bool:
        """Whether a measured number, cut, gives the printed digits."""
        return self._fits(measured, self.truncated)

    def fits_without_zeros(self, measured: Fraction) -> bool:
        """Whether it would be rounded or cut to the digits if the last zeros were none."""
        intervals = self._rounded(self.open_unit), self._truncated(self.open_unit)
        return self.zeros > 0 and any(self._inside(measured, interval) for interval in intervals)

    def _rounded(self, unit: Fraction) -> Interval:
        return self.value - unit / 2, self.value + unit / 2

    def _truncated(self, unit: Fraction) -> Interval:
        below = self.value < 0
        return (self.value - unit, self.value) if below else (self.value, self.value + unit)

    def _fits(self, measured: Fraction, interval: Interval) -> bool:
        # A share, or a count in millions, is no count: however its digits look, they were rounded.
        counted = self.exact and measured.denominator == 1
        return measured == self.value or (not counted and self._inside(measured, interval))

    def _inside(self, measured: Fraction, interval: Interval) -> bool:
        low, high = interval
        return low < measured <= high if self.value < 0 else low <= measured < high


@dataclass(frozen=True)
class _Mantissa:
    """Digits as an integer, what its last one is worth, its last zeros, if it is all there is."""

    digits: int
    last: Fraction
    zeros: int = 0
    exact: bool = False


@dataclass(frozen=True)
class _Tail:
    """What stands after the digits.

    Attributes:
        worth: what it multiplies them by.
        share: it is of a share or ratio, which has no other scale.
        scales: it is a word or letter like "million" and M.
        asks: it is of bytes, and nobody knows whether 1,000 or 1,024 make the next.
    """

    worth: Fraction = Fraction(1)
    share: bool = False
    scales: bool = False
    asks: bool = False


@lru_cache(maxsize=65536)
def parse_printed(
    text: str,
    unit: float | None = None,
    scale: str | float | None = None,
    *,
    open_zeros: bool = False,
) -> PrintedNumber:
    """Read printed digits such as "253,440", "60 million", "1.8 × 10⁹", "117M", "1%" or "1/12".

    Args:
        text: the digits as the paper prints them.
        unit: overrides the unit of the last digit ("650,000" in prose may be a round figure).
        scale: what the digits count in where the paper says so elsewhere, as ``parse_scale`` reads
            it; or what the letter after them is worth ("64K" with 1,024).
        open_zeros: whether the last zeros may be no digits.

    Raises:
        ValueError: the text is no printed number, or may be one of two; the message asks.
    """
    match, tail = _matched(text)
    given = None if scale is None else parse_scale(scale)
    if unit is None and given is None and _is_ambiguous(match, tail):
        digits = match["digits"]
        raise ValueError(
            f'"{text}" may be {digits} or {digits.replace(".", ",")}: give `scale: 1` for the '
            "first, `unit: 1` for the second, or the scale or unit that it has"
        )
    worth = tail.worth if given is None else _agreed(text, match, tail, given)
    if tail.asks and given is None:
        raise ValueError(
            f'"{text}" may count in 1,000 or in 1,024: say which as `scale:`, {_both(tail)}'
        )
    mantissa = _mantissa(match, whole=unit is not None and unit >= 1)
    last = mantissa.last * worth
    told = unit is not None or tail.share or match["about"] is not None
    return PrintedNumber(
        text=text,
        value=mantissa.digits * last,
        unit=last if unit is None else Fraction(str(unit)),
        exact=mantissa.exact and worth == 1 and not told,
        said=text if scale is None or tail.scales else _said(text, scale),
        approximate=match["about"] is not None,
        zeros=mantissa.zeros,
        scaled=tail.scales or given not in (None, 1),
        open_zeros=open_zeros,
    )


def _said(text: str, scale: str | float) -> str:
    worth = parse_scale(scale)
    if worth == Fraction(1, 100):
        return f"{text}%"
    if isinstance(scale, str) and _TAIL.fullmatch(_plain(scale)):
        return f"{text} {scale.strip()}"
    return text if worth == 1 else f"{text} × {scale if isinstance(scale, str) else f'{scale:,}'}"


def parse_scale(scale: str | float) -> Fraction:
    """What a table's head says its numbers count in: "million", "K", 1024, "2^20", "%".

    Raises:
        ValueError: the text is no scale.
    """
    tail = _TAIL.fullmatch(_plain(scale)) if isinstance(scale, str) else None
    if tail is not None:
        return _tail(tail).worth
    try:
        found = Fraction(str(scale)) if not isinstance(scale, str) else parse_printed(scale).value
    except ValueError:
        found = Fraction(0)
    if not 0 < found <= MAX_SCALE:
        raise ValueError(f'must be a scale like million, K, 1024, "2^20" or "%", not {scale!r}')
    return found


def parse_within(within: str | float, value: Fraction) -> Fraction:
    """How far from a value a number may lie: in its own unit, or a share of it such as "5%".

    Raises:
        ValueError: the text is no number.
    """
    if not isinstance(within, str):
        return Fraction(str(within))
    match, tail = _matched(within)
    share = tail.share or match["part"]
    return abs(parse_printed(within).value * (value if share else 1))


def _plain(text: str) -> str:
    """The text with one kind of space, apostrophe, minus, product sign and power."""
    powers = _SUPERSCRIPT.sub(lambda match: "^" + match[0].translate(_LOWERED), text.strip())
    return powers.translate(_SAME)


def _matched(text: str) -> tuple[re.Match[str], _Tail]:
    match = _PRINTED.fullmatch(_plain(text)) if len(text) <= MAX_LENGTH else None
    tail = _TAIL.fullmatch(match["tail"]) if match and match["tail"] else None
    if match is None or (match["tail"] and not tail) or _is_huge(match):
        bound = _BOUND.match(_plain(text))
        if bound:
            raise ValueError(
                f'"{text}" is a bound: leave "{bound[0].strip()}" out and say `relation: at-most` '
                "or `at-least`"
            )
        raise ValueError(
            f'"{text}" is no printed number; accepted are forms like "253,440", "3.8", '
            '"60 million", "117M", "1.8 x 10^9", "1%", "12x", "1/12" and "2^20"'
        )
    return match, _tail(tail) if tail else _Tail()


def _is_huge(match: re.Match[str]) -> bool:
    bits = int(match["base"]).bit_length() if match["base"] else 0
    return bits * int(match["exponent"] or 0) > MAX_BITS


def _tail(match: re.Match[str]) -> _Tail:
    if match["share"]:
        return _Tail(Fraction(1, 1000 if match["share"][-1] in "‰eE" else 100), share=True)
    if match["fold"]:
        return _Tail(share=True)
    scale = match["word"] or match["letter"]
    if scale is None:
        return _Tail()
    worth = Fraction(1024 if match["binary"] else 1000) ** _THOUSANDS[scale[:2].lower()]
    return _Tail(worth, scales=True, asks=bool(match["bytes"] and not match["binary"]))


def _is_ambiguous(match: re.Match[str], tail: _Tail) -> bool:
    """Whether a point may separate thousands as well as decimals; nothing else says which."""
    read = match["ten"] or tail.share or tail.scales
    return not read and _AMBIGUOUS.fullmatch(match["digits"] or "") is not None


def _agreed(text: str, match: re.Match[str], tail: _Tail, given: Fraction) -> Fraction:
    """The scale where one is given: alone, or as what the printed letter is worth."""
    if tail.share or match["part"]:
        raise ValueError(f'"{text}" is a share or ratio, which has no `scale:`')
    if tail.scales and not 1 / _NEARLY <= given / tail.worth <= _NEARLY:
        raise ValueError(
            f'"{text}" has a scale of its own, {int(tail.worth):,}; leave out `scale:`, which may '
            f"only say whether a letter counts in 1,000 or in 1,024: {_both(tail)}"
        )
    return given


def _both(tail: _Tail) -> str:
    """What a letter may be worth, as `scale:` takes it; a binary one is its own near a power."""
    power = len(f"{int(tail.worth)}") // 3
    return f"{1000**power} or {1024**power}"


def _mantissa(match: re.Match[str], *, whole: bool) -> _Mantissa:
    """The digits before any scale; ``whole`` says that a single point separates thousands."""
    sign = -1 if match["sign"] == "-" else 1
    if match["part"]:
        return _Mantissa(sign * int(match["part"]), Fraction(1, int(match["whole"])))
    if match["base"]:
        base, exponent = int(match["base"]), int(match["exponent"])
        if base == 10:  # noqa: PLR2004 - the power that is as good as zeros
            return _Mantissa(sign, Fraction(10) ** exponent)
        return _Mantissa(sign * base**exponent, Fraction(1), exact=True)
    text = re.sub("[, ']", "", match["digits"])
    if text.count(".") > 1 or (whole and _AMBIGUOUS.fullmatch(text)):
        text = text.replace(".", "")
    integer, _, decimals = text.partition(".")
    digits, power = int(integer + decimals), int(match["ten"] or 0) - len(decimals)
    zeros = len(integer) - len(integer.rstrip("0")) if digits and not decimals else 0
    return _Mantissa(sign * digits, Fraction(10) ** power, zeros, exact=power == 0 and not decimals)


def reading_of_digits(measured: Fraction, printed: PrintedNumber) -> str | None:
    """By which reading of the digits a measured number equals the printed one.

    Returns:
        "matches" (exact), "matches-rounded", "matches-truncated", "matches-zeros" (only where the
        claim says that its last zeros may be no digits), or None.
    """
    if measured == printed.value:
        return "matches"
    if printed.rounds(measured):
        return "matches-rounded"
    if printed.cuts(measured):
        return "matches-truncated"
    if printed.open_zeros and printed.fits_without_zeros(measured):
        return "matches-zeros"
    return None


def spelling() -> dict[str, Any]:
    """How numbers are spelled, for a program in a page that reads them as ``parse_printed`` does.

    Patterns are as JavaScript writes them; both match a whole text, without regard to case.
    """
    return {
        "number": _for_a_page(_PRINTED),
        "tail": _for_a_page(_TAIL),
        "ambiguous": _for_a_page(_AMBIGUOUS),
        "same": {chr(code): plain for code, plain in _SAME.items()},
        "raised": {chr(code): chr(plain) for code, plain in _LOWERED.items()},
        "thousands": _THOUSANDS,
        "longest": MAX_LENGTH,
        "bits": MAX_BITS,
    }


def _for_a_page(pattern: re.Pattern[str]) -> str:
    return re.sub(r"\(\?P=(\w+)\)", r"\\k<\1>", pattern.pattern).replace("(?P<", "(?<")
