"""Evidence from outside the paper, and the paper held against itself, computed where it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.judge.verdicts import judge, printed_columns
from reconcile.study.expressions import ExpressionError, UnknownNameError, each, evaluate
from reconcile.study.load import fault_in
from reconcile.study.model import Consistency, Evidence, Interpretation, Study, next_by_id
from reconcile.study.plan import PaperScope, computed, networks_of
from reconcile.tables.contract import FAILS, HOLDS, NOT_COMPUTED
from reconcile.tables.frames import table
from reconcile.words import listed


@dataclass(frozen=True)
class Checked:
    """One item of evidence and what its check gave.

    Attributes:
        item: the item.
        outcome: "holds", "fails", or "not-computed" for an item that has no check.
        wrong: readings for which the check came out wrong.
        unmeasured: readings for which it could not be computed.
        detail: the same in words.
        supports: combinations of the study's sweep that the item supports by its check.
        excludes: those that it excludes by its check.
    """

    item: Evidence
    outcome: str
    wrong: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    detail: str = ""
    supports: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SelfCheck:
    """One check of the paper against itself."""

    check: Consistency
    computed: Fraction
    verdict: str
    reason: str


def check_evidence(study: Study, measured: Measurements) -> list[Checked]:
    """Compute the check of every item.

    A check must be true of every reading the item supports and false of every reading it excludes;
    of an item that names no reading it must simply be true. A combination of a sweep is named by
    nobody: an item that holds and supports readings supports those of which its check is true, and
    one that excludes readings excludes those of which it is false.
    """
    return list(each("evidence", study.evidence, partial(_checked, study, measured)))


def _checked(study: Study, measured: Measurements, item: Evidence) -> Checked:
    """An item together with what its check says of the combinations of the study's sweep."""
    done = _check(study, item, measured)
    if done.outcome != HOLDS or not (item.supports or item.excludes):
        return done
    supported, excluded = set[str](), set[str]()
    for reading in study.swept_readings:
        found = _truth(study, reading, item.check or "", measured)
        if found and item.supports:
            supported.add(reading.id)
        elif found is False and item.excludes:
            excluded.add(reading.id)
    return replace(done, supports=frozenset(supported), excludes=frozenset(excluded))


def _check(study: Study, item: Evidence, measured: Measurements) -> Checked:
    if item.check is None:
        return Checked(item, NOT_COMPUTED)
    if not item.supports and not item.excludes:
        true = bool(evaluate(item.check, PaperScope(study)))
        return Checked(item, HOLDS if true else FAILS, detail=f"it is {str(true).lower()}")
    wrong, unknown = [], []
    wanted = [*((r, True) for r in item.supports), *((r, False) for r in item.excludes)]
    for reading_id, expected in wanted:
        found = _truth(study, next_by_id(study.interpretations, reading_id), item.check, measured)
        if found is None:
            unknown.append(reading_id)
        elif found != expected:
            wrong.append(reading_id)
    return _outcome(item, tuple(wrong), tuple(unknown))


def _truth(
    study: Study, reading: Interpretation, check: str, measured: Measurements
) -> bool | None:
    """Whether the check is true of every network of a reading; None where it was not measured."""
    truths = []
    for network in networks_of(study, reading):
        if measured.problem(reading.id, network) is not None:
            return None
        try:
            truths.append(bool(evaluate(check, ReadingScope(study, reading, measured, network))))
        except UnknownNameError:
            return None
    return all(truths)


def _outcome(item: Evidence, wrong: tuple[str, ...], unknown: tuple[str, ...]) -> Checked:
    rest = f"not measured: {listed(unknown)}" if unknown else ""
    if wrong:
        failing = [
            f"{word} of {listed(readings)}, which it {what}"
            for word, what, readings in (
                ("false", "supports", [r for r in wrong if r in item.supports]),
                ("true", "excludes", [r for r in wrong if r in item.excludes]),
            )
            if readings
        ]
        return Checked(item, FAILS, wrong, unknown, "; ".join(filter(None, [*failing, rest])))
    if len(unknown) == len(item.supports) + len(item.excludes):
        return Checked(item, NOT_COMPUTED, wrong, unknown, rest)
    counts = f"true of {len(item.supports)} supported, false of {len(item.excludes)} excluded"
    return Checked(item, HOLDS, wrong, unknown, "; ".join(filter(None, [counts, rest])))


def excluding(checked: list[Checked], reading: str) -> list[str]:
    """Ids of the items that exclude a reading; an item whose own check fails excludes nothing."""
    return [
        c.item.id
        for c in checked
        if (reading in c.item.excludes and c.outcome != FAILS) or reading in c.excludes
    ]


def supporting(checked: list[Checked], reading: str) -> list[str]:
    """Ids of the items that support a reading."""
    return [c.item.id for c in checked if reading in c.item.supports or reading in c.supports]


def check_paper(study: Study) -> list[SelfCheck]:
    """Hold the paper's own numbers against each other, before any network is built."""
    return list(each("consistency", study.consistency, partial(_self_check, study)))


def _self_check(study: Study, check: Consistency) -> SelfCheck:
    found = computed(study, check)
    return SelfCheck(check, found, *judge(found, study.claim(check.claim)))


def consistency_table(study: Study, folder: Path) -> pd.DataFrame:
    """consistency.csv: the paper held against itself. Needs no measurement.

    Raises:
        InputError: a check that cannot be computed.
    """
    try:
        checks = check_paper(study)
    except ExpressionError as error:
        place = error.place or ("consistency",)
        raise InputError(fault_in(folder, place, str(error))) from None
    return table("consistency.csv", (_consistency_row(study, done) for done in checks))


def _consistency_row(study: Study, done: SelfCheck) -> dict[str, Any]:
    return {
        "check": done.check.id,
        "claim": done.check.claim,
        **printed_columns(study.claim(done.check.claim), done.computed),
        "computed": done.computed,
        "verdict": done.verdict,
        "says": done.check.says,
        "reason": done.reason,
    }
