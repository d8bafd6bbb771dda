"""The searches that need not be asked for: each printed number that no reading of a study gives.

Parts left out or counted twice, units and scopes, slips of digits, and the conventions of tools are
tried under each of the study's own readings. Readings that a search cannot tell apart are searched
once. A claim is taken whose quantity is a plain one (``parameters`` of ``network``); of another, an
expression, nobody can say what to vary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reconcile.search.candidates import Candidate, Findings, Pool, cells
from reconcile.search.conventions import MOST_CONVENTIONS, convention_candidates
from reconcile.search.digits import MOST_MEASURED, Digits
from reconcile.search.facts import NetworkFacts
from reconcile.search.given import Given, Row
from reconcile.search.parts import MOST_CHANGES, MOST_SUBSETS, part_candidates
from reconcile.search.units import MOST_CANDIDATES, WholeTable, common_unit, unit_candidates
from reconcile.study.model import Claim, Study
from reconcile.study.selecting import with_own_parts
from reconcile.tables.contract import FITS, NETWORK, QUANTITIES, WEAKLY
from reconcile.words import listed

_PLAIN: Final = re.compile(r"(\w+)\((['\"]?)([^'\"(),]+)\2\)")
Candidates = Callable[[NetworkFacts, str, str], list[Candidate]]


@dataclass(frozen=True)
class Asked:
    """A claim that no reading reproduces, and what it counts.

    Attributes:
        claim: the claim.
        quantity: what is counted.
        selector: of which layers, or of ``network``.
    """

    claim: Claim
    quantity: str
    selector: str


def plainly(expression: str) -> tuple[str, str] | None:
    """The quantity and the layers of an expression that is nothing else; None for any other."""
    match = _PLAIN.fullmatch(expression.strip())
    return (match[1], match[3]) if match and match[1] in QUANTITIES else None


def missed(study: Study, verdicts: Iterable[tuple[str, str]]) -> list[Claim]:
    """The claims that were measured and that no reading or combination gives; bounds are none.

    Args:
        study: the study.
        verdicts: the id of a claim and a verdict, for each row of verdicts.csv.
    """
    known: dict[str, set[str]] = {}
    for of, verdict in verdicts:
        known.setdefault(of, set()).add(verdict)
    found = []
    for claim in study.claims:
        measured = known.get(claim.id, set()) - {"not-measured"}
        equal = claim.relation in ("equals", "about")
        if measured and not measured & {*FITS, WEAKLY} and equal:
            found.append(claim)
    return found


def unexplained(given: Given) -> list[Asked]:
    """The claims that were measured, that no reading or combination gives, and that are plain."""
    table = given.table("verdicts.csv")
    rows = zip(table["claim"].tolist(), table["verdict"].tolist(), strict=True)
    asked = ((claim, plainly(claim.expression)) for claim in missed(given.study, rows))
    return [Asked(claim, *plain) for claim, plain in asked if plain]


def networks(given: Given) -> dict[tuple[str, str], NetworkFacts]:
    """What was measured of each network of the study's own readings."""
    measured, found = given.measured, {}
    for reading in given.study.own_readings:
        for key in measured.totals:
            if key[0] == reading.id and measured.problem(*key) is None:
                tensors = with_own_parts(measured.tensors(*key), given.study.parts)
                found[key] = NetworkFacts(measured.layers(*key).values(), tensors)
    return found


def search_parts(given: Given) -> Iterator[Row]:
    """parts.csv: parts of the network left out or counted twice."""
    what = f"up to {MOST_CHANGES} parts left out or counted once more"
    return _pooled(given, "parts", what, part_candidates)


def search_conventions(given: Given) -> Iterator[Row]:
    """conventions.csv: what tools say, and a multiply-add with or without what goes with it."""
    return _pooled(given, "conventions", "conventions and tools", convention_candidates)


def search_units(given: Given) -> Iterator[Row]:
    """units.csv: other units and other scopes; at last units that fit several numbers at once."""
    yield from _pooled(given, "units", "other scopes and units", unit_candidates)
    yield from _whole_tables(given)


