"""What is told to users when their input is wrong: one line a fault, never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Fault", "InputError"]


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
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class InputError(Exception):
    """The user's input cannot be used. ``str()`` gives one line a fault."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))
