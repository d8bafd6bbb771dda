"""A small study that works, to start one from: ``reconcile new``."""

from __future__ import annotations

import re
from pathlib import Path

from reconcile.errors import Fault, InputError
from reconcile.files import write_text
from reconcile.study.values import PATTERNS, STUDY_PATTERN

FILES = ("study.yaml", "network.py")
PLACEHOLDER = "PAPER"
RESERVED = ("all",)
"""``studies: all`` means every study."""


def new_study(name: str, studies: Path) -> Path:
    """Write ``<studies>/<name>/`` and return it.

    Raises:
        InputError: the name is none for a study, the folder is there, or nothing can be written.
    """
    folder = studies / name
    if not re.fullmatch(STUDY_PATTERN, name) or name in RESERVED:
        accepted = f"accepted is {PATTERNS[STUDY_PATTERN]}"
        raise InputError(Fault(studies, 0, "", f"{name!r} is no name for a study; {accepted}"))
    if folder.exists():
        raise InputError(Fault(folder, 0, "", "is there already"))
    for file in FILES:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        write_text(folder / file, text.replace(PLACEHOLDER, name))
    return folder
