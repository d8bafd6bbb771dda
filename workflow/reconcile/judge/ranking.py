"""Rank the interpretations of a study by a stated rule.

The rule, applied in this order: readings that evidence excludes come after those it does not; then
fewer claims contradicted or not measured; fewer statements of the paper denied; less evidence
against; fewer assumptions added; and last the order in which the study lists them. The study's own
readings are ranked among themselves, and so are the combinations of its sweep: what a sweep
generates assumes what the sweep does, and no list of evidence names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from reconcile.judge.evidence import Checked, excluding, supporting
from reconcile.judge.verdicts import Counted, Verdict, conventions
from reconcile.study.model import Interpretation, Study
from reconcile.study.plan import denied_statements
from reconcile.words import count_of

RULE = (
    "not excluded by evidence",
    "fewest claims contradicted or not measured",
    "fewest statements of the paper denied",
    "least evidence against",
    "fewest assumptions added",
    "order in the study",
)


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
            contradicted=_claims(own_verdicts[reading.id], "contradicts"),
            not_measured=_claims(own_verdicts[reading.id], "not-measured"),
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
    claims = ", ".join(serving)
    if not common:
        return f"no one convention of digits serves {claims}"
    return f"{' and '.join(sorted(common))} digits serve every matched claim of them: {claims}"
