"""The author's conclusion: its numbers are references that must resolve, and what it holds is true.

``{claim:conv1}`` is the printed number with its scale ("133 million"), ``{consistency:sum}`` what a
check of the paper against itself computed, and ``{ceil.conv1.neurons}`` a measured quantity:
interpretation, layer (or pattern, or ``network``) and quantity. A reference that does not resolve
is an error, and so is an expression of ``holds`` that is not true of the results.

What came out of a study is one of four words: a rule over its verdicts, never typed. No outcome
blames anybody: which of its numbers a paper means otherwise, and which are slips of the pen, only a
source can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconcile.judge.conflicts import Conflicts
from reconcile.judge.evidence import SelfCheck
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.judge.ranking import Ranked
from reconcile.judge.verdicts import Counted, Verdict, conventions
from reconcile.study.expressions import ExpressionError, evaluate, spelled, spelled_call
from reconcile.study.load import REFERENCE, REFERENCES
from reconcile.study.model import NONE, SINGLE, Study, next_by_id
from reconcile.study.plan import PaperScope
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
)
from reconcile.words import number

_DIGITS = {"rounded": "rounded", "cut": "truncated"}
"""How the functions of results call the conventions of digits."""


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
            found = self._count_satisfying(scope, _DIGITS.get(digits, ""), wanted)
        self.asked.append(f"{spelled_call(function, claims)} is {found:,}")
        return found

    def _count_satisfying(self, scope: str, digits: str, claims: set[str]) -> int:
        measured = [self._satisfied[r] for r in self._scopes[scope] if r in self._satisfied]
        return sum(claims <= satisfied.get(digits, set()) for satisfied in measured)

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
