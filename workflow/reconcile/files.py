"""How files are written, which files a folder holds, and where the project's own lie.

A file is written whole or not at all: beside the target first, flushed to the disk, then renamed.
What a folder holds are its own files. A link in it may lead anywhere, so none is ever followed: a
study from somebody else could have one to a file of whoever runs it, and an archive would publish
that. The folder itself may be reached through a link: where it lies is the user's business.

The project's own files are templates, rules, licence and lock. In a checkout they are where the
package is found, two folders up; an installed package carries them in a folder of its own. Their
names are the same: ``templates/report.css``, ``workflow/rules/...``.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.proc import lives

CACHES = {"__pycache__", "reconcile.egg-info", ".snakemake"}
"""Folders that tools leave behind, wherever they lie: they belong to nothing."""


def write_bytes(file: Path, content: bytes) -> None:
    """Replace a file by the given bytes in one step; readers see the old or the new, never half.

    Raises:
        InputError: the file cannot be written (no room, no permission); the old one is untouched.
    """
    with staged(file) as part:
        part.write_bytes(content)


def write_text(file: Path, content: str) -> None:
    """As ``write_bytes``, for UTF-8 text with Unix line ends."""
    write_bytes(file, content.encode())


def json_text(value: Any) -> str:
    """JSON with sorted keys, indented, one final line end: the same value, the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(file: Path, value: Any) -> None:
    """Write ``json_text(value)`` in one step."""
    write_text(file, json_text(value))


def keep_only(folder: Path, kept: Container[Path], suffixes: Container[str]) -> None:
    """Make a folder if there is none, and remove its files of some suffixes but for those kept.

    Raises:
        InputError: the folder cannot be made, or a file not be removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            if file.suffix in suffixes and file not in kept:
                file.unlink()
    except OSError as error:
        raise not_written(folder, error) from error


@contextmanager
def staged(file: Path) -> Iterator[Path]:
    """A path beside ``file`` to write to; it takes the file's place when the block ends well."""
    part = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _sweep(file)
        prefix = f".{file.name}.{os.getpid()}-"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=file.parent)
        os.close(handle)
        part = Path(name)
        yield part
        _publish(part, file)
    except OSError as error:
        raise not_written(file, error) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _sweep(file: Path) -> None:
    """Remove what killed writers left beside a file; the part of one that lives here is its own."""
    for part in file.parent.glob(f".{escape(file.name)}.*.part"):
        name = re.fullmatch(r"(?:([1-9]\d{0,8})-)?[^.]+\.part", part.name[len(file.name) + 2 :])
        if name is not None and not (name[1] and lives(int(name[1]))):
            # Somebody else's, or another writer removed it just now: no reason not to write.
            with suppress(OSError):
                part.unlink()


def not_written(file: Path, error: OSError) -> InputError:
    """The fault of a file that cannot be written."""
    return InputError.of(file, f"cannot be written: {error.strerror or error}")


def _publish(part: Path, file: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    # mkstemp makes files private; results get the permissions any new file would have.
    mask = os.umask(0)
    os.umask(mask)
    part.chmod(0o666 & ~mask)
    part.replace(file)


def files_in(folder: Path) -> list[Path]:
    """The plain files of a folder and its subfolders, sorted, without caches and links."""
    entries = (entry for entry in _entries(folder) if not entry.is_symlink())
    return sorted(entry for entry in entries if entry.is_file())


def refuse_links(*folders: Path) -> None:
    """Accept no symbolic link in any of these folders, wherever it leads.

    Raises:
        InputError: one fault for each link.
    """
    links = sorted(e for folder in folders for e in _entries(folder) if e.is_symlink())
    if links:
        message = "is a symbolic link, and none is followed; put what it leads to in its place"
        raise InputError(*(Fault(link, 0, "", message) for link in links))


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder, what caches hold left out."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))
        folders[:] = [name for name in folders if name not in CACHES]


# The project's own files.

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package."""
_CARRIED = PACKAGE / "carried"
ROOT = _CARRIED if _CARRIED.is_dir() else PACKAGE.parents[1]
"""The folder of the project's files."""
TEMPLATES = ROOT / "templates"
CITATION = ROOT / "CITATION.cff"
LOCK = ROOT / "requirements.lock"
CONFIG = "config.yaml"

CODE_FOLDERS = ("profiles", "workflow", "templates")
CODE = (
    "Snakefile",
    CONFIG,
    "requirements.lock",
    "pyproject.toml",
    "LICENSE",
    "CITATION.cff",
    "tools/setup.sh",
    "tools/forget_folder.py",
    *(f"{folder}/**/*" for folder in CODE_FOLDERS),
)
"""What a study is run with, relative to the project's folder."""
_LIBRARY = f"workflow/{PACKAGE.name}"
SCRIPTS = ("report.js", "calculator.js")
"""The scripts of a report's page, in templates/."""


def code_files(root: Path = ROOT) -> dict[str, Path]:
    """The files that make a study's results, by their name in a checkout, sorted.

    Args:
        root: a checkout, or where an installed package carries the files.
    """
    found = {f.relative_to(root).as_posix(): f for pattern in CODE for f in root.glob(pattern)}
    if root == _CARRIED:
        # The files of the package without those that it carries.
        modules = (file for file in PACKAGE.rglob("*") if _CARRIED not in file.parents)
        found |= {f"{_LIBRARY}/{f.relative_to(PACKAGE).as_posix()}": f for f in modules}
    named = ((name, found[name]) for name in sorted(found) if not CACHES & {*name.split("/")})
    return {name: file for name, file in named if file.is_file()}


def own_file(name: str) -> str:
    """The path of one of these files, as Snakemake shall call it: in a checkout by its name."""
    return name if Path.cwd() == ROOT else str(_own_files()[name])


def own_files(pattern: str) -> list[str]:
    """The names of those of these files that are in a folder of theirs, sorted."""
    return [name for name in _own_files() if PurePosixPath(name).match(pattern)]


def name_of(path: str) -> str:
    """The name of one of these files by its path, and any other path as it is."""
    return _own_names().get(path, path)


@cache
def _own_files() -> dict[str, Path]:
    return code_files()


@cache
def _own_names() -> dict[str, str]:
    return {str(file): name for name, file in _own_files().items()}
