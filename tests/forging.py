"""Archives that were changed, with every hash put right again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconcile.archive.again import DOCUMENTS, describe
from reconcile.archive.container import MANIFEST, METADATA
from reconcile.archive.reading import digest, manifest


def sealed(members: dict[str, bytes], original: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members, changed in place: what describes them is written anew, but for what was changed.

    Args:
        members: the files of an archive, some of them changed.
        original: the files as they were.
    """
    own = {n: d for n, d in members.items() if n in DOCUMENTS and d != original[n]}
    gone = {n for n in DOCUMENTS if n not in members}
    try:
        made = describe({n: d for n, d in members.items() if n not in DOCUMENTS})
    except Exception:  # what is broken describes itself as it did
        made = {}
    members |= {n: d for n, d in made.items() if n in DOCUMENTS and n not in gone} | own
    if METADATA in own or (not made and METADATA in members):
        members[METADATA] = rehashed(members)
    members[MANIFEST] = manifest(members)
    return members


def rehashed(members: Mapping[str, bytes]) -> bytes:
    """The metadata of an archive with the sizes and hashes that its files have."""
    return json.dumps(measured_again(members)).encode()


def measured_again(members: Mapping[str, bytes]) -> Any:
    """The same, read."""
    crate = json.loads(members[METADATA])
    for entity in crate["@graph"]:
        data = members.get(entity["@id"])
        if data is not None and "sha256" in entity:
            entity["sha256"] = digest(data)
            entity["contentSize"] = str(len(data))
    return crate
