"""Put a study and its measurements together: verdicts, evidence, ranking, conclusion.

``reconcile_study`` is a pure function of the study and the measured tables, so that an archive can
be checked by computing it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile import __version__
from reconcile.errors import InputError
from reconcile.judge.conclusion import ReferenceError, resolver
from reconcile.judge.evidence import Checked, check_evidence, check_paper
from reconcile.judge.measurements import Measurements
from reconcile.judge.notes import notes
from reconcile.judge.ranking import RULE, Ranked, rank
from reconcile.judge.verdicts import Counted, Verdict, countings_of, judge_reading, printed_columns
from reconcile.study.expressions import ExpressionError
from reconcile.study.load import fault_in
from reconcile.study.model import Claim, Study, SweptInterpretation
from reconcile.study.plan import cells_of, values_of
from reconcile.study.printed import parse_printed
from reconcile.tables.contract import FITS
from reconcile.tables.frames import table
from reconcile.tables.rows import number_text

RESOLVED = ("answer", "text")
MOST_LISTED = 200
"""Readings of a sweep that the summary lists, best first; as many as a report may show."""


@dataclass(frozen=True)
class Reconciliation:
    """Everything that follows from a study and its measurements.

    Attributes:
        tables: verdicts.csv, countings.csv and evidence.csv by file name.
        summary: the content of reconciliation.json.
    """

    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]


def reconcile_study(study: Study, folder: Path, measured: Measurements) -> Reconciliation:
    """Judge every claim under every interpretation and rank the interpretations.

    Args:
        study: the study.
        folder: its folder, for messages; its name is the study's.
        measured: what was measured.

    Raises:
        InputError: an expression that cannot be evaluated, a layer that no reading has, a
        conclusion
            that chooses an excluded reading or holds a reference that does not resolve.
    """
    verdicts, countings = _judge_all(study, folder, measured)
    _refuse_unknown_layers(study, folder, measured, countings)
    checked = _guard(folder, ("evidence",), lambda: check_evidence(study, measured))
    ranked = rank(study, verdicts, countings, checked)
    listed = _listed(study, ranked)
    equal = _equal_counts(study, measured, listed)
    conclusion = _conclude(study, folder, measured, ranked)
    summary = {
        "study": folder.resolve().name,
        "version": __version__,
        "title": study.title,
        "question": study.question,
        "paper": study.paper.model_dump(),
        "claims": [_claim(study, claim, verdicts, listed) for claim in study.claims],
        "counts": _counts(study, verdicts, ranked, measured),
        "rule": list(RULE),
        "ranking": [
            _ranked(place, entry)
            for place, entry in enumerate(ranked, start=1)
            if entry.reading.id in listed
        ],
        "sweep": _sweep(study, verdicts),
        "equal_counts": equal,
        "notes": notes(study, countings, ranked, equal, measured),
        "conclusion": conclusion,
    }
    return Reconciliation(_tables(study, verdicts, countings, checked), summary)


def _guard(folder: Path, place: tuple[str | int, ...], compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except ExpressionError as error:
        raise InputError(fault_in(folder, place, str(error))) from None


def _listed(study: Study, ranked: list[Ranked]) -> set[str]:
    """The readings that the summary lists: the study's own, and the best of what a sweep generates.

    verdicts.csv has a row for every one; a summary of 10,000 would be read by nobody.
    """
    own = {r.id for r in study.interpretations if not isinstance(r, SweptInterpretation)}
    return {
        *own,
        *(entry.reading.id for entry in ranked[:MOST_LISTED]),
        study.conclusion.interpretation,
    }


def _sweep(study: Study, verdicts: list[Verdict]) -> dict[str, Any] | None:
    """How many combinations of the sweep match how many claims."""
    if study.sweep is None:
        return None
    matched = Counter(v.interpretation for v in verdicts if v.verdict in FITS)
    cells = cells_of(study, matched)
    groups = Counter(cell.matched for cell in cells)
    return {
        "title": study.sweep.title,
        "axes": {name: len(values_of(axis)) for name, axis in study.sweep.axes.items()},
        "combinations": len(cells),
        "matched": [[claims, groups[claims]] for claims in sorted(groups, reverse=True)],
    }


def _judge_all(
    study: Study, folder: Path, measured: Measurements
) -> tuple[list[Verdict], list[Counted]]:
    verdicts: list[Verdict] = []
    countings: list[Counted] = []
    for reading in study.interpretations:
        judged = _guard(folder, ("claims",), partial(judge_reading, study, reading, measured))
        verdicts += [verdict for verdict, _ in judged]
        countings += [counted for _, several in judged for counted in several]
    return verdicts, countings


def _refuse_unknown_layers(
    study: Study, folder: Path, measured: Measurements, countings: list[Counted]
) -> None:
    """A counting that no measured reading could evaluate names something that is not there."""
    networks = {claim.id: claim.network for claim in study.claims}
    answered: set[tuple[str, str]] = set()
    refused: dict[tuple[str, str], str] = {}
    for counted in countings:
        key = counted.claim, counted.counting
        if counted.measured is not None:
            answered.add(key)
        elif measured.problem(counted.interpretation, networks[counted.claim]) is None:
            refused.setdefault(key, counted.reason)
    for i, claim in enumerate(study.claims):
        for counting in countings_of(claim):
            key = claim.id, counting.id
            if key in refused and key not in answered:
                raise InputError(fault_in(folder, ("claims", i), refused[key]))


def _claim(study: Study, claim: Claim, verdicts: list[Verdict], listed: set[str]) -> dict[str, Any]:
    matching = [v.interpretation for v in verdicts if v.claim == claim.id and v.verdict in FITS]
    printed = parse_printed(claim.printed, claim.unit)
    return {
        "id": claim.id,
        "quote": claim.quote,
        "where": claim.where,
        "printed": claim.printed,
        "relation": claim.relation,
        "value": number_text(printed.value),
        "exact": printed.exact,
        "rounded": [number_text(bound) for bound in printed.rounded],
        "truncated": [number_text(bound) for bound in printed.truncated],
        "unit_reason": claim.unit_reason,
        "countings": [
            {"id": c.id, "title": c.title, "count": c.count} for c in countings_of(claim)
        ],
        "matched_by": [reading for reading in matching if reading in listed],
        "matching": len(matching),
    }


def _counts(
    study: Study, verdicts: list[Verdict], ranked: list[Ranked], measured: Measurements
) -> dict[str, int]:
    first = [v.verdict for v in verdicts if v.interpretation == ranked[0].reading.id]
    return {
        "claims": len(study.claims),
        "reproduced": sum(verdict in FITS for verdict in first),
        "contradicted": first.count("contradicts"),
        "explained": first.count("explained-by-slip"),
        "interpretations": len(study.interpretations),
        "excluded": sum(bool(entry.excluded_by) for entry in ranked),
        "measured": len(measured.readings),
    }


def _ranked(place: int, entry: Ranked) -> dict[str, Any]:
    return {
        "rank": place,
        "interpretation": entry.reading.id,
        "title": entry.reading.title,
        "excluded": bool(entry.excluded_by),
        "excluded_by": list(entry.excluded_by),
        "supported_by": list(entry.supported_by),
        "score": entry.score,
        "denies": list(entry.denies),
        "assumes": list(entry.reading.assumes),
        "reasons": entry.reasons,
        "digits": entry.digits,
    }


def _equal_counts(study: Study, measured: Measurements, listed: set[str]) -> list[list[str]]:
    groups: dict[Any, list[str]] = {}
    for reading in (r for r in study.interpretations if r.id in listed):
        groups.setdefault(measured.signature(reading.id), []).append(reading.id)
    return [ids for signature, ids in groups.items() if signature and len(ids) > 1]


def _conclude(
    study: Study, folder: Path, measured: Measurements, ranked: list[Ranked]
) -> dict[str, Any]:
    chosen = next(r for r in ranked if r.reading.id == study.conclusion.interpretation)
    if chosen.excluded_by:
        message = f"{chosen.reading.id!r} is excluded by evidence: {', '.join(chosen.excluded_by)}"
        raise InputError(fault_in(folder, ("conclusion", "interpretation"), message))
    content = study.conclusion.model_dump()
    resolve = resolver(study, measured, check_paper(study))
    for key in RESOLVED:
        try:
            content[key] = resolve(content[key])
        except ReferenceError as error:
            raise InputError(fault_in(folder, ("conclusion", key), str(error))) from None
    return content


def _tables(
    study: Study, verdicts: list[Verdict], countings: list[Counted], checked: list[Checked]
) -> dict[str, pd.DataFrame]:
    printed = {claim.id: printed_columns(claim) for claim in study.claims}
    return {
        "verdicts.csv": table("verdicts.csv", (vars(v) | printed[v.claim] for v in verdicts)),
        "countings.csv": table("countings.csv", map(vars, countings)),
        "evidence.csv": table("evidence.csv", map(_evidence, checked)),
    }


def _evidence(checked: Checked) -> dict[str, Any]:
    item = checked.item
    return {
        "evidence": item.id,
        "source": "; ".join(source.name for source in item.source),
        "url": " ".join(source.url for source in item.source if source.url),
        "supports": " ".join(item.supports),
        "excludes": " ".join(item.excludes),
        "check": item.check,
        "outcome": checked.outcome,
        "wrong": " ".join(checked.wrong),
        "unmeasured": " ".join(checked.unmeasured),
        "says": item.says,
        "detail": checked.detail,
    }
