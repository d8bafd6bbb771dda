"""What a report is made from, and what it says of each claim and of each interpretation.

It is made from a study, the files of its results, and the record of the run.

Of a claim it says its digits, its countings, and what every reading gives; the matrix of claims and
readings has a row for each claim and its cells in it. Of an interpretation what it is, what it
denies, and what was measured. Layers that repeat are folded: forty-eight equal blocks are told
once, not forty-eight times.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.study.model import SINGLE, Claim, Concluded, Interpretation, Statement, Study
from reconcile.study.plan import arguments_of, networks_of
from reconcile.study.printed_tables import PrintedTable
from reconcile.study.yamlfile import Argument
from reconcile.tables.contract import (
    AS_STATED,
    FILES,
    FITS,
    NETWORK,
    NOT_MEASURED,
    QUANTITIES,
    tables,
)
from reconcile.tables.rows import Row, grouped_by, read_rows
from reconcile.words import MARKS, Mark, argument_text, beside, like, mark_of, number

IN_FULL = ("layers.csv", "countings.csv", "coverage.csv", "windows.csv", "timings.csv")
"""Tables that matter only for readings told in full; of a sweep the rest is not kept."""
REQUIRED = ("layers.csv", "totals.csv", "verdicts.csv", "reconciliation.json", "record.json")
DATA_FILES = tuple(name for name, file in FILES.items() if file.data)
"""What a report lists and attaches, in the order of the pipeline."""
EMBEDDED_FILE, EMBEDDED_IN_ALL = 80_000, 150_000
"""Bytes of a table that the page carries along, and of all of them; larger ones are linked."""
MEDIA_TYPES = {".csv": "text/csv", ".json": "application/json"}


@dataclass(frozen=True)
class Results(Concluded):
    """Everything that a report says comes from here.

    Attributes:
        study: the study itself: quotes, sources, credits.
        folder: the folder of its result files.
        tables: the rows of each table, empty where a table was not made.
        reconciliation: the content of ``reconciliation.json``.
        record: the content of ``record.json``.
    """

    study: Study
    folder: Path
    tables: Mapping[str, list[Row]]
    reconciliation: Mapping[str, Any]
    record: Mapping[str, Any]

    def table(self, name: str) -> list[Row]:
        """The rows of ``<name>.csv``; none where the table was not made."""
        return self.tables.get(f"{name}.csv", [])

    def matched(self) -> dict[str, list[str]]:
        """The claims that each interpretation matches; one that matches none is not there."""
        fitting = (row for row in self.table("verdicts") if row["verdict"] in FITS)
        groups = grouped_by(fitting, "interpretation")
        return {reading: [row["claim"] for row in rows] for (reading,), rows in groups.items()}

    def judged(self) -> dict[str, int]:
        """Of how many claims each interpretation was measured."""
        rows = (row for row in self.table("verdicts") if row["verdict"] != NOT_MEASURED)
        return Counter(row["interpretation"] for row in rows)

    def shown(self, most: int) -> list[Mapping[str, Any]]:
        """The entries that a report tells in full: every reading that the study names, best first.

        Of a study that names none, at most ``most`` combinations of its sweep, those that match a
        claim. The combination that a study concludes on is always there.
        """
        listed: list[Mapping[str, Any]] = list(self.reconciliation["ranking"])
        if not self.study.own_readings:
            matched = self.matched()
            listed = [e for e in listed if e["interpretation"] in matched] or listed
            listed = listed[:most]
        if all(entry["interpretation"] != self.chosen for entry in listed):
            every = [*self.reconciliation["ranking"], *self.reconciliation["combinations"]]
            room = listed if self.study.own_readings else listed[: most - 1]
            listed = [*room, *(e for e in every if e["interpretation"] == self.chosen)]
        return listed


def read_results(study: Study, results: Path) -> Results:
    """Read the results of a study.

    Raises:
        InputError: a file that every report needs is missing or unreadable.
    """
    missing = [results / name for name in REQUIRED if not (results / name).is_file()]
    if missing:
        raise InputError(*(Fault(file, 0, "", "is missing; run `snakemake`") for file in missing))
    reconciliation, record = (
        json.loads((results / name).read_text(encoding="utf-8"))
        for name in ("reconciliation.json", "record.json")
    )
    listed = {entry["interpretation"] for entry in reconciliation["ranking"]}
    listed.add(reconciliation["conclusion"]["interpretation"])
    return Results(
        study=study,
        folder=results,
        tables={
            name: read_rows(results / name, listed if name in IN_FULL else None)
            for name in tables()
            if (results / name).is_file()
        },
        reconciliation=reconciliation,
        record=record,
    )


@dataclass(frozen=True)
class DataFile:
    """A result file: its digest, and a link that works offline."""

    name: str
    rows: int | None
    sha256: str
    href: str
    record: bool


def data_files(results: Results) -> list[DataFile]:
    """Every file that the report is made from, in order of the pipeline."""
    found, room = [], EMBEDDED_IN_ALL
    for name in DATA_FILES:
        file = results.folder / name
        if file.is_file():
            content = file.read_bytes()
            embedded = len(content) <= min(EMBEDDED_FILE, room)
            room -= len(content) if embedded else 0
            found.append(_data_file(file, content, results, embedded=embedded))
    return found


def _data_file(file: Path, content: bytes, results: Results, *, embedded: bool) -> DataFile:
    data = base64.b64encode(content).decode()
    return DataFile(
        name=file.name,
        rows=len(results.tables[file.name]) if file.name in results.tables else None,
        sha256=hashlib.sha256(content).hexdigest(),
        href=f"data:{MEDIA_TYPES[file.suffix]};base64,{data}" if embedded else file.name,
        record=FILES[file.name].record,
    )


# What templates show.

_ORDER = list(MARKS)
RELATIONS = {"equals": "", "at-most": "at most", "at-least": "at least", "about": "about"}
MOST_ROWS = 700
"""Rows of layer tables in a page; what is beyond is in layers.csv."""
MOST_ON_PAPER, MOST_FURTHER = 120, 30
"""Rows of layer tables on paper: of the first network of the reading that the study concludes on,
and of it together with others."""
FEWEST = 3
"""Blocks that are folded; two are told in full."""
IDLE_KINDS = ("activation", "dropout", "norm")
_INDEXED = re.compile(r"(?P<before>(?:.*?\.)?)(?P<index>\d+)(?P<after>(?:\..*)?)")
_SIZE = ("channels", "height", "width")
_COUNTS = ("kind", *_SIZE, "neurons", "parameters", "macs")


@dataclass(frozen=True)
class Group:
    """Readings of which the same was measured, with the same verdict."""

    anchor: str
    measured: str
    mark: Mark
    reason: str
    readings: tuple[str, ...]


@dataclass(frozen=True)
class CountingView:
    """One way of counting a claim's number, and what it gives."""

    title: str
    expression: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Cell:
    """What one reading makes of one claim.

    Attributes:
        reading: id of the interpretation.
        mark: the verdict.
        measured: the measured number, in the claim's own unit.
        anchor: where the report says how it was counted.
        otherwise: whether by another counting than the claim's own.
    """

    reading: str
    mark: Mark
    measured: str
    anchor: str
    otherwise: bool


