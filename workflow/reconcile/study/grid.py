"""A sweep as a grid: which reading stands in each cell, and how many claims it matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reconcile.study.load import networks_of, spelled
from reconcile.study.model import Argument, Study, SweptInterpretation
from reconcile.study.sweep import interpretations_of, values_of


@dataclass(frozen=True)
class Combination:
    """One combination of a sweep.

    Attributes:
        reading: id of the interpretation: the sweep's own, or the study's that has its arguments.
        arguments: its value on each axis.
        matched: how many of the study's claims it matches.
    """

    reading: str
    arguments: Mapping[str, Argument]
    matched: int


def cells_of(study: Study, matched: Mapping[str, int]) -> list[Combination]:
    """Every combination of a study's sweep in order; none where there is no sweep.

    Args:
        study: the study.
        matched: matched claims by interpretation; 0 where one is missing.
    """
    if study.sweep is None:
        return []
    there = {reading.id for reading in study.interpretations}
    named = [r for r in study.interpretations if not isinstance(r, SweptInterpretation)]
    own = {spelled(networks_of(study, reading)): reading.id for reading in named}
    cells = []
    for combination in interpretations_of(study.sweep):
        reading = combination.id
        if reading not in there:
            reading = own[spelled(networks_of(study, combination))]
        arguments = {name: combination.network[name] for name in study.sweep.axes}
        cells.append(Combination(reading, arguments, matched.get(reading, 0)))
    return cells


def effects(study: Study, cells: Sequence[Combination]) -> dict[str, Fraction]:
    """How much each axis decides: the variance of the mean number of matched claims by value."""
    if study.sweep is None or not cells:
        return {}
    return {name: _variance(cells, name) for name in study.sweep.axes}


def _variance(cells: Sequence[Combination], axis: str) -> Fraction:
    groups: dict[str, list[int]] = {}
    for cell in cells:
        groups.setdefault(repr(cell.arguments[axis]), []).append(cell.matched)
    mean = Fraction(sum(cell.matched for cell in cells), len(cells))
    spread = (len(g) * (Fraction(sum(g), len(g)) - mean) ** 2 for g in groups.values())
    return sum(spread, Fraction(0)) / len(cells)


def axes_by_effect(study: Study, cells: Sequence[Combination]) -> list[str]:
    """The axes that have several values, those that decide most first."""
    found = effects(study, cells)
    axes = study.sweep.axes if study.sweep else {}
    several = [name for name in found if len(values_of(axes[name])) > 1]
    return sorted(several, key=lambda name: -found[name])
