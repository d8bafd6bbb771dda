"""The one zip file that a set of files has: the same bytes everywhere and for ever.

Members are stored, not compressed: another release of zlib would write other bytes, a stored member
cannot be a bomb, and no decompressor has to be trusted. Names are sorted, dates and modes fixed. So
a list of files has exactly one container, and a reader can ask for that one byte by byte: whatever
was changed, in a member, a header, an extra field or behind the end, is seen.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from reconcile.archive.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_MEMBER_BYTES,
    MAX_MEMBERS,
    ArchiveError,
    check_name,
    shown,
)

# APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end).
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 20
_UNIX = 3
# 1980-01-01 00:00:00, the first date that a zip can name: it stands for "no date".
_TIME, _DATE = 0, (1 << 5) | 1
_MODE = stat.S_IFREG | 0o644


class _Entry(NamedTuple):
    """A record of the central directory, as far as anything is read from it."""

    signature: bytes
    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int


def pack(members: Mapping[str, bytes]) -> bytes:
    """The container of these files.

    Raises:
        ArchiveError: a name is not plain, or there is more than a container may hold.
    """
    _check_names(list(members))
    body, directory = bytearray(), bytearray()
    for name in sorted(members):
        data = members[name]
        sizes = (zlib.crc32(data), len(data), len(data), len(name), 0)
        common = (_VERSION, 0, 0, _TIME, _DATE, *sizes)
        made_by = _UNIX << 8 | _VERSION
        external = _MODE << 16
        directory += _CENTRAL.pack(b"PK\1\2", made_by, *common, 0, 0, 0, external, len(body))
        directory += name.encode("ascii")
        body += _LOCAL.pack(b"PK\3\4", *common) + name.encode("ascii") + data
        if len(data) > MAX_MEMBER_BYTES or len(body) > MAX_ARCHIVE_BYTES:
            raise ArchiveError(f"{name} makes the archive larger than an archive may be")
    count = len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def read_container(file: Path) -> bytes:
    """The bytes of an archive file.

    Raises:
        ArchiveError: it is missing, not a plain file, unreadable or too large.
    """
    try:
        if not file.is_file():
            raise ArchiveError("there is no such file")
        if file.stat().st_size > MAX_ARCHIVE_BYTES:
            raise ArchiveError(f"is larger than {MAX_ARCHIVE_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise ArchiveError(f"cannot be read: {error.strerror}") from None


def unpack(raw: bytes) -> dict[str, bytes]:
    """The files in a container, if it is exactly the container of these files.

    Raises:
        ArchiveError: it is no zip, breaks a rule of the archive, or differs in any byte from what
            ``pack`` makes of its members.
    """
    entries = list(_directory(raw))
    _check_names([name for name, _ in entries])
    for name, entry in entries:
        _check_entry(name, entry)
    # Entries that overlap would let a small file stand for a large one: asked before any is read.
    if sum(entry.size for _, entry in entries) > len(raw):
        raise ArchiveError("its members overlap: together they are larger than the file")
    members = {name: _stored(raw, name, entry) for name, entry in entries}
    _compare(raw, pack(members))
    return members


def _directory(raw: bytes) -> Iterator[tuple[str, _Entry]]:
    if len(raw) < _END.size:
        raise ArchiveError("is not a zip file")
    signature, _, _, _, count, size, start, comment = _END.unpack_from(raw, len(raw) - _END.size)
    if signature != b"PK\5\6" or comment:
        raise ArchiveError("does not end as a zip file does: cut off, appended to, or no zip")
    at, end = start, len(raw) - _END.size
    if start + size != end:
        raise ArchiveError("is a broken zip: its directory is not where its end says")
    if count > MAX_MEMBERS:
        raise ArchiveError(f"has more than {MAX_MEMBERS:,} members")
    for _ in range(count):
        if at + _CENTRAL.size > end:
            raise ArchiveError("is a broken zip: its directory is cut off")
        entry = _Entry(*_CENTRAL.unpack_from(raw, at))
        at += _CENTRAL.size
        name = raw[at : at + entry.name_length].decode("utf-8", "replace")
        at += entry.name_length + entry.extra_length + entry.comment_length
        yield name, entry


def _check_names(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        check_name(name)
        # Two names that differ in case only are one file on some systems.
        if name.lower() in seen:
            raise ArchiveError(f"{shown(name)} stands in the archive twice")
        seen.add(name.lower())
    for name in names:
        folder = next((f for f in _folders(name) if f.lower() in seen), None)
        if folder is not None:
            raise ArchiveError(f"{shown(name)} lies in a folder that is a file of the archive")
    if len(names) > MAX_MEMBERS:
        raise ArchiveError(f"has more than {MAX_MEMBERS:,} members")


def _folders(name: str) -> Iterator[str]:
    """The folders that a member lies in."""
    return (name[:at] for at, char in enumerate(name) if char == "/")


def _check_entry(name: str, entry: _Entry) -> None:
    mode = entry.external >> 16
    if stat.S_ISLNK(mode):
        raise ArchiveError(f"{name} is a symbolic link; an archive holds files only")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ArchiveError(f"{name} is no regular file")
    if entry.flags & 1:
        raise ArchiveError(f"{name} is encrypted")
    if entry.size > MAX_MEMBER_BYTES:
        raise ArchiveError(f"{name} is larger than {MAX_MEMBER_BYTES:,} bytes")
    if entry.method != 0 or entry.packed != entry.size:
        raise ArchiveError(f"{name} is compressed ({entry.size:,} bytes); members are stored as is")


def _stored(raw: bytes, name: str, entry: _Entry) -> bytes:
    start = entry.offset + _LOCAL.size + entry.name_length
    data = raw[start : start + entry.size]
    if len(data) != entry.size:
        raise ArchiveError(f"is a broken zip: {name} is cut off")
    if zlib.crc32(data) != entry.crc:
        raise ArchiveError(f"{name} was changed: its checksum (CRC-32) is not the recorded one")
    return data


def _compare(raw: bytes, expected: bytes) -> None:
    if raw == expected:
        return
    pairs = enumerate(zip(raw, expected, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(raw), len(expected)))
    raise ArchiveError(f"its zip structure was changed (byte {at:,}: not as archives are written)")