@dataclass(frozen=True)
class ClaimView:
    """One claim as the report tells it, with a cell for each reading, the best ranked first."""

    claim: Claim
    relation: str
    counted: str
    digits: str
    groups: tuple[Group, ...]
    countings: tuple[CountingView, ...]
    cells: tuple[Cell, ...]

    @property
    def agreed(self) -> bool:
        """Whether every reading that is shown gives the printed number."""
        return all(cell.mark.css == "good" for cell in self.cells)


MOST_IN_FULL = 8
"""Claims of one printed table that paper tells one by one; of a longer table it tells once."""


@dataclass(frozen=True)
class PaperRow:
    """What paper tells in one row: a claim, or a whole table of the paper.

    Attributes:
        table: the printed table; None for a single claim.
        claims: the claim, or all of the table.
    """

    table: PrintedTable | None
    claims: tuple[ClaimView, ...]

    @property
    def counted(self) -> str:
        """How all of them are counted, if there is one way."""
        ways = {view.claim.quantity for view in self.claims}
        return next(iter(ways)) if len(ways) == 1 else ""

    def cell(self, view: ClaimView) -> str:
        """Row and column of a claim in its table; the row alone where there is one column."""
        cells = [one.claim.id.split(".", 1)[1] for one in self.claims]
        columns = {cell.rpartition(".")[2] for cell in cells}
        name = view.claim.id.split(".", 1)[1]
        return name.rpartition(".")[0] if len(columns) == 1 else name


