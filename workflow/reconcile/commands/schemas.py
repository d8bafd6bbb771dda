"""``python -m reconcile schemas``: write the JSON Schemas that editors use."""

from __future__ import annotations

import argparse
from pathlib import Path

from reconcile.files import write_text
from reconcile.schemas import SCHEMAS, schema_text

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("workflow/schemas"),
        help="where to write them. Default: %(default)s",
    )


def run(args: argparse.Namespace) -> int:
    """Write every schema."""
    for name in SCHEMAS:
        write_text(args.folder / name, schema_text(name))
        print(args.folder / name)
    return 0
