"""What a number says as it is typed: its digits, and in a word after them what it counts."""

from __future__ import annotations

import re
from typing import Final

from reconcile.explain.asking import refused
from reconcile.study.printed import PrintedNumber, parse_printed

BYTES: Final = "bytes"
"""What a size of a file or of memory counts; no quantity of the tables."""
_OF_WORD: Final = (
    (re.compile(r"\d ?[kmgtbp]?[ -]?flops?\b|million flops?|billion flops?", re.I), "flops"),
    (re.compile(r"macs?\b|m-?adds?\b|mult", re.I), "macs"),
    (re.compile(r"params?\b|parameters?\b|weights?\b", re.I), "parameters"),
    (re.compile(r"neurons?\b|units?\b|activations?\b", re.I), "neurons"),
    (re.compile(r"connections?\b|synapses\b", re.I), "connections"),
)
"""What a number says that it counts."""
_SIZE: Final = re.compile(r"(?P<number>.*\d) ?(?P<letter>[kmgt])(?P<binary>i)?b(ytes?)?", re.I)
_PLAIN_BYTES: Final = re.compile(r"(?P<number>.*\d) ?bytes?", re.I)
_ACTIVATIONS: Final = re.compile(r" ?activations?$", re.I)


def number_asked(text: str) -> tuple[PrintedNumber, str]:
    """A number as it was typed, and the quantity it names; empty where it names none.

    Raises:
        InputError: it is no number, or may be one of two.
    """
    printed = _typed(text.strip())
    if printed.value <= 0:
        raise refused("number", f'"{text}" counts nothing: accepted are numbers above zero')
    if _SIZE.fullmatch(text.strip()) or _PLAIN_BYTES.fullmatch(text.strip()):
        return printed, BYTES
    return printed, next((name for word, name in _OF_WORD if word.search(text)), "")


def _typed(text: str) -> PrintedNumber:
    size = _SIZE.fullmatch(text)
    try:
        if size and not size["binary"]:
            return parse_printed(text, scale=1000 ** power_of(text))
        return parse_printed(_ACTIVATIONS.sub("", text))
    except ValueError as error:
        raise refused("number", _without_keys(text, str(error))) from None


def _without_keys(text: str, said: str) -> str:
    """What is wrong, without the keys of a study by which it could be mended there."""
    before, keyed, _ = said.partition(": give `")
    if keyed:
        return f"{before}: write it with its scale, like {text}M, or without the point"
    before, keyed, _ = said.partition(" and say `")
    return before if keyed else said


def power_of(text: str) -> int:
    """The power of a thousand of a size in bytes that may be one of 1,024 as well; else none."""
    size = _SIZE.fullmatch(text.strip())
    return "kmgt".index(size["letter"].lower()) + 1 if size and not size["binary"] else 0
