"""Each printed number that no reading of a study gives: searched for unasked, and best explained.

Parts left out or counted twice, units and scopes, slips of digits, and the conventions of tools are
tried under each of the study's own readings. Readings that a search cannot tell apart are searched
once. A claim is taken whose quantity is a plain one (``parameters`` of ``network``), or an
expression that holds such (``composed``).

Of the explanations in all searches' tables one rule orders the best, here and in
``reconcile explain``: best is what must assume least. The number of things that are assumed comes
first, a weak reading of the digits being one of them; then how little a slip changes, digits that
are rounded before those that are cut, what somebody is known to count, the search (a convention
before a part, a part before a tool, and so on), how seldom chance gives such a hit, and last the
shorter expression. Geometries name no count and are not ranked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, NamedTuple

from reconcile.judge.measurements import ReadingScope
from reconcile.search.candidates import Candidate, Findings, Given, NetworkFacts, Pool, cells
from reconcile.search.conventions import MOST_CONVENTIONS, convention_candidates
from reconcile.search.misprint import FIT, MOST_MEASURED, Digits
from reconcile.search.units import (
    MOST_CANDIDATES,
    MOST_CHANGES,
    MOST_SUBSETS,
    MOST_TERMS,
    Candidates,
    Varied,
    WholeTable,
    common_unit,
    composed_candidates,
    in_units,
    is_plain,
    part_candidates,
    terms_of,
    unit_candidates,
    without_units,
)
from reconcile.study.expressions import Row, spelled
from reconcile.study.model import Claim, Study, claims_named, next_by_id
from reconcile.tables.contract import FITS, NOT_MEASURED, QUANTITIES, SLIP, VERDICTS, WEAKLY
from reconcile.words import Seldom, listed

MOST_BEST: Final = 3
"""Explanations of a claim that a report gives."""
ANYTHING: Final = 1.0
"""By chance, of what has no figure: a free argument or a combination of terms fits about anything.

