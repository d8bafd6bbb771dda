"""A linear scale with round ticks, shared by the charts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconcile.report.figures.svg import label, line

STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """Maps numbers from ``low`` to ``high`` to pixels from ``left`` to ``right``."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """The place of a number."""
        span = (self.high - self.low) or 1
        return self.left + (value - self.low) / span * (self.right - self.left)

    def ticks(self, most: int) -> list[float]:
        """Round numbers within the scale, ``most`` at the most beside the first."""
        raw = (self.high - self.low) / most or 1
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(s * power for s in STEPS if s * power >= raw * 0.999999)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis(scale: Scale, top: float, bottom: float, unit: str = "") -> Iterator[Markup]:
    """Vertical lines at round numbers, with the numbers below."""
    room = scale.right - scale.left
    for tick in scale.ticks(max(2, int(room // 85))):
        x = scale.at(tick)
        yield line(x, top, x, bottom, "rule", stroke_dasharray=None if tick == scale.low else "2 3")
        text = f"{tick:,.10g}" if tick != int(tick) else f"{int(tick):,}"
        text += f" {unit}" if unit and tick == scale.low else ""
        yield label(x, bottom + 15, text, colour="muted", size=11, anchor="middle")
