"""``python -m reconcile check STUDY...``: say what is wrong with study files, one line a fault."""

from __future__ import annotations

import argparse
from pathlib import Path

from reconcile.errors import Fault, InputError
from reconcile.study import load_study

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("study", type=Path, nargs="+", help="folder of a study")


def run(args: argparse.Namespace) -> int:
    """Check every named study.

    Raises:
        InputError: the faults of all of them.
    """
    faults: list[Fault] = []
    for folder in args.study:
        try:
            study = load_study(folder)
        except InputError as error:
            faults.extend(error.faults)
            continue
        print(f"{folder}: {len(study.claims)} claims, {len(study.interpretations)} interpretations")
    if faults:
        raise InputError(*faults)
    return 0
