"""Put a study and its measurements together: verdicts, evidence, ranking, conclusion.

``reconcile_study`` is a pure function of the study and the measured tables, so that an archive can
be checked by computing it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile import __version__
from reconcile.errors import InputError
from reconcile.judge.conclusion import (
    RULE,
    NotTrueError,
    Ranked,
    ResultsScope,
    UnresolvedError,
    best_verdicts,
    holds,
    notes,
    outcome_of,
    papers_own,
    rank,
    resolver,
)
from reconcile.judge.evidence import Checked, check_evidence, check_paper
from reconcile.judge.measurements import Measurements
from reconcile.judge.verdicts import (
    Conflicts,
    Counted,
    Verdict,
    conflicts_of,
    countings_of,
    digits_columns,
    judge_reading,
    printed_columns,
)
from reconcile.study.expressions import ExpressionError, networks_named, over_claims
from reconcile.study.load import fault_in
from reconcile.study.model import Claim, Study, claims_named
from reconcile.study.plan import Combination, cells_of, values_of
from reconcile.study.yamlfile import Counting
from reconcile.tables.contract import (
    AS_STATED,
    COMBINATIONS,
    CONTRADICTS,
    FITS,
    HOLDS,
    NOT_MEASURED,
    READINGS,
    SLIP,
    WEAKLY,
)
from reconcile.tables.frames import table
from reconcile.tables.rows import number_text

MOST_BEST = 12
"""Combinations that match most claims, which a report lists, whatever their rank."""
MOST_LISTED = 200
"""Combinations of a sweep that the summary lists, best first; as many as a report may show."""


@dataclass(frozen=True)
class Reconciliation:
    """Everything that follows from a study and its measurements.

    Attributes:
        tables: verdicts.csv, countings.csv, evidence.csv and conflicts.csv by file name.
        summary: the content of reconciliation.json.
    """

    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]


def reconcile_study(study: Study, folder: Path, measured: Measurements) -> Reconciliation:
    """Judge every claim under every interpretation and rank the interpretations.

    The name of ``folder`` is the study's; messages name it.

    Raises:
        InputError: an expression that cannot be evaluated, a layer that no reading has, a
            conclusion that chooses an excluded reading, holds what is not true or refers to what
            does not resolve.
    """
    verdicts, countings = _judge_all(study, folder, measured)
    _refuse_unknown_layers(study, folder, measured, countings)
    checked = _guard(folder, ("evidence",), lambda: check_evidence(study, measured))
    own, swept = (
        rank(study, readings, verdicts, countings, checked)
        for readings in (study.own_readings, study.swept_readings)
    )
    # Of a sweep the best are listed: a summary of 10,000 would be read by nobody.
    chosen = study.conclusion.interpretation
    cells = cells_of(study, Counter(v.interpretation for v in verdicts if v.verdict in FITS))
    most = sorted(cells, key=lambda cell: -cell.matched)[:MOST_BEST]
    wanted = {chosen, *(cell.reading for cell in most)}
    best = [r for i, r in enumerate(swept) if i < MOST_LISTED or r.reading.id in wanted]
    leading = own or best
    scopes = _scopes(study, cells)
    conflicts = [conflicts_of(study, name, of, verdicts) for name, of in scopes.items() if of]
    equal = _equal_counts(study, measured, leading, countings)
    conclusion = _conclude(study, folder, measured, [*own, *swept])
    conclusion["holds"] = _held(study, folder, countings, conflicts, scopes)
    best_of = best_verdicts(study, verdicts, leading)
    counts = _counts(study, best_of) | _how_many(measured, own, swept)
    concluded_on = next((r for r in [*own, *swept] if r.reading.id == chosen), None)
    summary = {
        "study": folder.resolve().name,
        "version": __version__,
        "title": study.title,
        "question": study.question,
        "paper": study.paper.model_dump(),
        "claims": [
            _claim(claim, best_of[claim.id], verdicts, {r.reading.id for r in [*own, *best]})
            for claim in study.claims
        ],
        "outcome": outcome_of(papers_own(study, best_of), concluded_on),
        "counts": counts,
        "rule": list(RULE),
        "ranking": _ranking(leading, swept if leading is best else own),
        "combinations": _ranking(best, swept) if own else [],
        "sweep": _sweep(study, cells),
        "conflicts": [_in_summary(found) for found in conflicts],
        "equal_counts": equal,
        "notes": notes(study, countings, leading, equal, measured),
        "conclusion": conclusion,
        **study.model_dump(include={"checked", "replies", "corrections"}),
    }
    return Reconciliation(_tables(study, verdicts, countings, checked, conflicts), summary)


def _guard(folder: Path, place: tuple[str | int, ...], compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except ExpressionError as error:
        raise InputError(fault_in(folder, error.place or place, str(error))) from None


def _scopes(study: Study, cells: list[Combination]) -> dict[str, set[str]]:
    """Whose conflicts and counts there are: a reading that is a combination too is in both."""
    own = {reading.id for reading in study.own_readings}
    return {READINGS: own, COMBINATIONS: {cell.reading for cell in cells}}


def _held(
    study: Study,
    folder: Path,
    countings: list[Counted],
    conflicts: list[Conflicts],
    scopes: dict[str, set[str]],
) -> list[dict[str, Any]]:
    """What the conclusion holds, each expression with the counts that it rests on."""
    if not study.conclusion.holds:
        return []
    scope = ResultsScope(study, scopes, countings, conflicts)
    found = []
    for i, expression in enumerate(study.conclusion.holds):
        try:
            held = holds(expression, scope)
        except (NotTrueError, ExpressionError) as error:
            raise InputError(fault_in(folder, ("conclusion", "holds", i), str(error))) from None
        found.append({"expression": held.expression, "found": list(held.found)})
    return found


def _in_summary(conflicts: Conflicts) -> dict[str, Any]:
    found = [{"claims": list(each.claims), "says": each.says} for each in conflicts.found]
    return vars(conflicts) | {"found": found}


def _sweep(study: Study, cells: list[Combination]) -> dict[str, Any] | None:
    """How many combinations of the sweep match how many claims."""
    if study.sweep is None:
        return None
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
    networks = {
        (claim.id, counting.id): _networks(study, claim, counting)
        for claim in study.claims
        for counting in countings_of(claim)
    }
    answered: set[tuple[str, str]] = set()
    refused: dict[tuple[str, str], str] = {}
    for counted in countings:
        key = counted.claim, counted.counting
        if counted.measured is not None:
            answered.add(key)
        elif all(measured.problem(counted.interpretation, n) is None for n in networks[key]):
            refused.setdefault(key, counted.reason)
    for i, claim in enumerate(study.claims):
        for counting in countings_of(claim):
            key = claim.id, counting.id
            if key in refused and key not in answered:
                raise InputError(fault_in(folder, ("claims", i), refused[key]))


def _networks(study: Study, claim: Claim, counting: Counting) -> set[str]:
    """The networks that a counting asks."""
    own = {n or claim.network for n in networks_named(counting.count)}
    patterns = [pattern for _, named in over_claims(counting.count) for pattern in named]
    return own.union(c.network for c in claims_named(study, patterns))


def _claim(
    claim: Claim, told: Verdict, verdicts: list[Verdict], listed: set[str]
) -> dict[str, Any]:
    matching = [v.interpretation for v in verdicts if v.claim == claim.id and v.verdict in FITS]
    printed = claim.number
    return {
        "id": claim.id,
        "quote": claim.quote,
        "where": claim.where,
        "version": claim.version,
        "printed_by": claim.printed_by.name if claim.printed_by else None,
        "printed": claim.printed,
        "said": printed.said,
        "relation": claim.relation,
        "value": number_text(printed.value),
        "exact": printed.exact,
        "rounded": [number_text(bound) for bound in printed.rounded],
        "truncated": [number_text(bound) for bound in printed.truncated],
        "unit_reason": claim.unit_reason,
        "zeros_reason": claim.zeros_reason,
        "countings": [
            {"id": c.id, "title": c.title, "count": c.count} for c in countings_of(claim)
        ],
        "matched_by": [reading for reading in matching if reading in listed],
        "matching": len(matching),
        "verdict": told.verdict,
        "interpretation": told.interpretation,
        "measured": "" if told.measured is None else number_text(told.measured),
    }


def _counts(study: Study, best: Mapping[str, Verdict]) -> dict[str, int]:
    """What becomes of the claims under the reading concluded on, or under the best for each.

    A claim is counted once: as reproduced, reproduced weakly (by its open zeros), explained by a
    slip, contradicted or not measured.
    """
    words = [verdict.verdict for verdict in best.values()]
    return {
        "claims": len(study.claims),
        "reproduced": sum(word in FITS for word in words),
        "reproduced_otherwise": sum(
            v.verdict in FITS and v.counting != AS_STATED for v in best.values()
        ),
        "reproduced_weakly": words.count(WEAKLY),
        "contradicted": words.count(CONTRADICTS),
        "explained": words.count(SLIP),
        "not_measured": words.count(NOT_MEASURED),
    }


def _how_many(measured: Measurements, own: list[Ranked], swept: list[Ranked]) -> dict[str, int]:
    """How many readings there are, were measured in all or some of their networks, are excluded."""
    found = {}
    for name, readings in (("readings", own), ("combinations", swept)):
        ids = [entry.reading.id for entry in readings]
        found[name] = len(ids)
        found[f"{name}_measured"] = sum(measured.whole(reading) for reading in ids)
        found[f"{name}_partly_measured"] = sum(measured.partly(reading) for reading in ids)
        found[f"{name}_excluded"] = sum(bool(entry.excluded_by) for entry in readings)
    return {
        "interpretations": len(own) + len(swept),
        "excluded": found["readings_excluded"] + found["combinations_excluded"],
        "measured": found["readings_measured"] + found["combinations_measured"],
        **found,
    }


def _ranking(listed: list[Ranked], every: list[Ranked]) -> list[dict[str, Any]]:
    """The entries of some readings, by their place among all of their kind."""
    place = {entry.reading.id: i for i, entry in enumerate(every, start=1)}
    return [
        {
            "rank": place[entry.reading.id],
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
        for entry in listed
    ]


def _equal_counts(
    study: Study, measured: Measurements, ranked: list[Ranked], countings: list[Counted]
) -> list[list[str]]:
    """The listed readings that no layer's counts and no claim's value tell apart, in groups."""
    listed = {entry.reading.id for entry in ranked}
    # Claims may ask for an argument, such as a unit, that no layer's counts show.
    values: dict[str, list[Any]] = {}
    for counted in countings:
        values.setdefault(counted.interpretation, []).append(counted.measured)
    groups: dict[Any, list[str]] = {}
    # Of a network that did not run to its end nobody knows what its other layers have.
    whole = (r.id for r in study.interpretations if r.id in listed and measured.whole(r.id))
    for reading in whole:
        signature = measured.signature(reading)
        if signature:
            key = signature, tuple(values.get(reading, []))
            groups.setdefault(key, []).append(reading)
    return [ids for ids in groups.values() if len(ids) > 1]


def _conclude(
    study: Study, folder: Path, measured: Measurements, ranked: list[Ranked]
) -> dict[str, Any]:
    excluded = {entry.reading.id: entry.excluded_by for entry in ranked}
    chosen = study.conclusion.interpretation
    if excluded.get(chosen):
        message = f"{chosen!r} is excluded by evidence: {', '.join(excluded[chosen])}"
        raise InputError(fault_in(folder, ("conclusion", "interpretation"), message))
    resolve = resolver(study, measured, check_paper(study))
    told: dict[tuple[str | int, ...], str] = {}
    for place, text in study.conclusion.texts():
        try:
            told[place] = resolve(text)
        except UnresolvedError as error:
            raise InputError(fault_in(folder, ("conclusion", *place), str(error))) from None
    reasons = [
        {"text": told["reasons", i, "text"], "see": reason.see}
        for i, reason in enumerate(study.conclusion.reasons)
    ]
    texts = {key: told.get((key,), "") for key in ("answer", "hedge", "text")}
    undecided = [told["undecided", i] for i in range(len(study.conclusion.undecided))]
    return study.conclusion.model_dump() | texts | {"reasons": reasons, "undecided": undecided}


def _tables(
    study: Study,
    verdicts: list[Verdict],
    countings: list[Counted],
    checked: list[Checked],
    conflicts: list[Conflicts],
) -> dict[str, pd.DataFrame]:
    claims = {claim.id: claim for claim in study.claims}
    return {
        "verdicts.csv": table("verdicts.csv", (_verdict(v, claims[v.claim]) for v in verdicts)),
        "countings.csv": table("countings.csv", map(vars, countings)),
        "evidence.csv": table(
            "evidence.csv", (_evidence(done, swept=study.sweep is not None) for done in checked)
        ),
        "conflicts.csv": table(
            "conflicts.csv", chain.from_iterable(map(_conflict_rows, conflicts))
        ),
    }


def _conflict_rows(conflicts: Conflicts) -> Iterator[dict[str, Any]]:
    for conflict in conflicts.found:
        yield {
            "scope": conflicts.scope,
            "claims": " ".join(conflict.claims),
            "size": len(conflict.claims),
            "candidates": conflicts.candidates,
            "says": conflict.says,
        }


def _verdict(verdict: Verdict, claim: Claim) -> dict[str, Any]:
    measured = verdict.measured
    return vars(verdict) | printed_columns(claim, measured) | digits_columns(claim, measured)


def _evidence(checked: Checked, *, swept: bool) -> dict[str, Any]:
    item = checked.item
    asked = swept and checked.outcome == HOLDS
    return {
        "evidence": item.id,
        "source": "; ".join(source.name for source in item.source),
        "url": " ".join(source.url for source in item.source if source.url),
        "supports": " ".join(item.supports),
        "excludes": " ".join(item.excludes),
        "supported_combinations": len(checked.supports) if asked and item.supports else None,
        "excluded_combinations": len(checked.excludes) if asked and item.excludes else None,
        "check": item.check,
        "outcome": checked.outcome,
        "wrong": " ".join(checked.wrong),
        "unmeasured": " ".join(checked.unmeasured),
        "says": item.says,
        "detail": checked.detail,
    }
