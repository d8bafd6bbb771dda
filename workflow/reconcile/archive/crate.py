"""What an archive says of itself: README, certificate, and metadata as an RO-Crate.

The text of README and certificate, which people read first, stands in ``templates/archive``. The
README is the same for every run; what belongs to one run stands in the certificate.
ro-crate-metadata.json is a Provenance Run Crate 0.5 on RO-Crate 1.1: what ran on what and made
what, as far as the files show. Nothing is added that no file of the archive says, but the
identifier of a folder, which follows from it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import PurePosixPath
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from reconcile.archive.container import (
    CERTIFICATE,
    MANIFEST,
    METADATA,
    README,
    WRITTEN_BY,
    ArchiveError,
    member_of,
    result_name,
)
from reconcile.archive.reading import Archive, digest, value_at
from reconcile.cite.bibliography import makers_of, reconciliation_of
from reconcile.files import TEMPLATES, json_text
from reconcile.tables.contract import FILES

NOT_PROVABLE = (
    "that the numbers were measured: a changed measurement with all that follows from it made anew "
    "is found by --rerun only"
)
"""What no check without measuring can see."""
_CITATION = "code/CITATION.cff"
FILE, FOLDER = b"100644", b"40000"
"""Modes of Git: an archive knows of no executable files and no links."""


class Facts(Archive):
    """The sources of README, certificate and metadata: gathered files that are an archive's.

    What is read of them raises ArchiveError where it is missing or broken.
    """

    @cached_property
    def tool(self) -> Mapping[str, Any]:
        """The project's CITATION.cff."""
        try:
            content = yaml.safe_load(self.members[_CITATION]) or {}
        except KeyError:
            raise ArchiveError(f"{_CITATION} is missing") from None
        except yaml.YAMLError:
            raise ArchiveError(f"{_CITATION} is not valid YAML") from None
        if not isinstance(content, Mapping):
            raise ArchiveError(f"{_CITATION} holds no `key: value` pairs")
        return content

    @property
    def paper(self) -> Mapping[str, Any]:
        """The paper's bibliography."""
        paper: Mapping[str, Any] = self.reconciliation["paper"]
        return paper

    @property
    def title(self) -> str:
        """One line that names the archive."""
        return reconciliation_of(self.paper["title"])

    def answering(self, key: str) -> str:
        """``checked_by`` or ``orcid`` of the report, empty where nobody is named."""
        return str(self.json("options.json").get(key) or "")

    def recorded(self, *path: str) -> Any:
        """A value of the record, None where it is not known."""
        return value_at(self.record, *path)


def readme(facts: Facts, network: str) -> bytes:
    """README.md of an archive; ``network`` is the file of the study that has the network."""
    return _rendered("README.md", facts, network=f"study/{network}")


def certificate(members: Mapping[str, bytes], facts: Facts) -> bytes:
    """certificate.md: everything a reader needs to know what this archive vouches for."""
    commit, clean = facts.recorded("source", "commit"), facts.recorded("source", "clean")
    state = {True: ", clean", False: ", with uncommitted changes"}.get(clean, "")
    conclusion = facts.reconciliation["conclusion"]
    verdicts = facts.table("verdicts.csv")
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
    names = ("study", "version", "title", "paper", "tool", "reconciliation", "reproducible")
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


# The metadata.

PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
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
    **{member_of(name): file.says for name, file in FILES.items()},
}
WORKFLOW: Final = "code/Snakefile"
SCRIPTS: Final = "code/workflow/scripts/"
INPUTS: Final = {
    "study": "study/study.yaml",
    "configuration": "code/config.yaml",
    "environment": "code/requirements.lock",
}
OUTPUTS: Final = {
    "layers": "results/layers.csv",
    "verdicts": "results/verdicts.csv",
    "reconciliation": "results/reconciliation.json",
    "record": "record/record.json",
    "report": "record/report.html",
}
HOMES: Final = {
    "fonttools": "https://github.com/fonttools/fonttools",
    "jinja2": "https://github.com/pallets/jinja",
    "numpy": "https://numpy.org/",
    "pandas": "https://pandas.pydata.org/",
    "pydantic": "https://github.com/pydantic/pydantic",
    "pydyf": "https://github.com/CourtBouillon/pydyf",
    "python": "https://www.python.org/",
    "pyyaml": "https://github.com/yaml/pyyaml",
    "rocrate": "https://github.com/ResearchObject/ro-crate-py",
    "snakemake": "https://snakemake.github.io/",
    "torch": "https://pytorch.org/",
    "weasyprint": "https://weasyprint.org/",
}
"""Home pages of the software that a record names; the rest has only its name and release."""


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


