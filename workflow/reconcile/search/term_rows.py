"""What a search for terms says: what is determined first, then solutions, then how much it means.

A table of printed numbers that has solutions often has hundreds, and how many is a matter of how
often a term may be there. So the rows begin with what all solutions share. What the search is worth
is never a product of chances of single rows, against noise that nobody proposes: it is held against
tables that another smooth formula would give, and against its own other half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations_with_replacement
from typing import Any, Final, Literal

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.search.candidates import Given
from reconcile.search.terms import (
    MOST_NODES,
    WORLD_NODES,
    WORLDS,
    Box,
    Line,
    Solution,
    TermFindings,
    find,
    fixed_sums,
    halves,
    invented,
    most_lines,
    ranges,
    same_everywhere,
)
from reconcile.study.expressions import ExpressionError, Row, evaluate
from reconcile.study.load import fault_in
from reconcile.study.model import Claim, Study, TermSearch, claims_named, next_by_id
from reconcile.words import Report, Seldom, count_of, number

SHOWN: Final = 10
"""Solutions that are listed, the cheapest first."""
BOXES: Final = (Fraction(1, 3), Fraction(2, 3), Fraction(1), Fraction(2))
"""Sizes of the box, against the study's, for which solutions are counted."""
PRODUCTS_A_STEP: Final = 1_000
"""As many products of whole numbers can be tried by a vector operation in the time of a step."""

Digits = Literal["rounded", "cut"]


@dataclass(frozen=True, slots=True)
class Term:
    """A term by name: what it is worth as an expression, and how often it may be there."""

    name: str
    size: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Known:
    """A search with all that it is made from.

    Attributes:
        wanted: what the study asks for.
        terms: the stated terms and the derived ones.
        claims: those whose networks were measured.
        own: what the reading itself gives for each.
        sizes: what each term is worth in the network of each.
        unmeasured: ids of the claims whose networks were not.
    """

    wanted: TermSearch
    terms: tuple[Term, ...]
    claims: tuple[Claim, ...]
    own: tuple[Fraction, ...]
    sizes: tuple[tuple[Fraction, ...], ...]
    unmeasured: tuple[str, ...]

    def box(self, digits: Digits, scale: Fraction = Fraction(1)) -> Box:
        """The table under one reading of the digits, in a box that may be smaller or larger."""
        lines = []
        for claim, own, sizes in zip(self.claims, self.own, self.sizes, strict=True):
            low, high = claim.number.rounded if digits == "rounded" else claim.number.truncated
            lines.append(Line((low - own, high - own), sizes))
        least = tuple(_scaled(term.least, scale) for term in self.terms)
        return Box.of(lines, least, tuple(_scaled(term.most, scale) for term in self.terms))

    def expression(self, solution: Solution) -> str:
        """What is to be added, as an expression of the study."""
        parts = zip(solution, self.terms, strict=True)
        return " + ".join(f"{c} * ({term.size})" for c, term in parts if c) or "0"

    def named(self, solution: Solution) -> str:
        """The same with the names of the terms."""
        parts = ((c, term.name) for c, term in zip(solution, self.terms, strict=True) if c)
        return " + ".join(name if c == 1 else f"{c} × {name}" for c, name in parts) or "nothing"


