"""Where each file lies in an archive, and which of them are the record of one run.

README.md, certificate.md     for people
ro-crate-metadata.json        for machines
SHA256SUMS                    every other file's hash
study/                        study.yaml, network.py and what else the study's folder holds
results/                      what any run of this study and code gives, byte for byte
record/                       what is true of this run only, and what is drawn from it
code/                         the workflow, its configuration and its locked environment
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from reconcile.archive.container import ArchiveError, check_name
from reconcile.errors import Fault, InputError
from reconcile.files import files_in, refuse_links
from reconcile.project import CODE_FOLDERS, CONFIG, code_files
from reconcile.tables.contract import COLUMN, FIGURES, FILES

README = "README.md"
CERTIFICATE = "certificate.md"
METADATA = "ro-crate-metadata.json"
MANIFEST = "SHA256SUMS"

REPRODUCIBLE = ("study/", "results/", "code/")
"""The parts that two runs of one study and code have in common, byte for byte."""

WRITTEN_BY = {name: file.rule for name, file in FILES.items()} | {"figures": "render_report"}
"""The rule behind each file of ``results/<study>/``; the name may go on (``measure_batch``)."""

RESULT_FILES = tuple(FILES)
"""What every archive holds of ``results/<study>/``, besides the figures."""
FIGURE_FILES = tuple(
    f"figures/{name}{width}.{form}"
    for name in FIGURES
    for width in ("", COLUMN)
    for form in ("svg", "pdf")
)
"""What it holds of them, where the report has them."""

# A PDF has a date in it, and these figures show latencies.
_DRAWN_FROM_RECORD = ("figures/*.pdf", "figures/latency*")


def member_of(result: str) -> str:
    """Where a file of ``results/<study>/`` lies in the archive."""
    file = FILES.get(result)
    drawn = any(fnmatchcase(result, pattern) for pattern in _DRAWN_FROM_RECORD)
    of_one_run = file.record or file.drawn if file else drawn
    return f"{'record' if of_one_run else 'results'}/{result}"


def result_name(member: str) -> str | None:
    """The inverse of ``member_of``; None for what is no result."""
    part, _, name = member.partition("/")
    return name if part in ("results", "record") and name else None


_ON_TOP = (README, CERTIFICATE, METADATA, MANIFEST)
_FREE = ("study", "code")


def has_place(member: str) -> bool:
    """Whether the layout has a place for a file; an archive of any release holds no other.

    The results of both parts are read from one folder: a file in the wrong part would stand there
    for the one in the right part. A name that a release has written stays known.
    """
    part, _, name = member.partition("/")
    if not name:
        return member in _ON_TOP
    known = name in (*RESULT_FILES, *FIGURE_FILES)
    return part in _FREE or (known and member_of(name) == member)


REQUIRED = (
    README,
    CERTIFICATE,
    METADATA,
    "study/study.yaml",
    *(member_of(name) for name in RESULT_FILES),
)
"""What this release archives."""

CORE = (
    *(README, CERTIFICATE, METADATA, "study/study.yaml"),
    *map(member_of, ("interpretations.json", "layers.csv", "totals.csv", "verdicts.csv")),
    *map(member_of, ("reconciliation.json", "numbers.tex", "record.json")),
)
"""Without these an archive is none, whatever release wrote it."""


def gather(
    root: Path, study_folder: Path, results: Path, config: Path | None = None
) -> dict[str, bytes]:
    """The files of an archive, by member name, before anything is written about them.

    Args:
        root: where the project's files are.
        study_folder: the study's folder.
        results: the study's results.
        config: the configuration of the run; without one, the project's own.

    Raises:
        InputError: a result is missing, a file's name is not plain, or a folder holds a link.
    """
    refuse_links(study_folder, results / "figures", *(root / name for name in CODE_FOLDERS))
    members: dict[str, bytes] = {}
    for name, file in (*_code(root, config), *_study(study_folder), *_results(results)):
        try:
            check_name(name)
            members[name] = file.read_bytes()
        except ArchiveError as error:
            raise InputError(Fault(file, 0, "", f"cannot be archived: {error}")) from None
        except OSError as error:
            raise InputError(Fault(file, 0, "", f"cannot be read: {error.strerror}")) from None
    return members


def _code(root: Path, config: Path | None) -> Iterator[tuple[str, Path]]:
    for name, file in code_files(root).items():
        yield f"code/{name}", config if config and name == CONFIG else file


def _study(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in files_in(folder):
        yield f"study/{file.relative_to(folder).as_posix()}", file


def _results(results: Path) -> Iterator[tuple[str, Path]]:
    for name in RESULT_FILES:
        file = results / name
        if not file.is_file():
            message = f"there is no such file; run `snakemake` first ({WRITTEN_BY[name]} writes it)"
            raise InputError(Fault(file, 0, "", message))
        yield member_of(name), file
    for name in FIGURE_FILES:
        if (results / name).is_file():
            yield member_of(name), results / name
