"""What counts alone can and cannot say, in sentences made from the verdicts."""

from __future__ import annotations

from reconcile.judge.measurements import Measurements
from reconcile.judge.ranking import Ranked
from reconcile.judge.verdicts import Counted, countings_of
from reconcile.study.model import Claim, Study
from reconcile.tables.contract import FITS
from reconcile.words import count_of, like, listed


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
        return f"{claim.printed} ({claim.id}) was measured under no reading."
    unfit = by_fits.pop((), [])
    parts = [
        f"with {', '.join(readings)} under {count_of(len(told), 'counting')}: " + "; ".join(told)
        for told, readings in by_fits.items()
    ]
    unknown = f" It was not measured under {', '.join(unmeasured)}." if unmeasured else ""
    if not parts:
        none = f"none of {', '.join(unfit)}" if unmeasured else "no reading"
        return f"{claim.printed} ({claim.id}) is reproduced by {none} under any counting.{unknown}"
    proof = " It is no proof of any of them." if len(parts) > 1 else ""
    rest = f" It fits none of {', '.join(unfit)}." if unfit else ""
    return (
        f"{claim.printed} ({claim.id}) is consistent {' — and '.join(parts)}.{rest}{unknown}{proof}"
    )
