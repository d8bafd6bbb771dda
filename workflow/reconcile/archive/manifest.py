"""SHA256SUMS: the hash of every other file of an archive, as ``sha256sum -c`` reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from reconcile.archive.limits import ArchiveError, shown, text_of

MANIFEST = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")


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
