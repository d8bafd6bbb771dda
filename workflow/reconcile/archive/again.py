"""Make again what an archive holds: all that follows from its study, measurements and record.

The functions that made the files make them again, in a temporary folder, and the bytes are
compared. That says something where this code, and what it renders with, wrote the archive; an
archive says itself which did, so one that says otherwise can hold in part only.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml

from reconcile.archive.compare import Difference, json_differences, refuse, table_differences
from reconcile.archive.container import ArchiveError, one_line, shown
from reconcile.archive.crate import metadata
from reconcile.archive.documents import certificate, facts_of, readme
from reconcile.archive.layout import (
    CERTIFICATE,
    FIGURE_FILES,
    MANIFEST,
    METADATA,
    README,
    member_of,
)
from reconcile.archive.reading import PROJECT, Archive, manifest
from reconcile.cite.bibliography import bibtex, citation_file, csl_json, load_tool, references
from reconcile.cite.latex import read_macros
from reconcile.cite.numbers import CITATION_FILES, Numbers, numbers_tex, tables_tex, write_citations
from reconcile.files import write_bytes, write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import Reconciliation, reconcile_study
from reconcile.measure.provenance import folder_sha256, system, versions
from reconcile.report.render import write_page, write_paper
from reconcile.search.run import search_geometries, search_slips
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import FILES, tables
from reconcile.tables.frames import write_table

MOST_JUDGEMENTS = 400_000
"""Countings that are computed again: what they take stays below a gigabyte of memory."""
RECOMPUTED = ("verdicts.csv", "countings.csv", "evidence.csv", "consistency.csv")
_OF_A_CLAIM = ("id", "printed", "relation", "value", "exact", "rounded", "truncated", "matched_by")
_OF_A_READING = ("rank", "interpretation", "excluded", "excluded_by", "supported_by", "score")
RENDERING = (
    *("python", "pandas", "numpy", "pydantic", "pyyaml", "jinja2", "weasyprint", "pydyf"),
    *("fonttools", "rocrate"),
)
"""The packages whose release shows in the bytes of results; system libraries besides."""
JUDGED = (
    *("settings.json", "interpretations.json", "consistency.csv", "verdicts.csv", "countings.csv"),
    *("evidence.csv", "reconciliation.json"),
)
SEARCHED = ("slips.csv", "geometries.csv")
MOST_NAMED = 3
"""Files of other code that a line names."""
DOCUMENTS = (README, CERTIFICATE, METADATA, MANIFEST)


@dataclass(frozen=True)
class Workspace:
    """An archive's study in a temporary folder.

    Attributes:
        archive: the archive.
        study: its study, loaded.
        folder: the study's folder, named as the study.
        results: a folder with the archived measurements.
    """

    archive: Archive
    study: Study
    folder: Path
    results: Path

    @property
    def judgements(self) -> int:
        """How many countings of claims there are under all readings."""
        countings = sum(1 + len(claim.countings) for claim in self.study.claims)
        return countings * len(self.study.interpretations)

    @property
    def same_code(self) -> bool:
        """Whether this very code wrote the archive."""
        return self.archive.same_code


@contextmanager
def workspace(archive: Archive) -> Iterator[Workspace]:
    """Write what recomputing reads to a temporary folder. Nothing there is executed.

    Raises:
        ArchiveError: the study cannot be used.
    """
    with TemporaryDirectory(prefix="reconcile-") as name:
        root = Path(name).resolve()
        folder, results = root / "studies" / archive.study, root / "results"
        archive.write_part("study/", folder)
        archive.write_part("results/", results)
        # What tells readings of equal counts apart was measured, but belongs to the record.
        archive.write_part("record/", results)
        if not archive.same_code:
            _as_of_today(archive, results)
        with one_line(root):
            study = load_study(folder)
        yield Workspace(archive, study, folder, results)


def _as_of_today(archive: Archive, results: Path) -> None:
    """Give the tables of another release today's columns: what it did not measure is empty."""
    for name, file in tables().items():
        columns = file.head()
        rows = archive.table(name) if member_of(name) in archive.members else []
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([columns, *([row.get(c, "") for c in columns] for row in rows)])
        (results / name).write_text(text.getvalue(), encoding="utf-8")