def metadata(members: Mapping[str, bytes], facts: Facts) -> bytes:
    """The metadata file for these members, which all are data entities of the crate."""
    builder = Builder(members, facts)
    root = builder.crate.root_dataset
    builder.file(README, about=root)
    for name, value in _root(builder).items():
        root[name] = value
    root["mainEntity"] = add_workflow(builder)
    root["mentions"] = add_run(builder)
    builder.crate.metadata["conformsTo"] = [
        {"@id": f"https://w3id.org/ro/crate/{RO_CRATE_VERSION}"},
        {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
    ]
    return json_text(builder.crate.metadata.generate()).encode()


def _root(builder: Builder) -> dict[str, Any]:
    """What is said of the archive as a whole."""
    facts = builder.facts
    profiles = (
        builder.add(url, "CreativeWork", name=name, version=url.rsplit("/", 1)[1])
        for url, name in PROFILES.items()
    )
    makers = makers_of(facts.tool)
    authors = [builder.add(f"#{slug(name)}", "Organization", name=name) for name in makers]
    return {
        "name": facts.title,
        "description": " ".join(str(facts.reconciliation["question"]).split()),
        "version": facts.version,
        # The moment at which what is published here was measured.
        "datePublished": facts.recorded("ended"),
        "conformsTo": list(profiles),
        "license": _licence(builder),
        "author": authors[0] if len(authors) == 1 else authors,
        "about": _paper(builder),
    }


def _licence(builder: Builder) -> Any:
    name = str(builder.facts.tool["license"])
    url = f"https://spdx.org/licenses/{name}"
    said = f"{name}; the text is in code/LICENSE"
    return builder.add(url, "CreativeWork", name=name, description=said)


def _paper(builder: Builder) -> Any:
    paper = builder.facts.paper
    doi = paper.get("doi")
    return builder.add(
        paper["url"],
        "ScholarlyArticle",
        name=paper["title"],
        author=[
            builder.add(f"#author-{slug(name)}", "Person", name=name) for name in paper["authors"]
        ],
        datePublished=str(paper["year"]),
        isPartOf=builder.add("#venue", "CreativeWork", name=paper["venue"]),
        identifier=f"https://doi.org/{doi}" if doi else None,
    )


def add_workflow(builder: Builder) -> Any:
    """The Snakefile as the main entity, with its rules as steps and their scripts as tools."""
    return builder.file(
        WORKFLOW,
        "SoftwareSourceCode",
        "ComputationalWorkflow",
        "HowTo",
        name="reconcile",
        version=builder.facts.version,
        conformsTo=_workflow_profile(builder),
        programmingLanguage=_snakemake(builder),
        softwareRequirements=_software(builder),
        input=[_parameter(builder, "input", *item) for item in INPUTS.items()],
        output=[_parameter(builder, "output", *item) for item in OUTPUTS.items()],
        hasPart=[_tool(builder, *item) for item in _scripts(builder).items()],
        step=[_step(builder, *item) for item in _scripts(builder).items()],
    )


def _workflow_profile(builder: Builder) -> Any:
    address = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
    name = "Bioschemas ComputationalWorkflow profile"
    return builder.add(address, "CreativeWork", name=name, version="1.0")


def _snakemake(builder: Builder) -> Any:
    return builder.add(
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        "ComputerLanguage",
        name="Snakemake",
        identifier={"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        url={"@id": "https://snakemake.readthedocs.io"},
    )


def _software(builder: Builder) -> list[Any]:
    versions = builder.facts.recorded("versions") or {}
    return [
        builder.add(
            HOMES.get(name, f"#software-{slug(name)}"),
            "SoftwareApplication",
            name=name,
            version=str(version),
            url=HOMES.get(name),
        )
        for name, version in sorted(versions.items())
        if version is not None
    ]


def _parameter(builder: Builder, role: str, name: str, member: str) -> Any:
    parameter = builder.add(
        f"#{role}-{name}",
        "FormalParameter",
        name=name,
        additionalType="File",
        workExample=builder.files[member],
    )
    builder.file(member, exampleOfWork=parameter)
    return parameter


def _scripts(builder: Builder) -> dict[str, str]:
    """The scripts of the rules that wrote what is archived, by rule; that others ran is not known.

    Each rule's script has its name.
    """
    scripts = (n for n in sorted(builder.members) if n.startswith(SCRIPTS) and n.endswith(".py"))
    rules = {PurePosixPath(script).stem: script for script in scripts}
    makers = {_maker(name) for name in builder.files}
    return {r: script for r, script in rules.items() if any(_is_of(maker, r) for maker in makers)}


def _tool(builder: Builder, rule: str, script: str) -> Any:
    python = builder.add("#python", "ComputerLanguage", name="Python")
    version = builder.facts.version
    return builder.file(
        script, "SoftwareSourceCode", name=rule, version=version, programmingLanguage=python
    )


def _step(builder: Builder, rule: str, script: str) -> Any:
    tool = builder.files[script]
    return builder.add(f"{WORKFLOW}#{rule}", "HowToStep", name=rule, workExample=tool)


def add_run(builder: Builder) -> list[Any]:
    """The run as a whole and each step of it; returns the actions."""
    agent = _agent(builder)
    study = builder.facts.study
    run = builder.add(
        "#run",
        "CreateAction",
        name=f"Run of the study {study}",
        description=f"Measured every interpretation of the study {study} and reconciled it",
        instrument=builder.files[WORKFLOW],
        agent=agent,
        object=[builder.files[member] for member in INPUTS.values()],
        result=[builder.files[member] for member in OUTPUTS.values()],
    )
    scripts = _scripts(builder).items()
    actions = {rule: _action(builder, rule, script, agent) for rule, script in scripts}
    controls = [_control(builder, rule, action) for rule, action in actions.items()]
    engine = builder.crate.get(HOMES["snakemake"])
    # Which engine ran the steps is known only if the record lists it.
    if engine is not None and controls:
        parts = {"instrument": engine, "agent": agent, "object": controls, "result": run}
        builder.add("#engine-run", "OrganizeAction", name="Run of Snakemake", **parts)
    return [run, *actions.values()]


def _agent(builder: Builder) -> Any:
    name, orcid = builder.facts.answering("checked_by"), builder.facts.answering("orcid")
    if not name:
        return None
    key = f"https://orcid.org/{orcid}" if orcid else f"#{slug(str(name))}"
    return builder.add(key, "Person", name=str(name))


def _action(builder: Builder, rule: str, script: str, agent: Any) -> Any:
    made = [builder.files[name] for name in sorted(builder.files) if _is_of(_maker(name), rule)]
    facts = {"description": f"Ran the rule {rule} of the workflow"}
    return builder.add(
        f"#run-{rule}",
        "CreateAction",
        name=f"Run of {rule}",
        instrument=builder.files[script],
        agent=agent,
        result=made,
        **(facts | (dict(_measured(builder)) if rule == "measure" else {})),
    )


def _control(builder: Builder, rule: str, action: Any) -> Any:
    step = builder.crate.get(f"{WORKFLOW}#{rule}")
    key, name = f"#control-{rule}", f"Control of {rule}"
    return builder.add(key, "ControlAction", name=name, instrument=step, object=action)


def _maker(member: str) -> str | None:
    """The rule that wrote a result, without what tells its variants apart; None of other files."""
    name = result_name(member)
    if name is None or member_of(name) != member:
        return None
    return WRITTEN_BY.get(name.partition("/")[0])


def _is_of(maker: str | None, rule: str) -> bool:
    return maker is not None and (rule == maker or rule.startswith(f"{maker}_"))


def _measured(builder: Builder) -> Iterator[tuple[str, Any]]:
    """What the record knows of measuring: times, command, device."""
    facts = builder.facts
    said = (("Command", facts.recorded("command")), ("Device", facts.recorded("device", "name")))
    yield "description", ". ".join(f"{what}: {value}" for what, value in said if value)
    yield "startTime", facts.recorded("started")
    yield "endTime", facts.recorded("ended")
    yield "object", [builder.files[n] for n in ("results/interpretations.json", "study/study.yaml")]
