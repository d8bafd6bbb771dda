"""The author's conclusion, whose numbers are references that must resolve.

``{claim:conv1}`` is the printed number, ``{consistency:sum}`` what a check of the paper against
itself computed, and ``{ceil.conv1.neurons}`` a measured quantity: interpretation, layer (or
pattern, or ``network``) and quantity. A reference that does not resolve is an error.
"""

from __future__ import annotations

from collections.abc import Callable

from reconcile.judge.evidence import SelfCheck
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.study.expressions import ExpressionError, evaluate
from reconcile.study.load import REFERENCE, REFERENCES
from reconcile.study.model import SINGLE, Study, next_by_id
from reconcile.tables.contract import QUANTITIES
from reconcile.words import number


class ReferenceError(Exception):
    """A reference in the conclusion that does not resolve."""


def resolver(
    study: Study, measured: Measurements, self_checks: list[SelfCheck]
) -> Callable[[str], str]:
    """A function that replaces every reference in a text by its number.

    The function raises ReferenceError naming the first reference that does not resolve.
    """

    def resolve(reference: str) -> str:
        kind, colon, name = reference.partition(":")
        try:
            if colon and kind == "claim":
                return study.claim(name).printed
            if colon and kind == "consistency":
                return number(next(c.computed for c in self_checks if c.check.id == name))
            return _measured(study, measured, reference)
        except (KeyError, StopIteration, ExpressionError) as error:
            reason = f": {error}" if isinstance(error, ExpressionError) else ""
            raise ReferenceError(
                f"{{{reference}}} does not resolve to a number{reason}; accepted are {REFERENCES}"
            ) from None

    return lambda text: REFERENCE.sub(lambda match: resolve(match[1]), text)


def _measured(study: Study, measured: Measurements, reference: str) -> str:
    path, _, quantity = reference.rpartition(".")
    # Ids may hold dots: the longest interpretation that the path starts with is meant.
    ids = [r.id for r in study.interpretations if path.startswith(f"{r.id}.")]
    if not ids or quantity not in QUANTITIES:
        raise KeyError(reference)
    reading = next_by_id(study.interpretations, max(ids, key=len))
    layer, network = path.removeprefix(f"{reading.id}."), SINGLE
    if reading.networks:
        network, _, layer = layer.partition(".")
    if (reading.id, network) not in measured.totals:
        raise KeyError(reference)
    scope = ReadingScope(study, reading, measured, network)
    return number(evaluate(f"{quantity}({layer!r})", scope))