def check_study(space: Workspace) -> str:
    """The measured interpretations are those of the archived study."""
    plan, archived = plan_of(space.study, space.archive.study), _plan(space.archive)
    if not space.same_code:
        plan, archived = ({"interpretations": p["interpretations"]} for p in (plan, archived))
    refuse("results/interpretations.json", json_differences(archived, plan))
    counts = f"{len(space.study.claims)} claims, {len(space.study.interpretations)} interpretations"
    return f"{counts}; {_since_measuring(space)}"


def _since_measuring(space: Workspace) -> str:
    """Claims and texts may be edited after measuring; a reader should know when they were."""
    recorded = space.archive.record["source"].get("study_sha256")
    if recorded is None:
        return "the record does not say which files were measured"
    same = recorded == folder_sha256(space.folder)
    return "as they were when measured" if same else "its files were edited after measuring"


def _plan(archive: Archive) -> dict[str, Any]:
    return archive.json("interpretations.json")


def reconciled(space: Workspace) -> Reconciliation:
    """The reconciliation that follows from the archived measurements."""
    with one_line(space.results.parent):
        return reconcile_study(space.study, space.folder, Measurements.read(space.results))


def check_verdicts(space: Workspace) -> str:
    """Verdicts, countings, evidence and the paper's own checks follow from the measurements."""
    tables = dict(reconciled(space).tables)
    with one_line(space.results.parent):
        tables["consistency.csv"] = consistency_table(space.study, space.folder)
    for name in RECOMPUTED:
        if member_of(name) in space.archive.members:
            archived, computed = space.archive.table(name), rows_of(tables[name])
            found = table_differences(name, archived, computed, _asked(space, name))
            refuse(member_of(name), found)
    return f"{len(tables['verdicts.csv']):,} verdicts, {len(tables['countings.csv']):,} countings"


def _asked(space: Workspace, name: str) -> list[str]:
    """The columns to compare: all, or of another release the values that it knows."""
    if space.same_code:
        return list(FILES[name].head())
    known = next(iter(space.archive.table(name)), {})
    return [column for column in FILES[name].head(sentences=False) if column in known]


def rows_of(table: pd.DataFrame) -> list[dict[str, str]]:
    """A computed table as rows of text."""
    return [{str(key): cell for key, cell in row.items()} for row in table.to_dict("records")]


def check_ranking(space: Workspace) -> str:
    """Counts, ranking and conclusion follow from the measurements."""
    archived, computed = space.archive.reconciliation, reconciled(space).summary
    if not space.same_code:
        archived, computed = _values(archived), _known(_values(computed), _values(archived))
    refuse("results/reconciliation.json", json_differences(archived, computed))
    chosen = shown(str(computed["conclusion"]["interpretation"]))[1:-1]
    return f"{len(computed['ranking'])} readings ranked; the study concludes for {chosen}"


def _values(summary: dict[str, Any]) -> dict[str, Any]:
    """What of a reconciliation is no sentence."""
    return {
        "study": summary["study"],
        "counts": summary["counts"],
        "equal_counts": summary["equal_counts"],
        "conclusion": {"interpretation": summary["conclusion"]["interpretation"]},
        "claims": [{key: c[key] for key in _OF_A_CLAIM if key in c} for c in summary["claims"]],
        "ranking": [{k: r[k] for k in _OF_A_READING if k in r} for r in summary["ranking"]],
    }


def _known(computed: Any, archived: Any) -> Any:
    """What was computed, without the keys that the archive's release did not have yet."""
    if isinstance(computed, dict) and isinstance(archived, dict):
        return {key: _known(computed[key], archived[key]) for key in computed if key in archived}
    if isinstance(computed, list) and isinstance(archived, list) and len(computed) == len(archived):
        return [_known(one, other) for one, other in zip(computed, archived, strict=True)]
    return computed


