"""A crate while it is put together: its entities, each added once, unknown properties left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from reconcile.archive.documents import Facts
from reconcile.archive.layout import CERTIFICATE, METADATA, README
from reconcile.archive.manifest import MANIFEST, digest

# The run crate profiles reject RO-Crate 1.2 and 1.3.
RO_CRATE_VERSION: Final = "1.1"
# sha256 is a term of this context; without it the hashes would be illegal.
RUN_CONTEXT: Final = "https://w3id.org/ro/terms/workflow-run/context"
FORMATS: Final = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".woff2": "font/woff2",
    ".yaml": "application/yaml",
}
DESCRIPTIONS: Final = {
    README: "What this archive is and how to check it",
    CERTIFICATE: "What was checked, by whom, with what outcome",
    MANIFEST: "SHA-256 of every other file",
    "study/study.yaml": "The paper's claims, the interpretations and the evidence",
    "record/report.html": "The reconciliation report",
    "record/report.pdf": "The reconciliation report for print",
    "record/record.json": "Device, versions, command, times and seeds of this run",
    "record/timings.csv": "Latency and memory of this run",
    "results/reconciliation.json": "Counts, ranking and conclusion",
    "results/verdicts.csv": "How each interpretation stands to each claim",
}


class Builder:
    """Adds entities to a crate.

    Attributes:
        crate: the crate, empty at first.
        facts: what the archive knows of itself.
        files: the entity of every file, by member name.
    """

    def __init__(self, members: Mapping[str, bytes], facts: Facts) -> None:
        self.members = members
        self.facts = facts
        self.crate = ROCrate(version=RO_CRATE_VERSION)
        self.crate.metadata.extra_contexts.append(RUN_CONTEXT)
        self.files: dict[str, Any] = {}
        self._add_files()

    def add(self, key: str, kind: str, **properties: Any) -> Any:
        """Add an entity; a property that is None or an empty list is not known and left out."""
        known = {name: _compact(value) for name, value in properties.items()}
        known = {name: value for name, value in known.items() if value not in (None, [])}
        return self.crate.add(ContextEntity(self.crate, key, properties={"@type": kind} | known))

    def file(self, member: str, *kinds: str, **properties: Any) -> Any:
        """The entity of a file, given further types and properties."""
        entity = self.files[member]
        if kinds:
            entity.properties()["@type"] = ["File", *kinds]
        for key, value in properties.items():
            if value not in (None, []):
                entity[key] = _compact(value)
        return entity

    def organisation(self, name: str) -> Any:
        """An organisation that is known by its name."""
        return self.add(f"#{slug(name)}", "Organization", name=name)

    def _add_files(self) -> None:
        """Every file, with size and hash where these do not depend on this very description."""
        for name in sorted({*self.members, MANIFEST} - {METADATA}):
            properties = {"name": PurePosixPath(name).name} | self._measures(name)
            properties["encodingFormat"] = FORMATS.get(PurePosixPath(name).suffix, "text/plain")
            if name in DESCRIPTIONS:
                properties["description"] = DESCRIPTIONS[name]
            entity = File(self.crate, dest_path=name, properties=properties)
            self.files[name] = self.crate.add(entity)

    def _measures(self, name: str) -> dict[str, str]:
        if name not in self.members:
            return {}
        data = self.members[name]
        return {"contentSize": str(len(data)), "sha256": digest(data)}


def _compact(value: Any) -> Any:
    """A list of one as the one, as RO-Crate 1.1 recommends."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def slug(text: str) -> str:
    """Words for the fragment of an identifier."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"
