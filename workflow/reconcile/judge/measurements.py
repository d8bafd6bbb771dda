"""What was measured, ready to be asked by expressions."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.study.expressions import (
    ExpressionError,
    Row,
    UnknownNameError,
    evaluate,
    number_in,
    numbers_in,
    selected,
    with_own_parts,
)
from reconcile.study.model import SINGLE, Claim, Interpretation, Study, claims_named
from reconcile.study.plan import PaperScope, networks_of
from reconcile.tables.contract import (
    MEASURED,
    MULTIPLIED,
    NETWORK,
    OF_TENSORS,
    PARTS,
    QUANTITIES,
)
from reconcile.tables.frames import read_table, rows_of

OF_PART = "part:"
"""Selects the tensors of a part; ``part:biases|norms`` are those of either."""
OUTPUT_TOLERANCE = 1e-4
"""Relative: far above the rounding of float32 sums, far below what other padding changes."""


class Measurements:
    """The measured tables of one study, by interpretation and network."""

    def __init__(
        self,
        layers: pd.DataFrame,
        totals: pd.DataFrame,
        coverage: pd.DataFrame,
        outputs: pd.DataFrame,
        tensors: pd.DataFrame | None = None,
    ) -> None:
        self._columns = {name: layers[name].tolist() for name in layers.columns}
        self._spans = _spans(self._columns["interpretation"], self._columns["network"])
        self._networks: dict[str, list[str]] = {}
        for interpretation, network in self._spans:
            self._networks.setdefault(interpretation, []).append(network)
        self.totals = _by_network(totals)
        self._statuses: dict[str, list[str]] = {}
        for (interpretation, _), total in self.totals.items():
            self._statuses.setdefault(interpretation, []).append(total["status"])
        self.coverage = _by_network(coverage)
        self.outputs = _by_network(outputs)
        self._tensors: dict[tuple[str, str], list[Row]] = {}
        for row in rows_of(tensors) if tensors is not None else ():
            self._tensors.setdefault((row["interpretation"], row["network"]), []).append(row)

    @classmethod
    def read(cls, folder: Path) -> Measurements:
        """Read the tables of a results folder that expressions ask."""
        names = ("layers", "totals", "coverage", "outputs", "tensors")
        return cls(*(read_table(folder / f"{name}.csv") for name in names))

    def problem(self, interpretation: str, network: str) -> str | None:
        """Why a network has no counts; None when it has."""
        total = self.totals.get((interpretation, network))
        if total is None:
            return f"the reading has no network {network!r}"
        if total["status"] in MEASURED:
            return None
        return f"{total['status']}: {total['message']}"

    def signature(self, interpretation: str) -> tuple[Any, ...]:
        """Everything counted in a reading's layers; equal where counts cannot tell apart."""
        sights = {name for name, quantity in QUANTITIES.items() if quantity.seen}
        counted = [n for n in self._columns if n not in {"interpretation", "sees_all", *sights}]
        spans = (
            self._spans[interpretation, name]
            for name in sorted(self._networks.get(interpretation, []))
        )
        return tuple(tuple(self._columns[n][i] for n in counted) for span in spans for i in span)

    def layers(self, interpretation: str, network: str) -> dict[str, Row]:
        """The rows of ``layers.csv`` of one network, by layer; none where it was not measured."""
        span = self._spans.get((interpretation, network), range(0))
        rows = ({name: cells[i] for name, cells in self._columns.items()} for i in span)
        return {row["layer"]: row for row in rows}

    def tensors(self, interpretation: str, network: str) -> list[Row]:
        """The rows of ``tensors.csv`` of one network; none where it has none."""
        return self._tensors.get((interpretation, network), [])

    def whole(self, interpretation: str) -> bool:
        """Whether every network of a reading was measured."""
        statuses = self._statuses.get(interpretation, [])
        return bool(statuses) and all(status in MEASURED for status in statuses)

    def partly(self, interpretation: str) -> bool:
        """Whether something of a reading was measured, but not every network."""
        statuses = self._statuses.get(interpretation, [])
        return any(status in MEASURED for status in statuses) and not self.whole(interpretation)

    def same_output(self, one: str, other: str) -> bool | None:
        """Whether two readings gave the same output for equal weights and inputs.

        None where one of them was not run on values. What is compared are three numbers of
        each output, so "same" means not told apart by them.
        """
        mine = {n: row for (reading, n), row in self.outputs.items() if reading == one}
        theirs = {n: row for (reading, n), row in self.outputs.items() if reading == other}
        if not mine or set(mine) != set(theirs):
            return None
        return all(_close(mine[network], theirs[network]) for network in mine)


def _close(one: Row, other: Row) -> bool:
    scale = max(abs(float(one["rms"])), abs(float(other["rms"])))
    return all(
        abs(float(one[name]) - float(other[name])) <= OUTPUT_TOLERANCE * scale
        for name in ("mean", "rms", "largest")
    )


