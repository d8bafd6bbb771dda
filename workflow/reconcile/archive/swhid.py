"""The identifier (SWHID) of a folder: what Software Heritage would call it, found offline.

It is the hash of a Git tree (https://www.swhid.org/specification/, section 5.3), so that whoever
has the folder, or finds it archived, can tell that it is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

FILE, FOLDER = b"100644", b"40000"
"""Modes of Git: an archive knows of no executable files and no links."""


def swhid(members: Mapping[str, bytes], folder: str) -> str:
    """``swh:1:dir:`` and the hash of a folder.

    Args:
        members: files by their path, "/" between its parts.
        folder: the folder's own path, ending in "/"; what lies outside is not looked at.
    """
    inside = {
        name.removeprefix(folder): data for name, data in members.items() if name.startswith(folder)
    }
    return f"swh:1:dir:{_tree(inside).hex()}"


def _tree(members: Mapping[str, bytes]) -> bytes:
    files = {name: data for name, data in members.items() if "/" not in name}
    folders: dict[str, dict[str, bytes]] = {}
    for name in members.keys() - files.keys():
        first, _, rest = name.partition("/")
        folders.setdefault(first, {})[rest] = members[name]
    entries = [(name.encode(), FILE, _hash("blob", data)) for name, data in files.items()]
    # Git sorts a folder as if its name ended in a slash.
    entries += [(f"{name}/".encode(), FOLDER, _tree(within)) for name, within in folders.items()]
    return _hash(
        "tree",
        b"".join(
            mode + b" " + name.removesuffix(b"/") + b"\0" + digest
            for name, mode, digest in sorted(entries)
        ),
    )


def _hash(kind: str, data: bytes) -> bytes:
    # SHA-1 is what the identifier is defined by; nothing here rests on its being hard to forge.
    header = f"{kind} {len(data)}\0".encode()
    return hashlib.sha1(header + data, usedforsecurity=False).digest()
