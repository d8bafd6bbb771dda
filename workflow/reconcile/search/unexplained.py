"""The searches that need not be asked for: each printed number that no reading of a study gives.

Parts left out or counted twice, units and scopes, slips of digits, and the conventions of tools are
tried under each of the study's own readings. Readings that a search cannot tell apart are searched
once. A claim is taken whose quantity is a plain one (``parameters`` of ``network``), or an
expression that holds such (``composed``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from reconcile.judge.measurements import ReadingScope
from reconcile.search.candidates import Candidate, Findings, Given, NetworkFacts, Pool, cells
from reconcile.search.conventions import MOST_CONVENTIONS, convention_candidates
from reconcile.search.misprint import MOST_MEASURED, Digits
from reconcile.search.parts import MOST_CHANGES, MOST_SUBSETS, part_candidates
from reconcile.search.units import (
    MOST_CANDIDATES,
    MOST_TERMS,
    Candidates,
    Varied,
    WholeTable,
    common_unit,
    composed_candidates,
    in_units,
    is_plain,
    terms_of,
    unit_candidates,
    without_units,
)
from reconcile.study.expressions import Row, spelled
from reconcile.study.model import Claim, Study, next_by_id
from reconcile.tables.contract import FITS, NOT_MEASURED, QUANTITIES, WEAKLY
from reconcile.words import Seldom, listed


@dataclass(frozen=True)
class Asked:
    """A claim that no reading reproduces, and what it counts.

    Attributes:
        claim: the claim.
        terms: the plain quantities of its expression.
    """

    claim: Claim
    terms: tuple[Varied, ...]

    @property
    def plain(self) -> Varied | None:
        """The quantity that the claim is, if it is nothing else."""
        return self.terms[0] if is_plain(self.claim.expression) else None

    @property
    def words(self) -> str:
        """What is counted."""
        return self.plain.words if self.plain else spelled(self.claim.expression)


def missed(study: Study, verdicts: Iterable[tuple[str, str]]) -> list[Claim]:
    """The claims that were measured and that no reading or combination gives; bounds are none.

    ``verdicts`` are the id of a claim and a verdict, for each row of verdicts.csv.
    """
    known: dict[str, set[str]] = {}
    for of, verdict in verdicts:
        known.setdefault(of, set()).add(verdict)
    found = []
    for claim in study.claims:
        measured = known.get(claim.id, set()) - {NOT_MEASURED}
        equal = claim.relation in ("equals", "about")
        if measured and not measured & {*FITS, WEAKLY} and equal:
            found.append(claim)
    return found


def unexplained(given: Given) -> list[Asked]:
    """The claims that were measured, that no reading gives, and of which something can vary."""
    table = given.table("verdicts.csv")
    rows = zip(table["claim"].tolist(), table["verdict"].tolist(), strict=True)
    asked = (Asked(claim, terms_of(claim.expression)) for claim in missed(given.study, rows))
    return [one for one in asked if one.terms]


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
    searchers = {key: Digits(facts) for key, facts in given.networks.items()}
    what = "all that was measured, for digits one edit away"
    for asked in unexplained(given):
        if asked.plain is None:
            continue  # of a sum or a share no measured number is a misprint
        groups: dict[object, tuple[Digits, list[str]]] = {}
        for (reading, network), searcher in searchers.items():
            if network == asked.claim.network:
                groups.setdefault(searcher.signature, (searcher, []))[1].append(reading)
        for searcher, readings in groups.values():
            found = searcher.against(asked.claim.number, *asked.plain)
            if found.tried:
                yield from _rows_found(given, asked, ("digits", what), readings, found)


def _pooled(given: Given, kind: str, what: str, candidates: Candidates) -> Iterator[Row]:
    pools: dict[tuple[str, str, str], Pool] = {}
    progress = Seldom(given.report)
    for asked in unexplained(given):
        groups: dict[object, tuple[Pool, list[str]]] = {}
        for (reading, network), known in given.networks.items():
            if network != asked.claim.network:
                continue
            key = reading, network, asked.claim.expression
            progress.line(f"{asked.claim.id}: {kind}: under {reading}")
            if key not in pools:
                pools[key] = Pool(_candidates(given, asked, reading, known, candidates))
            groups.setdefault(pools[key].signature, (pools[key], []))[1].append(reading)
        for pool, readings in groups.values():
            if len(pool):
                found = pool.against(asked.claim.number)
                yield from _rows_found(given, asked, (kind, what), readings, found)


def _candidates(
    given: Given, asked: Asked, reading: str, facts: NetworkFacts, candidates: Candidates
) -> Iterable[Candidate]:
    """What a search tries in the place of a claim's number under one reading."""
    if asked.plain:
        return candidates(facts, *asked.plain)
    own = next_by_id(given.study.interpretations, reading)
    scope = ReadingScope(given.study, own, given.measured, asked.claim.network)
    expression = asked.claim.expression
    if candidates is not unit_candidates:
        return composed_candidates(expression, facts, scope, candidates)

    def scopes(facts: NetworkFacts, quantity: str, selector: str) -> list[Candidate]:
        return without_units(unit_candidates(facts, quantity, selector))

    elsewhere = composed_candidates(expression, facts, scope, scopes)
    return [*in_units(expression, scope), *elsewhere]


def _rows_found(
    given: Given, asked: Asked, kind: tuple[str, str], readings: list[str], found: Findings
) -> Iterator[Row]:
    """The rows of one search of one claim under readings that it cannot tell apart."""
    id_, what = kind
    given.report(f"{asked.claim.id}: {id_}: {found.tried:,} tried, {found.total:,} found")
    shared = {
        "claim": asked.claim.id,
        "kind": id_,
        "searched": f"{asked.words}: {what}; under {listed(readings)}",
        "interpretations": " ".join(readings),
    }
    return (shared | row for row in cells(found))


def _whole_tables(given: Given) -> Iterator[Row]:
    """A row where one unit fits several numbers of one place of the paper, under one reading."""
    facts, places = given.networks, _by_place(given.study)
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
    return facts.total(*asked.terms[0])


def _by_place(study: Study) -> Mapping[str, list[Asked]]:
    """The claims on plain sums by where the paper prints them, where there are several."""
    places: dict[str, list[Asked]] = {}
    for claim in study.claims:
        asked = Asked(claim, terms_of(claim.expression))
        if asked.plain and claim.relation == "equals":
            quantity = QUANTITIES[asked.plain.quantity]
            if quantity.total is not None:
                places.setdefault(f"{claim.place}, {quantity.words}", []).append(asked)
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
conventions_to_try = _of_each(MOST_TERMS * MOST_CONVENTIONS)
units_to_try = _of_each(MOST_CANDIDATES)
digits_to_try = _of_each(MOST_MEASURED)
