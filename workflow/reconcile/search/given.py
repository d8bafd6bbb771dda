"""What a search is given: the study, what was measured and judged, and the facts of one network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.judge.measurements import Measurements
from reconcile.study.expressions import UnknownNameError
from reconcile.study.model import Study
from reconcile.study.selecting import count_in, selected, total_of
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES
from reconcile.tables.frames import read_table

Report = Callable[[str], None]
Row = dict[str, Any]

number = count_in


@dataclass(frozen=True)
class Given:
    """What every search is given; each takes of it what it needs.

    Attributes:
        study: the study.
        folder: its folder, which faults name.
        measured: its layers and totals.
        results: the folder of its results, for tables that few searches need.
        report: is told a line of progress.
    """

    study: Study
    folder: Path
    measured: Measurements
    results: Path
    report: Report

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables that were measured or judged.

        Raises:
            InputError: the file is missing or is not of this release.
        """
        return read_table(self.results / name)


class NetworkFacts:
    """One network of one reading: plain rows of its layers and tensors, and how to sum them.

    The same numbers come out as of the expressions of a study (``judge.measurements``), which is
    why a candidate's expression can be pasted; a test holds that.

    Args:
        layers: its rows of layers.csv, in order.
        tensors: its rows of tensors.csv; none where these are not known.
    """

    def __init__(self, layers: Iterable[Row], tensors: Iterable[Row] = ()) -> None:
        self.layers = list(layers)
        self._rows = {str(row["layer"]): row for row in self.layers}
        self.tensors = list(tensors)
        self._totals: dict[tuple[str, str], int] = {}

    def selected(self, selector: str) -> list[Row]:
        """The layers that an expression would mean; none where there are none."""
        if selector == NETWORK:
            return self.layers
        try:
            return selected(self._rows, selector)
        except UnknownNameError:
            return []

    def total(self, quantity: str, selector: str = NETWORK) -> int:
        """A quantity summed over what is selected, as expressions sum it.

        Args:
            quantity: one that adds up over layers.
            selector: as of ``selected``.
        """
        asked = quantity, selector
        if asked not in self._totals:
            self._totals[asked] = self._summed(quantity, selector)
        return self._totals[asked]

    def _summed(self, quantity: str, selector: str) -> int:
        known = QUANTITIES[quantity]
        column, factor = known.multiple_of or (quantity, 1)
        if selector == NETWORK:
            return factor * total_of(self.layers, column)
        return factor * sum(number(row, column) for row in self.selected(selector))

    def tensors_of(self, rows: Sequence[Row]) -> list[Row]:
        """The tensors of some layers."""
        names = {row["layer"] for row in rows}
        return [tensor for tensor in self.tensors if tensor["layer"] in names]

    @property
    def ran(self) -> list[Row]:
        """The layers without the input."""
        return [row for row in self.layers if row["kind"] != INPUT]


def quoted(quantity: str, selector: str) -> str:
    """An expression for a quantity of what is selected."""
    plain = selector.isidentifier()
    return f"{quantity}({selector if plain else repr(selector)})"
