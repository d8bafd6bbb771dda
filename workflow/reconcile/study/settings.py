"""What a measuring job is handed: how to measure, and the readings, one after the other.

It stands apart from the rest, so that measuring depends on nothing else of this room. The plan is
as ``reconcile.files.json_text`` lays it out, where a reading begins and ends in lines of their own:
memory stays flat however long a sweep is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconcile.errors import InputError

TWICE_EVERY = 20
"""Of so many combinations of a sweep that are only counted one is built and counted twice.

To see whether chance plays a part; a study's own readings all are.
"""
_BEGINS, _ENDS = "  {\n", ("  },\n", "  }\n")


class Settings(BaseModel):
    """Values that users may set: every one checked, none unknown, none changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Measuring(Settings):
    """How networks are measured."""

    device: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="auto: a GPU where one works, else the CPU; cuda; cpu."
    )
    warmup: int = Field(
        2,
        ge=0,
        le=1000,
        description="Forward passes before the timed ones; of two or more one counts layers.",
    )
    repeats: int = Field(
        10, ge=0, le=10_000, description="Timed forward passes; 0 measures no latency."
    )
    threads: int = Field(2, ge=1, le=1024, description="CPU threads of the measuring process.")
    seed: int = Field(2012, ge=0, le=2**31, description="Seed of weights and generators.")
    readings_per_job: int = Field(
        1000, ge=1, le=10**6, description="Interpretations one job measures; more make more jobs."
    )
    time_limit_s: float = Field(
        600.0, gt=0, le=1e6, description="Seconds after which a reading is given up."
    )
    packages: list[str] = Field(
        ["torchvision", "timm", "transformers"],
        description="Installed packages whose networks a study may name: their code is run.",
    )


@dataclass(frozen=True)
class Plan:
    """What ``instantiate`` wrote.

    Attributes:
        file: interpretations.json.
        network: the ``file`` or ``module`` of the study's network, its ``class`` there, and its
            ``inputs`` where the study gives them, and ``fields`` where it wants none.
        solve: what the study solves for, by id.
    """

    file: Path
    network: dict[str, Any]
    solve: dict[str, Any]

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
            return cls(file, rest["network"], rest.get("solve", {}))
        except (KeyError, TypeError, ValueError):
            message = "not as `instantiate` writes it; remove it and run again"
            raise InputError.of(file, message) from None

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
