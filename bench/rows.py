"""What a benchmark yields: the rows of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from processes import Ratio

__all__ = ["Outcome", "Row"]


@dataclass(frozen=True)
class Row:
    """One measured relation.

    Attributes:
        what: what was compared.
        value: the ratio or the number.
        low: the smallest over pairs of runs.
        high: the largest.
        target: what it should be, in words; empty where there is none.
        met: whether it is; None where there is no target.
        unit: what the number counts, where it is no ratio.
    """

    what: str
    value: float
    low: float | None = None
    high: float | None = None
    target: str = ""
    met: bool | None = None
    unit: str = ""

    @classmethod
    def at_most(cls, what: str, ratio: Ratio, limit: float | None = None) -> Row:
        """A ratio that should not exceed a limit."""
        if limit is None:
            return cls(what, ratio.value, ratio.low, ratio.high)
        return cls(what, ratio.value, ratio.low, ratio.high, f"≤ {limit:g}", ratio.value <= limit)


@dataclass(frozen=True)
class Outcome:
    """What one benchmark found.

    Attributes:
        rows: the relations.
        shares: where the time of a run goes, parts of one.
        runs: how many runs each number is the median of.
    """

    rows: Sequence[Row]
    runs: int
    shares: dict[str, dict[str, float]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)
