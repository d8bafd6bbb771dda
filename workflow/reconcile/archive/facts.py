"""What an archive says about itself: read from its own files, nothing added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from reconcile.archive.layout import REPRODUCIBLE
from reconcile.archive.limits import ArchiveError, parse_json
from reconcile.archive.manifest import digest, manifest


@dataclass(frozen=True)
class Facts:
    """The sources of README, certificate and metadata.

    Attributes:
        reconciliation: results/reconciliation.json.
        record: record/record.json.
        tool: the project's CITATION.cff.
        options: those of the report; they name who answers for the check.
        digest: one hash for everything that two runs have in common.
    """

    reconciliation: Mapping[str, Any]
    record: Mapping[str, Any]
    tool: Mapping[str, Any]
    options: Mapping[str, Any]
    digest: str

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self.reconciliation["study"])

    @property
    def version(self) -> str:
        """The release that wrote the results."""
        return str(self.reconciliation["version"])

    @property
    def paper(self) -> Mapping[str, Any]:
        """The paper's bibliography."""
        paper: Mapping[str, Any] = self.reconciliation["paper"]
        return paper

    @property
    def title(self) -> str:
        """One line that names the archive."""
        return f"Reconciliation of the printed numbers of “{self.paper['title']}”"

    @property
    def authors(self) -> list[str]:
        """Who made the tool, as its CITATION.cff says."""
        return [str(author.get("name") or _person(author)) for author in self.tool["authors"]]

    def answering(self, key: str) -> str:
        """``checked_by`` or ``orcid`` of the report, empty where nobody is named."""
        return str(self.options.get(key) or "")

    def recorded(self, *path: str) -> Any:
        """A value of the record, None where it is not known."""
        value: Any = self.record
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def _person(author: Mapping[str, Any]) -> str:
    return " ".join(str(author[k]) for k in ("given-names", "family-names") if author.get(k))


def facts_of(members: Mapping[str, bytes]) -> Facts:
    """Read the facts from gathered files.

    Raises:
        ArchiveError: a file they stand in is missing or broken.
    """
    try:
        tool = _yaml(members, "CITATION.cff")
        reconciliation, record, options = (
            parse_json(name, members[name])
            for name in (
                "results/reconciliation.json",
                "record/record.json",
                "results/options.json",
            )
        )
    except KeyError as error:
        raise ArchiveError(f"{error.args[0]} is missing") from None
    return Facts(reconciliation, record, tool, options, reproducible_digest(members))


def _yaml(members: Mapping[str, bytes], name: str) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(members[f"code/{name}"]) or {}
    except yaml.YAMLError:
        raise ArchiveError(f"code/{name} is not valid YAML") from None
    if not isinstance(content, Mapping):
        raise ArchiveError(f"code/{name} holds no `key: value` pairs")
    return content


def reproducible_digest(members: Mapping[str, bytes]) -> str:
    """The SHA-256 of the SHA256SUMS lines of everything that is no record."""
    return digest(manifest({n: d for n, d in members.items() if n.startswith(REPRODUCIBLE)}))
