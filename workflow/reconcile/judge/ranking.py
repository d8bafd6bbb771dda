"""Rank the interpretations of a study by a stated rule, and say what counts cannot decide.

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
from reconcile.judge.measurements import Measurements
from reconcile.judge.verdicts import Counted, Verdict, conventions, countings_of
from reconcile.study.model import Claim, Interpretation, Study
from reconcile.study.plan import denied_statements
from reconcile.tables.contract import CONTRADICTS, FITS, NOT_MEASURED, WEAKLY
from reconcile.words import count_of, like, listed

RULE = (
    "not excluded by evidence",
    "fewest claims contradicted or not measured",
    "fewest statements of the paper denied",
    "least evidence against",
    "fewest assumptions added",
    "order in the study",
)

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
        return f"{claim.number.said} ({claim.id}) was measured under no reading."
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
        sentence = f"{claim.number.said} ({claim.id}) is reproduced by {none} under any counting"
        return f"{sentence}{unless}.{unknown}"
    proof = " It is no proof of any of them." if len(parts) > 1 else ""
    rest = f" It fits none of {', '.join(unfit)}." if unfit else ""
    printed = f"{claim.number.said} ({claim.id})"
    return f"{printed} is consistent {' — and '.join(parts)}.{rest}{unknown}{proof}"
