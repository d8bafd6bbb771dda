"""How each interpretation stands to each claim, and which claims no reading satisfies together.

A claim may be counted in several ways; each is measured, and the one that fits best gives the
verdict.

A reading satisfies a claim by a verdict of ``FITS``. A claim that was not measured under a
reading may be true of it, so that no conflict rests on what is not known; a reading of which no
claim was measured is no candidate. The study's own readings are one scope, the combinations of its
sweep another.

A set of claims is a conflict if each candidate fails one of them, and it has no claim too many: a
minimal hitting set (R. Reiter, "A theory of diagnosis from first principles", Artificial
Intelligence 32, 1987). They are found in order of size: those of up to three claims, and larger
ones where that takes few steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import chain, islice, product
from math import prod
from typing import Any, Final

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
from reconcile.tables.contract import (
    AS_STATED,
    CONTRADICTS,
    FITS,
    NOT_MEASURED,
    SLIP,
    VERDICTS,
    WEAKLY,
)
from reconcile.words import count_of, like, listed, number

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
            asked = scope(claim.network)
            asked.left_out.clear()
            value, problem = evaluate(counting.count, asked), None
            if asked.left_out:
                problem, value = _incomplete(value, claim, asked.left_out), None
        except UnknownNameError as error:
            problem = str(error)
    if problem is not None:
        verdict, reason = NOT_MEASURED, problem
    elif not isinstance(value, Fraction):
        raise ExpressionError(f"{counting.count!r} gives no number")
    else:
        verdict, reason = judge(value, claim)
    return Counted(reading.id, claim.id, counting.id, counting.title, value, verdict, reason)


def _incomplete(value: Any, claim: Claim, left_out: Iterable[str]) -> str:
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


# Conflicts.

SEARCHED: Final = 3
"""Sets of so many claims are searched unless even that takes ``MOST_STEPS``."""
CHEAP: Final = 1_000_000
"""Steps that the search for larger sets may take; less than a second."""
MOST_STEPS: Final = 20_000_000
"""About five seconds."""
MOST_CONFLICTS: Final = 1_000
"""Conflicts that are written of each scope, the smallest first; all of them are counted."""
MOST_NAMED: Final = 3
"""Readings that a sentence names."""
_NAMES: Final = {1: "claim", 2: "pair of claims", 3: "triple of claims"}

_NEARLY: Final = {
    WEAKLY: (
        "matches it if its last zeros are no digits",
        "match it if its last zeros are no digits",
    ),
    SLIP: ("explains it by a slip", "explain it by a slip"),
}
"""What does not satisfy a claim and is no contradiction either: said of one reading, of several."""

Claims = frozenset[str]


@dataclass(frozen=True)
class Conflict:
    """A smallest set of claims that no candidate satisfies together, and the same in a sentence."""

    claims: tuple[str, ...]
    says: str


@dataclass(frozen=True)
class Conflicts:
    """The conflicts of one scope.

    Attributes:
        scope: whose they are: the study's readings, or the combinations of its sweep.
        candidates: how many of them had a claim measured.
        searched: the size up to which all sets were searched.
        complete: whether there can be no larger conflict.
        total: how many were found.
        found: the first of them, by size.
        says: how the claims stand together, in words.
    """

    scope: str
    candidates: int
    searched: int
    complete: bool
    total: int
    found: tuple[Conflict, ...]
    says: str


@dataclass(frozen=True)
class SmallestSets:
    """Sets of claims of which each candidate fails one, and that have no claim too many.

    Attributes:
        searched: the size up to which they were searched.
        complete: whether there can be no larger one.
        sizes: how many there are, by size.
        first: the first ``MOST_CONFLICTS`` of them.
    """

    searched: int
    complete: bool
    sizes: Mapping[int, int]
    first: tuple[tuple[str, ...], ...]


def failing_claims(verdicts: Iterable[Verdict]) -> dict[str, Claims]:
    """The claims that each reading fails; one of which no claim was measured is left out."""
    failing: dict[str, set[str]] = {}
    for verdict in verdicts:
        if verdict.verdict != NOT_MEASURED:
            fails = failing.setdefault(verdict.interpretation, set())
            if verdict.verdict not in FITS:
                fails.add(verdict.claim)
    return {reading: frozenset(claims) for reading, claims in failing.items()}


def conflicts_of(
    study: Study, scope: str, of: Collection[str], verdicts: Iterable[Verdict]
) -> Conflicts:
    """The conflicts between the claims of a study among the interpretations ``of`` a scope."""
    own = [verdict for verdict in verdicts if verdict.interpretation in of]
    failing = failing_claims(own)
    sets = smallest_sets(failing.values(), [claim.id for claim in study.claims])
    nearly: dict[tuple[str, str], list[str]] = {}
    for verdict in own:
        if verdict.verdict in _NEARLY:
            nearly.setdefault((verdict.claim, verdict.verdict), []).append(verdict.interpretation)
    # Of one that was not measured nobody knows what it satisfies.
    one = scope.removesuffix("s") + (" that was measured" if len(failing) < len(of) else "")
    says = _together(one, sets, [reading for reading, fails in failing.items() if not fails])
    return Conflicts(
        scope,
        len(failing),
        sets.searched,
        sets.complete,
        sum(sets.sizes.values()),
        tuple(Conflict(claims, _says(study, one, claims, nearly)) for claims in sets.first),
        says,
    )


def smallest_sets(failing: Iterable[Claims], claims: Sequence[str]) -> SmallestSets:
    """Find every smallest set of claims, in their order, of which each candidate fails one."""
    bits = {claim: 1 << i for i, claim in enumerate(claims)}
    every = {sum(bits[claim] for claim in failed) for failed in failing}
    # Whoever fails what another one fails, and more, rules no set out that the other does not.
    kinds: list[int] = []
    for kind in sorted(every, key=lambda kind: (kind.bit_count(), kind)):
        if not any(other & kind == other for other in kinds):
            kinds.append(kind)
    # Claims that the same candidates fail can stand for each other: one of them is searched for.
    alike: dict[tuple[bool, ...], list[str]] = {}
    for claim in claims:
        alike.setdefault(tuple(bool(bits[claim] & kind) for kind in kinds), []).append(claim)
    classes = {bits[same[0]]: same for failed, same in alike.items() if any(failed)}
    found, searched, complete = _Search([kind & sum(classes) for kind in kinds]).run()
    each = [[same for bit, same in classes.items() if chosen & bit] for chosen in found]
    place = {claim: i for i, claim in enumerate(claims)}
    each.sort(key=lambda sets: (len(sets), [place[same[0]] for same in sets]))
    sizes: dict[int, int] = {}
    for sets in each:
        sizes[len(sets)] = sizes.get(len(sets), 0) + prod(map(len, sets))
    first = islice(chain.from_iterable(product(*sets) for sets in each), MOST_CONFLICTS)
    written = tuple(tuple(sorted(chosen, key=place.__getitem__)) for chosen in first)
    return SmallestSets(searched, complete, sizes, written)


class _Search:
    """The search for smallest sets that share a claim with each of some kinds.

    A set is an integer with a bit for each claim in it.
    """

    def __init__(self, kinds: list[int]) -> None:
        self.kinds = kinds
        self.steps = 0
        self.cut = True

    def run(self) -> tuple[list[int], int, bool]:
        """Return the sets, the size up to which they were searched, and whether that is all."""
        if not self.kinds or not self.kinds[0]:
            return [], 0, bool(self.kinds)
        found: list[int] = []
        size, widest = 0, max(kind.bit_count() for kind in self.kinds)
        while self.cut and (size < SEARCHED or self.steps * widest < CHEAP):
            self.steps, self.cut = 0, False
            try:
                found = list(self._grown(0, 0, size + 1))
            except _TooManyStepsError:
                self.cut = True
                break
            size += 1
        return found, size, not self.cut

    def _grown(self, chosen: int, barred: int, room: int) -> Iterator[int]:
        """Add to a set each claim of a kind that it does not share a claim with yet.

        A claim that was tried is barred from what its neighbours grow into: no set is met twice.
        """
        self.steps += len(self.kinds)
        if self.steps > MOST_STEPS:
            raise _TooManyStepsError
        missed = [kind & ~barred for kind in self.kinds if not kind & chosen]
        if not missed:
            yield chosen
            return
        left = min(missed, key=int.bit_count)
        if not room:
            self.cut = self.cut or bool(left)
            return
        while left:
            claim = left & -left
            if self._needs_all_of(chosen | claim):
                yield from self._grown(chosen | claim, barred, room - 1)
            barred, left = barred | claim, left & ~claim

    def _needs_all_of(self, chosen: int) -> bool:
        """Whether each claim is the only one that some kind shares: no addition could mend that."""
        alone = 0
        for kind in self.kinds:
            shared = kind & chosen
            if not shared & (shared - 1):
                alone |= shared
        return alone == chosen


class _TooManyStepsError(Exception):
    """Even small sets are too many to be searched."""


def _says(
    study: Study,
    one: str,
    claims: Sequence[str],
    nearly: Mapping[tuple[str, str], Sequence[str]],
) -> str:
    """One conflict as a sentence."""
    told = [_printed(study.claim(claim)) for claim in claims]
    no = f"No {one} satisfies"
    if len(told) > 1:
        pair = len(told) == 2  # noqa: PLR2004 - two are both, more are together
        return f"{no} {'both ' if pair else ''}{listed(told)}{'' if pair else ' together'}."
    rest = [
        f"; {_first(by)} {_NEARLY[verdict][len(by) > 1]}"
        for verdict in _NEARLY
        if (by := nearly.get((claims[0], verdict)))
    ]
    return f"{no} {told[0]}{''.join(rest)}."


def _first(readings: Sequence[str]) -> str:
    """The names of a few, and how many more there are."""
    more = len(readings) - MOST_NAMED
    return listed([*readings[:MOST_NAMED], f"{more:,} more"] if more > 0 else readings)


def _printed(claim: Claim) -> str:
    relation = "" if claim.relation == "equals" else claim.relation.replace("-", " ")
    return f"{relation} {claim.number.said} ({claim.id})".strip()


def _together(one: str, sets: SmallestSets, satisfying: Sequence[str]) -> str:
    """How the claims stand together."""
    if satisfying:
        fail = "fails" if len(satisfying) == 1 else "fail"
        return f"No claims exclude each other: {_first(satisfying)} {fail} none that was measured."
    if not sets.sizes:
        none = f"no claim was measured under any {one.partition(' ')[0]}"
        return f"Nothing is known of conflicts: {none}."
    counted = [
        count_of(number, noun := _NAMES.get(size, f"set of {size} claims"), _plural(noun))
        for size, number in sets.sizes.items()
    ]
    are = "is" if sum(sets.sizes.values()) == 1 else "are"
    rest = ", though every part of each is" if max(sets.sizes) > 1 else ""
    said = f"{listed(counted)} {are} satisfied by no {one}{rest}."
    if sets.complete:
        return said
    return f"{said} Sets of up to {count_of(sets.searched, 'claim')} were searched, no larger ones."


def _plural(noun: str) -> str:
    head, space, rest = noun.partition(" ")
    return f"{head}s{space}{rest}"