def paper_rows(study: Study, views: Sequence[ClaimView]) -> list[PaperRow]:
    """The claims as paper tells them, in their order: a long table stands where it begins."""
    tables = {table.id: table for table in study.tables}
    groups: dict[str, list[ClaimView]] = {}
    for view in views:
        table = view.claim.id.partition(".")[0]
        groups.setdefault(table if table in tables else f"/{view.claim.id}", []).append(view)
    rows: list[PaperRow] = []
    for name, own in groups.items():
        if len(own) > MOST_IN_FULL:
            rows.append(PaperRow(tables[name], tuple(own)))
        else:
            rows += [PaperRow(None, (view,)) for view in own]
    return rows


def claim_views(results: Results, shown: Sequence[str]) -> list[ClaimView]:
    """Every claim of the study in its order, with what the readings that are shown make of it."""
    verdicts, countings = (
        grouped_by((r for r in results.table(name) if r["interpretation"] in shown), "claim")
        for name in ("verdicts", "countings")
    )
    entries = {entry["id"]: entry for entry in results.reconciliation["claims"]}
    return [
        _claim_view(
            claim,
            entries[claim.id],
            {row["interpretation"]: row for row in verdicts.get((claim.id,), [])},
            countings.get((claim.id,), []),
            shown,
        )
        for claim in results.study.claims
    ]


def _claim_view(
    claim: Claim,
    entry: Mapping[str, Any],
    verdicts: dict[str, Row],
    countings: list[Row],
    shown: Sequence[str],
) -> ClaimView:
    expressions = {c["id"]: c["count"] for c in entry["countings"]}
    several = grouped_by(countings, "counting") if len(expressions) > 1 else {}
    groups = _groups(claim, [*verdicts.values()], f"verdict-{claim.id}")
    anchors = {reading: group.anchor for group in groups for reading in group.readings}
    return ClaimView(
        claim=claim,
        relation=RELATIONS[claim.relation],
        counted=counted_as(claim),
        digits=_digits(claim, entry),
        groups=groups,
        countings=tuple(
            CountingView(
                rows[0]["title"],
                expressions.get(name, ""),
                _groups(claim, rows, f"count-{claim.id}-{name}"),
            )
            for (name,), rows in several.items()
        ),
        cells=tuple(_matrix_cell(claim, verdicts[reading], anchors[reading]) for reading in shown),
    )


def _matrix_cell(claim: Claim, row: Row, anchor: str) -> Cell:
    return Cell(
        reading=row["interpretation"],
        mark=mark_of(row["verdict"]),
        measured=beside(claim.number.said, row["measured"]),
        anchor=anchor,
        otherwise=bool(row["measured"]) and row["counting"] != AS_STATED,
    )


