"""Make again what an archive holds: all that follows from its study, measurements and record.

The functions that made the files make them again, in a temporary folder, and the bytes are
compared. That says something where this code, and what it renders with, wrote the archive; an
archive says itself which did, so one that says otherwise can hold in part only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml

from reconcile.archive.compare import (
    Difference,
    json_differences,
    refuse,
    table_differences,
)
from reconcile.archive.container import (
    CERTIFICATE,
    FIGURE_FILES,
    MANIFEST,
    METADATA,
    README,
    RESULT_FILES,
    WRITTEN_BY,
    ArchiveError,
    member_of,
    one_line,
    shown,
    shown_name,
)
from reconcile.archive.crate import Facts, certificate, metadata, readme
from reconcile.archive.reading import Archive, manifest, text_of
from reconcile.cite.numbers import (
    CITATION_FILES,
    load_numbers,
    numbers_tex,
    read_macros,
    write_citations,
)
from reconcile.files import write_bytes, write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import Reconciliation, reconcile_study
from reconcile.measure.provenance import folder_sha256, system, versions
from reconcile.report.render import write_page, write_paper
from reconcile.search.candidates import Given
from reconcile.search.run import most_candidates, search_all
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import FILES, tables
from reconcile.tables.frames import rows_of, table, write_table

MOST_JUDGEMENTS = 300_000
"""Countings that are computed again: what they take stays below a gigabyte of memory."""
MOST_CANDIDATES = 5_000_000_000
"""Combinations that searches try again: less than a minute of work."""
RENDERING = (
    *("python", "pandas", "numpy", "pydantic", "pyyaml", "jinja2", "weasyprint", "pydyf"),
    *("fonttools", "rocrate"),
)
"""The packages whose release shows in the bytes of results; system libraries besides."""
_NUMBERS = "results/numbers.tex"
MOST_NAMED = 3
"""Files of other code that a line names."""
DOCUMENTS = (README, CERTIFICATE, METADATA, MANIFEST)


def _written_by(*rules: str) -> tuple[str, ...]:
    return tuple(name for name in RESULT_FILES if WRITTEN_BY[name] in rules)


def describe(members: dict[str, bytes]) -> dict[str, bytes]:
    """Gathered files with README, certificate, metadata and manifest, which describe them.

    Raises:
        ArchiveError: a file that they draw on is missing or broken.
    """
    facts = Facts(members)
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
        release = shown_name(archive.version)
        found.append(f"code of release {release}, which is not this one: {names}{more}")
    recorded = archive.record.get("versions", {}) | archive.record.get("system", {})
    here = versions() | system()
    for name in (*RENDERING, *system()):
        if recorded.get(name) != here.get(name):
            wrote = shown_name(str(recorded.get(name, "unknown")))
            found.append(f"{name} {wrote}, where here is {here.get(name, 'none')}")
    return found


@dataclass(frozen=True)
class Workspace:
    """An archive's study in a temporary folder.

    Attributes:
        archive: the archive.
        study: its study, loaded.
        folder: the study's folder, named as the study.
        results: a folder with the archived results.
        again: a folder with the archived measurements, where the rest is made again.
    """

    archive: Archive
    study: Study
    folder: Path
    results: Path
    again: Path

    @property
    def root(self) -> Path:
        """The temporary folder, whose name says nothing to anybody."""
        return self.results.parent

    @property
    def judgements(self) -> int:
        """How many countings of claims there are under all readings."""
        countings = sum(1 + len(claim.countings) for claim in self.study.claims)
        return countings * len(self.study.interpretations)

    @property
    def candidates(self) -> int:
        """How many combinations the study's searches try, at most."""
        return most_candidates(self.study)

    @cached_property
    def measured(self) -> Measurements:
        """The archived measurements."""
        return Measurements.read(self.results)

    @cached_property
    def reconciled(self) -> Reconciliation:
        """The reconciliation that follows from them."""
        return reconcile_study(self.study, self.folder, self.measured)

    @cached_property
    def judged(self) -> dict[str, pd.DataFrame]:
        """The tables that follow from study and measurements, by name."""
        paper = {"consistency.csv": consistency_table(self.study, self.folder)}
        return self.reconciled.tables | paper


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
        yield Workspace(archive, study, folder, results, root / "again")


