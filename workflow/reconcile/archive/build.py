"""One file that stands on its own: study, results, record, code, and a way to check them.

The same files give the same archive, byte for byte; ``archive.verify`` asks for exactly that.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from reconcile.archive.container import pack
from reconcile.archive.contents import gather
from reconcile.archive.crate import metadata
from reconcile.archive.facts import facts_of
from reconcile.archive.layout import CERTIFICATE, METADATA, README
from reconcile.archive.limits import ArchiveError
from reconcile.archive.manifest import MANIFEST, manifest
from reconcile.archive.prose import certificate, readme
from reconcile.errors import Fault, InputError
from reconcile.files import write_bytes


def archive_name(study: str, version: str) -> str:
    """The file name of an archive."""
    return f"{study}-{version}.crate.zip"


def build_archive(root: Path, study_folder: Path, results: Path, out: Path) -> None:
    """Write the archive of a study's results.

    Args:
        root: the project's folder.
        study_folder: the study's folder.
        results: the study's results, complete with reports.
        out: the zip file to write.

    Raises:
        InputError: a result is missing or broken, or the file cannot be written.
    """
    members = gather(root, study_folder, results)
    try:
        content = pack(describe(members))
    except ArchiveError as error:
        raise InputError(Fault(out, 0, "", f"cannot be archived: {error}")) from None
    write_bytes(out, content)


def describe(members: dict[str, bytes]) -> dict[str, bytes]:
    """Gathered files with README, certificate, metadata and manifest, which describe them.

    Raises:
        ArchiveError: a file that they draw on is missing or broken.
    """
    facts = facts_of(members)
    if not facts.recorded("ended"):
        raise ArchiveError("record/record.json does not say when measuring ended")
    network = str(yaml.safe_load(members["study/study.yaml"])["network"]).partition(":")[0]
    full = dict(members)
    full[README] = readme(facts, network)
    full[CERTIFICATE] = certificate(full, facts)
    full[METADATA] = metadata(full, facts)
    full[MANIFEST] = manifest(full)
    return full
