"""Where the project's own files lie, whatever folder a run is in: templates, rules, licence, lock.

In a checkout they are where the package is found, two folders up; an installed package carries them
in a folder of its own. Their names are the same: ``templates/report.css``, ``workflow/rules/...``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

from reconcile.files import CACHES

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
        modules = ((f"{_LIBRARY}/{f.relative_to(PACKAGE).as_posix()}", f) for f in _modules())
        found.update(modules)
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


def _modules() -> list[Path]:
    """The files of the package without those that it carries."""
    return [file for file in PACKAGE.rglob("*") if _CARRIED not in file.parents]
