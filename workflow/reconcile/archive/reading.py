"""An archive that was read whole and whose every byte is accounted for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from reconcile import __version__
from reconcile.archive.container import read_container, unpack
from reconcile.archive.layout import member_of
from reconcile.archive.limits import ArchiveError, parse_json, text_of
from reconcile.archive.manifest import check_manifest, digest
from reconcile.archive.tabular import parse_table
from reconcile.study.model import ID_PATTERN

LIBRARY = Path(__file__).resolve().parents[1]
Row = dict[str, str]


@dataclass(frozen=True)
class Archive:
    """The members of an archive, parsed on demand.

    Attributes:
        members: content by member name.
        sha256: the hash of the archive file.
    """

    members: Mapping[str, bytes]
    sha256: str

    def text(self, result: str) -> str:
        """A file of ``results/<study>/`` as text.

        Raises:
            ArchiveError: it is missing or not UTF-8.
        """
        name = member_of(result)
        if name not in self.members:
            raise ArchiveError(f"{name} is missing")
        return text_of(name, self.members[name])

    def table(self, result: str) -> list[Row]:
        """The rows of a table; ArchiveError if it is no CSV."""
        return parse_table(member_of(result), self.text(result))

    def json(self, result: str) -> dict[str, Any]:
        """The object in a JSON file; ArchiveError if there is none."""
        name = member_of(result)
        value = parse_json(name, self.text(result).encode())
        if not isinstance(value, dict):
            raise ArchiveError(f"{name} must hold a JSON object")
        return value

    @cached_property
    def reconciliation(self) -> dict[str, Any]:
        """results/reconciliation.json."""
        return self.json("reconciliation.json")

    @cached_property
    def record(self) -> dict[str, Any]:
        """record/record.json."""
        return self.json("record.json")

    @property
    def study(self) -> str:
        """The study's name, which may become a folder's; ArchiveError if it is none."""
        name = self.reconciliation.get("study")
        if not isinstance(name, str) or not re.fullmatch(ID_PATTERN, name) or ".." in name:
            raise ArchiveError("results/reconciliation.json names no study")
        return name

    @property
    def version(self) -> str:
        """The release of reconcile that wrote it."""
        return str(self.reconciliation.get("version", "unknown"))

    @cached_property
    def same_code(self) -> bool:
        """Whether the library that wrote it is this one, file by file."""
        prefix = "code/workflow/reconcile/"
        wrote = {
            name.removeprefix(prefix): data
            for name, data in self.members.items()
            if name.startswith(prefix) and name.endswith(".py")
        }
        return self.version == __version__ and wrote == running_library()

    def write_part(self, prefix: str, folder: Path) -> None:
        """Write the members below a prefix to a folder, which only a temporary one should be."""
        for name, data in self.members.items():
            if name.startswith(prefix):
                file = folder / name.removeprefix(prefix)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)


@cache
def running_library() -> dict[str, bytes]:
    """The files of the library that is running."""
    files = (file for file in LIBRARY.rglob("*.py") if "__pycache__" not in file.parts)
    return {file.relative_to(LIBRARY).as_posix(): file.read_bytes() for file in files}


def open_archive(file: Path) -> Archive:
    """Read an archive; its container and its manifest are checked on the way.

    Raises:
        ArchiveError: it cannot be read, or any byte is not as it was written.
    """
    raw = read_container(file)
    members = unpack(raw)
    check_manifest(members)
    return Archive(members, digest(raw))