def _numbers(archive: Archive) -> Numbers:
    tables = (archive.table(name) for name in ("layers.csv", "totals.csv", "verdicts.csv"))
    return Numbers(archive.reconciliation, *tables)


def check_numbers(space: Workspace) -> str:
    """Every command in numbers.tex has the value that the tables give."""
    with one_line(space.results.parent):
        archived = read_macros(space.archive.text("numbers.tex"))
        computed = read_macros(numbers_tex(_numbers(space.archive), PROJECT / "templates"))
    if not space.same_code:
        computed = {name: body for name, body in computed.items() if name in archived}
        archived = {name: body for name, body in archived.items() if name in computed}
    refuse("results/numbers.tex", _macro_differences(archived, computed))
    return f"{len(computed):,} commands"


def _macro_differences(one: dict[str, str], other: dict[str, str]) -> Iterator[Difference]:
    for name in sorted({*one, *other}):
        sides = one.get(name), other.get(name)
        if sides[0] is None or sides[1] is None or _plain(sides[0]) != _plain(sides[1]):
            yield Difference(name, "value", *sides)


def _plain(body: str) -> str:
    r"""The number in ``\rcnum{plain}{shown}``, or the text."""
    match = re.fullmatch(r"\\rcnum\{([^{}]*)\}\{.*\}", body)
    return match[1] if match else body


def check_citations(space: Workspace) -> str:
    """Tables and references for write-ups follow from the study; only this release's are known."""
    if not space.same_code:
        return "not compared: other code wrote them"
    with one_line(space.results.parent):
        for name, text in _citations(space).items():
            if text != space.archive.text(name):
                raise ArchiveError(f"{member_of(name)} does not follow from the archive's tables")
    return f"{len(_citations(space))} files"


def _citations(space: Workspace) -> dict[str, str]:
    file = space.results.parent / "CITATION.cff"
    file.write_bytes(space.archive.members.get("code/CITATION.cff", b""))
    tool = load_tool(file)
    items = references(space.study, space.archive.study, tool)
    writers: dict[str, Callable[[], str]] = {
        "tables.tex": lambda: tables_tex(_numbers(space.archive), PROJECT / "templates"),
        "references.bib": lambda: bibtex(items),
        "references.json": lambda: csl_json(items),
        "CITATION.cff": lambda: citation_file(space.study, tool),
    }
    return {name: write() for name, write in writers.items()}


def describe(members: dict[str, bytes]) -> dict[str, bytes]:
    """Gathered files with README, certificate, metadata and manifest, which describe them.

    Raises:
        ArchiveError: a file that they draw on is missing or broken.
    """
    facts = facts_of(members)
    if not facts.recorded("ended"):
        raise ArchiveError("record/record.json does not say when measuring ended")
    network = str(yaml.safe_load(members["study/study.yaml"])["network"]).partition(":")[0]
    full = dict(members)
    full[README] = readme(facts, network)
    full[CERTIFICATE] = certificate(full, facts)
    full[METADATA] = metadata(full, facts)
    full[MANIFEST] = manifest(full)
    return full


def what_differs(archive: Archive) -> list[str]:
    """Why an archive cannot be made again here: what wrote it is not what would make it."""
    found = []
    if not archive.same_code:
        names = ", ".join(archive.other_code[:MOST_NAMED])
        more = ", and more" if len(archive.other_code) > MOST_NAMED else ""
        release = shown(archive.version)[1:-1]
        found.append(f"code of release {release}, which is not this one: {names}{more}")
    recorded = archive.record.get("versions", {}) | archive.record.get("system", {})
    here = versions() | system()
    for name in (*RENDERING, *system()):
        if recorded.get(name) != here.get(name):
            wrote = shown(str(recorded.get(name, "unknown")))[1:-1]
            found.append(f"{name} {wrote}, where here is {here.get(name, 'none')}")
    return found


