"""What the report says about each interpretation: what it is, what it denies, what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile.report.folding import LayerRow, folded
from reconcile.report.read import Results, grouped_by
from reconcile.study.model import Argument, Interpretation, Source, Statement, Study
from reconcile.study.plan import arguments_of, networks_of
from reconcile.tables.rows import Row
from reconcile.words import digits

MOST_ROWS = 1500
"""Rows of layer tables in a report; what is beyond is in layers.csv."""


@dataclass(frozen=True)
class Denial:
    """A statement of the paper that a reading denies, and the value that it takes instead."""

    statement: Statement
    stated: str
    taken: str


@dataclass(frozen=True)
class NetworkView:
    """One measured network of a reading; ``told`` where the report has room for its layers."""

    name: str
    arguments: tuple[tuple[str, str, str], ...]
    layers: tuple[LayerRow, ...]
    told: bool
    total: Row


@dataclass(frozen=True)
class ReadingView:
    """One interpretation as the report tells it."""

    id: str
    title: str
    entry: Mapping[str, Any]
    proposed_by: tuple[Source, ...]
    denials: tuple[Denial, ...]
    slip: str
    networks: tuple[NetworkView, ...]
    same_counts: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Whether every network of it was measured."""
        return all(net.total.get("status", "").startswith("measured") for net in self.networks)


def reading_views(results: Results, most: int) -> list[ReadingView]:
    """The best ranked interpretations, at most ``most``, in the order of the ranking."""
    by_id = {reading.id: reading for reading in results.study.interpretations}
    layers = grouped_by(results.table("layers"), "interpretation", "network")
    totals = grouped_by(results.table("totals"), "interpretation", "network")
    room = _Room(MOST_ROWS)
    return [
        _view(results, by_id[entry["interpretation"]], entry, (layers, totals), room)
        for entry in results.shown(most)
    ]


@dataclass
class _Room:
    """Rows of layer tables that the report has room for."""

    left: int

    def take(self, rows: int) -> bool:
        """Whether so many rows fit, which are then taken."""
        fits = rows <= self.left
        self.left -= rows if fits else 0
        return fits


def _view(
    results: Results,
    reading: Interpretation,
    entry: Mapping[str, Any],
    tables: tuple[dict[tuple[str, ...], list[Row]], dict[tuple[str, ...], list[Row]]],
    room: _Room,
) -> ReadingView:
    study = results.study
    layers, totals = tables
    networks = []
    for name, arguments in networks_of(study, reading).items():
        rows = folded(layers.get((reading.id, name), []))
        total = next(iter(totals.get((reading.id, name), [])), {})
        told = room.take(len(rows))
        networks.append(NetworkView(name, _arguments(study, arguments), tuple(rows), told, total))
    equal: list[str] = next(
        (ids for ids in results.reconciliation["equal_counts"] if reading.id in ids), []
    )
    return ReadingView(
        id=reading.id,
        title=reading.title,
        entry=entry,
        proposed_by=tuple(reading.proposed_by),
        denials=tuple(_denial(study, reading, denied) for denied in entry["denies"]),
        slip=reading.slip.says if reading.slip else "",
        networks=tuple(networks),
        same_counts=tuple(other for other in equal if other != reading.id),
    )


def _arguments(study: Study, arguments: Mapping[str, Argument]) -> tuple[tuple[str, str, str], ...]:
    """Name, value and meaning of the constructor arguments."""
    return tuple(
        (name, argument_text(value), study.argument_help.get(name, ""))
        for name, value in arguments.items()
    )


def _denial(study: Study, reading: Interpretation, denied: str) -> Denial:
    statement = next(s for s in study.statements if s.id == denied)
    taken = [
        argument_text(value)
        for value in arguments_of(study, reading, statement.argument or "")
        if value != statement.value
    ]
    return Denial(statement, argument_text(statement.value), ", ".join(dict.fromkeys(taken)))


def argument_text(value: Argument) -> str:
    """The value of an argument for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(argument_text, value))
    return digits(value) or '""'
