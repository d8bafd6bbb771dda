"""Make again what an archive holds: all that follows from its study, measurements and record.

The functions that made the files make them again, in a temporary folder, and the bytes are
compared. That says something where this code, and what it renders with, wrote the archive; an
archive says itself which did, so one that says otherwise can hold in part only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reconcile.archive.crate import metadata
from reconcile.archive.facts import facts_of
from reconcile.archive.layout import CERTIFICATE, FIGURE_FILES, METADATA, README, member_of
from reconcile.archive.limits import ArchiveError, one_line, shown
from reconcile.archive.manifest import MANIFEST, manifest
from reconcile.archive.prose import certificate, readme
from reconcile.archive.reading import PROJECT, Archive
from reconcile.archive.recompute import Workspace
from reconcile.cite.numbers import CITATION_FILES, write_citations
from reconcile.files import write_bytes, write_json
from reconcile.judge.consistency import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.provenance import system, versions
from reconcile.report.render import write_page, write_paper
from reconcile.search.run import search_geometries, search_slips
from reconcile.study.config import ReportOptions
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import FILES
from reconcile.tables.frames import write_table

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