def counted_as(claim: Claim) -> str:
    """What is counted, in words where the study uses one of the usual quantities."""
    if claim.title:
        return claim.title
    quantity = QUANTITIES.get(claim.quantity)
    if quantity is None or claim.of is None:
        return ""
    words = quantity.words or quantity.name
    if claim.of == NETWORK:
        return f"{words} of {'the network' if claim.network == SINGLE else claim.network}"
    return f"{words} of {claim.of}{'' if claim.network == SINGLE else f' in {claim.network}'}"


def _digits(claim: Claim, entry: Mapping[str, Any]) -> str:
    """What the printed digits stand for."""
    said = claim.number.said
    if claim.relation == "about":
        return f"taken to mean within {like(said, claim.tolerance)}"
    if claim.relation != "equals":
        return f"a bound, compared exactly: {RELATIONS[claim.relation]} {said}"
    opened = f", or to {number(claim.number.open_unit)} without its last zeros"
    rest = opened if claim.zeros else ""
    if entry["exact"]:
        return f"printed in full, so exact{rest}"
    rounded, truncated = (
        [like(said, bound) for bound in entry[key]] for key in ("rounded", "truncated")
    )
    return (
        f"from {rounded[0]} to below {rounded[1]} if rounded, "
        f"from {truncated[0]} to below {truncated[1]} if truncated{rest}"
    )


def _groups(claim: Claim, rows: list[Row], anchor: str) -> tuple[Group, ...]:
    """Rows of equal number and verdict put together, the best verdict first."""
    columns = [name for name in ("measured", "verdict", "reason") if rows and name in rows[0]]
    found = grouped_by(sorted(rows, key=lambda row: _ORDER.index(row["verdict"])), *columns)
    return tuple(
        Group(
            anchor=f"{anchor}-{place}",
            measured=beside(claim.number.said, same[0]["measured"]),
            mark=mark_of(same[0]["verdict"]),
            reason=same[0].get("reason", ""),
            readings=tuple(row["interpretation"] for row in same),
        )
        for place, same in enumerate(found.values(), start=1)
    )


@dataclass(frozen=True)
class LayerRow:
    """A row of a layer table.

    Attributes:
        name: the layer's, or the range of names that the row stands for.
        row: its counts.
        times: how often it stands in the network.
        idle: whether it is an activation, a dropout or a normalisation of the size of the row
            before, without parameters, multiply-adds or connections: it adds nothing to a total.
    """

    name: str
    row: Row
    times: int = 1
    idle: bool = False


@dataclass(frozen=True)
class NetworkView:
    """One measured network of a reading.

    Attributes:
        name: the network's name in its reading.
        arguments: what it was built with.
        layers: its rows, folded.
        told: whether the page has room for its layers.
        on_paper: whether paper has, if its reading is the one of which paper shows them.
        as_of: an earlier reading that has a network of this name with the same layers.
        total: its row of totals.csv.
    """

    name: str
    arguments: Mapping[str, Argument]
    layers: tuple[LayerRow, ...]
    told: bool
    on_paper: bool
    as_of: str
    total: Row


@dataclass(frozen=True)
class ReadingView:
    """One interpretation as the report tells it.

    Attributes:
        reading: the interpretation.
        entry: its place in the ranking.
        denials: the statements of the paper that it denies, each with what it takes instead.
        networks: what was measured of each of its networks.
        same_counts: other interpretations with equal counts.
    """

    reading: Interpretation
    entry: Mapping[str, Any]
    denials: tuple[tuple[Statement, str], ...]
    networks: tuple[NetworkView, ...]
    same_counts: tuple[str, ...]


