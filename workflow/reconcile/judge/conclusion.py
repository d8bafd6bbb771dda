"""Rank the interpretations of a study by a stated rule, and resolve what its author concludes.

The rule, applied in this order: readings that evidence excludes come after those it does not; then
fewer claims contradicted or not measured; fewer statements of the paper denied; less evidence
against; fewer assumptions added; and last the order in which the study lists them. The study's own
readings are ranked among themselves, and so are the combinations of its sweep: what a sweep
generates assumes what the sweep does, and no list of evidence names it.

In the author's text ``{claim:conv1}`` is the printed number with its scale ("133 million"),
``{consistency:sum}`` what a check of the paper against itself computed, and
``{ceil.conv1.neurons}`` a measured quantity: interpretation, layer (or pattern, or ``network``) and
quantity. A reference that does not resolve is an error, and so is an expression of ``holds`` that
is not true of the results.

What came out of a study is one of four words: a rule over its verdicts, never typed. No outcome
blames anybody: which of its numbers a paper means otherwise, and which are slips of the pen, only a
source can say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from reconcile.judge.evidence import Checked, SelfCheck, excluding, supporting
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.judge.verdicts import Conflicts, Counted, Verdict, conventions, countings_of
from reconcile.study.expressions import ExpressionError, evaluate, spelled, spelled_call
from reconcile.study.load import REFERENCE, REFERENCES
from reconcile.study.model import NONE, SINGLE, Claim, Interpretation, Study, next_by_id
from reconcile.study.plan import PaperScope, denied_statements
from reconcile.tables.contract import (
    AGREE,
    AS_STATED,
    COMBINATIONS,
    CONTRADICTED,
    CONTRADICTS,
    EXPLAINED,
    FITS,
    NOT_MEASURED,
    QUANTITIES,
    READINGS,
    UNDECIDED,
    VERDICTS,
    WEAKLY,
)
from reconcile.words import count_of, like, listed, number

RULE = (
    "not excluded by evidence",
    "fewest claims contradicted or not measured",
    "fewest statements of the paper denied",
    "least evidence against",
    "fewest assumptions added",
    "order in the study",
)
_DIGITS = {"rounded": "rounded", "cut": "truncated"}
"""How the functions of results call the conventions of digits."""
MOST_NAMED = 6
"""Claims that a sentence on digits names; a table may have fifty."""


@dataclass(frozen=True)
class Ranked:
    """One interpretation and everything its place rests on."""

    reading: Interpretation
    contradicted: tuple[str, ...]
    not_measured: tuple[str, ...]
    denies: tuple[str, ...]
    excluded_by: tuple[str, ...]
    supported_by: tuple[str, ...]
    digits: str

    @property
    def score(self) -> dict[str, int]:
        """The parts of the rule, each counted."""
        return {
            "claims_contradicted": len(self.contradicted),
            "claims_not_measured": len(self.not_measured),
            "statements_denied": len(self.denies),
            "evidence_against": len(self.excluded_by),
            "assumptions": len(self.reading.assumes),
        }

    @property
    def reasons(self) -> list[str]:
        """The place in sentences."""
        told = (
            ("contradicts", self.contradicted, "claim", "claims"),
            ("could not be measured for", self.not_measured, "claim", "claims"),
            ("denies", self.denies, "statement of the paper", "statements of the paper"),
            ("is excluded by", self.excluded_by, "item of evidence", "items of evidence"),
            ("is supported by", self.supported_by, "item of evidence", "items of evidence"),
        )
        return [
            f"{verb} {count_of(len(ids), one, several)}: {', '.join(ids)}"
            for verb, ids, one, several in told
            if ids
        ]


def rank(
    study: Study,
    readings: Iterable[Interpretation],
    verdicts: Iterable[Verdict],
    countings: Iterable[Counted],
    checked: list[Checked],
) -> list[Ranked]:
    """Some interpretations of a study, best first."""
    own_verdicts, own_countings = _by_reading(verdicts), _by_reading(countings)
    ranked = [
        Ranked(
            reading=reading,
            contradicted=_claims(own_verdicts[reading.id], CONTRADICTS),
            not_measured=_claims(own_verdicts[reading.id], NOT_MEASURED),
            denies=tuple(denied_statements(study, reading)),
            excluded_by=tuple(excluding(checked, reading.id)),
            supported_by=tuple(supporting(checked, reading.id)),
            digits=digits_sentence(study, reading.id, own_countings[reading.id]),
        )
        for reading in readings
    ]
    # sorted() is stable, which is the last line of the rule.
    return sorted(ranked, key=_key)


def _key(entry: Ranked) -> tuple[bool, int, int, int, int]:
    score = entry.score
    return (
        bool(entry.excluded_by),
        # A reading cannot rank well by not running.
        score["claims_contradicted"] + score["claims_not_measured"],
        score["statements_denied"],
        score["evidence_against"],
        score["assumptions"],
    )


Judged = TypeVar("Judged", Verdict, Counted)


def _by_reading(judged: Iterable[Judged]) -> defaultdict[str, list[Judged]]:
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        found[item.interpretation].append(item)
    return found


def _claims(verdicts: list[Verdict], verdict: str) -> tuple[str, ...]:
    return tuple(v.claim for v in verdicts if v.verdict == verdict)


def digits_sentence(study: Study, reading: str, countings: Iterable[Counted]) -> str:
    """Whether one convention serves every claim of rounded digits that a reading matches."""
    serving: dict[str, set[str]] = {}
    for counted in countings:
        if counted.interpretation == reading and counted.measured is not None:
            found = conventions(counted.measured, study.claim(counted.claim))
            if found:
                serving.setdefault(counted.claim, set()).update(found)
    if not serving:
        return "no claim of rounded digits is matched"
    common = set.intersection(*serving.values())
    if common:
        digits = " and ".join(sorted(common))
        return f"{digits} digits serve every matched claim of them: {_first_few(list(serving))}"
    alone = {
        digits: _first_few([claim for claim, fits in serving.items() if fits == {digits}])
        for digits in ("rounded", "truncated")
    }
    return (
        f"no one convention of digits serves every matched claim of them: {alone['rounded']} only "
        f"when rounded; {alone['truncated']} only when truncated"
    )


def _first_few(claims: list[str]) -> str:
    """The claims, of many the first and how many more."""
    if len(claims) <= MOST_NAMED:
        return ", ".join(claims)
    rest = len(claims) - MOST_NAMED + 1
    return f"{', '.join(claims[: MOST_NAMED - 1])} and {rest} more"


def notes(
    study: Study,
    countings: list[Counted],
    ranked: list[Ranked],
    equal_counts: list[list[str]],
    measured: Measurements,
) -> list[str]:
    """Sentences on claims that can be counted in several ways and on readings of equal counts.

    Args:
        study: the study.
        countings: every counting of every claim.
        ranked: the readings that the sentences are about: the study's own, or of a sweep the best.
        equal_counts: those of them that have equal counts in every layer, in groups.
        measured: what was measured.
    """
    told = {entry.reading.id for entry in ranked}
    countings = [c for c in countings if c.interpretation in told]
    if study.own_readings or not equal_counts:
        undecided = [_between(group, ranked, measured) for group in equal_counts]
    else:
        undecided = [_between_combinations(equal_counts, len(ranked))]
    return undecided + [
        _about(claim, [c for c in countings if c.claim == claim.id])
        for claim in study.claims
        if len(countings_of(claim)) > 1
    ]


def _between(group: list[str], ranked: list[Ranked], measured: Measurements) -> str:
    """What does tell readings of equal counts apart: their outputs, and evidence."""
    said = f"Counts cannot decide between {listed(group)}: every layer has equal counts"
    kinds = _same_outputs(group, measured)
    if len(kinds) > 1:
        apart = ", ".join(" = ".join(kind) for kind in kinds)
        said += f"; outputs for equal weights and inputs differ, so activations can ({apart})"
    against = {r.reading.id: r.excluded_by for r in ranked}
    out = [f"{r} ({', '.join(against[r])})" for r in group if against[r]]
    left = [r for r in group if not against[r]]
    if out and left:
        said += f"; evidence excludes {listed(out)} and leaves {listed(left)}"
    return f"{said}."


def _between_combinations(groups: list[list[str]], of: int) -> str:
    """One sentence for what may be hundreds of groups."""
    alike, largest = sum(map(len, groups)), max(groups, key=len)
    said = f"Counts cannot decide between {alike:,} of {count_of(of, 'combination')}"
    if len(groups) == 1:
        return f"{said}: every layer of theirs has equal counts."
    return (
        f"{said}: they fall into {len(groups):,} groups in which every layer has equal counts; the "
        f"largest has {len(largest):,}, {largest[0]} among them."
    )


def _same_outputs(group: list[str], measured: Measurements) -> list[list[str]]:
    kinds: list[list[str]] = []
    for reading in group:
        kind = next((k for k in kinds if measured.same_output(k[0], reading) is not False), None)
        if kind is None:
            kinds.append([reading])
        else:
            kind.append(reading)
    return kinds


def _about(claim: Claim, countings: list[Counted]) -> str:
    """How many countings of how many kinds of reading give the number."""
    by_fits: dict[tuple[str, ...], list[str]] = {}
    unmeasured = []
    said = claim.number.said
    printed = f"{said} ({claim.id})"
    for reading in dict.fromkeys(c.interpretation for c in countings):
        own = [c for c in countings if c.interpretation == reading and c.measured is not None]
        if not own:
            unmeasured.append(reading)
            continue
        told = tuple(
            f"{c.title} {like(said, c.measured)} ({c.verdict})"
            for c in own
            if c.measured is not None and c.verdict in FITS
        )
        by_fits.setdefault(told, []).append(reading)
    if not by_fits:
        return f"{printed} was measured under no reading."
    unfit = by_fits.pop((), [])
    parts = [
        f"with {', '.join(readings)} under {count_of(len(told), 'counting')}: " + "; ".join(told)
        for told, readings in by_fits.items()
    ]
    unknown = f" It was not measured under {', '.join(unmeasured)}." if unmeasured else ""
    if not parts:
        none = f"none of {', '.join(unfit)}" if unmeasured else "no reading"
        weakly = any(counted.verdict == WEAKLY for counted in countings)
        unless = ", unless its last zeros are no digits" if weakly else ""
        return f"{printed} is reproduced by {none} under any counting{unless}.{unknown}"
    proof = " It is no proof of any of them." if len(parts) > 1 else ""
    rest = f" It fits none of {', '.join(unfit)}." if unfit else ""
    return f"{printed} is consistent {' — and '.join(parts)}.{rest}{unknown}{proof}"


# What the author concludes.


class UnresolvedError(Exception):
    """A reference in the conclusion that does not resolve."""


class NotTrueError(Exception):
    """What the conclusion holds is not true of the results."""


def resolver(
    study: Study, measured: Measurements, self_checks: list[SelfCheck]
) -> Callable[[str], str]:
    """A function that replaces every reference in a text by its number.

    The function raises UnresolvedError naming the first reference that does not resolve.
    """

    def resolve(reference: str) -> str:
        kind, colon, name = reference.partition(":")
        try:
            if colon and kind == "claim":
                return study.claim(name).number.said
            if colon and kind == "consistency":
                return number(next(c.computed for c in self_checks if c.check.id == name))
            return _measured(study, measured, reference)
        except (KeyError, StopIteration, ExpressionError) as error:
            reason = f": {error}" if isinstance(error, ExpressionError) else ""
            raise UnresolvedError(
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


@dataclass(frozen=True)
class Held:
    """An expression that the conclusion holds, and what else it rests on, as "readings() is 3"."""

    expression: str
    found: tuple[str, ...]


class ResultsScope(PaperScope):
    """The results of a study, to be counted.

    Attributes:
        asked: every count that was asked for, in words.
    """

    def __init__(
        self,
        study: Study,
        scopes: dict[str, set[str]],
        countings: Iterable[Counted],
        conflicts: Iterable[Conflicts],
    ) -> None:
        super().__init__(study)
        self.asked: list[str] = []
        self._scopes = scopes
        self._conflicts = {each.scope: each for each in conflicts}
        # The claims that each reading satisfies, in any way and by each convention of digits.
        self._satisfied: dict[str, dict[str, set[str]]] = {}
        for counted in countings:
            if counted.measured is None:
                continue
            own = self._satisfied.setdefault(counted.interpretation, {})
            if counted.verdict in FITS:
                names = conventions(counted.measured, study.claim(counted.claim))
                for name in ("", *(names or _DIGITS.values())):
                    own.setdefault(name, set()).add(counted.claim)

    def count(self, function: str, claims: list[str]) -> int:
        """As a function of ``RESULTS`` says.

        Raises:
            ExpressionError: the conflicts are too many to be counted by claims.
        """
        wanted = {c.id for c in self.study.claims if any(fnmatchcase(c.id, p) for p in claims)}
        if function.endswith("conflicts"):
            scope = COMBINATIONS if function.startswith("combination") else READINGS
            found = self._count_conflicts(scope, wanted)
        else:
            scope, _, digits = function.partition("_")
            name = _DIGITS.get(digits, "")
            measured = [self._satisfied[r] for r in self._scopes[scope] if r in self._satisfied]
            found = sum(wanted <= satisfied.get(name, set()) for satisfied in measured)
        self.asked.append(f"{spelled_call(function, claims)} is {found:,}")
        return found

    def _count_conflicts(self, scope: str, claims: set[str]) -> int:
        conflicts = self._conflicts.get(scope)
        if conflicts is None:
            return 0
        if not claims:
            return conflicts.total
        if conflicts.total > len(conflicts.found):
            raise ExpressionError(f"{conflicts.total:,} conflicts are too many to look into each")
        return sum(claims <= set(conflict.claims) for conflict in conflicts.found)


def holds(expression: str, scope: ResultsScope) -> Held:
    """An expression of the conclusion that is true of the results, and the counts it does not say.

    Raises:
        NotTrueError: it is not, with the counts that it asked for.
        ExpressionError: it cannot be evaluated.
    """
    scope.asked.clear()
    true = evaluate(expression, scope)
    asked = tuple(dict.fromkeys(scope.asked))
    if true is not True:
        what = "is not true" if true is False else "says nothing that is true or false"
        raise NotTrueError(f"{expression!r} {what}{': ' if asked else ''}{', '.join(asked)}")
    shown = spelled(expression)
    return Held(
        shown, tuple(count for count in asked if count.replace(" is ", " == ") not in shown)
    )


def best_verdicts(
    study: Study, verdicts: Iterable[Verdict], leading: Iterable[Ranked]
) -> dict[str, Verdict]:
    """The verdict that tells of each claim, in the study's order.

    It is that of the reading concluded on; where that is none, the best of the leading readings,
    the first of equal ones.
    """
    chosen = study.conclusion.interpretation
    told = {chosen} if chosen != NONE else {entry.reading.id for entry in leading}
    best: dict[str, Verdict] = {}
    for verdict in verdicts:
        if verdict.interpretation in told:
            known = best.setdefault(verdict.claim, verdict)
            best[verdict.claim] = min(known, verdict, key=lambda v: VERDICTS.index(v.verdict))
    return {claim.id: best[claim.id] for claim in study.claims}


def papers_own(study: Study, best: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The verdicts on numbers that the paper prints itself; all where others print every one."""
    own = {c.id: best[c.id] for c in study.claims if c.printed_by is None}
    return own or dict(best)


def outcome_of(best: Mapping[str, Verdict], chosen: Ranked | None) -> str:
    """The outcome of a study; the first that is true of:

    - contradicted: some number is contradicted, and not explained, by the reading concluded on,
      or by every one where that is none;
    - undecided: the study concludes on no reading, or some number was not measured;
    - agree: the reading gives all as they are counted, assumes nothing and denies nothing;
    - explained: it gives or explains all.

    Args:
        best: the verdict that tells of each of the paper's own claims.
        chosen: the reading concluded on, None where that is none.
    """
    words = {verdict.verdict for verdict in best.values()}
    if CONTRADICTS in words:
        return CONTRADICTED
    if chosen is None or NOT_MEASURED in words:
        return UNDECIDED
    plainly = all(v.verdict in FITS and v.counting == AS_STATED for v in best.values())
    assumes = chosen.denies or chosen.reading.assumes
    return AGREE if plainly and not assumes else EXPLAINED
