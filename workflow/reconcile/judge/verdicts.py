"""How each interpretation stands to each claim.

A claim may be counted in several ways; each is measured, and the one that fits best gives the
verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Any

from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.study.expressions import (
    ExpressionError,
    UnknownNameError,
    each,
    evaluate,
    networks_named,
)
from reconcile.study.model import Claim, Interpretation, Slip, Study
from reconcile.study.printed import PrintedNumber, reading_of_digits
from reconcile.study.yamlfile import Counting
from reconcile.tables.contract import AS_STATED, CONTRADICTS, FITS, NOT_MEASURED, SLIP, VERDICTS
from reconcile.words import like, number

ScopeOf = Callable[[str], ReadingScope]
"""The scope of a reading's network, by the network's name."""


@dataclass(frozen=True)
class Counted:
    """One counting of one claim under one interpretation."""

    interpretation: str
    claim: str
    counting: str
    title: str
    measured: Fraction | None
    verdict: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """How one interpretation stands to one claim, by the counting that fits best."""

    interpretation: str
    claim: str
    measured: Fraction | None
    verdict: str
    reason: str
    counting: str


def countings_of(claim: Claim) -> list[Counting]:
    """Every counting of a claim, its own first."""
    stated = Counting(id=AS_STATED, title=claim.title or claim.expression, count=claim.expression)
    return [stated, *claim.countings]


def printed_columns(claim: Claim, measured: Fraction | None = None) -> dict[str, Any]:
    """The digits of a claim and what they stand for; printed in full they round no count."""
    read = claim.number
    found: dict[str, Any] = {"printed": claim.printed, "printed_value": read.value}
    if not read.exact or (measured is not None and measured.denominator != 1):
        found |= zip(("rounded_low", "rounded_high"), read.rounded, strict=True)
        found |= zip(("truncated_low", "truncated_high"), read.truncated, strict=True)
    return found


def digits_columns(claim: Claim, measured: Fraction | None) -> dict[str, str]:
    """Whether a measured number rounds to the digits of a claim, and whether it is cut to them.

    Empty where nothing was measured and where the claim is a bound or says about.
    """
    if measured is None or claim.relation != "equals":
        return {"rounds": "", "cuts": ""}
    rounds, cuts = claim.number.rounds(measured), claim.number.cuts(measured)
    return {"rounds": "yes" if rounds else "no", "cuts": "yes" if cuts else "no"}


def judge(measured: Fraction, claim: Claim) -> tuple[str, str]:
    """The verdict on one measured number, with its reason.

    Raises:
        ValueError: the claim's digits are no number (a study that was not checked).
    """
    if claim.relation == "equals":
        return _judge_equal(measured, claim.number)
    if claim.relation == "about":
        return _judge_about(measured, claim)
    return _judge_bound(measured, claim.number, claim.relation)


def _judge_equal(measured: Fraction, printed: PrintedNumber) -> tuple[str, str]:
    fit = reading_of_digits(measured, printed)
    value = like(printed.said, measured)
    if fit == "matches":
        return fit, f"{value} is the printed number"
    if fit == "matches-zeros":
        unit = number(printed.open_unit)
        return fit, f"{value} is {printed.said} in units of {unit}, if its last zeros are no digits"
    if fit is not None:
        word = fit.partition("-")[2]
        return fit, f"{value} is {printed.said} when {word} to the printed digits"
    reason = f"{value} is not {printed.said}{_distance(measured, printed)}"
    return CONTRADICTS, reason + _without_zeros(measured, printed)


def _without_zeros(measured: Fraction, printed: PrintedNumber) -> str:
    """What is known of zeros that nobody opened: only of "110M" and the like, which are rounded."""
    if printed.open_zeros or not (printed.scaled and printed.fits_without_zeros(measured)):
        return ""
    unit = number(printed.open_unit)
    return f"; in units of {unit} it would be, were its last zeros no digits"


def _judge_about(measured: Fraction, claim: Claim) -> tuple[str, str]:
    printed, away = claim.number, claim.tolerance
    value, within = like(printed.said, measured), like(printed.said, away)
    if abs(measured - printed.value) <= away:
        return "matches", f"{value} is within {within} of {printed.said}"
    return (
        CONTRADICTS,
        f"{value} is not within {within} of {printed.said}{_distance(measured, printed)}",
    )


def _distance(measured: Fraction, printed: PrintedNumber) -> str:
    if not printed.value:
        return ""
    percent = float((measured - printed.value) / abs(printed.value) * 100)
    return f" ({percent:+.2f}%)"


def _judge_bound(measured: Fraction, printed: PrintedNumber, relation: str) -> tuple[str, str]:
    at_most = relation == "at-most"
    value, bound = like(printed.said, measured), printed.said
    word = "at most" if at_most else "at least"
    if (measured <= printed.value) if at_most else (measured >= printed.value):
        return "matches", f"{value} is {word} {bound}"
    low, high = printed.rounded
    after_rounding = measured < high if at_most else measured >= low
    note = f", though it holds once {value} is rounded" if after_rounding else ""
    return CONTRADICTS, f"{value} is not {word} {bound}{note}"


def conventions(measured: Fraction, claim: Claim) -> frozenset[str]:
    """The conventions of digits, rounded and truncated, under which a number fits a claim."""
    found = digits_columns(claim, measured)
    if claim.number.exact and measured.denominator == 1:
        return frozenset()
    names = {"rounds": "rounded", "cuts": "truncated"}
    return frozenset(names[key] for key, fits in found.items() if fits == "yes")


def judge_reading(
    study: Study, reading: Interpretation, measured: Measurements
) -> list[tuple[Verdict, list[Counted]]]:
    """The verdict on every claim under one interpretation, with every counting of it.

    Raises:
        ExpressionError: a claim or slip cannot be evaluated for a reason other than a layer that
            this reading does not have.
    """
    # Claims about one network share its scope: a sweep asks thousands of them.
    scope = cache(partial(ReadingScope, study, reading, measured))
    judge_claim = partial(_judge_claim, reading, measured, scope)
    return list(each("claims", study.claims, judge_claim))


def _judge_claim(
    reading: Interpretation, measured: Measurements, scope: ScopeOf, claim: Claim
) -> tuple[Verdict, list[Counted]]:
    counted = [_count(reading, measured, claim, c, scope) for c in countings_of(claim)]
    best = min(counted, key=lambda c: _closeness(c, claim)) if len(counted) > 1 else counted[0]
    return _verdict(reading, claim, best, len(counted), scope), counted


def _count(
    reading: Interpretation,
    measured: Measurements,
    claim: Claim,
    counting: Counting,
    scope: ScopeOf,
) -> Counted:
    # An expression may speak of other networks alone, or of none.
    own = None in networks_named(counting.count)
    problem = measured.problem(reading.id, claim.network) if own else None
    value: Any = None
    if problem is None or measured.layers(reading.id, claim.network):
        try:
            value, left_out = _evaluate(counting, scope(claim.network))
            problem = None
            if left_out:
                problem, value = _incomplete(value, claim, left_out), None
        except UnknownNameError as error:
            problem = str(error)
    if problem is not None:
        verdict, reason = NOT_MEASURED, problem
    elif not isinstance(value, Fraction):
        raise ExpressionError(f"{counting.count!r} gives no number")
    else:
        verdict, reason = judge(value, claim)
    return Counted(reading.id, claim.id, counting.id, counting.title, value, verdict, reason)


def _evaluate(counting: Counting, scope: ReadingScope) -> tuple[Any, list[str]]:
    """What a counting gives, and the operators whose multiply-adds it lacks."""
    scope.left_out.clear()
    return evaluate(counting.count, scope), [*scope.left_out]


def _incomplete(value: Any, claim: Claim, left_out: list[str]) -> str:
    counted = like(claim.number.said, value) if isinstance(value, Fraction) else "what was counted"
    return f"at least {counted}: the multiply-adds of {', '.join(left_out)} were not counted"


def _closeness(counted: Counted, claim: Claim) -> tuple[int, Fraction]:
    measured = counted.measured if counted.measured is not None else Fraction(0)
    return VERDICTS.index(counted.verdict), abs(measured - claim.number.value)


def _verdict(
    reading: Interpretation, claim: Claim, best: Counted, countings: int, scope: ScopeOf
) -> Verdict:
    verdict, reason = best.verdict, best.reason
    if countings > 1 and best.measured is not None:
        reason = f"{reason}; counted: {best.title}"
    slip = reading.slip
    if slip is not None and slip.claim == claim.id and verdict == CONTRADICTS:
        verdict, reason = _judge_slip(slip, best, claim, scope(claim.network))
    return Verdict(reading.id, claim.id, best.measured, verdict, reason, best.counting)


def _judge_slip(slip: Slip, best: Counted, claim: Claim, scope: ReadingScope) -> tuple[str, str]:
    """A declared slip explains a claim only if both of its calculations come out."""
    right, written = evaluate(slip.right, scope), evaluate(slip.written, scope)
    if right != best.measured:
        return CONTRADICTS, f"{best.reason}; the slip starts from {right}, which was not measured"
    if judge(written, claim)[0] not in FITS:
        return CONTRADICTS, f"{best.reason}; the slip gives {written}, not {claim.number.said}"
    said = claim.number.said
    return (
        SLIP,
        f"{like(said, right)} was measured, {said} is the same with a slip. {slip.says}",
    )
