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
from reconcile.study.expressions import ExpressionError, UnknownNameError, evaluate
from reconcile.study.model import Claim, Counting, Interpretation, Slip, Study
from reconcile.study.printed import PrintedNumber, parse_printed, reading_of_digits
from reconcile.tables.contract import FITS, VERDICTS
from reconcile.words import like

ScopeOf = Callable[[str], ReadingScope]
"""The scope of a reading's network, by the network's name."""
AS_STATED = "as-stated"
"""The counting that the claim's own ``quantity`` and ``of`` describe."""


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


def printed_columns(claim: Claim) -> dict[str, Any]:
    """The digits of a claim and what they stand for; printed in full they are not rounded."""
    read = parse_printed(claim.printed, claim.unit)
    found: dict[str, Any] = {"printed": claim.printed, "printed_value": read.value}
    if not read.exact:
        found |= zip(("rounded_low", "rounded_high"), read.rounded, strict=True)
        found |= zip(("truncated_low", "truncated_high"), read.truncated, strict=True)
    return found


def judge(measured: Fraction, claim: Claim) -> tuple[str, str]:
    """The verdict on one measured number, with its reason.

    Raises:
        ValueError: the claim's digits are no number (a study that was not checked).
    """
    printed = parse_printed(claim.printed, claim.unit)
    if claim.relation == "equals":
        return _judge_equal(measured, printed)
    return _judge_bound(measured, printed, claim.relation)


def _judge_equal(measured: Fraction, printed: PrintedNumber) -> tuple[str, str]:
    fit = reading_of_digits(measured, printed)
    value = like(printed.text, measured)
    if fit == "matches":
        return fit, f"{value} is the printed number"
    if fit is not None:
        word = fit.partition("-")[2]
        return fit, f"{value} is {printed.text} when {word} to the printed digits"
    return "contradicts", f"{value} is not {printed.text}{_distance(measured, printed)}"


def _distance(measured: Fraction, printed: PrintedNumber) -> str:
    if not printed.value:
        return ""
    percent = float((measured - printed.value) / printed.value * 100)
    return f" ({percent:+.2f}%)"


def _judge_bound(measured: Fraction, printed: PrintedNumber, relation: str) -> tuple[str, str]:
    at_most = relation == "at-most"
    value, bound = like(printed.text, measured), printed.text
    word = "at most" if at_most else "at least"
    if (measured <= printed.value) if at_most else (measured >= printed.value):
        return "matches", f"{value} is {word} {bound}"
    low, high = printed.rounded
    after_rounding = measured < high if at_most else measured >= low
    note = f", though it holds once {value} is rounded" if after_rounding else ""
    return "contradicts", f"{value} is not {word} {bound}{note}"


def conventions(measured: Fraction, claim: Claim) -> frozenset[str]:
    """The conventions of digits, rounded and truncated, under which a number fits a claim."""
    printed = parse_printed(claim.printed, claim.unit)
    if printed.exact or claim.relation != "equals":
        return frozenset()
    intervals = {"rounded": printed.rounded, "truncated": printed.truncated}
    return frozenset(name for name, (low, high) in intervals.items() if low <= measured < high)


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
    return [_judge_claim(reading, measured, claim, scope) for claim in study.claims]


def _judge_claim(
    reading: Interpretation, measured: Measurements, claim: Claim, scope: ScopeOf
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
    problem = measured.problem(reading.id, claim.network)
    value: Any = None
    if problem is None:
        try:
            value, left_out = _evaluate(counting, scope(claim.network))
            if left_out:
                problem, value = _incomplete(value, claim, left_out), None
        except UnknownNameError as error:
            problem = str(error)
    if problem is not None:
        verdict, reason = "not-measured", problem
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
    counted = like(claim.printed, value) if isinstance(value, Fraction) else "what was counted"
    return f"at least {counted}: the multiply-adds of {', '.join(left_out)} were not counted"


def _closeness(counted: Counted, claim: Claim) -> tuple[int, Fraction]:
    printed = parse_printed(claim.printed, claim.unit)
    measured = counted.measured if counted.measured is not None else Fraction(0)
    return VERDICTS.index(counted.verdict), abs(measured - printed.value)


def _verdict(
    reading: Interpretation, claim: Claim, best: Counted, countings: int, scope: ScopeOf
) -> Verdict:
    verdict, reason = best.verdict, best.reason
    if countings > 1 and best.measured is not None:
        reason = f"{reason}; counted: {best.title}"
    slip = reading.slip
    if slip is not None and slip.claim == claim.id and verdict == "contradicts":
        verdict, reason = _judge_slip(slip, best, claim, scope(claim.network))
    return Verdict(reading.id, claim.id, best.measured, verdict, reason, best.counting)


def _judge_slip(slip: Slip, best: Counted, claim: Claim, scope: ReadingScope) -> tuple[str, str]:
    """A declared slip explains a claim only if both of its calculations come out."""
    right, written = evaluate(slip.right, scope), evaluate(slip.written, scope)
    if right != best.measured:
        return "contradicts", f"{best.reason}; the slip starts from {right}, which was not measured"
    if judge(written, claim)[0] not in FITS:
        return "contradicts", f"{best.reason}; the slip gives {written}, not {claim.printed}"
    return (
        "explained-by-slip",
        f"{like(claim.printed, right)} was measured, {claim.printed} is the same with a slip. "
        f"{slip.says}",
    )
