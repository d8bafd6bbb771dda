"""A small study that works, to start one from: ``reconcile new``."""

from __future__ import annotations

import re
from pathlib import Path

from reconcile.errors import Fault, InputError
from reconcile.files import write_text
from reconcile.study.values import PATTERNS, RESERVED, STUDY_PATTERN

FILES = ("study.yaml", "network.py")
PLACEHOLDER = "PAPER"
MAX_NAME = 200
_SCHEMA = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def study_folder(path: str, studies: Path) -> Path:
    """Where a new study goes: a name is a folder below ``studies``, all else is the folder itself.

    Raises:
        InputError: the folder's name is none for a study, or something is there.
    """
    name = Path(path).name if "/" in path.rstrip("/") else path
    folder = studies / name if name == path else Path(path)
    refuse_name(name, folder.parent)
    if folder.exists() or folder.is_symlink():
        raise InputError(Fault(folder, 0, "", "is there already"))
    return folder


def refuse_name(name: str, place: Path, hint: str = "") -> None:
    """Accept only what ``config.yaml`` can name.

    Raises:
        InputError: it is no name for a study.
    """
    fits = re.fullmatch(STUDY_PATTERN, name) and len(name) <= MAX_NAME
    if not fits or name in RESERVED:
        accepted = f"accepted is {PATTERNS[STUDY_PATTERN]}"
        raise InputError(Fault(place, 0, "", f"{name!r} is no name for a study; {accepted}{hint}"))


def new_study(folder: Path) -> Path:
    """Write a study into a new folder, whose name is the study's, and return the folder.

    Raises:
        InputError: nothing can be written there.
    """
    for file in FILES:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        write_text(folder / file, _for_editors(text, folder).replace(PLACEHOLDER, folder.name))
    return folder


def _for_editors(text: str, folder: Path) -> str:
    """Where no schema lies near, editors need not look for it."""
    named = _SCHEMA.match(text)
    found = named is not None and (folder / named[1]).is_file()
    return text if named is None or found else text[named.end() :]