def _as_of_today(archive: Archive, results: Path) -> None:
    """Give the tables of another release today's columns: what it did not measure is empty."""
    for name in tables():
        rows = archive.table(name) if member_of(name) in archive.members else []
        write_table(results, name, table(name, rows))


def check_study(space: Workspace) -> str:
    """The measured interpretations are those of the archived study."""
    plan = plan_of(space.study, space.archive.study)
    archived = space.archive.json("interpretations.json")
    if not space.archive.same_code:
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


def check_verdicts(space: Workspace) -> str:
    """Verdicts, countings, evidence and the paper's own checks follow from the measurements."""
    with one_line(space.root):
        judged = space.judged
    for name in judged:
        if member_of(name) in space.archive.members:
            archived, computed = space.archive.table(name), rows_of(judged[name])
            found = table_differences(name, archived, computed, _asked(space, name))
            refuse(member_of(name), found)
    return f"{len(judged['verdicts.csv']):,} verdicts, {len(judged['countings.csv']):,} countings"


def _asked(space: Workspace, name: str) -> list[str]:
    """The columns to compare: all, or of another release the values that it knows."""
    if space.archive.same_code:
        return list(FILES[name].head())
    known = next(iter(space.archive.table(name)), {})
    return [column for column in FILES[name].head(sentences=False) if column in known]


def check_ranking(space: Workspace) -> str:
    """Counts, ranking and conclusion follow from the measurements."""
    with one_line(space.root):
        archived, computed = space.archive.reconciliation, space.reconciled.summary
    chosen = shown_name(str(computed["conclusion"]["interpretation"]))
    ranked = len(computed["ranking"])
    if not space.archive.same_code:
        archived = _values(archived)
        computed = _known(_values(computed | {"version": space.archive.version}), archived)
    refuse("results/reconciliation.json", json_differences(archived, computed))
    return f"{ranked} readings ranked; the study concludes for {chosen}"


def _values(content: Any) -> Any:
    """A JSON value without its sentences (text of several words), which others word anew."""
    if isinstance(content, dict):
        return {key: _values(value) for key, value in content.items() if not _sentence(value)}
    if isinstance(content, list):
        return [_values(value) for value in content if not _sentence(value)]
    return content


def _sentence(value: Any) -> bool:
    return isinstance(value, str) and " " in value.strip()


def _known(computed: Any, archived: Any) -> Any:
    """What was computed, without the keys that the archive's release did not have yet."""
    if isinstance(computed, dict) and isinstance(archived, dict):
        return {key: _known(computed[key], archived[key]) for key in computed if key in archived}
    if isinstance(computed, list) and isinstance(archived, list) and len(computed) == len(archived):
        return [_known(one, other) for one, other in zip(computed, archived, strict=True)]
    return computed


def check_numbers(space: Workspace) -> str:
    """Every command in numbers.tex has the value that the tables give."""
    with one_line(space.root):
        archived = read_macros(text_of(_NUMBERS, space.archive.data("numbers.tex")))
        computed = read_macros(numbers_tex(load_numbers(space.results)))
    if not space.archive.same_code:
        computed = {name: body for name, body in computed.items() if name in archived}
        archived = {name: body for name, body in archived.items() if name in computed}
    refuse(_NUMBERS, _macro_differences(archived, computed))
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
    """Tables and references for write-ups follow from the tables; only this release's are known."""
    if not space.archive.same_code:
        return "not compared: other code wrote them"
    with one_line(space.root):
        write_citations(space.study, space.results)
    return _same_bytes(space, space.results, CITATION_FILES)


MakingCheck = Callable[[Workspace], str]
RECOMPUTED: dict[str, MakingCheck] = {
    "study": check_study,
    "verdicts": check_verdicts,
    "ranking": check_ranking,
    "numbers": check_numbers,
    "citations": check_citations,
}
"""What is asked of the values in any archive, in order; each relies on those before."""


