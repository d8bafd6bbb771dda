"""A sweep: a grid of network arguments, each combination an interpretation whose id spells it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod

from reconcile.study.model import Argument, Axis, AxisRange, Sweep, SweptInterpretation

MAX_COMBINATIONS = 200_000
"""More than this is a mistake in an axis rather than a question."""


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
    values = value if isinstance(value, list) else [value]
    return f"{name}-{'-'.join(_safe(str(part)) for part in values)}"


def _in_words(name: str, value: Argument) -> str:
    """An argument for people: ``vocabulary 40,478``, ``tied``, ``not tied``."""
    name = name.replace("_", " ")
    if isinstance(value, bool):
        return name if value else f"not {name}"
    values = value if isinstance(value, list) else [value]
    told = (f"{v:,}" if type(v) is int else str(v) or '""' for v in values)
    return f"{name} {', '.join(told)}"


def _safe(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower().replace("-", "minus")).strip("-")


def interpretations_of(sweep: Sweep) -> Iterator[SweptInterpretation]:
    """Every combination as an interpretation."""
    axes = {name: values_of(axis) for name, axis in sweep.axes.items()}
    for reading_id, arguments in combinations(axes):
        yield SweptInterpretation.model_construct(
            id=reading_id,
            title=", ".join(_in_words(name, value) for name, value in arguments.items()),
            network=sweep.network | arguments,
            networks=sweep.networks,
            assumes=sweep.assumes,
            proposed_by=sweep.proposed_by,
            slip=None,
        )
