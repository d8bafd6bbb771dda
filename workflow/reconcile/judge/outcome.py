"""What came out of a study, in one of four words: a rule over its verdicts, never typed.

No outcome blames anybody: which of its numbers a paper means otherwise, and which are slips of the
pen, only a source can say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconcile.judge.ranking import Ranked
from reconcile.judge.verdicts import Verdict
from reconcile.study.model import NONE, Study
from reconcile.tables.contract import (
    AGREE,
    AS_STATED,
    CONTRADICTED,
    EXPLAINED,
    FITS,
    UNDECIDED,
    VERDICTS,
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
    if "contradicts" in words:
        return CONTRADICTED
    if chosen is None or "not-measured" in words:
        return UNDECIDED
    plainly = all(v.verdict in FITS and v.counting == AS_STATED for v in best.values())
    assumes = chosen.denies or chosen.reading.assumes
    return AGREE if plainly and not assumes else EXPLAINED
