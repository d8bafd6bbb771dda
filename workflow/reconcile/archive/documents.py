"""README and certificate of an archive: what people read first, drawn from its own files.

Their text stands in ``templates/archive``. The README is the same for every run; what belongs to
one run stands in the certificate. Nothing is added that no file of the archive says, but the
identifier of a folder, which follows from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reconcile.archive.container import REPRODUCIBLE, ArchiveError, member_of
from reconcile.archive.reading import digest, manifest, parse_json, parse_table
from reconcile.project import TEMPLATES
from reconcile.tables.contract import FILES

NOT_PROVABLE = (
    "that the numbers were measured: a changed measurement with all that follows from it made anew "
    "is found by --rerun only"
)
"""What no check without measuring can see."""
_VERDICTS = "results/verdicts.csv"
FILE, FOLDER = b"100644", b"40000"
"""Modes of Git: an archive knows of no executable files and no links."""


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


def readme(facts: Facts, network: str) -> bytes:
    """README.md of an archive; ``network`` is the file of the study that has the network."""
    return _rendered("README.md", facts, network=f"study/{network}")


def certificate(members: Mapping[str, bytes], facts: Facts) -> bytes:
    """certificate.md: everything a reader needs to know what this archive vouches for."""
    commit, clean = facts.recorded("source", "commit"), facts.recorded("source", "clean")
    state = {True: ", clean", False: ", with uncommitted changes"}.get(clean, "")
    conclusion = facts.reconciliation["conclusion"]
    verdicts = parse_table(_VERDICTS, members[_VERDICTS])
    # The library's files are many, and in the manifest.
    listed = (
        n for n in sorted(members) if not n.startswith("code/workflow/") and "fonts/" not in n
    )
    return _rendered(
        "certificate.md",
        facts,
        commit=f"{commit}{state}" if commit else None,
        swhids=[(folder, swhid(members, f"{folder}/")) for folder in ("study", "code")],
        conclusion=conclusion,
        measured=[member_of(name) for name, file in FILES.items() if file.rule == "measure"],
        not_provable=NOT_PROVABLE,
        verdicts=[r for r in verdicts if r["interpretation"] == conclusion["interpretation"]],
        files=[(name, len(members[name]), digest(members[name])) for name in listed],
    )


def _rendered(name: str, facts: Facts, **more: Any) -> bytes:
    names = ("study", "version", "title", "paper", "tool", "reconciliation", "digest")
    context = {name: getattr(facts, name) for name in (*names, "recorded", "answering")}
    return _environment().get_template(f"{name}.jinja").render(context | more).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "archive"),
        # What is printed is Markdown already, made so by ``finalize``; nothing is HTML.
        autoescape=True,
        finalize=_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = _plain
    environment.globals |= {"flat": _flat}
    return environment


def _markdown(value: Any) -> Markup:
    """Text inside Markdown, where it cannot end a line or a cell, or become markup."""
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split())
    for char in "\\`*_[]<>|#":
        text = text.replace(char, f"\\{char}")
    return Markup(text)  # noqa: S704 - it is Markdown now


def _plain(value: Any) -> Markup:
    """Text inside a span or block of code, which it cannot end."""
    return Markup(" ".join(str(value).replace("`", "'").split()))  # noqa: S704 - code has no markup


def _flat(group: str, values: Any) -> list[tuple[str, Any]]:
    """The rows of a part of the record, each named after it."""
    known = sorted(values.items()) if isinstance(values, Mapping) else ()
    prefix = f"{group}: " if group else ""
    return [(f"{prefix}{name.replace('_', ' ')}", value) for name, value in known]


def swhid(members: Mapping[str, bytes], folder: str) -> str:
    """The identifier of a folder: what Software Heritage would call it, found offline.

    It is the hash of a Git tree (https://www.swhid.org/specification/, section 5.3), so that
    whoever has the folder, or finds it archived, can tell that it is the same.

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
