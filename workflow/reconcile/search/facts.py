"""What searches know of one network: plain rows of its layers and tensors, and how to sum them.

The same numbers come out as of the expressions of a study (``judge.measurements``), which is why a
candidate's expression can be pasted; a test holds that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from reconcile.study.expressions import UnknownNameError
from reconcile.study.selecting import count_in, selected, total_of
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES

Row = dict[str, Any]


number = count_in


class NetworkFacts:
    """One network of one reading.

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