def check_judged(space: Workspace) -> str:
    """Interpretations, verdicts, evidence and ranking are what the measurements give."""
    for name in _written_by("measure"):
        write_bytes(space.again / name, space.archive.members[member_of(name)])
    with one_line(space.root):
        write_json(space.again / "settings.json", _settings(space.archive))
        plan = plan_of(space.study, space.archive.study)
        write_json(space.again / "interpretations.json", plan)
        for name, content in space.judged.items():
            write_table(space.again, name, content)
        write_json(space.again / "reconciliation.json", space.reconciled.summary)
    return _same_bytes(space, space.again, _written_by("instantiate", "check_paper", "reconcile"))


def _settings(archive: Archive) -> dict[str, Any]:
    """The settings as the record has them; only the device may have been another."""
    found = {name: archive.record["settings"].get(name) for name in Measuring.model_fields}
    return found | {"device": archive.json("settings.json").get("device")}


def check_searched(space: Workspace) -> str:
    """The searches find what they are said to have found."""
    with one_line(space.root):
        given = Given(space.study, space.folder, space.measured, space.again, lambda _: None)
        for name, content in search_all(given):
            write_table(space.again, name, content)
    return _same_bytes(space, space.again, _written_by("search"))


def take_searched(space: Workspace) -> str:
    """Where there is too much to try, the report is made with what is said to have been found."""
    for name in _written_by("search"):
        write_bytes(space.again / name, space.archive.members[member_of(name)])
    return "not compared: too many candidates"


def check_report(space: Workspace) -> str:
    """The report and its figures show what is in the tables."""
    with one_line(space.root):
        write_page(space.study, space.again, space.archive.json("options.json"))
    figures = [name for name in FIGURE_FILES if (space.again / name).is_file()]
    archived = [n for n in FIGURE_FILES if member_of(n) in space.archive.members]
    for name in sorted(set(figures) ^ set(archived)):
        raise ArchiveError(f"{member_of(name)} is one of two: archived, or made again")
    return _same_bytes(space, space.again, ("options.json", *figures, "report.html"))


def check_pdf(space: Workspace) -> str:
    """The report for paper is the one that the tables give."""
    with one_line(space.root):
        write_paper(space.study, space.again, space.archive.json("options.json"))
    return _same_bytes(space, space.again, ("report.pdf",))


def check_documents(space: Workspace) -> str:
    """README, certificate, metadata and sums describe this archive, in these words."""
    archived = space.archive.members
    made = describe({n: data for n, data in archived.items() if n not in DOCUMENTS})
    for name in DOCUMENTS:
        if made[name] != archived.get(name):
            raise ArchiveError(f"{name} is not what is written about these files")
    return f"{len(DOCUMENTS)} files, byte for byte"


SEARCHES, PDF = "searches again", "pdf again"
MADE_AGAIN: dict[str, MakingCheck] = {
    "tables again": check_judged,
    SEARCHES: check_searched,
    "report again": check_report,
    "documents again": check_documents,
    PDF: check_pdf,
}
"""What is made again and compared byte by byte where the same code and libraries can, in order."""


def _same_bytes(space: Workspace, made: Path, names: Iterable[str]) -> str:
    compared = list(names)
    for name in compared:
        archived, here = space.archive.members[member_of(name)], (made / name).read_bytes()
        if archived != here:
            where = _first_line(archived, here) if name.endswith(".csv") else ""
            raise ArchiveError(f"{member_of(name)} is not what is made again{where}")
    return f"{len(compared)} files, byte for byte"


def _first_line(*tables: bytes) -> str:
    """Where two tables differ first."""
    texts = (table.decode("utf-8", "replace").split("\n") for table in tables)
    for number, (one, other) in enumerate(zip_longest(*texts, fillvalue=""), start=1):
        if one != other:
            return f": line {number}: {shown(one)} against {shown(other)}"
    return ""