def _spans(readings: list[str], networks: list[str]) -> dict[tuple[str, str], range]:
    """Where the rows of each network stand: they are written one network after the other."""
    spans: dict[tuple[str, str], range] = {}
    for i, key in enumerate(zip(readings, networks, strict=True)):
        spans[key] = range(spans[key].start if key in spans else i, i + 1)
    return spans


def _by_network(table: pd.DataFrame) -> dict[tuple[str, str], Row]:
    return {(row["interpretation"], row["network"]): row for row in rows_of(table)}


class ReadingScope(PaperScope):
    """One network of one interpretation: its measured layers and totals, and its arguments.

    Attributes:
        left_out: operators that were not counted in what was asked for since it was emptied.
    """

    def __init__(
        self, study: Study, reading: Interpretation, measured: Measurements, network: str = SINGLE
    ) -> None:
        super().__init__(study)
        self.reading = reading
        self.key = (reading.id, network)
        self.arguments = networks_of(study, reading).get(network, {})
        self.measured = measured
        self.rows = measured.layers(*self.key)
        self._problem = measured.problem(*self.key)
        self.left_out: dict[str, None] = {}

    def other(self, network: str) -> ReadingScope:
        """Another network of this reading; UnknownNameError where it has no counts."""
        problem = self.measured.problem(self.key[0], network)
        if problem is not None and not self.measured.layers(self.key[0], network):
            raise UnknownNameError(problem)
        scope = ReadingScope(self.study, self.reading, self.measured, network)
        scope.left_out = self.left_out
        return scope

    def lookup(self, function: str, name: str) -> Any:
        """As PaperScope, and ``argument(name)``."""
        if function != "argument":
            return super().lookup(function, name)
        if name not in self.arguments:
            known = ", ".join(self.arguments)
            raise UnknownNameError(f"there is no argument {name!r}; there are: {known}")
        return self.arguments[name]

    def errors(self, claims: list[str]) -> list[Fraction]:
        """How far this reading is from each printed number, as a share of it."""
        return [self._error(claim) for claim in claims_named(self.study, claims)]

    def _error(self, claim: Claim) -> Fraction:
        known = claim.network == self.key[1]
        scope = self if known else self.other(claim.network)
        printed = claim.number.value
        found: Fraction = evaluate(claim.expression, scope)
        return abs(found - printed) / abs(printed)

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """The quantity for the network, one layer or every layer a pattern matches, exactly."""
        known = QUANTITIES[name]
        if known.table == "coverage.csv":
            row = self.measured.coverage.get(self.key)
            if row is None or selector not in (NETWORK, row["layer"]):
                raise UnknownNameError(f"no input coverage was measured for {selector!r}")
            return [number_in(row, name, selector)]
        column, factor = known.multiple_of or (name, 1)
        if self._problem is not None and selector not in self.rows:
            # Of a network that failed only the layers that ran are known, one by one.
            raise UnknownNameError(self._problem)
        if selector == NETWORK:
            total = self.measured.totals[self.key]
            self._note(column, [total])
            return [factor * number_in(total, column, selector)]
        if selector.startswith(OF_PART) and selector not in self.rows:
            return [Fraction(factor * self._of_part(column, selector.removeprefix(OF_PART)))]
        rows = selected(self.rows, selector)
        self._note(column, rows)
        return numbers_in(rows, name, selector)

    def _note(self, column: str, rows: Iterable[Row]) -> None:
        """Note what is missing in a count of multiply-adds."""
        if column in MULTIPLIED:
            found = (name for row in rows for name in row.get("uncounted", "").split())
            self.left_out |= dict.fromkeys(name.rpartition(":")[0] for name in found)

    def _of_part(self, column: str, said: str) -> int:
        """What the tensors of a part are in all, or of several parts; each counts once.

        What is counted by layer is that of the layers with such tensors, but for their biases.
        ``biases of conv*`` are those of some layers.
        """
        named, _, pattern = said.partition(" of ")
        parts = set(named.split("|"))
        known = (*PARTS, *self.study.parts)
        if unknown := sorted(parts - set(known)):
            told = f"there is no part {unknown[0]!r}; there are: {', '.join(known)}"
            raise UnknownNameError(told)
        tensors = with_own_parts(self.measured.tensors(*self.key), self.study.parts)
        if not tensors:
            raise UnknownNameError(f"tensors.csv has no rows of {'/'.join(self.key)}")
        own = [row for row in tensors if parts & set(row["parts"].split())]
        if pattern:
            chosen = {row["layer"] for row in selected(self.rows, pattern)}
            own = [row for row in own if row["layer"] in chosen]
        if column in OF_TENSORS:
            return sum(int(row["elements"]) for row in own if OF_TENSORS[column](row))
        if QUANTITIES[column].total is None:
            raise ExpressionError(f"{column} is of one layer, and no part's")
        whole = {row["layer"] for row in own if "biases" not in row["parts"].split()}
        return sum(int(number_in(self.rows[layer], column, layer)) for layer in sorted(whole))
