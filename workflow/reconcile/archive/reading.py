"""An archive that was read whole and whose every byte is accounted for."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NoReturn

from reconcile import __version__
from reconcile.archive.container import (
    MANIFEST,
    REPRODUCIBLE,
    ArchiveError,
    member_of,
    read_container,
    shown,
    unpack,
)
from reconcile.files import code_files
from reconcile.study.yamlfile import STUDY_PATTERN
from reconcile.tables.contract import FILES, tables
from reconcile.tables.rows import Row, TableError, fits, lines_of, read_cell

MAX_JSON_BYTES = 64 * 1024**2
# Deeper than any file of ours, and far from the recursion limit of Python's parser.
MAX_JSON_DEPTH = 60
MAX_JSON_VALUES = 3_000_000
"""Values in all JSON files together; one takes up to a hundred bytes of memory."""
MAX_ROW = 1_000_000
MOST_CELLS = 4_000_000
"""Cells of tables that are held in memory, where they take less than half a gigabyte."""
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
CONFIG = "code/config.yaml"
"""What a run may set as it likes: it is no part of the code."""


def text_of(name: str, data: bytes) -> str:
    """The UTF-8 text of a member.

    Raises:
        ArchiveError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{name} is not UTF-8 text (byte {error.start})") from None


def parse_json(name: str, data: bytes) -> Any:
    """Parse a member as JSON, within limits, refusing duplicate keys and NaN.

    Raises:
        ArchiveError: it is too large, nested too deeply, or no such JSON.
    """
    if len(data) > MAX_JSON_BYTES:
        raise ArchiveError(f"{name} is larger than {MAX_JSON_BYTES:,} bytes")
    text = text_of(name, data)
    if _depth(text) > MAX_JSON_DEPTH:
        raise ArchiveError(f"{name} is nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    # ValueError also stands for integers of thousands of digits, which Python refuses to read.
    except ValueError as error:
        raise ArchiveError(f"{name} is not valid JSON: {shown(str(error))}") from None


def _depth(text: str) -> int:
    """An upper bound of the nesting: brackets inside strings count too."""
    deepest = depth = 0
    for match in re.finditer(r"[\[{\]}]", text):
        depth += 1 if match[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def value_at(record: Any, *path: str) -> Any:
    """A value inside a parsed member, None where it is not known."""
    for key in path:
        record = record.get(key) if isinstance(record, Mapping) else None
    return record


def cells_in(data: bytes) -> int:
    """How many cells a table has, at most, counted before any becomes an object."""
    return data.count(b",") + data.count(b"\n")


def parse_table(name: str, data: bytes) -> list[Row]:
    """The rows of a CSV table by column name, every cell as text.

    Raises:
        ArchiveError: it has no header, a row of another length, or too many cells.
    """
    if cells_in(data) > MOST_CELLS:
        raise ArchiveError(f"{name} has more than {MOST_CELLS:,} cells")
    header, *rows = _lines_of(name, data)
    return [dict(zip(header, map(read_cell, row), strict=True)) for row in rows]


def _lines_of(name: str, data: bytes) -> Iterator[list[str]]:
    """The header, then the rows, one after the other: memory stays flat, however long they are."""
    taken = 0

    def bounded() -> Iterator[str]:
        nonlocal taken
        for line in io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""):
            taken += len(line)
            if taken > MAX_ROW:
                raise TableError(f"{name} has a row of more than {MAX_ROW:,} characters")
            yield line

    try:
        for row in lines_of(name, bounded()):
            taken = 0
            yield row
    except TableError as error:
        raise ArchiveError(str(error)) from None


def check_table(name: str, data: bytes, needed: Sequence[str], *, exactly: bool) -> int:
    """Check columns and the form of every cell of a table of the contract.

    Args:
        name: the file's name without folders: "layers.csv".
        data: its content.
        needed: the columns that must be there.
        exactly: refuse any other column.

    Returns:
        The number of rows.

    Raises:
        ArchiveError: a column is missing or unknown, or a cell has not the column's form.
    """
    lines = _lines_of(name, data)
    header = next(lines)
    known = {column.name: column for column in FILES[name].columns}
    missing = [column for column in needed if column not in header]
    extra = [column for column in header if exactly and column not in needed]
    if missing or extra:
        what = "lacks the" if missing else "has the unknown"
        raise ArchiveError(f"{name} {what} column {shown((missing or extra)[0])}")
    columns = [known.get(column) for column in header]
    number = 0
    for number, row in enumerate(lines, start=1):
        for column, cell in zip(columns, row, strict=True):
            if column is not None and not fits(column, read_cell(cell)):
                raise ArchiveError(f"{name}, row {number}: {column.name} cannot be {shown(cell)}")
    return number


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def manifest(members: Mapping[str, bytes]) -> bytes:
    """The manifest of these files; it never lists itself."""
    names = sorted(name for name in members if name != MANIFEST)
    return "".join(f"{digest(members[name])}  {name}\n" for name in names).encode()


def read_manifest(data: bytes) -> dict[str, str]:
    """Hash by file name.

    Raises:
        ArchiveError: a line is no ``hash  name``, stands twice, or names the manifest itself.
    """
    text = text_of(MANIFEST, data)
    if not text.endswith("\n"):
        raise ArchiveError(f"{MANIFEST} does not end with a line")
    sums: dict[str, str] = {}
    for line in text[:-1].split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ArchiveError(f"{MANIFEST} holds a line that is no hash and name: {shown(line)}")
        if match[2] == MANIFEST:
            raise ArchiveError(f"{MANIFEST} lists itself, which no true hash can do")
        if match[2] in sums:
            raise ArchiveError(f"{MANIFEST} lists {shown(match[2])} twice")
        sums[match[2]] = match[1]
    return sums


def check_manifest(members: Mapping[str, bytes]) -> int:
    """Check that the manifest lists exactly the other members, each with its true hash.

    Returns:
        The number of files it lists.

    Raises:
        ArchiveError: it is missing or broken, or a file is missing, extra or changed.
    """
    if MANIFEST not in members:
        raise ArchiveError(f"{MANIFEST} is missing")
    sums = read_manifest(members[MANIFEST])
    files = set(members) - {MANIFEST}
    for name in sorted(set(sums) - files):
        raise ArchiveError(f"{shown(name)} is missing; {MANIFEST} lists it")
    for name in sorted(files - set(sums)):
        raise ArchiveError(f"{name} is extra; {MANIFEST} does not list it")
    for name in sorted(files):
        if digest(members[name]) != sums[name]:
            raise ArchiveError(f"{name} was changed: its SHA-256 is not the listed one")
    return len(files)


@dataclass(frozen=True)
class Archive:
    """The members of an archive, content by name, parsed on demand."""

    members: Mapping[str, bytes]

    def data(self, result: str) -> bytes:
        """A file of ``results/<study>/``; ArchiveError if it is missing."""
        name = member_of(result)
        if name not in self.members:
            raise ArchiveError(f"{name} is missing")
        return self.members[name]

    def table(self, result: str) -> list[Row]:
        """The rows of a table; ArchiveError if it is no CSV."""
        return parse_table(member_of(result), self.data(result))

    def json(self, result: str) -> dict[str, Any]:
        """The object in a JSON file; ArchiveError if there is none."""
        name = member_of(result)
        value = parse_json(name, self.data(result))
        if not isinstance(value, dict):
            raise ArchiveError(f"{name} must hold a JSON object")
        return value

    @property
    def cells(self) -> int:
        """How many cells all tables have together, at most."""
        return sum(cells_in(self.members.get(member_of(name), b"")) for name in tables())

    @property
    def values(self) -> int:
        """How many values all JSON files have together, at most."""
        own = ("code/", "study/")
        files = (n for n in self.members if n.endswith(".json") and not n.startswith(own))
        return sum(self.members[n].count(char) for n in files for char in (b"[", b"{", b","))

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

    @property
    def reproducible(self) -> str:
        """One hash for all that two runs have in common: of their lines in SHA256SUMS."""
        own = {n: data for n, data in self.members.items() if n.startswith(REPRODUCIBLE)}
        return digest(manifest(own))

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
    files = {f"code/{name}": file for name, file in code_files().items()}
    return {name: file.read_bytes() for name, file in files.items() if name != CONFIG}


def open_archive(file: Path) -> Archive:
    """Read an archive; its container and its manifest are checked on the way.

    Raises:
        ArchiveError: it cannot be read, or any byte is not as it was written.
    """
    members = unpack(read_container(file))
    check_manifest(members)
    return Archive(members)
