"""What a folder holds: its own files. A link in it may lead anywhere, so none is ever followed.

A study from somebody else could have one to a file of whoever runs it, and an archive would
publish that. The folder itself may be reached through a link: where it lies is the user's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reconcile.errors import Fault, InputError

CACHES = {"__pycache__", "reconcile.egg-info", ".snakemake"}
"""Folders that tools leave behind, wherever they lie: they belong to nothing."""


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
