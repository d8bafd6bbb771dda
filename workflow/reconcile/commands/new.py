"""``python -m reconcile new NAME``: write a small working study to start from."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from reconcile.errors import Fault, InputError
from reconcile.files import write_text
from reconcile.model import ID_PATTERN, PATTERNS

__all__ = ["add_arguments", "new_study", "run"]

SKELETON = Path(__file__).resolve().parents[1] / "skeleton"
PLACEHOLDER = "PAPER"
RESERVED = ("all",)
"""``studies: all`` means every study."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", help="name of the study and of its folder, like mypaper")
    parser.add_argument(
        "--studies", type=Path, default=Path("studies"), help="folder of the studies"
    )


def run(args: argparse.Namespace) -> int:
    """Write the study and say how to run it."""
    folder = new_study(args.name, args.studies)
    print(f"{folder}: study.yaml and network.py; now: snakemake --config studies=[{args.name}]")
    return 0


def new_study(name: str, studies: Path) -> Path:
    """Write ``<studies>/<name>/`` and return it.

    Raises:
        InputError: the name is none for a study, the folder is there, or nothing can be written.
    """
    folder = studies / name
    if not re.fullmatch(ID_PATTERN, name) or name in RESERVED:
        accepted = f"accepted is {PATTERNS[ID_PATTERN]}"
        raise InputError(Fault(studies, 0, "", f"{name!r} is no name for a study; {accepted}"))
    if folder.exists():
        raise InputError(Fault(folder, 0, "", "is there already"))
    for file in sorted(SKELETON.iterdir()):
        if file.is_file():
            text = file.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
            write_text(folder / file.name, text)
    return folder
