"""Tell how far measuring has come: a line a network, or a line a second where there are many."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from reconcile.words import SECONDS

EVERY_ONE = 60
"""Up to so many networks each gets its line."""


class Progress:
    """Counts the networks that are measured and reports with the rate and the time left.

    Args:
        total: how many there will be.
        report: is told each line.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        total: int,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self._report = report
        self._clock = clock
        self._begun = self._told = clock()

    def tell(self, name: str, answer: Mapping[str, Any]) -> None:
        """Count one network; say so if it is time to."""
        self.done += 1
        self.failed += not answer["status"].startswith("measured")
        now = self._clock()
        if self.total > EVERY_ONE and now - self._told < SECONDS and self.done < self.total:
            return
        self._told = now
        status = " ".join(filter(None, (answer["status"], answer["message"])))
        place = f"{self.done:>{len(str(self.total))}}/{self.total}"
        self._report(f"[{place}] {name}: {status} ({self._pace(now - self._begun)})")

    def _pace(self, seconds: float) -> str:
        left = seconds / self.done * (self.total - self.done)
        rate = self.done / seconds if seconds > 0 else 0.0
        parts = [f"{rate:,.0f} a second"] if rate >= 2 else []  # noqa: PLR2004 - else it is time
        parts.append(f"{left:.0f} s left")
        if self.total > EVERY_ONE and self.failed:
            parts.append(f"{self.failed:,} not measured")
        return ", ".join(parts)
