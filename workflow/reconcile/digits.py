"""Slips of the pen: numbers that differ by single digits.

One edit substitutes, inserts or deletes a digit, or swaps two neighbours. The distance is the
optimal string alignment distance, i.e. the Damerau-Levenshtein distance in which no digit is
edited twice (F. J. Damerau, Communications of the ACM 7(3), 1964, found that these four edits
make up most typing errors). Numbers are positive and printed without leading zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["DIGITS", "count_within", "edit_distance", "single_edits"]

DIGITS = "0123456789"


def _edited(text: str) -> Iterator[str]:
    """Yield every string that one edit makes of `text`, some of them more than once."""
    for at in range(len(text) + 1):
        head, tail = text[:at], text[at:]
        yield from (head + digit + tail for digit in DIGITS)
        if tail:
            yield head + tail[1:]
            yield from (head + digit + tail[1:] for digit in DIGITS)
            yield head + tail[1:2] + tail[0] + tail[2:]


def single_edits(number: int) -> tuple[int, ...]:
    """Return the distinct positive numbers one digit edit away from `number`, ascending."""
    edited = {text for text in _edited(str(number)) if text and text[0] != "0"}
    return tuple(sorted({int(text) for text in edited} - {number}))


class _Row(NamedTuple):
    """What the distances of a longer text to a word follow from.

    `now[j]` is the distance of the text read so far to the first j digits of the word,
    `before` the same one digit earlier, and `last` the digit read last.
    """

    now: tuple[int, ...]
    before: tuple[int, ...]
    last: str


def _start(word: str) -> _Row:
    """Return the distances of the empty text to every beginning of `word`."""
    return _Row(tuple(range(len(word) + 1)), (), "")


def _read(row: _Row, digit: str, word: str) -> _Row:
    """Return the distances after the text has gone on by one digit."""
    now = [row.now[0] + 1]
    for j, expected in enumerate(word):
        best = min(row.now[j + 1] + 1, now[j] + 1, row.now[j] + (digit != expected))
        if j and row.before and digit == word[j - 1] and row.last == expected:
            best = min(best, row.before[j - 1] + 1)
        now.append(best)
    return _Row(tuple(now), row.now, digit)


def edit_distance(first: int, second: int) -> int:
    """Return the number of digit edits between two numbers."""
    word = str(second)
    row = _start(word)
    for digit in str(first):
        row = _read(row, digit, word)
    return row.now[-1]


def count_within(number: int, length: int, most: int) -> int:
    """Count the numbers of `length` digits at most `most` edits away from `number`.

    The distance of a text depends on its digits only through the rows of the table above, so
    texts are counted by their rows, not one by one; digits that `number` lacks are alike.
    """
    word = str(number)
    rows = Counter({_start(word): 1})
    for position in range(length):
        longer: Counter[_Row] = Counter()
        for row, texts in rows.items():
            for digit, alike in _classes(word, leading=position == 0):
                following = _capped(_read(row, digit, word), most)
                if min(following.now) <= most:
                    longer[following] += texts * alike
        rows = longer
    return sum(texts for row, texts in rows.items() if row.now[-1] <= most)


def _capped(row: _Row, most: int) -> _Row:
    """Return the row with distances beyond `most` made equal, so that fewer rows differ."""
    now, before = (tuple(min(d, most + 1) for d in distances) for distances in row[:2])
    return _Row(now, before, row.last)


def _classes(word: str, *, leading: bool) -> list[tuple[str, int]]:
    """Return each digit of the word once, and one other digit for all that it lacks."""
    allowed = [digit for digit in DIGITS if not (leading and digit == "0")]
    classes = [(digit, 1) for digit in allowed if digit in word]
    others = [digit for digit in allowed if digit not in word]
    # The letter stands for digits that match nothing, and so behave in the same way.
    return [*classes, ("x", len(others))] if others else classes