def reading_views(results: Results, most: int) -> list[ReadingView]:
    """The best ranked interpretations, at most ``most``, in the order of the ranking."""
    by_id = {reading.id: reading for reading in results.study.interpretations}
    equal = results.reconciliation["equal_counts"]
    views, room = [], MOST_ROWS
    told_of: dict[tuple[object, ...], str] = {}
    layers = grouped_by(results.table("layers"), "interpretation", "network")
    totals = grouped_by(results.table("totals"), "interpretation", "network")
    for entry in results.shown(most):
        reading = by_id[entry["interpretation"]]
        networks, on_paper = list[NetworkView](), 0
        for name, arguments in networks_of(results.study, reading).items():
            place = reading.id, name
            rows, (total, *_) = tuple(folded(layers.get(place, []))), totals.get(place, [{}])
            counts = (name, *map(_counts_of, rows))
            as_of = told_of.get(counts, "")
            told = not as_of and len(rows) <= room
            room -= len(rows) if told else 0
            on_paper += sum(not row.idle for row in rows)
            most_on_paper = MOST_FURTHER if networks else MOST_ON_PAPER
            printed = on_paper <= most_on_paper
            if told:
                told_of[counts] = reading.id
            networks.append(NetworkView(name, arguments, rows, told, printed, as_of, total))
        same: list[str] = next((ids for ids in equal if reading.id in ids), [])
        views.append(
            ReadingView(
                reading=reading,
                entry=entry,
                denials=tuple(_denial(results.study, reading, name) for name in entry["denies"]),
                networks=tuple(networks),
                same_counts=tuple(other for other in same if other != reading.id),
            )
        )
    return views


def _counts_of(layer: LayerRow) -> tuple[object, ...]:
    """Everything that a layer table shows of a row."""
    return layer.name, layer.times, *(layer.row[column] for column in (*_COUNTS, "connections"))


def _denial(study: Study, reading: Interpretation, denied: str) -> tuple[Statement, str]:
    statement = next(s for s in study.statements if s.id == denied)
    taken = [
        argument_text(value)
        for value in arguments_of(study, reading, statement.argument or "")
        if value != statement.value
    ]
    return statement, ", ".join(dict.fromkeys(taken))


@dataclass(frozen=True)
class _Block:
    """Consecutive rows whose names share everything up to their first number."""

    before: str
    index: int | None
    rows: tuple[Row, ...]


def _split(row: Row) -> tuple[str, int | None, str]:
    match = _INDEXED.fullmatch(row["layer"])
    return (match["before"], int(match["index"]), match["after"]) if match else ("", None, "")


def folded(rows: list[Row]) -> list[LayerRow]:
    """The rows of one network, with runs of equal numbered blocks folded into one."""
    told = _folded(rows)
    pairs = pairwise(told)
    return told[:1] + [replace(row, idle=_is_idle(one.row, row.row)) for one, row in pairs]


def _is_idle(before: Row, row: Row) -> bool:
    sizes = [row[size] for size in _SIZE]
    if row["kind"] not in IDLE_KINDS or not any(sizes) or sizes != [before[s] for s in _SIZE]:
        return False
    return all(row[count] in ("", "0") for count in ("parameters", "macs", "connections"))


def _folded(rows: list[Row]) -> list[LayerRow]:
    blocks = [
        _Block(before, index, tuple(same))
        for (before, index), same in groupby(rows, key=lambda row: _split(row)[:2])
    ]
    result: list[LayerRow] = []
    for _, placed in groupby(enumerate(blocks), key=_run_of):
        run = [block for _, block in placed]
        whole = len(run) < FEWEST or run[0].index is None
        result += [LayerRow(r["layer"], r) for b in run for r in b.rows] if whole else _rows_of(run)
    return result


def _run_of(placed: tuple[int, _Block]) -> tuple[object, ...]:
    """Equal for consecutive blocks that differ in nothing but their number, which ascends."""
    place, block = placed
    counts = tuple((_split(row)[2], *(row[c] for c in _COUNTS)) for row in block.rows)
    return None if block.index is None else block.index - place, block.before, counts


def _rows_of(run: list[_Block]) -> Iterator[LayerRow]:
    first, last = run[0], run[-1]
    for row in first.rows:
        name = f"{first.before}{first.index}…{last.index}{_split(row)[2]}"
        yield LayerRow(name, row, len(run))
