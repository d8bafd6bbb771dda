"""What counts alone can and cannot say, in sentences made from the verdicts."""

from __future__ import annotations

from reconcile.judge.measurements import Measurements
from reconcile.judge.ranking import Ranked
from reconcile.judge.verdicts import Counted, countings_of
from reconcile.study.model import Claim, Study, SweptInterpretation
from reconcile.tables.contract import FITS
from reconcile.words import count_of, like, listed

MOST_READINGS = 24
"""Readings that the notes speak of where all are of a sweep: the best."""


def notes(
    study: Study,
    countings: list[Counted],
    ranked: list[Ranked],
    equal_counts: list[list[str]],
    measured: Measurements,
) -> list[str]:
    """Sentences on claims that can be counted in several ways and on readings of equal counts.

    Those on claims are about the study's own readings; what a sweep generates is summed up apart.
    """
    own = [r.id for r in study.interpretations if not isinstance(r, SweptInterpretation)]
    told = set(own or [r.reading.id for r in ranked[:MOST_READINGS]])
    countings = [c for c in countings if c.interpretation in told]
    undecided = [_between(group, ranked, measured) for group in equal_counts]
    return undecided + [
        _about(claim, [c for c in countings if c.claim == claim.id])
        for claim in study.claims
        if len(countings_of(claim)) > 1
    ]


def _between(group: list[str], ranked: list[Ranked], measured: Measurements) -> str:
    """What does tell readings of equal counts apart: their outputs, and evidence."""
    said = f"Counts cannot decide between {listed(group)}: every layer has equal counts."
    kinds = _same_outputs(group, measured)
    if len(kinds) > 1:
        apart = ", ".join(" = ".join(kind) for kind in kinds)
        said += f" Their outputs for equal weights and inputs differ, so activations can: {apart}."
    out = [
        f"{r.reading.id} ({', '.join(r.excluded_by)})"
        for r in ranked
        if r.reading.id in group and r.excluded_by
    ]
    left = [reading for reading in group if not any(o.startswith(f"{reading} (") for o in out)]
    if out and left:
        said += f" Evidence excludes {listed(out)} and leaves {listed(left)}."
    return said


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
    said = claim.number.said
    for reading in dict.fromkeys(c.interpretation for c in countings):
        own = [c for c in countings if c.interpretation == reading and c.verdict in FITS]
        told = tuple(f"{c.title} {like(said, c.measured)} ({c.verdict})" for c in own if c.measured)
        by_fits.setdefault(told, []).append(reading)
    unfit = by_fits.pop((), [])
    parts = [
        f"with {', '.join(readings)} under {count_of(len(told), 'counting')}: " + "; ".join(told)
        for told, readings in by_fits.items()
    ]
    if not parts:
        return f"{claim.printed} ({claim.id}) is reproduced by no reading under any counting."
    proof = " It is no proof of any of them." if len(parts) > 1 else ""
    rest = f" It fits none of {', '.join(unfit)}." if unfit else ""
    return f"{claim.printed} ({claim.id}) is consistent {' — and '.join(parts)}.{rest}{proof}"
