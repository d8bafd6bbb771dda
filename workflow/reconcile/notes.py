"""What counts alone can and cannot say, in sentences made from the verdicts."""

from __future__ import annotations

from reconcile.model import Claim, Study
from reconcile.ranking import Ranked
from reconcile.verdicts import FITS, Counted, countings_of, grouped

__all__ = ["notes"]


def notes(study: Study, countings: list[Counted], ranked: list[Ranked]) -> list[str]:
    """One sentence for every claim that can be counted in several ways."""
    del ranked
    return [
        _about(claim, [c for c in countings if c.claim == claim.id])
        for claim in study.claims
        if len(countings_of(claim)) > 1
    ]


def _about(claim: Claim, countings: list[Counted]) -> str:
    """How many countings of how many kinds of reading give the number."""
    by_fits: dict[tuple[str, ...], list[str]] = {}
    for reading in dict.fromkeys(c.interpretation for c in countings):
        own = [c for c in countings if c.interpretation == reading and c.verdict in FITS]
        told = tuple(f"{c.title} {grouped(c.measured)} ({c.verdict})" for c in own if c.measured)
        by_fits.setdefault(told, []).append(reading)
    unfit = by_fits.pop((), [])
    parts = [
        f"with {', '.join(readings)} under {len(told)} counting{'s' * (len(told) > 1)}: "
        + "; ".join(told)
        for told, readings in by_fits.items()
    ]
    if not parts:
        return f"{claim.printed} ({claim.id}) is reproduced by no reading under any counting."
    proof = " It is no proof of any of them." if len(parts) > 1 else ""
    rest = f" It fits none of {', '.join(unfit)}." if unfit else ""
    return f"{claim.printed} ({claim.id}) is consistent {' — and '.join(parts)}.{rest}{proof}"