It orders hits that assume the same, and is not shown.
"""
KINDS: Final = (
    *("total", "conventions", "parts", "tools", "bytes", "sizes", "modules", "resized"),
    *("units", "digits", "slips", "solutions", "terms"),
)
"""The searches; of explanations that assume the same, those of the first come first."""
_WELL: Final = FITS[:2]
_CANDIDATES: Final = ("parts", "conventions", "units", "digits")
_PLAUSIBLE: Final = (*VERDICTS, FIT)

Rank = tuple[Fraction, Fraction, bool, bool, int, int, float, int, int, str]
Tables = Mapping[str, Sequence[Row]]


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
                {
                    a.claim.id: Fraction(facts[reading, a.claim.network].total(*a.terms[0]))
                    for a in known
                },
            )
            if found is not None:
                yield _table_row(first, place, reading, found)


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


# The best of what was found.


class Assumed(NamedTuple):
    """What the rule looks at.

    Attributes:
        cost: how many things must be assumed, but for how the digits are read.
        fit: how the digits stand to the printed ones.
        by_chance: how many such hits an arbitrary number would have.
        expression: what gives the number.
        search: what found it, one of ``KINDS``.
        change: how many times the number is more or less than what was measured, of a slip.
        known: whether somebody is known to count so.
        place: of what is counted, among what a number may count; the usual ones come first.
    """

    cost: Fraction
    fit: str
    by_chance: float
    expression: str
    search: str
    change: Fraction = Fraction(1)
    known: bool = False
    place: int = 0


def rank_of(hit: Assumed) -> Rank:
    """Where an explanation stands among others: the least first."""
    weak = hit.fit in (WEAKLY, FIT, SLIP)
    return (
        hit.cost + weak,
        # A slip is the likelier the less it changes: of a map nobody looks at, anything can come.
        hit.change,
        hit.fit not in _WELL,
        not hit.known,
        hit.place,
        KINDS.index(hit.search),
        round(hit.by_chance, 6),
        _PLAUSIBLE.index(hit.fit),
        len(hit.expression),
        hit.expression,
    )


@dataclass(frozen=True)
class Way:
    """One way in which a claim's number comes out that no reading gives.

    Attributes:
        says: what is counted or changed, in words.
        hit: what orders it, its expression included.
        value: the number that it gives; empty where the table does not say.
        by_chance: the figure of the table; empty where it has none.
        readings: ids of those under which it does.
    """

    says: str
    hit: Assumed
    value: str
    by_chance: str
    readings: tuple[str, ...]


@dataclass(frozen=True)
class Explained:
    """A claim that nothing reproduces, and what would.

    Attributes:
        claim: the claim.
        best: the explanations that assume least, at most ``MOST_BEST``.
        found: how many there are.
        tried: how many candidates all searches tried for it.
    """

    claim: Claim
    best: tuple[Way, ...]
    found: int
    tried: int


def best_explanations(study: Study, tables: Tables) -> list[Explained]:
    """Each claim that was measured and that no reading gives, with what must assume least."""
    claims = missed(study, ((r["claim"], r["verdict"]) for r in tables.get("verdicts.csv", ())))
    hits: defaultdict[str, dict[str, Way]] = defaultdict(dict)
    for claim, one in _every(study, tables):
        same = hits[claim].get(one.hit.expression)
        hits[claim][one.hit.expression] = one if same is None else _better(same, one)
    tried = _tried(tables)
    return [
        Explained(claim, tuple(_first(hits[claim.id])), len(hits[claim.id]), tried[claim.id])
        for claim in claims
    ]


def alike(explained: Iterable[Explained]) -> list[list[Explained]]:
    """Claims with the same explanations told together, as those of a table that lacks a term.

    Those that nothing explains come last.
    """
    groups: dict[object, list[Explained]] = {}
    for one in explained:
        same = tuple((way.says, way.hit.expression) for way in one.best), one.tried > 0
        groups.setdefault(same, []).append(one)
    return sorted(groups.values(), key=lambda group: not group[0].best)


def _first(hits: Mapping[str, Way]) -> Iterator[Way]:
    """The best, those that give one number by equal assumptions told once."""
    ordered = sorted(hits.values(), key=lambda one: rank_of(one.hit))
    told: dict[tuple[str, str, Fraction], None] = {}
    for one in ordered:
        same = one.hit.search, one.value, one.hit.cost
        if same not in told and len(told) < MOST_BEST:
            told[same] = None
            yield one


def _better(one: Way, other: Way) -> Way:
    """One expression under several readings, or found by two searches: the better of the two."""
    best, second = sorted((one, other), key=lambda each: rank_of(each.hit))
    return replace(best, readings=tuple(dict.fromkeys([*best.readings, *second.readings])))


def _tried(tables: Tables) -> Counter[str]:
    """How many candidates the searches of single claims tried, by claim."""
    found = Counter[str]()
    for name in ("slips", *_CANDIDATES):
        rows = tables.get(f"{name}.csv", ())
        searches = {(r["claim"], r["kind"], r["searched"]): r["tried"] for r in rows}
        for (claim, *_), tried in searches.items():
            found[claim] += int(tried or 0)
    return found


def _every(study: Study, tables: Tables) -> Iterator[tuple[str, Way]]:
    """Every hit of every search, with its claim."""
    for name in _CANDIDATES:
        yield from _ways_of(name, tables.get(f"{name}.csv", ()))
    yield from _slips(tables.get("slips.csv", ()))
    yield from _terms(study, tables.get("terms.csv", ()))
    yield from _solutions(study, tables.get("solutions.csv", ()))


def _ways_of(search: str, rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """A row for a whole table of the paper has no fit: it is no claim's number."""
    for row in (row for row in rows if row["fit"]):
        chance = float(row["by_chance"])
        hit = Assumed(Fraction(row["cost"]), row["fit"], chance, row["expression"], search)
        readings = tuple(row["interpretations"].split())
        yield row["claim"], Way(row["hit"], hit, row["value"], row["by_chance"], readings)


def _slips(rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """Slips of the calculation that the study states; those written otherwise count once."""
    for row in (row for row in rows if row["hit"] and not row["rewrites"]):
        chance = row["chance_of_multiples"] or row["chance"]
        hit = Assumed(Fraction(row["cost"]), SLIP, float(chance), row["expression"], "slips")
        yield row["claim"], Way(row["hit"], hit, "", chance, ())


def _terms(study: Study, rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """The cheapest solutions of a search across networks, for each number that they bring out."""
    searches = {wanted.id: wanted for wanted in study.terms}
    for row in (row for row in rows if row["part"] == "solution" and row["search"] in searches):
        wanted, missing = searches[row["search"]], row["claims"].split()
        for claim in claims_named(study, wanted.claims):
            if claim.id not in missing:
                added = f"{claim.expression} + {row['expression']}"
                hit = Assumed(Fraction(row["least"]), _fit(row), ANYTHING, added, "terms")
                says = f"with {row['says']}"
                yield claim.id, Way(says, hit, "", "", (wanted.interpretation,))


def _solutions(study: Study, rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """Another value of an argument, which is one thing to assume."""
    readings = {wanted.id: wanted.interpretation for wanted in study.solve}
    for row in (row for row in rows if row["intervals"] and row["search"] in readings):
        values = f"{row['argument']}: {row['intervals'].replace(' ', ', ')}"
        hit = Assumed(Fraction(1), _fit(row), ANYTHING, values, "solutions")
        if row["claim"]:
            way = Way(row["says"], hit, "", "", (readings[row["search"]],))
            yield row["claim"], way


def _fit(row: Row) -> str:
    return "matches-rounded" if row["digits"] == "rounded" else "matches-truncated"
