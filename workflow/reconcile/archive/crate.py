"""ro-crate-metadata.json: a Provenance Run Crate 0.5 on RO-Crate 1.1.

It says what ran on what and made what, as far as the files show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconcile.archive.actions import add_run, add_workflow
from reconcile.archive.documents import Facts
from reconcile.archive.entities import RO_CRATE_VERSION, Builder, slug
from reconcile.archive.layout import README
from reconcile.files import json_text

PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}


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
    authors = [builder.organisation(name) for name in facts.authors]
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
        author=[_author(builder, name) for name in paper["authors"]],
        datePublished=str(paper["year"]),
        isPartOf=builder.add("#venue", "CreativeWork", name=paper["venue"]),
        identifier=f"https://doi.org/{doi}" if doi else None,
    )


def _author(builder: Builder, name: str) -> Any:
    return builder.add(f"#author-{slug(name)}", "Person", name=name)
