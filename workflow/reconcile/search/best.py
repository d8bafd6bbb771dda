"""The best explanations of a printed number that nothing reproduces, out of all searches' tables.

One rule orders them, here and in ``reconcile explain``: best is what must assume least. The number
of things that are assumed comes first, a weak reading of the digits being one of them; then how
little a slip changes, digits that are rounded before those that are cut, what somebody is known to
count, the search (a convention before a part, a part before a tool, and so on), how seldom chance
gives such a hit, and last the shorter expression. Geometries name no count and are not ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, NamedTuple

from reconcile.search.misprint import FIT
from reconcile.search.unexplained import missed
from reconcile.study.model import Claim, Study, claims_named
from reconcile.tables.contract import FITS, SLIP, VERDICTS, WEAKLY
from reconcile.tables.rows import Row

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
        search: the table that has it, without its ending.
        says: what is counted or changed, in words.
        hit: what orders it, its expression included.
        value: the number that it gives; empty where the table does not say.
        by_chance: the figure of the table; empty where it has none.
        readings: ids of those under which it does.
    """

    search: str
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
    hits: dict[str, dict[str, Way]] = {}
    for claim, one in _every(study, tables):
        known = hits.setdefault(claim, {})
        same = known.get(one.hit.expression)
        known[one.hit.expression] = one if same is None else _better(same, one)
    tried = _tried(tables)
    return [
        Explained(claim, tuple(_first(hits.get(claim.id, {}))), len(hits.get(claim.id, {})), n)
        for claim in claims
        for n in (tried.get(claim.id, 0),)
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
        same = one.search, one.value, one.hit.cost
        if same not in told and len(told) < MOST_BEST:
            told[same] = None
            yield one


def _better(one: Way, other: Way) -> Way:
    """One expression under several readings, or found by two searches: the better of the two."""
    best, second = sorted((one, other), key=lambda each: rank_of(each.hit))
    return replace(best, readings=tuple(dict.fromkeys([*best.readings, *second.readings])))


def _tried(tables: Tables) -> dict[str, int]:
    """How many candidates the searches of single claims tried, by claim."""
    found: dict[str, int] = {}
    for name in ("slips", *_CANDIDATES):
        rows = tables.get(f"{name}.csv", ())
        searches = {(r["claim"], r["kind"], r["searched"]): r["tried"] for r in rows}
        for (claim, *_), tried in searches.items():
            found[claim] = found.get(claim, 0) + int(tried or 0)
    return found


def _every(study: Study, tables: Tables) -> Iterator[tuple[str, Way]]:
    """Every hit of every search, with its claim."""
    for name in _CANDIDATES:
        yield from _candidates(name, tables.get(f"{name}.csv", ()))
    yield from _slips(tables.get("slips.csv", ()))
    yield from _terms(study, tables.get("terms.csv", ()))
    yield from _solutions(study, tables.get("solutions.csv", ()))


def _candidates(search: str, rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """A row for a whole table of the paper has no fit: it is no claim's number."""
    for row in (row for row in rows if row["fit"]):
        chance = float(row["by_chance"])
        hit = Assumed(Fraction(row["cost"]), row["fit"], chance, row["expression"], search)
        readings = tuple(row["interpretations"].split())
        yield (
            row["claim"],
            Way(search, row["hit"], hit, row["value"], row["by_chance"], readings),
        )


def _slips(rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """Slips of the calculation that the study states; those written otherwise count once."""
    for row in (row for row in rows if row["hit"] and not row["rewrites"]):
        chance = row["chance_of_multiples"] or row["chance"]
        hit = Assumed(Fraction(row["cost"]), SLIP, float(chance), row["expression"], "slips")
        yield row["claim"], Way("slips", row["hit"], hit, "", chance, ())


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
                yield claim.id, Way("terms", says, hit, "", "", (wanted.interpretation,))


def _solutions(study: Study, rows: Iterable[Row]) -> Iterator[tuple[str, Way]]:
    """Another value of an argument, which is one thing to assume."""
    readings = {wanted.id: wanted.interpretation for wanted in study.solve}
    for row in (row for row in rows if row["intervals"] and row["search"] in readings):
        values = f"{row['argument']}: {row['intervals'].replace(' ', ', ')}"
        hit = Assumed(Fraction(1), _fit(row), ANYTHING, values, "solutions")
        if row["claim"]:
            way = Way("solutions", row["says"], hit, "", "", (readings[row["search"]],))
            yield row["claim"], way


def _fit(row: Row) -> str:
    return "matches-rounded" if row["digits"] == "rounded" else "matches-truncated"
