"""What follows from a study before anything is measured: its readings, and what is run of each.

A sweep is a grid of network arguments; each combination is an interpretation whose id spells it.
What the paper alone says, for expressions that need no measurement, stands here too. Nothing here
needs torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product, takewhile
from math import prod
from typing import Any, TypeVar

from reconcile.study.expressions import ExpressionError, Scope, evaluate, networks_named
from reconcile.study.model import (
    INPUT_SIDE,
    SINGLE,
    Axis,
    AxisRange,
    Claim,
    Consistency,
    Interpretation,
    Solve,
    Study,
    Sweep,
    SweptInterpretation,
    claims_named,
    next_by_id,
)
from reconcile.study.yamlfile import Argument, Arguments

MAX_COMBINATIONS = 200_000
"""More than this is a mistake in an axis rather than a question."""
MAX_COUNTINGS = 5_000_000
"""Combinations of a sweep times what claims count under each; verdicts.csv has as many rows."""


def networks_of(study: Study, interpretation: Interpretation) -> dict[str, dict[str, Argument]]:
    """The full constructor arguments of each network of a reading, by network name."""
    shared = study.arguments | interpretation.network
    if not interpretation.networks:
        return {SINGLE: shared}
    return {name: shared | own for name, own in interpretation.networks.items()}


Sizes = TypeVar("Sizes", Interpretation, Sweep)


def with_networks(reading: Sizes, networks: Mapping[str, Arguments]) -> Sizes:
    """A reading or sweep that has these networks too; its own arguments for one come first."""
    if not networks:
        return reading
    own = {name: given | reading.networks.get(name, {}) for name, given in networks.items()}
    return reading.model_copy(update={"networks": reading.networks | own})


def arguments_of(study: Study, interpretation: Interpretation, name: str) -> list[Argument]:
    """The values that an argument takes in the networks of a reading."""
    return [a[name] for a in networks_of(study, interpretation).values() if name in a]


def denied_statements(study: Study, interpretation: Interpretation) -> list[str]:
    """Ids of the paper's statements that a reading denies: its argument has another value."""
    return [
        statement.id
        for statement in study.statements
        if statement.argument is not None
        and any(
            statement.denied_by(value)
            for value in arguments_of(study, interpretation, statement.argument)
        )
    ]


def spelled(networks: dict[str, dict[str, Argument]]) -> str:
    """The arguments of a reading's networks as text: the same arguments, the same text."""
    return json.dumps(networks, sort_keys=True)


def values_of(axis: Axis) -> Sequence[Argument]:
    """Every value of an axis, in order."""
    if isinstance(axis, AxisRange):
        return range(axis.first, axis.last + 1, axis.step)
    return axis


def size_of(sweep: Sweep) -> int:
    """How many combinations a sweep has."""
    return prod(len(values_of(axis)) for axis in sweep.axes.values())


def combinations(
    axes: Mapping[str, Sequence[Argument]],
) -> Iterator[tuple[str, dict[str, Argument]]]:
    """Every combination of the axes' values: its id and its arguments, the last axis fastest."""
    # Each value is spelled once, not once a combination.
    spelled = ([(_spelled(name, value), value) for value in axis] for name, axis in axes.items())
    for chosen in product(*spelled):
        arguments = {name: value for name, (_, value) in zip(axes, chosen, strict=True)}
        yield "_".join(text for text, _ in chosen), arguments


def _spelled(name: str, value: Argument) -> str:
    """An argument as part of an id: ``vocabulary-40478``, ``tied``, ``not-tied``, ``pad-1-2``."""
    name = name.lower().replace("_", "-")
    if isinstance(value, bool):
        return name if value else f"not-{name}"
    if value is None:
        return f"no-{name}"
    values = value if isinstance(value, list) else [value]
    return f"{name}-{'-'.join(_safe(str(part)) for part in values)}"


def axis_in_words(name: str) -> str:
    """An axis for people: ``patch of base`` for the patch of the network base."""
    network, _, argument = name.rpartition(".")
    return f"{argument} of {network}" if network else argument


def _in_words(name: str, value: Argument) -> str:
    """An argument for people: ``vocabulary 40,478``, ``tied``, ``not tied``."""
    name = axis_in_words(name).replace("_", " ")
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if value is None:
        return f"no {name}"
    values = value if isinstance(value, list) else [value]
    told = (f"{v:,}" if type(v) is int else str(v) or '""' for v in values)
    return f"{name} {', '.join(told)}"