def search_digits(given: Given) -> Iterator[Row]:
    """digits.csv: every measured quantity whose digits are one edit away from the printed ones."""
    searchers = {key: Digits(facts) for key, facts in networks(given).items()}
    what = "all that was measured, for digits one edit away"
    for asked in unexplained(given):
        quantity, selector, number = asked.quantity, asked.selector, asked.claim.number
        groups: dict[object, tuple[Digits, list[str]]] = {}
        for (reading, network), searcher in searchers.items():
            if network == asked.claim.network:
                groups.setdefault(searcher.signature, (searcher, []))[1].append(reading)
        for searcher, readings in groups.values():
            found = searcher.against(number, quantity, selector)
            if found.tried:
                yield from _rows_found(given, asked, ("digits", what), readings, found)


def _pooled(given: Given, kind: str, what: str, candidates: Candidates) -> Iterator[Row]:
    facts = networks(given)
    pools: dict[tuple[str, str, str, str], Pool] = {}
    for asked in unexplained(given):
        groups: dict[object, tuple[Pool, list[str]]] = {}
        for (reading, network), known in facts.items():
            if network != asked.claim.network:
                continue
            key = reading, network, asked.quantity, asked.selector
            if key not in pools:
                pools[key] = Pool(candidates(known, asked.quantity, asked.selector))
            groups.setdefault(pools[key].signature, (pools[key], []))[1].append(reading)
        for pool, readings in groups.values():
            if len(pool):
                found = pool.against(asked.claim.number)
                yield from _rows_found(given, asked, (kind, what), readings, found)


def _rows_found(
    given: Given, asked: Asked, kind: tuple[str, str], readings: list[str], found: Findings
) -> Iterator[Row]:
    """The rows of one search of one claim under readings that it cannot tell apart."""
    id_, what = kind
    given.report(f"{asked.claim.id}: {id_}: {found.tried:,} tried, {found.total:,} found")
    of = "" if asked.selector == NETWORK else f" of {asked.selector}"
    searched = f"{QUANTITIES[asked.quantity].words}{of}: {what}; under {listed(readings)}"
    shared = {
        "claim": asked.claim.id,
        "kind": id_,
        "searched": searched,
        "interpretations": " ".join(readings),
    }
    return (shared | row for row in cells(found))


def _whole_tables(given: Given) -> Iterator[Row]:
    """A row where one unit fits several numbers of one place of the paper, under one reading."""
    facts, places = networks(given), _by_place(given.study)
    missed = {asked.claim.id for asked in unexplained(given)}
    for place, claims in places.items():
        first = next((asked.claim.id for asked in claims if asked.claim.id in missed), None)
        if first is None:
            continue
        for reading in dict.fromkeys(key[0] for key in facts):
            known = [a for a in claims if (reading, a.claim.network) in facts]
            found = common_unit(
                {a.claim.id: a.claim.number for a in known},
                {a.claim.id: Fraction(_total(facts[reading, a.claim.network], a)) for a in known},
            )
            if found is not None:
                yield _table_row(first, place, reading, found)


def _total(facts: NetworkFacts, asked: Asked) -> int:
    return facts.total(asked.quantity, asked.selector)


def _by_place(study: Study) -> Mapping[str, list[Asked]]:
    """The claims on plain sums by where the paper prints them, where there are several."""
    places: dict[str, list[Asked]] = {}
    for claim in study.claims:
        asked = plainly(claim.expression)
        if asked and QUANTITIES[asked[0]].total is not None and claim.relation == "equals":
            words = QUANTITIES[asked[0]].words
            places.setdefault(f"{claim.place}, {words}", []).append(Asked(claim, *asked))
    return {place: claims for place, claims in places.items() if len(claims) > 1}


def _table_row(claim: str, place: str, reading: str, found: WholeTable) -> Row:
    fits = f"{len(found.fits)} of {found.of} numbers of {place} come out {found.unit.says}"
    return {
        "claim": claim,
        "kind": "whole-table",
        "searched": f"{place}: one unit for all its numbers; under {reading}",
        "interpretations": reading,
        "tried": found.of,
        "found": f"{fits}; {found.plain} without.",
        "hit": f"{found.unit.says}: {' '.join(found.fits)}",
        "expression": found.unit.text.strip(),
        "cost": 1,
    }


def _of_each(most: int) -> Callable[[Study], int]:
    """At most so many candidates for each claim under each of the study's own readings."""
    return lambda study: most * len(study.claims) * len(study.own_readings)


parts_to_try = _of_each(MOST_SUBSETS)
conventions_to_try = _of_each(MOST_CONVENTIONS)
units_to_try = _of_each(MOST_CANDIDATES)
digits_to_try = _of_each(MOST_MEASURED)
