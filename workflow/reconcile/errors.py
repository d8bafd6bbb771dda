"""What is told to users when their input is wrong: one line a fault, never a traceback."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SHOWN = 40
"""Names that a message lists; a sweep has thousands."""
MOST_TOLD = 100
"""Faults that are told in full; what follows from one mistake may be thousands."""


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, with the place it stands in.

    Attributes:
        file: the file as the user named it.
        line: 1-based line, or 0 where the fault has no line (a missing file).
        key: dotted path of the offending key (``claims.2.printed``), empty for the whole file.
        message: what is wrong and what is accepted.
    """

    file: Path
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        told = [place, self.key, self.message] if self.key else [place, self.message]
        return visible(": ".join(told))


def visible(text: str) -> str:
    """Text on one line that cannot steer a terminal: what has no shape of its own is spelled.

    Control characters, marks of writing direction and whatever else is not to be seen.
    """
    if text.isprintable():
        return text
    shown = (c.isprintable() or unicodedata.category(c) == "Zs" for c in text)
    return "".join(
        c if keep else c.encode("unicode_escape").decode()
        for c, keep in zip(text, shown, strict=True)
    )


def not_there(what: str, wanted: str, known: Iterable[str]) -> str:
    """That nothing has this name, with the nearest name that something has, and those there are."""
    names = sorted(known)
    shown = names if len(names) <= SHOWN else [*names[:SHOWN], f"and {len(names) - SHOWN} more"]
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f", did you mean {close[0]!r}?" if close else "."
    return f"there is no {what} {wanted!r}{hint} There are: {', '.join(shown) or 'none'}"


class InputError(Exception):
    """The user's input cannot be used. ``str()`` gives one line a fault, of the first ones."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    @classmethod
    def of(cls, file: Path, message: str) -> InputError:
        """What is wrong with a file as a whole."""
        return cls(Fault(file, 0, "", message))

    def __str__(self) -> str:
        more = len(self.faults) - MOST_TOLD
        told = [*map(str, self.faults[:MOST_TOLD]), *([f"and {more:,} more"] if more > 0 else [])]
        return "\n".join(told)