def _scaled(times: int, scale: Fraction) -> int:
    size = -(-abs(times) * scale.numerator // scale.denominator)
    return size if times > 0 else -size


def search_terms(given: Given) -> Iterator[Row]:
    """terms.csv: whole numbers of terms that bring printed numbers of several networks out.

    Raises:
        InputError: a term is no number, or none of its networks was measured.
    """
    for i, wanted in enumerate(given.study.terms):
        try:
            known = _known(given.study, wanted, given.measured)
            for digits in conventions_of(known.claims):
                yield from _rows(known, digits, given.report)
        except (ExpressionError, ValueError) as error:
            raise InputError(fault_in(given.folder, ("terms", i), str(error))) from None


def terms_to_try(study: Study) -> int:
    """Steps of all walks, at most, each as much work as so many products.

    Walked is for all numbers and for most of them, for what most are, for both neighbours, for
    half of the numbers and for each box; and through two sets of invented tables.
    """
    steps = (6 + len(BOXES)) * MOST_NODES + 2 * WORLDS * WORLD_NODES
    return 2 * len(study.terms) * steps * PRODUCTS_A_STEP


def _known(study: Study, wanted: TermSearch, measured: Measurements) -> Known:
    reading = next_by_id(study.interpretations, wanted.interpretation)
    terms = tuple(_terms(wanted))
    claims, own, sizes, unmeasured = [], [], [], []
    for claim in claims_named(study, wanted.claims):
        if measured.problem(reading.id, claim.network) is not None:
            unmeasured.append(claim.id)
            continue
        scope = ReadingScope(study, reading, measured, claim.network)
        claims.append(claim)
        own.append(_number(claim.expression, scope))
        sizes.append(tuple(_number(term.size, scope) for term in terms))
    if not claims:
        raise ValueError(f"none of the networks was measured: {', '.join(unmeasured)}")
    return Known(wanted, terms, tuple(claims), tuple(own), tuple(sizes), tuple(unmeasured))


def _number(text: str, scope: ReadingScope) -> Fraction:
    value = evaluate(text, scope)
    if not isinstance(value, Fraction):
        raise ExpressionError(f"{text!r} is {value}, no number")
    return value


def _terms(wanted: TermSearch) -> Iterator[Term]:
    """The stated terms, then those that are derived: products, each once a layer and once."""
    for name, stated in wanted.terms.items():
        if isinstance(stated, str):
            yield Term(name, stated, 0, wanted.most)
        else:
            most = wanted.most if stated.most is None else stated.most
            yield Term(name, stated.size, stated.least, most)
    if (derived := wanted.derived) is None:
        return
    for degree in range(1, derived.degree + 1):
        for names in combinations_with_replacement(derived.of, degree):
            name, size = " · ".join(names), " * ".join(f"({derived.of[n]})" for n in names)
            yield Term(f"{name} a layer", f"({derived.layers}) * {size}", 0, wanted.most)
            yield Term(f"{name} once", size, 0, wanted.most)


def conventions_of(claims: Iterable[Claim]) -> tuple[Digits, ...]:
    """Rounded and cut, where these are two."""
    return ("rounded",) if all(claim.number.exact for claim in claims) else ("rounded", "cut")


def _rows(known: Known, digits: Digits, report: Report) -> Iterator[Row]:
    box = known.box(digits)
    found = find(box)
    missing = 0
    if not found.solutions and found.complete:
        reached, _ = most_lines(box)
        missing = len(known.claims) - reached
        if 0 < missing <= len(known.claims) // 2:
            found = find(box, missing)
    shared = {"search": known.wanted.id, "digits": digits}
    summary = _summary(known, box, found, missing)
    report(f"{known.wanted.id}, digits {digits}: {summary['says']}")
    yield shared | summary
    if not found.solutions:
        return
    for part in (_coefficients, _sums, _solutions, _neighbours):
        yield from (shared | row for row in part(known, box, found))
    if not missing:
        # Hundreds of tables are walked through: each row may take a while.
        progress = Seldom(report)
        for row in chain(_boxes(known, digits), _chances(known, box, found)):
            progress.line(f"{known.wanted.id}, digits {digits}: {row['says']}")
            yield shared | row


def _summary(known: Known, box: Box, found: TermFindings, missing: int) -> Row:
    """How many solutions there are, and which numbers stay as they are."""
    every, combinations = len(known.claims), count_of(box.combinations, "combination")
    reached = every - missing
    among = f"of {combinations} of {count_of(len(known.terms), 'term')}"
    if not found.complete:
        says = (
            f"{count_of(len(found.solutions), 'combination')} {among} found that bring all "
            f"{every} numbers out, and the search ended at its bound: there may be more"
        )
    elif not found.solutions:
        says = f"none {among} brings more than {reached} of {every} numbers out"
    else:
        all_of = f"all {every} numbers" if not missing else f"{reached} of {every} numbers"
        more = "" if not missing else ", and none brings more"
        says = f"{len(found.solutions):,} {among} bring {all_of} out{more}"
    if known.unmeasured:
        says += f"; not measured: {', '.join(known.unmeasured)}"
    row = {"part": "found", "count": len(found.solutions), "of": box.combinations, "says": says}
    return row | {"claims": " ".join(_missed(known, box, found.solutions))}


def _missed(known: Known, box: Box, solutions: Sequence[Solution]) -> list[str]:
    """The claims that not every one of the solutions brings out."""
    reached = [box.hits(solution) for solution in solutions]
    return [
        claim.id
        for line, claim in enumerate(known.claims)
        if not all(line in one for one in reached)
    ]


def _coefficients(known: Known, box: Box, found: TermFindings) -> Iterator[Row]:
    """Each term's least and most number over all solutions."""
    del box
    for term, (least, most) in zip(known.terms, ranges(found.solutions), strict=True):
        if not found.complete:
            says = f"{least} to {most} in those found"
        elif least == most:
            there = f"exactly {least}" if least else "not there"
            says = f"determined: {there} in every solution"
        else:
            says = f"free: {least} to {most} times"
        yield _part("coefficient", term.name, least, most) | {"says": says}


def _part(part: str, name: str, least: Any, most: Any) -> Row:
    return {"part": part, "name": name, "least": least, "most": most}


def _sums(known: Known, box: Box, found: TermFindings) -> Iterator[Row]:
    """Sums that are the same in all solutions, and what the free terms come to together."""
    if not found.complete:
        return
    for factors, value in fixed_sums(found.solutions):
        name = known.named(factors)
        yield _part("sum", name, value, value) | {"says": f"{name} is {value} in every solution"}
    free = [i for i, (least, most) in enumerate(ranges(found.solutions)) if least != most]
    if len(free) > 1:
        yield _together(known, free, found.solutions)


def _together(known: Known, free: list[int], solutions: Sequence[Solution]) -> Row:
    """What the free terms add together in the network whose number fixes it most closely."""
    spans = []
    for claim, sizes in zip(known.claims, known.sizes, strict=True):
        added = [sum((s[i] * sizes[i] for i in free), Fraction(0)) for s in solutions]
        unit = next((sizes[i] for i in free if sizes[i]), Fraction(1))
        spans.append((min(added), max(added), unit, claim.id))
    low, high, unit, claim_id = min(spans, key=lambda one: (one[1] - one[0]) / abs(one[2]))
    name = next(known.terms[i].name for i in free)
    says = (
        f"what is free adds together {number(low)} to {number(high)} at {claim_id}, as much as "
        f"{float(low / unit):.1f} to {float(high / unit):.1f} × {name}"
    )
    return _part("together", claim_id, low, high) | {"says": says}


def _solutions(known: Known, box: Box, found: TermFindings) -> Iterator[Row]:
    """The cheapest solutions; those that add the same to every network are one."""
    groups = same_everywhere(box, found.solutions)
    for place, group in enumerate(groups[:SHOWN], start=1):
        solution = group[0]
        also = f", in {count_of(len(group), 'spelling')}" if len(group) > 1 else ""
        cost = sum(map(abs, solution))
        yield _part("solution", str(place), cost, cost) | {
            "count": len(group),
            "of": len(groups),
            "claims": " ".join(_missed(known, box, [solution])),
            "expression": known.expression(solution),
            "says": f"{known.named(solution)}{also}",
        }


def _neighbours(known: Known, box: Box, found: TermFindings) -> Iterator[Row]:
    """How many numbers come out at most where the heaviest term is there once more or less."""
    heaviest = box.by_weight()[0]
    least, most = ranges(found.solutions)[heaviest]
    for times in (least - 1, most + 1):
        if box.least[heaviest] <= times <= box.most[heaviest]:
            reached, complete = most_lines(box.fixed(heaviest, times))
            bound = "at most" if complete else "as far as was searched, at most"
            name = f"{times} × {known.terms[heaviest].name}"
            yield _part("otherwise", name, times, times) | {
                "count": reached,
                "of": len(known.claims),
                "says": f"with {name} {bound} {reached} of {len(known.claims)} numbers come out",
            }


def _boxes(known: Known, digits: Digits) -> Iterator[Row]:
    """How the number of solutions grows with how often a term may be there."""
    for scale in BOXES:
        box = known.box(digits, scale)
        found = find(box)
        name = f"{min(box.least)} to {max(box.most)}"
        more = "" if found.complete else " or more"
        says = f"{count_of(len(found.solutions), 'solution')}{more} with terms {name} times"
        yield _part("box", name, min(box.least), max(box.most)) | {
            "count": len(found.solutions),
            "of": box.combinations,
            "says": says,
        }


def _chances(known: Known, box: Box, found: TermFindings) -> Iterator[Row]:
    """How often a table of another smooth formula has a solution, and what half of it predicts."""
    heaviest, *others = box.by_weight()
    large = known.terms[heaviest].name
    for name, real, what in (
        ("small", others, f"all terms but {large} were any real numbers"),
        ("large", [heaviest], f"{large} were there any real number of times"),
    ):
        if real:
            solved = invented(box, real, found.solutions)
            says = f"if {what}, {solved} of {WORLDS} invented tables would have a solution too"
            yield {"part": "smooth", "name": name, "count": solved, "of": WORLDS, "says": says}
    if len(known.claims) > 1:
        solutions, complete, reached, whole = halves(box)
        bound = "" if complete else f" (the search ended at {MOST_NODES:,} steps)"
        says = (
            f"every second number alone has {count_of(solutions, 'solution')}{bound}; in the mean "
            f"one brings {float(reached):.1%} of the other numbers out, and {whole:,} bring all"
        )
        yield {"part": "halves", "count": whole, "of": solutions, "says": says}
