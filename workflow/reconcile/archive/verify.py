"""Verify an archive: every byte, every table, and that the rest follows from its measurements.

Nothing of the archive is executed, unless measuring again is asked for. Only a temporary folder and
the receipt are written to. The same files give the same archive, byte for byte; verifying asks for
exactly that, and no archive is written that it would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from reconcile import __version__
from reconcile.archive.again import (
    MADE_AGAIN,
    MOST_CANDIDATES,
    MOST_JUDGEMENTS,
    PDF,
    RECOMPUTED,
    SEARCHES,
    Workspace,
    describe,
    take_searched,
    what_differs,
    workspace,
)
from reconcile.archive.checks import MEASUREMENTS, STRUCTURE
from reconcile.archive.compare import Latency, Rerun, measure_again
from reconcile.archive.container import (
    RESULT_FILES,
    WRITTEN_BY,
    ArchiveError,
    gather,
    member_of,
    one_line,
    pack,
    read_container,
    unpack,
)
from reconcile.archive.crate import NOT_PROVABLE
from reconcile.archive.reading import MOST_CELLS, Archive, check_manifest, digest
from reconcile.errors import Fault, InputError, visible
from reconcile.files import staged
from reconcile.measure.provenance import host, versions
from reconcile.study.load import STUDY_FILE
from reconcile.words import Report

T = TypeVar("T")
HOLDS, PARTLY, FAILS, NOT_RUN = "holds", "holds in part", "fails", "not run"
_TABLES = "{study} and the tables"
_MADE_OF = {
    "study": "{study}",
    "verdicts": "{study} and what was measured",
    "ranking": "{study} and what was measured",
    "numbers": _TABLES,
    "citations": _TABLES,
}
"""What a result follows from, by the check that asks whether it does."""
_JUDGING = "check_paper reconcile search"
_AGAIN = {
    **dict.fromkeys(("instantiate", "measure"), "instantiate"),
    **dict.fromkeys(("check_paper", "reconcile", "search"), _JUDGING),
}
"""The rules to run again for what a rule wrote: also those whose results are as old as its own."""
_RESULT = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, RESULT_FILES))})(?![\w-]|\.\w)")


@dataclass(frozen=True)
class Check:
    """One thing that was asked of an archive.

    Attributes:
        name: what was checked.
        outcome: "holds", "fails" or "not run" (an earlier failure made it pointless).
        detail: one line: what was found, or why it fails.
    """

    name: str
    outcome: str
    detail: str

    @property
    def holds(self) -> bool:
        """Whether what was asked for is so."""
        return self.outcome == HOLDS


@dataclass
class Verification:
    """Everything that was found about one archive file.

    Attributes:
        file: the archive.
        sha256: its hash.
        size: its size in bytes.
        checks: in the order in which they ran.
        study: the study's name, once it is known.
        version: the release that wrote it, once it is known.
        reproducible: the hash of what two runs have in common, once it is known.
        not_compared: what holds by its values only, or was left out, and why.
        rerun: this machine's record, when everything was measured again.
        latencies: archived and here, likewise.
    """

    file: Path
    sha256: str
    size: int
    checks: list[Check] = field(default_factory=list)
    study: str | None = None
    version: str | None = None
    reproducible: str | None = None
    not_compared: list[str] = field(default_factory=list)
    rerun: dict[str, Any] | None = None
    latencies: list[Latency] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no check fails; ``not_compared`` says what they leave open."""
        return all(check.holds for check in self.checks)

    @property
    def outcome(self) -> str:
        """Whether it holds, holds in part (something was not compared) or fails."""
        if not self.holds:
            return FAILS
        return PARTLY if self.not_compared else HOLDS

    def run(self, name: str, check: Callable[[], str]) -> bool:
        """Run one check and note its outcome; whatever it raises, it fails with a line."""
        try:
            with one_line():
                self.checks.append(Check(name, HOLDS, check()))
        except ArchiveError as error:
            self.checks.append(Check(name, FAILS, str(error)))
        return self.checks[-1].holds


def verify_archive(
    file: Path, *, pdf: bool = True, rerun: str | None = None, report: Report = lambda _: None
) -> Verification:
    """Run every check on an archive file.

    Args:
        file: the archive.
        pdf: make report.pdf again too, which takes longest.
        rerun: the device to measure again on ("auto", "cuda", "cpu"); None executes nothing.
        report: is told a line of progress for every network that is measured again.

    Raises:
        ArchiveError: there is no such file, or it cannot be read at all.
    """
    raw = read_container(file)
    found = Verification(file, digest(raw), len(raw))
    members: dict[str, bytes] = {}

    def container() -> str:
        members.update(unpack(raw))
        return f"{len(members):,} files, every byte of the zip as archives are written"

    def hashes() -> str:
        return f"{check_manifest(members):,} files have their SHA-256; none missing, none extra"

    whole = found.run("container", container) and found.run("hashes", hashes)
    archive = Archive(members)
    if whole and _run_all(found, STRUCTURE, archive):
        found.study, found.version = archive.study, archive.version
        found.reproducible = archive.reproducible
        if archive.cells > MOST_CELLS:
            found.not_compared.append(_too_many(f"{archive.cells:,} cells of tables", MOST_CELLS))
        elif _run_all(found, MEASUREMENTS, archive):
            _recompute(found, archive, pdf, rerun, report)
    _note_the_rest(found, pdf, rerun)
    return found


def _run_all(found: Verification, checks: Mapping[str, Callable[[T], str]], subject: T) -> bool:
    """Run each check until one fails: the next ones rely on it."""
    return all(found.run(name, partial(check, subject)) for name, check in checks.items())