@dataclass(frozen=True)
class Again:
    """An archive's results, made anew beside it.

    Attributes:
        space: the archive in a temporary folder.
    """

    space: Workspace

    @property
    def folder(self) -> Path:
        """Where they are made."""
        return self.space.results.parent / "again"

    def check_judged(self) -> str:
        """Interpretations, verdicts, evidence and ranking are what the measurements give."""
        space, out = self.space, self.folder
        for name, file in FILES.items():
            if file.rule == "measure":
                write_bytes(out / name, space.archive.members[member_of(name)])
        with one_line(out.parent):
            write_json(out / "settings.json", self._settings())
            write_json(out / "interpretations.json", plan_of(space.study, space.archive.study))
            done = reconcile_study(space.study, space.folder, Measurements.read(out))
            write_table(out, "consistency.csv", consistency_table(space.study, space.folder))
            for name, table in done.tables.items():
                write_table(out, name, table)
            write_json(out / "reconciliation.json", done.summary)
        return self._compare(JUDGED)

    def _settings(self) -> dict[str, Any]:
        """The settings as the record has them; only the device may have been another."""
        recorded = self.space.archive.record["settings"]
        asked = self.space.archive.json("settings.json").get("device")
        found = {name: recorded.get(name) for name in Measuring.model_fields}
        return found | {"device": asked}

    def check_searched(self) -> str:
        """The searches find what they are said to have found."""
        space, out = self.space, self.folder
        with one_line(out.parent):
            measured = Measurements.read(out)
            slips = search_slips(space.study, space.folder, measured, _quietly)
            write_table(out, "slips.csv", slips)
            geometries = search_geometries(space.study, space.folder, _quietly)
            write_table(out, "geometries.csv", geometries)
        return self._compare(SEARCHED)

    def check_report(self) -> str:
        """The report, its figures and what is cited show what is in the tables."""
        space, out = self.space, self.folder
        with one_line(out.parent):
            options = ReportOptions.model_validate(space.archive.json("options.json"))
            write_page(space.study, out, PROJECT / "templates", options.model_dump())
            write_citations(space.study, out, PROJECT / "templates", PROJECT / "CITATION.cff")
        figures = [name for name in FIGURE_FILES if (out / name).is_file()]
        archived = [n for n in FIGURE_FILES if member_of(n) in space.archive.members]
        for name in sorted(set(figures) ^ set(archived)):
            raise ArchiveError(f"{member_of(name)} is one of two: archived, or made again")
        return self._compare(("options.json", *CITATION_FILES, *figures, "report.html"))

    def check_pdf(self) -> str:
        """The report for paper is the one that the tables give."""
        with one_line(self.folder.parent):
            options = ReportOptions.model_validate(self.space.archive.json("options.json"))
            paper = self.space.study, self.folder, PROJECT / "templates", options.model_dump()
            write_paper(*paper)
        return self._compare(("report.pdf",))

    def check_documents(self) -> str:
        """README, certificate, metadata and sums describe this archive, in these words."""
        archived = self.space.archive.members
        made = describe({n: data for n, data in archived.items() if n not in DOCUMENTS})
        for name in DOCUMENTS:
            if made[name] != archived.get(name):
                raise ArchiveError(f"{name} is not what is written about these files")
        return f"{len(DOCUMENTS)} files, byte for byte"

    def _compare(self, names: Iterable[str]) -> str:
        count = 0
        for name in names:
            count += 1
            archived = self.space.archive.members[member_of(name)]
            made = (self.folder / name).read_bytes()
            if archived != made:
                where = _first_line(archived, made) if name.endswith(".csv") else ""
                raise ArchiveError(f"{member_of(name)} is not what is made again{where}")
        return f"{count} files, byte for byte"


def _first_line(one: bytes, other: bytes) -> str:
    """Where two tables differ first."""
    for number, pair in enumerate(_paired(one, other), start=1):
        if pair[0] != pair[1]:
            return f": line {number}: {shown(pair[0])} against {shown(pair[1])}"
    return ""


def _paired(one: bytes, other: bytes) -> Iterator[tuple[str, str]]:
    lines = [text.decode("utf-8", "replace").split("\n") for text in (one, other)]
    for i in range(max(map(len, lines))):
        yield tuple(side[i] if i < len(side) else "" for side in lines)  # type: ignore[misc]


def _quietly(line: str) -> None:
    """Nobody waits for a line."""
