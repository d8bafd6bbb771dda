"""What the paper alone says, for expressions that need no measurement."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reconcile.study.expressions import ExpressionError, evaluate
from reconcile.study.model import Consistency, Study, claims_named


class PaperScope:
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