def _too_many(what: str, most: int) -> str:
    return f"what follows from the measurements: {what}, more than {most:,} are not computed here"


def _recompute(
    found: Verification, archive: Archive, pdf: bool, rerun: str | None, report: Report
) -> None:
    try:
        with one_line(), workspace(archive) as space:
            if space.judgements > MOST_JUDGEMENTS:
                countings = f"{space.judgements:,} countings of claims"
                found.not_compared.append(_too_many(countings, MOST_JUDGEMENTS))
                return
            # What does not follow by its values need not be made again.
            if _run_all(found, RECOMPUTED, space):
                _make_again(found, space, pdf=pdf)
            # Code is executed only from an archive about which all else is true.
            if rerun is not None and found.holds:
                study = space.study, space.folder, space.root
                found.run(
                    "rerun", lambda: _rerun(found, measure_again(archive, *study, rerun, report))
                )
    except ArchiveError as error:
        found.checks.append(Check("study", FAILS, str(error)))


def _make_again(found: Verification, space: Workspace, *, pdf: bool) -> None:
    """Make again and compare byte by byte, where the same code and libraries can."""
    if differing := what_differs(space.archive):
        every = "tables, searches, figures, report and documents byte by byte"
        found.not_compared += [f"{every}: written by {why}" for why in differing]
        return
    checks = dict(MADE_AGAIN)
    if not pdf:
        found.not_compared.append("report.pdf: left out on request")
        del checks[PDF]
    if (tried := space.candidates) > MOST_CANDIDATES:
        found.not_compared.append(
            f"searches: {tried:,} candidates, more than {MOST_CANDIDATES:,} are not tried here"
        )
        checks[SEARCHES] = take_searched
    _run_all(found, checks, space)


def _rerun(found: Verification, again: Rerun) -> str:
    found.rerun, found.latencies = again.record, again.latencies
    return again.detail


def _note_the_rest(found: Verification, pdf: bool, rerun: str | None) -> None:
    """After a failure, name what did not run. What a limit left out is not compared, and told."""
    if found.holds:
        return
    names = ["container", "hashes", *STRUCTURE, *MEASUREMENTS, *RECOMPUTED, *MADE_AGAIN]
    ran = {check.name for check in found.checks} | (set() if pdf else {PDF})
    for name in [*names, *(["rerun"] if rerun is not None else [])]:
        if name not in ran:
            found.checks.append(Check(name, NOT_RUN, "an earlier check fails"))


_OUTCOMES = {HOLDS: "verified", PARTLY: "verified in part", FAILS: "not verified"}


def receipt(found: Verification, who: str | None = None) -> dict[str, Any]:
    """The content of ``verification.json``: what was verified, by whom, when, where, outcome."""
    return dict(_receipt(found, who))


def _receipt(found: Verification, who: str | None) -> Iterator[tuple[str, Any]]:
    yield "archive", {"name": visible(found.file.name), "sha256": found.sha256, "bytes": found.size}
    known = {"study": found.study, "version": found.version, "reproducible": found.reproducible}
    yield from ((key, value) for key, value in known.items() if value is not None)
    yield "outcome", _OUTCOMES[found.outcome]
    yield "not_compared", found.not_compared
    yield "not_provable", NOT_PROVABLE
    yield "verified_at", datetime.now(UTC).isoformat(timespec="seconds")
    if who:
        yield "verified_by", visible(who)
    yield "verified_with", {"reconcile": __version__, **versions()}
    yield "host", host()
    yield "checks", [asdict(check) for check in found.checks]
    if found.rerun is not None:
        yield "rerun", {key: found.rerun.get(key) for key in ("device", "versions", "settings")}
        yield "latencies_ms", [asdict(latency) for latency in found.latencies]


def build_archive(
    root: Path, study_folder: Path, results: Path, out: Path, config: Path | None = None
) -> list[Check]:
    """Write the archive of a study's results, if it verifies.

    Args:
        root: where the project's files are.
        study_folder: the study's folder.
        results: the study's results, complete with reports.
        out: the zip file to write.
        config: the configuration of the run; without one, the project's own.

    Returns:
        The checks that the archive passed.

    Raises:
        InputError: a result is missing, broken or does not follow from the others as they are now,
            or the file cannot be written.
    """
    members = gather(root, study_folder, results, config)
    try:
        content = pack(describe(members))
    except ArchiveError as error:
        raise InputError.of(out, f"cannot be archived: {error}") from None
    with staged(out) as part:
        part.write_bytes(content)
        checks = verify_archive(part).checks
        for check in checks:
            if not check.holds:
                raise InputError(_refused(check, study_folder, results, out))
    return checks


def _refused(check: Check, study_folder: Path, results: Path, out: Path) -> Fault:
    """The result that a failing check is about, and how to make it again."""
    named = _RESULT.search(check.detail)
    if named is None:
        return Fault(out, 0, "", f"would not verify: {check.name}: {check.detail}")
    name, rule = named[1], WRITTEN_BY[named[1]]
    made_of = _MADE_OF.get(check.name, "").format(study=study_folder / STUDY_FILE)
    why = f"does not follow from {made_of}" if made_of else "is not as it was written"
    detail = check.detail.removeprefix(f"{member_of(name)}: ")
    again = f"snakemake --forcerun {_AGAIN.get(rule, rule)} -- {out}"
    return Fault(results / name, 0, "", f"{why}: {detail}; to make it again: {again}")
