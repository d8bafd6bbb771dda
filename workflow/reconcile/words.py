"""Numbers, shares, lists, plurals, dates and verdicts as text for people: here and nowhere else.

A number reads the same in a verdict's reason, in the report and in a write-up.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from math import floor, log10

Report = Callable[[str], None]
"""Tells people a line."""
SECONDS = 1.0
"""Between two lines of progress: often enough to be seen, seldom enough to be read."""


@dataclass
class Seldom:
    """Lines that say how far something is, one in ``SECONDS`` at most; short work says nothing.

    Attributes:
        report: is told the lines.
        last: when it was told something, or the work began, on a clock that only goes on.
    """

    report: Report
    last: float = field(default_factory=time.monotonic)

    def line(self, text: str) -> None:
        """Tell a line, unless one was told just now."""
        now = time.monotonic()
        if now - self.last >= SECONDS:
            self.report(text)
            self.last = now


MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_LONG = re.compile(r"(?<![\w.,])\d{5,}(?![\w,])")
_TIMES = re.compile(r"(?<=\d)[*x](?=\d)")
_PLAIN = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?P<decimals>\.\d+)?")


@dataclass(frozen=True)
class Mark:
    """A verdict or outcome as it is shown: never by colour alone.

    Attributes:
        glyph: what everybody sees.
        suffix: a small letter after the glyph that tells kinds of it apart.
        word: what a screen reader says, and the legend explains.
        css: class of its colour.
    """

    glyph: str
    suffix: str
    word: str
    css: str


MARKS = {
    "matches": Mark("✓", "", "matches", "good"),
    "matches-rounded": Mark("✓", "r", "matches when rounded", "good"),
    "matches-truncated": Mark("✓", "t", "matches when truncated", "good"),
    "matches-zeros": Mark("≈", "0", "matches if its last zeros are no digits", "slip"),
    "explained-by-slip": Mark("†", "", "explained by a slip", "slip"),
    "contradicts": Mark("×", "", "contradicts", "bad"),
    "not-measured": Mark("–", "", "not measured", "none"),
}
OUTCOMES = {
    "holds": Mark("✓", "", "holds", "good"),
    "fails": Mark("×", "", "fails", "bad"),
    "not-computed": Mark("–", "", "not computed", "none"),
}
STUDY_OUTCOMES = {
    "agree": Mark("✓", "", "all agree", "good"),
    "explained": Mark("†", "", "explained", "slip"),
    "undecided": Mark("–", "", "undecided", "none"),
    "contradicted": Mark("×", "", "contradicted", "bad"),
}
UNKNOWN = Mark("?", "", "unknown", "none")


def mark_of(word: str) -> Mark:
    """The mark of a verdict, of the outcome of a check, or of what came out of a study."""
    return MARKS.get(word) or OUTCOMES.get(word) or STUDY_OUTCOMES.get(word) or UNKNOWN


def number(value: Fraction | int | str) -> str:
    """A counted or computed number: whole ones in full, digits in groups of three.

    Others have two decimals, and below one four significant digits.
    """
    exact = Fraction(value)
    if exact.denominator == 1:
        return f"{exact.numerator:,}"
    return f"{float(exact):,.4g}" if abs(exact) < 1 else f"{float(exact):,.2f}"


def share(value: Fraction | float | str, least: int = 2) -> str:
    """A share in percent: so many decimals, or more where they would show fewer than two digits."""
    percentage = float(Fraction(value)) * 100
    places = max(least, 1 - floor(log10(abs(percentage)))) if percentage else 0
    return f"{percentage:,.{places}f}%"


def like(printed: str, value: Fraction | int | str) -> str:
    """A number beside a printed one: in percent where the paper prints a percentage."""
    return share(value) if in_percent(printed) else number(value)


def beside(printed: str, cell: str) -> str:
    """A cell of a table beside a printed number; empty where there is no number."""
    return like(printed, cell) if cell else ""


def in_percent(printed: str) -> bool:
    """Whether printed digits are a percentage."""
    return printed.rstrip().endswith(("%", "percent", "per cent"))


def digits(value: object) -> str:
    """A value as it was written, a number with its digits in groups of three."""
    text = "null" if value is None else str(value).strip()
    match = _PLAIN.fullmatch(text)
    if match is None:
        return text
    decimals = (match["decimals"] or "").removesuffix(".0")
    return f"{'−' if match['sign'] else ''}{int(match['whole']):,}{decimals}"


def argument_text(value: object) -> str:
    """The value of a network's argument."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(argument_text, value))
    return digits(value) or '""'


def typeset(text: str) -> str:
    """Text written for machines, for people: long numbers grouped, products with ×, arrows."""
    text = _LONG.sub(lambda match: f"{int(match[0]):,}", text.replace("->", "→"))
    return _TIMES.sub(" × ", text)


def percent(probability: str | float) -> str:
    """A probability with two significant digits: "0.0013%"."""
    return "" if probability == "" else share(probability, 0)


def count_of(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 claim", "1,200 claims"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as English lists them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table of text, its columns one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _time(iso: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(UTC)


def day(iso: str) -> str:
    """An ISO 8601 time as a date: "23 November 2026"."""
    time = _time(iso)
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}"


def moment(iso: str) -> str:
    """An ISO 8601 time to the minute: "23 November 2026, 18:05 UTC"."""
    return f"{day(iso)}, {_time(iso):%H:%M} UTC"


def milliseconds(value: str | float) -> str:
    """A duration with three significant digits: "0.0123", "1.23", "123"."""
    number = float(value)
    if number >= 100:  # noqa: PLR2004 - three digits
        return f"{number:,.0f}"
    places = 1 if number >= 10 else 2 if number >= 1 else 3  # noqa: PLR2004 - digits in front
    return f"{number:.{places}f}"


def mebibytes(value: str | float) -> str:
    """A number of bytes in MiB."""
    return f"{float(value) / 2**20:,.1f} MiB"
