"""How networks are measured: the part of the configuration that a measuring job knows.

It stands apart from the rest, so that measuring depends on nothing else of it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
        600, gt=0, le=1e6, description="Seconds after which a reading is given up."
    )
