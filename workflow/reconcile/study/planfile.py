"""Read ``interpretations.json`` reading by reading: memory stays flat however long a sweep is.

The file is as ``reconcile.files.json_text`` lays it out: a reading begins and ends in lines of
their own, indented by two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError

_BEGINS, _ENDS = "  {\n", ("  },\n", "  }\n")


@dataclass(frozen=True)
class Plan:
    """What ``instantiate`` wrote.

    Attributes:
        file: interpretations.json.
        network: the ``file`` and ``class`` of the study's network.
    """

    file: Path
    network: dict[str, str]

    @classmethod
    def read(cls, file: Path) -> Plan:
        """All but the readings.

        Raises:
            InputError: the file is not as ``instantiate`` writes it.
        """
        try:
            with file.open(encoding="utf-8") as stream:
                rest = json.loads("".join(line for inside, line in _lines(stream) if not inside))
            if rest["interpretations"]:
                raise ValueError("readings in another layout")
            return cls(file, rest["network"])
        except (KeyError, TypeError, ValueError):
            fault = Fault(file, 0, "", "not as `instantiate` writes it; remove it and run again")
            raise InputError(fault) from None

    def readings(self, chosen: slice = slice(None)) -> Iterator[dict[str, Any]]:
        """Each reading of a range: its ``id``, ``placement`` and the arguments of ``networks``."""
        return map(json.loads, islice(self._texts(), chosen.start, chosen.stop))

    def _texts(self) -> Iterator[str]:
        text: list[str] = []
        with self.file.open(encoding="utf-8") as stream:
            for inside, line in _lines(stream):
                if inside:
                    text.append(line)
                if inside and line in _ENDS:
                    yield "".join(text).rstrip(",\n")
                    text.clear()


def _lines(stream: Iterator[str]) -> Iterator[tuple[bool, str]]:
    """Every line, and whether it belongs to a reading."""
    inside = False
    for line in stream:
        inside = inside or line == _BEGINS
        yield inside, line
        inside = inside and line not in _ENDS
