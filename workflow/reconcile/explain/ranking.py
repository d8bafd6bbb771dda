"""What gives a printed number, of everything that can be counted of a network, best first.

Best is what must assume least: a total as it is, then what a convention says or a part left out, a
unit, a module or a layer in place of the network. Beside each stands how many such numbers there
were that assume no more, and how many of them would fit a number of this precision that has nothing
to do with them. Of explanations that assume the same, digits that are rounded come before digits
that are cut, what somebody is known to count before what nobody is, parameters before work and work
before neurons where the number says nothing, then the searches in their order; last comes what
chance gives most often (``search.unexplained``). What gives the same number stands in one row.

The answer is shown as a table for people, as JSON for programs, as a page, and as a study to go on
with, which has the number as its claim and the network as its reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from reconcile.errors import InputError, visible
from reconcile.explain.asking import BY_SIZE, BYTES, AskedNetwork, CountedNetwork, power_of, refused
from reconcile.explain.tried import (
    byte_candidates,
    module_candidates,
    resized_candidates,
    slips_in_maps,
)
from reconcile.files import write_text
from reconcile.search.candidates import WINDOW, Candidate, NetworkFacts, Pool, quoted
from reconcile.search.conventions import COUNTERS, TOOLS, TWICE, USUAL, convention_candidates
from reconcile.search.misprint import FIT, Digits
from reconcile.search.unexplained import Assumed, Rank, rank_of
from reconcile.search.units import part_candidates, unit_candidates
from reconcile.study.load import load_study
from reconcile.study.printed import PrintedNumber
from reconcile.tables.contract import CONTRADICTS, NETWORK, QUANTITIES, SLIP, WEAKLY
from reconcile.words import aligned, count_of, number

QUANTITIES_ASKED: Final = ("parameters", "macs", "flops", "neurons", "connections")
"""What a number without a word may count, the usual ones first."""
LUCKY: Final = 0.5
"""So many hits by chance, and one says nothing by itself."""
_WORDS: Final = {
    "matches": "exact",
    "matches-rounded": "rounded",
    "matches-truncated": "cut",
    CONTRADICTS: "not these",
    WEAKLY: "last zeros open",
    SLIP: "slip",
    FIT: "one digit off",
}
HEAD: Final = {
    "number": "number",
    "digits": "digits",
    "assumes": "assumes",
    "tried": "tried",
    "chance": "by chance",
    "reading": "reading",
    "says": "what is counted",
    "who": "who counts so",
    "expression": "expression",
}
"""The columns of the table, each with its head; long ones last, where a terminal breaks lines."""
STUDY_HEAD: Final = (
    "# Begun by `reconcile explain`: fill in the paper, the quote and where it stands.\n"
    "# docs/adding-a-study.md walks through a study.\n\n"
)


@dataclass(frozen=True)
class Explanation:
    """One way in which a network gives the number.

    Attributes:
        network: the reading of a study; empty for a network that is no study's.
        search: which search found it, one of ``search.unexplained.KINDS``.
        candidate: what is counted, its expression, its number, what must be assumed.
        fit: how its digits stand to the printed ones.
        tried: how many candidates of this search assume no more.
        by_chance: how many of these would fit a number that has nothing to do with them.
        change: how many times the number is more or less than what was measured, of a slip.
        also: other ways to count the same number.
    """

    network: str
    search: str
    candidate: Candidate
    fit: str
    tried: int
    by_chance: float
    change: Fraction = Fraction(1)
    also: tuple[Candidate, ...] = ()

    @property
    def digits(self) -> str:
        """How the digits are read, in a word or two."""
        return _WORDS[self.fit]

    @property
    def lucky(self) -> bool:
        """Whether an arbitrary number would be explained as well, likely enough."""
        return self.by_chance >= LUCKY

    @property
    def who(self) -> str:
        """Who counts so, as far as that is known."""
        known = (candidate.who for candidate in (self.candidate, *self.also))
        return ", ".join(dict.fromkeys(filter(None, known)))


@dataclass(frozen=True)
class Answered:
    """What was found for a number.

    Attributes:
        printed: the number.
        quantity: what it says that it counts; empty where it does not say.
        found: what gives it, best first.
        below: the plain candidate next below it, and the network's name; None where there is none.
        above: the same above it.
        notes: what must be said beside any of it.
    """

    printed: PrintedNumber
    quantity: str
    found: tuple[Explanation, ...]
    below: Explanation | None
    above: Explanation | None
    notes: tuple[str, ...]


Searched = list[tuple[str, list[Candidate]]]
"""The candidates of each search."""
Candidates = Callable[[NetworkFacts, str], list[Candidate]]
"""What a search tries of one quantity of a network."""


def sized_for(one: CountedNetwork, printed: PrintedNumber, quantity: str) -> PrintedNumber | None:
    """The number, where images of other sizes may give it; None where something plain does."""
    if quantity not in ("", *BY_SIZE):
        return None
    searched = _plainly_counted(one.facts, printed, quantity)
    plain = Pool(c for _, candidates in searched for c in candidates if c.cost <= 1)
    return None if plain.against(printed).hits else printed


def explained(
    networks: Sequence[CountedNetwork], printed: PrintedNumber, quantity: str
) -> Answered:
    """Everything that gives a number, best first.

    Args:
        networks: counted networks: one, or the readings of a study.
        printed: the number.
        quantity: what it counts; empty where nothing says so, and any may be meant.
    """
    found: dict[tuple[str, str], Explanation] = {}
    below: list[Explanation] = []
    above: list[Explanation] = []
    for one in networks:
        searched = _searched(one, printed, quantity)
        for hit in _of_network(one, searched, printed, quantity):
            counted = hit.candidate.expression, hit.candidate.says
            known = found.get(counted)
            # The readings of a study that give the same number by the same count are one hit.
            if known is None:
                found[counted] = hit
            elif known.network != hit.network and hit.candidate.value == known.candidate.value:
                names = f"{known.network}, {hit.network}"
                found[counted] = replace(known, network=names)
        for near, side in zip(_nearest(one, searched, printed), (below, above), strict=True):
            side.extend(near)
    notes = dict.fromkeys(note for one in networks for note in one.notes)
    return Answered(
        printed,
        quantity,
        tuple(_together(sorted(found.values(), key=_rank))),
        max(below, key=lambda near: near.candidate.value, default=None),
        min(above, key=lambda near: near.candidate.value, default=None),
        tuple(notes),
    )


def _together(ranked: Iterable[Explanation]) -> Iterator[Explanation]:
    """One row for each number: the best way to it, and the others beside it.

    A slip in a map always gives the printed number, and stands for itself.
    """
    rows: dict[tuple[object, ...], list[Explanation]] = {}
    for hit in ranked:
        slip = hit.candidate.expression if hit.fit == SLIP else ""
        rows.setdefault((hit.network, hit.candidate.value, slip), []).append(hit)
    for row in rows.values():
        # What stands in one name is said more plainly than what is left of a difference.
        best = min(row, key=lambda hit: (_rank(hit)[0], _operators(hit.candidate.expression)))
        others = tuple(other.candidate for other in row if other is not best)
        yield replace(best, also=others)


def _operators(expression: str) -> int:
    return sum(expression.count(f" {sign} ") for sign in "+-*/")


def _of_network(
    one: CountedNetwork, searched: Searched, printed: PrintedNumber, quantity: str
) -> Iterator[Explanation]:
    """Every hit in one network, that which assumes least first."""
    hits = [
        hit
        for search, candidates in searched
        for hit in _hits(search, one.named.title, candidates, printed)
    ]
    yield from sorted(hits, key=_rank)
    if quantity != BYTES:
        yield from _slips_of(one, printed, quantity)


def _slips_of(one: CountedNetwork, printed: PrintedNumber, quantity: str) -> Iterator[Explanation]:
    """A digit that is wrong anywhere, and a factor of a map that is another one."""
    title = one.named.title
    asked = quantity or QUANTITIES_ASKED[0]
    edits = Digits(one.facts).against(printed, asked, NETWORK)
    for edit in edits.hits:
        cost = edit.candidate.cost + (0 if quantity else -1) + 1
        candidate = replace(edit.candidate, cost=max(cost, 2))
        yield Explanation(title, "digits", candidate, edit.fit, edits.tried, edits.by_chance)
    if quantity in ("", "neurons"):
        for slips in slips_in_maps(one.facts, printed):
            for slip, change in slips.hits:
                yield Explanation(title, "slips", slip, SLIP, slips.tried, slips.by_chance, change)


def _hits(
    search: str, network: str, candidates: list[Candidate], printed: PrintedNumber
) -> Iterator[Explanation]:
    """What fits, each held against the candidates that assume no more than it."""
    low, high = printed.value / WINDOW, printed.value * WINDOW
    near = [c for c in candidates if low <= c.value <= high]
    for cost in sorted({candidate.cost for candidate in near}):
        pool = Pool(c for c in near if c.cost <= cost)
        tried = sum(c.cost <= cost for c in candidates)
        for digits, added in _digits_of(printed):
            found = pool.against(digits)
            for hit in (hit for hit in found.hits if hit.candidate.cost == cost):
                candidate = replace(hit.candidate, cost=cost + added)
                fit = WEAKLY if added else hit.fit
                yield Explanation(network, search, candidate, fit, tried, found.by_chance)


def _digits_of(printed: PrintedNumber) -> Iterator[tuple[PrintedNumber, int]]:
    """The number as it stands, and with last zeros that may be no digits, which assumes more."""
    yield printed, 0
    if printed.zeros and printed.open_unit < printed.value:
        yield replace(printed, unit=printed.open_unit, exact=False, zeros=0), 1


def _searched(one: CountedNetwork, printed: PrintedNumber, quantity: str) -> Searched:
    """The candidates of each search, of the quantity that is named or of any."""
    found = list(_plainly_counted(one.facts, printed, quantity))
    if quantity == BYTES:
        return found
    searches: dict[str, Candidates] = {
        "parts": _parts_of,
        "units": unit_candidates,
        "modules": module_candidates,
        "resized": resized_candidates,
    }
    for search, candidates in searches.items():
        every = [c for name in _names(quantity) for c in candidates(one.facts, name)]
        if search != "resized":  # a class more or less changes no work to speak of
            every += _as_one(one.facts, candidates, quantity)
        found.append((search, list(_different(every))))
    if one.sizes:
        found.append(("sizes", list(_of_sizes(one.sizes, quantity))))
    return found


def _as_one(facts: NetworkFacts, candidates: Candidates, quantity: str) -> Iterator[Candidate]:
    """Of FLOPs the same in multiply-adds, which papers call so too."""
    for candidate in candidates(facts, "macs") if quantity == "flops" else ():
        if candidate.cost == 1:
            yield replace(candidate, cost=2, who=USUAL[1])


def _parts_of(facts: NetworkFacts, quantity: str) -> list[Candidate]:
    """Parts left out or counted twice; what somebody is known to leave out is one assumption."""
    found = part_candidates(facts, quantity)
    return [replace(c, cost=1) if c.who else c for c in found]


def _of_sizes(sizes: Iterable[Candidate], quantity: str) -> Iterator[Candidate]:
    """Other images; FLOPs may be multiply-adds there too, which is assumed besides."""
    for candidate in sizes:
        counted = candidate.expression.partition("(")[0]
        if quantity in ("", counted):
            yield candidate
        else:
            plain = 1 if counted == "macs" else 2
            yield replace(candidate, cost=candidate.cost + 1, who=USUAL[plain])


def _names(quantity: str) -> tuple[str, ...]:
    return (quantity,) if quantity else QUANTITIES_ASKED


def _plainly_counted(
    facts: NetworkFacts, printed: PrintedNumber, quantity: str
) -> Iterator[tuple[str, list[Candidate]]]:
    """The totals, and what conventions and tools say of the whole network."""
    if quantity == BYTES:
        yield "bytes", list(_different(byte_candidates(facts, power_of(printed.text))))
        return
    names = _names(quantity)
    totals = ((QUANTITIES[name].words, quoted(name, NETWORK), facts.total(name)) for name in names)
    yield "total", [Candidate(words, text, Fraction(value), 0) for words, text, value in totals]
    every = list(_different(c for name in names for c in convention_candidates(facts, name)))
    yield "conventions", [c for c in every if not _is_tool(c)]
    yield "tools", [c for c in every if _is_tool(c)]


def _is_tool(candidate: Candidate) -> bool:
    return candidate.who.removeprefix(TWICE) in (*TOOLS, *COUNTERS)


def _different(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Each expression once, as what assumes least."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.expression)
        if known is None or candidate.cost < known.cost:
            best[candidate.expression] = candidate
    yield from best.values()


def _nearest(
    one: CountedNetwork, searched: Searched, printed: PrintedNumber
) -> tuple[list[Explanation], list[Explanation]]:
    """What comes next below and above in a network, of what assumes one thing at most.

    Not of parts left out: sums come near anything.
    """
    pool = Pool(
        candidate
        for kind, candidates in searched
        if kind != "parts"
        for candidate in candidates
        if candidate.value and candidate.cost <= 1
    )
    found = pool.against(printed)
    below, above = (
        [Explanation(one.named.title, "nearest", near, CONTRADICTS, len(pool), 0.0)] if near else []
        for near in found.nearest
    )
    return below, above


def _rank(hit: Explanation) -> Rank:
    candidate = hit.candidate
    name = candidate.expression.lstrip("(").partition("(")[0]
    assumed = Assumed(
        # The last zeros are among what is assumed already: a row says so.
        Fraction(candidate.cost - (hit.fit == WEAKLY)),
        hit.fit,
        hit.by_chance,
        candidate.expression,
        hit.search,
        hit.change,
        # Nobody takes a tool's number twice.
        known=bool(candidate.who) and not candidate.who.startswith(TWICE),
        place=(*QUANTITIES_ASKED, name).index(name),
    )
    return rank_of(assumed)


# The answer as it is shown.


def chance(by_chance: float) -> str:
    """How many hits by chance, as people read it."""
    return f"{by_chance:.2g}" if by_chance >= 0.001 else "under 0.001"  # noqa: PLR2004 - digits


def lines(answered: Answered, most: int) -> Iterator[str]:
    """The answer for a terminal, ``most`` rows of it; all are counted."""
    for note in answered.notes:
        yield visible(note)
    if not answered.found:
        yield f"Nothing that was tried gives {answered.printed.text}."
        yield from (f"  {line}" for line in _nearest_lines(answered))
        return
    shown = answered.found[:most]
    yield from _aligned_rows(shown)
    more = len(answered.found) - len(shown)
    if more:
        yield f"{count_of(more, 'more explanation')}; --most shows them"
    if shown[0].lucky:
        yield "Any number of this precision would be explained so: none of these says much."


def _aligned_rows(shown: Sequence[Explanation]) -> Iterator[str]:
    cells_of_rows = [HEAD, *map(_cells_of, shown)]
    # A column that is empty in every row is not shown.
    columns = [name for name in HEAD if any(cells[name] for cells in cells_of_rows[1:])]
    rows = [[cells[name] for name in columns] for cells in cells_of_rows]
    yield from map(visible, aligned(rows))


def _nearest_lines(answered: Answered) -> Iterator[str]:
    for word, near in (("below", answered.below), ("above", answered.above)):
        if near is None:
            yield f"nearest {word}: none"
        else:
            of = f" under {near.network}" if near.network else ""
            said = f"{near.candidate.says}{of}: {near.candidate.expression}"
            yield f"nearest {word}: {number(near.candidate.value)}, {visible(said)}"


def page_context(answered: Answered, network: str, most: int) -> dict[str, Any]:
    """What the page of an answer says of a network as it was asked for; ``most`` rows of it."""
    shown = answered.found[:most]
    return {
        "printed": answered.printed.text,
        "network": network,
        "counts": _words_of(answered.quantity),
        "notes": [visible(note) for note in answered.notes],
        "rows": [_cells_of(hit) for hit in shown],
        "total": len(answered.found),
        "lucky": bool(shown) and shown[0].lucky,
        "nearest": list(_nearest_lines(answered)),
    }


def _cells_of(hit: Explanation) -> dict[str, str]:
    return {
        "number": number(hit.candidate.value),
        "digits": hit.digits,
        "says": hit.candidate.says,
        "who": hit.who,
        "reading": hit.network,
        "expression": hit.candidate.expression,
        "assumes": str(hit.candidate.cost),
        "tried": f"{hit.tried:,}",
        "chance": chance(hit.by_chance),
    }


def as_json(answered: Answered, most: int) -> dict[str, Any]:
    """The answer for a program."""
    printed = answered.printed
    return {
        "printed": printed.text,
        "value": _plain_number(printed.value),
        "quantity": answered.quantity or None,
        "counts": _words_of(answered.quantity) or None,
        "notes": list(answered.notes),
        "explanations": [_object(hit) for hit in answered.found[:most]],
        "total": len(answered.found),
        "nearest": {
            "below": _object(answered.below) if answered.below else None,
            "above": _object(answered.above) if answered.above else None,
        },
    }


def _words_of(quantity: str) -> str:
    return quantity if quantity in ("", BYTES) else QUANTITIES[quantity].words


def _object(hit: Explanation) -> dict[str, Any]:
    return {
        "value": _plain_number(hit.candidate.value),
        "digits": hit.digits if hit.search != "nearest" else None,
        "says": hit.candidate.says,
        "expression": hit.candidate.expression,
        "who": hit.who or None,
        "also": [{"says": c.says, "expression": c.expression} for c in hit.also],
        "assumes": hit.candidate.cost,
        "search": hit.search,
        "tried": hit.tried,
        "by_chance": float(f"{hit.by_chance:.3g}"),
        "reading": hit.network or None,
    }


def _plain_number(value: Any) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def study_begun(folder: Path, asked: AskedNetwork, answered: Answered) -> Path:
    """Write a study of one network whose claim counts as the best explanation does.

    Args:
        folder: a new folder, whose name is the study's.
        asked: the network, with the inputs that it was counted with.
        answered: what was found; without an explanation, parameters are what the claim counts.

    Raises:
        InputError: nothing can be written there, or what was written is no study.
    """
    place = dict(asked.place)
    source = Path(place["file"]) if "file" in place else None
    if source is None and not asked.inputs:
        raise refused("--study", "needs --input: a package's network says no inputs in a study")
    network = f"{source.name if source else place['module']}:{place['class']}"
    text = yaml.safe_dump(_study(folder.name, network, asked, answered), sort_keys=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".explain-", dir=folder.parent) as beside:
            begun = Path(beside) / folder.name
            if source is not None:
                write_text(begun / source.name, source.read_text(encoding="utf-8"))
            write_text(begun / "study.yaml", STUDY_HEAD + text)
            _refuse_unless_it_loads(begun)
            begun.rename(folder)
    except (OSError, UnicodeError) as error:
        raise refused("--study", f"{folder} cannot be written: {error}") from None
    return folder


def _refuse_unless_it_loads(folder: Path) -> None:
    """Nothing is left of what would be no study: a class by a name that no study can have, say."""
    try:
        load_study(folder)
    except InputError as error:
        fault = error.faults[0]
        raise refused("--study", f"would be no study: {fault.key}: {fault.message}") from None


def _study(name: str, network: str, asked: AskedNetwork, answered: Answered) -> dict[str, Any]:
    printed = answered.printed.text
    claim = {"id": "number", "quote": printed, "where": "to be filled in", "printed": printed}
    inputs = [{"shape": g["shape"], "dtype": g["dtype"]} for g in asked.inputs]
    return {
        "title": name,
        "paper": {
            "title": "To be filled in",
            "authors": ["To be filled in"],
            "year": 2000,
            "venue": "To be filled in",
            "url": "https://example.org/paper.pdf",
        },
        "question": f"What is counted where the paper prints {printed}?",
        "network": network,
        "arguments": dict(asked.arguments),
        **({"inputs": inputs} if inputs else {}),
        "placement": "meta",
        "claims": [claim | _counting(answered)],
        "interpretations": [
            {
                "id": "as-built",
                "title": "The network as it is built",
                "assumes": ["The network is the paper's."],
                "proposed_by": [{"name": "Constructed for this study"}],
            }
        ],
        "conclusion": {
            "interpretation": "as-built",
            "answer": "To be filled in.",
            "text": "To be filled in.",
        },
    }


def _counting(answered: Answered) -> dict[str, str]:
    """What the claim counts: as the best explanation that is no slip, else what was asked for."""
    sound = (hit for hit in answered.found if hit.fit not in (SLIP, FIT))
    best = next(sound, None)
    if best is None:
        return {"quantity": f"{answered.quantity or 'parameters'}(network)"}
    return {"quantity": best.candidate.expression, "title": best.candidate.says}
