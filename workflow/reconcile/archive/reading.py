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
from reconcile.archive.contents import code_files
from reconcile.archive.layout import member_of
from reconcile.archive.limits import ArchiveError, parse_json, text_of
from reconcile.archive.manifest import check_manifest, digest
from reconcile.archive.tabular import parse_table
from reconcile.study.model import STUDY_PATTERN

PROJECT = Path(__file__).resolve().parents[3]
"""The checkout that the running library lies in."""
CONFIG = "code/config.yaml"
"""What a run may set as it likes: it is no part of the code."""
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
        if not isinstance(name, str) or not re.fullmatch(STUDY_PATTERN, name) or ".." in name:
            raise ArchiveError("results/reconciliation.json names no study")
        return name

    @property
    def version(self) -> str:
        """The release of reconcile that wrote it."""
        return str(self.reconciliation.get("version", "unknown"))

    @cached_property
    def other_code(self) -> list[str]:
        """The files of the code that wrote it that are not those of the code that runs."""
        wrote = {n: d for n, d in self.members.items() if n.startswith("code/") and n != CONFIG}
        here = running_code()
        return sorted(n for n in {*wrote, *here} if wrote.get(n) != here.get(n))

    @property
    def same_code(self) -> bool:
        """Whether the code that wrote it is the code that runs, file by file."""
        return not self.other_code and self.version == __version__

    def write_part(self, prefix: str, folder: Path) -> None:
        """Write the members below a prefix to a folder, which only a temporary one should be."""
        for name, data in self.members.items():
            if name.startswith(prefix):
                file = folder / name.removeprefix(prefix)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)


@cache
def running_code() -> dict[str, bytes]:
    """The files of the code that runs, as an archive names them, without the configuration."""
    files = {f"code/{f.relative_to(PROJECT).as_posix()}": f for f in code_files(PROJECT)}
    return {name: file.read_bytes() for name, file in files.items() if name != CONFIG}


def open_archive(file: Path) -> Archive:
    """Read an archive; its container and its manifest are checked on the way.

    Raises:
        ArchiveError: it cannot be read, or any byte is not as it was written.
    """
    raw = read_container(file)
    members = unpack(raw)
    check_manifest(members)
    return Archive(members, digest(raw))
