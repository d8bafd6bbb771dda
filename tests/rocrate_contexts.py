"""The two JSON-LD contexts that the RO-Crate validator would fetch, made without the network.

RO-Crate 1.1 takes its terms from schema.org and a few other vocabularies. The rocrate package brings
the context of a later release, which has the same schema.org terms; what 1.1 names differently is
written down here. https://www.researchobject.org/ro-crate/specification/1.1/appendix/jsonld.html
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate import vocabs
from urllib3 import HTTPResponse

RO_CRATE = "https://w3id.org/ro/crate/1.1/context"
WORKFLOW_RUN = "https://w3id.org/ro/terms/workflow-run/context"
BIOSCHEMAS = "https://bioschemas.org/"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
DIFFERENT = {
    "File": "http://schema.org/MediaObject",
    "path": "http://schema.org/contentUrl",
    "Journal": "http://schema.org/Periodical",
    "ComputationalWorkflow": f"{BIOSCHEMAS}ComputationalWorkflow",
    "input": f"{BIOSCHEMAS}ComputationalWorkflow#input",
    "output": f"{BIOSCHEMAS}ComputationalWorkflow#output",
    "FormalParameter": f"{BIOSCHEMAS}FormalParameter",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}
# Terms that the run crates add, https://github.com/ResearchObject/ro-terms (workflow-run).
RUN = ("ParameterConnection", "connection", "sourceParameter", "targetParameter", "sha256")
RUN_ONLY = ("environment", "resourceUsage", "containerImage", "ContainerImage")


def contexts() -> dict[str, Any]:
    """Each context document by its address."""
    later = vocabs.RO_CRATE["@context"]
    shared = {
        term: iri
        for term, iri in later.items()
        if iri == f"http://schema.org/{term}" and term != "sha256"
    }
    run = {term: RUN_TERMS + term for term in (*RUN, *RUN_ONLY)}
    return {RO_CRATE: {"@context": shared | DIFFERENT}, WORKFLOW_RUN: {"@context": run}}


class _Local(BaseAdapter):
    """Answers for the two addresses and for nothing else."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = json.dumps(contexts()[str(request.url)]).encode()
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(io.BytesIO(body), headers, status=200, preload_content=False)
        response = requests.Response()
        response.status_code, response.raw, response.url = 200, raw, str(request.url)
        response.request, response.headers = request, requests.structures.CaseInsensitiveDict(headers)
        return response

    def close(self) -> None:
        """Nothing is open."""


def seed_cache(path: Path) -> Path:
    """Fill the validator's cache, so that it finds both contexts offline."""
    with CachedSession(str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Local())
        for address in contexts():
            session.get(address).raise_for_status()
    return path
