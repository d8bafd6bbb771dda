"""Gather the files of an archive from a project's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconcile.archive.layout import FIGURE_FILES, RESULT_FILES, WRITTEN_BY, member_of
from reconcile.archive.limits import ArchiveError, check_name
from reconcile.errors import Fault, InputError
from reconcile.folders import CACHES, files_in, refuse_links

_CODE_FOLDERS = ("profiles", "workflow", "templates")
CODE = (
    "Snakefile",
    "config.yaml",
    "requirements.lock",
    "pyproject.toml",
    "LICENSE",
    "CITATION.cff",
    "tools/setup.sh",
    "tools/forget_folder.py",
    *(f"{folder}/**/*" for folder in _CODE_FOLDERS),
)
"""What a study is run with, relative to the project's folder."""


def code_files(root: Path) -> list[Path]:
    """The files of the project that make its results, sorted."""
    found = (file for pattern in CODE for file in root.glob(pattern) if file.is_file())
    return sorted(file for file in found if not CACHES.intersection(file.parts))


def gather(root: Path, study_folder: Path, results: Path) -> dict[str, bytes]:
    """The files of an archive, by member name, before anything is written about them.

    Raises:
        InputError: a result is missing, a file's name is not plain, or a folder holds a link.
    """
    refuse_links(study_folder, results / "figures", *(root / name for name in _CODE_FOLDERS))
    members: dict[str, bytes] = {}
    for name, file in (*_code(root), *_study(study_folder), *_results(results)):
        try:
            check_name(name)
            members[name] = file.read_bytes()
        except ArchiveError as error:
            raise InputError(Fault(file, 0, "", f"cannot be archived: {error}")) from None
        except OSError as error:
            raise InputError(Fault(file, 0, "", f"cannot be read: {error.strerror}")) from None
    return members


def _code(root: Path) -> Iterator[tuple[str, Path]]:
    for file in code_files(root):
        yield f"code/{file.relative_to(root).as_posix()}", file


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
