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

    `now[j]` is the distance of the text read so far to the first j digits of the word. Where the
    digit read last is digit j of the word, `swapped[j]` is the distance at which the one before
    it would follow as the next.
    """

    now: tuple[int, ...]
    swapped: tuple[int, ...]


def _start(word: str, most: int) -> _Row:
    """Return the distances of the empty text to every beginning of `word`."""
    return _Row(tuple(min(j, most + 1) for j in range(len(word) + 1)), (most + 1,) * len(word))


def _read(row: _Row, digit: str, word: str, most: int) -> _Row:
    """Return the distances after the text has gone on by one digit.

    Distances beyond `most` are all taken for `most + 1`, so that fewer rows differ.
    """
    beyond = most + 1
    now = [min(row.now[0] + 1, beyond)]
    swapped = [beyond]
    for j, expected in enumerate(word):
        best = min(row.now[j + 1] + 1, now[j] + 1, row.now[j] + (digit != expected), beyond)
        if j:
            best = min(best, row.swapped[j]) if digit == word[j - 1] else best
            swapped.append(min(row.now[j - 1] + 1, beyond) if digit == expected else beyond)
        now.append(best)
    return _Row(tuple(now), tuple(swapped))


def edit_distance(first: int, second: int) -> int:
    """Return the number of digit edits between two numbers."""
    word, text = str(second), str(first)
    most = len(word) + len(text)
    row = _start(word, most)
    for digit in text:
        row = _read(row, digit, word, most)
    return row.now[-1]


def count_within(number: int, length: int, most: int) -> int:
    """Count the numbers of `length` digits at most `most` edits away from `number`.

    The distance of a text depends on its digits only through the rows of the table above, so
    texts are counted by their rows, not one by one; digits that `number` lacks are alike.
    """
    word = str(number)
    rows = Counter({_start(word, most): 1})
    for position in range(length):
        longer: Counter[_Row] = Counter()
        classes = _classes(word, leading=position == 0)
        for row, texts in rows.items():
            for digit, alike in classes:
                following = _hopeful(_read(row, digit, word, most), length - position - 1, most)
                longer[following] += texts * alike
        rows = longer
    return sum(texts for row, texts in rows.items() if row.now[-1] <= most)


def _hopeful(row: _Row, left: int, most: int) -> _Row:
    """Give up distances that the digits left to read must bring beyond `most`.

    What remains of the text and of the word differ in length by at least that many edits. Rows
    that differ only in what is given up become one.
    """
    ahead = len(row.now) - 1 - left
    return _Row(
        *(
            tuple(d if d + abs(ahead - j) <= most else most + 1 for j, d in enumerate(distances))
            for distances in row
        )
    )


def _classes(word: str, *, leading: bool) -> list[tuple[str, int]]:
    """Return each digit of the word once, and one other digit for all that it lacks."""
    allowed = [digit for digit in DIGITS if not (leading and digit == "0")]
    classes = [(digit, 1) for digit in allowed if digit in word]
    others = [digit for digit in allowed if digit not in word]
    # The letter stands for digits that match nothing, and so behave in the same way.
    return [*classes, ("x", len(others))] if others else classes