def _safe(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower().replace("-", "minus")).strip("-")


def interpretations_of(sweep: Sweep) -> Iterator[SweptInterpretation]:
    """Every combination as an interpretation."""
    return (reading for reading, _ in _swept(sweep))


def _swept(sweep: Sweep) -> Iterator[tuple[SweptInterpretation, dict[str, Argument]]]:
    """Every combination as an interpretation, with its value on each axis."""
    axes = {name: values_of(axis) for name, axis in sweep.axes.items()}
    for reading_id, chosen in combinations(axes):
        shared, networks = _given(sweep, chosen)
        reading = SweptInterpretation.model_construct(
            id=reading_id,
            title=", ".join(_in_words(name, value) for name, value in chosen.items()),
            network=shared,
            networks=networks,
            assumes=sweep.assumes,
            proposed_by=sweep.proposed_by,
            slip=None,
        )
        yield reading, chosen


def _given(
    sweep: Sweep, chosen: Mapping[str, Argument]
) -> tuple[dict[str, Argument], dict[str, Arguments]]:
    """The arguments that all networks of a combination are given, and those of each network."""
    shared, networks = dict(sweep.network), dict(sweep.networks)
    for axis, value in chosen.items():
        network, _, argument = axis.rpartition(".")
        if network:
            networks[network] = networks.get(network, {}) | {argument: value}
        else:
            shared[argument] = value
    return shared, networks


def with_swept(study: Study) -> Study:
    """The study with the interpretations that its sweep generates after its own.

    A combination that is one of the study's own readings is that reading, and not a second one.
    """
    if study.sweep is None:
        return study
    own = {spelled(networks_of(study, reading)) for reading in study.interpretations}
    generated = (
        reading
        for reading in interpretations_of(study.sweep)
        if not own or spelled(networks_of(study, reading)) not in own
    )
    return study.model_copy(update={"interpretations": [*study.interpretations, *generated]})


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

    ``matched`` counts matched claims by interpretation: 0 where one is missing.
    """
    if study.sweep is None:
        return []
    there = {reading.id for reading in study.interpretations}
    own = {spelled(networks_of(study, reading)): reading.id for reading in study.own_readings}
    cells = []
    for combination, arguments in _swept(study.sweep):
        reading = combination.id
        if reading not in there:
            reading = own[spelled(networks_of(study, combination))]
        cells.append(Combination(reading, arguments, matched.get(reading, 0)))
    return cells


def _variance(cells: Sequence[Combination], axis: str) -> Fraction:
    """How much an axis decides: the variance of the mean number of matched claims by value."""
    groups: dict[str, list[int]] = {}
    for cell in cells:
        groups.setdefault(repr(cell.arguments[axis]), []).append(cell.matched)
    mean = Fraction(sum(cell.matched for cell in cells), len(cells))
    spread = (len(g) * (Fraction(sum(g), len(g)) - mean) ** 2 for g in groups.values())
    return sum(spread, Fraction(0)) / len(cells)


def axes_by_effect(study: Study, cells: Sequence[Combination]) -> list[str]:
    """The axes that have several values, those that decide most first."""
    axes = study.sweep.axes if study.sweep and cells else {}
    several = [name for name, axis in axes.items() if len(values_of(axis)) > 1]
    return sorted(several, key=lambda name: -_variance(cells, name))


def plan_of(study: Study, name: str) -> dict[str, Any]:
    """The content of ``interpretations.json``: what ``measure`` needs to know and nothing more."""
    solve = {"solve": _solve(study)} if study.solve else {}
    return {
        "study": name,
        "network": _network(study),
        **solve,
        "interpretations": [
            {
                "id": reading.id,
                "placement": _placement(study, reading),
                "networks": networks_of(study, reading),
            }
            | ({"swept": True} if isinstance(reading, SweptInterpretation) else {})
            for reading in study.interpretations
        ],
    }


def _solve(study: Study) -> dict[str, Any]:
    """What is solved for, by id: the argument, its values, the networks and what they must give."""
    found = {}
    for wanted in study.solve:
        reading = next_by_id(study.interpretations, wanted.interpretation)
        claims = claims_named(study, wanted.claims)
        every = networks_of(study, reading)
        needed = {n or c.network for c in claims for n in networks_named(c.expression)}
        found[wanted.id] = {
            "argument": wanted.argument,
            **wanted.range.model_dump(),
            "networks": {name: given for name, given in every.items() if name in needed},
            **_resized(study, wanted, every),
            "claims": {claim.id: _counted(claim) for claim in claims},
        }
    return found


def _resized(study: Study, wanted: Solve, networks: Mapping[str, Arguments]) -> dict[str, Any]:
    """How many last axes of the first input are solved for, where it is not an argument."""
    known = any(wanted.argument in arguments for arguments in networks.values())
    if known or wanted.argument != INPUT_SIDE or not study.inputs:
        return {}
    sides = study.inputs[0].shape[2:] or study.inputs[0].shape[1:]
    return {"axes": len(list(takewhile(lambda size: size == sides[-1], reversed(sides))))}


def _counted(claim: Claim) -> dict[str, Any]:
    """How a claim counts, and from where to where its number is rounded or cut to the digits."""
    number = claim.number
    intervals = dict.fromkeys((number.rounded, number.truncated))
    return {
        "network": claim.network,
        "count": claim.expression,
        "bounds": [[str(low), str(high)] for low, high in intervals],
    }


def network_file_of(study: Study) -> str:
    """The file of a study's network, in its folder; empty for a network of a package."""
    place = study.network.partition(":")[0]
    return place if place.endswith(".py") else ""


def _network(study: Study) -> dict[str, Any]:
    place, _, name = study.network.partition(":")
    found: dict[str, Any] = {"file" if network_file_of(study) else "module": place, "class": name}
    if not study.receptive_fields:
        found["fields"] = False
    if study.inputs:
        found["inputs"] = [given.model_dump(mode="json") for given in study.inputs]
    return found


def stays_on_meta(study: Study) -> bool:
    """Whether no reading of a study is run for real, so that nothing of it is timed."""
    if study.own_readings or study.sweep is None:
        return study.placement == "meta"
    return "meta" in (study.placement, study.sweep.placement)


def _placement(study: Study, reading: Interpretation) -> str:
    """Where a reading runs: what a sweep generates only counts, unless it says otherwise."""
    if study.sweep is not None and isinstance(reading, SweptInterpretation):
        return "meta" if study.placement == "meta" else study.sweep.placement
    return study.placement


def measured_slice(study: Study) -> dict[str, Any]:
    """The part of a study that ``plan_of`` reads, before sweeps are expanded.

    Snakemake reruns ``instantiate``, and with it ``measure``, when this changes: editing a claim, a
    title or the evidence does not change it.
    """
    grid = {"axes", "network", "networks", "placement"}
    return {
        "network": _network(study),
        "placement": study.placement,
        "arguments": study.arguments,
        "interpretations": [
            reading.model_dump(include={"id", "network", "networks"})
            for reading in study.own_readings
        ],
        "sweep": study.sweep.model_dump(include=grid) if study.sweep else None,
        "solve": _solve(study),
    }


# What the paper alone says.


class PaperScope(Scope):
    """What the paper alone says: printed digits and stated values, no measurement."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """Nothing is measured here."""
        raise ExpressionError(f"{name}({selector}) is measured; here only the paper's words count")

    def lookup(self, function: str, name: str) -> Any:
        """``printed(claim)``, of a pattern the sum, and ``stated(statement)``."""
        if function == "printed":
            return sum(claim.number.value for claim in claims_named(self.study, [name]))
        if function == "stated":
            return next(s.value for s in self.study.statements if s.id == name)
        raise ExpressionError(
            f"{function}({name}) belongs to a reading; here only the paper counts"
        )

    def other(self, network: str) -> PaperScope:
        """There is no network here."""
        raise ExpressionError(f"network {network!r} is measured; here only the paper's words count")

    def count(self, function: str, claims: list[str]) -> int:
        """Results are counted where all are known: in what the conclusion holds."""
        told = ", ".join(claims)
        raise ExpressionError(f"{function}({told}) counts results; only `conclusion.holds` can")

    def errors(self, claims: list[str]) -> list[Fraction]:
        """A number is off by what was measured, which is nothing here."""
        told = ", ".join(claims)
        raise ExpressionError(f"errors of {told} are measured; here only the paper's words count")


def computed(study: Study, check: Consistency) -> Fraction:
    """What a check of the paper against itself computes.

    Raises:
        ExpressionError: it cannot be computed of the paper alone, or is no number.
    """
    found: Any = evaluate(check.compute, PaperScope(study))
    if not isinstance(found, Fraction):
        raise ExpressionError(f"{check.compute!r} gives no number")
    return found
