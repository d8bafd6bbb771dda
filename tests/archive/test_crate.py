"""The metadata of an archive is a valid Provenance Run Crate that invents nothing.

A folder's identifier is the hash that Git gives its tree.
"""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate import vocabs
from rocrate_validator import models, services
from urllib3 import HTTPResponse

from reconcile.archive.crate import Facts, metadata, swhid

MEMBERS = {
    "study/study.yaml": b"title: x\n",
    "study/a.b": b"",
    "study/a/deep/file": b"1",
    "study/a-b": "ä".encode(),
    "code/other": b"2",
}


def git_tree(folder: Path) -> str:
    """What Git calls the tree of a folder."""

    def git(*words: str) -> str:
        command = ["git", "-c", "core.fileMode=false", "-c", "core.autocrlf=false", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", "-A")
    return git("write-tree")


def test_it_is_the_hash_of_a_git_tree(tmp_path: Path) -> None:
    """Folders sort among files as Git sorts them, and what lies outside does not matter."""
    for name, data in MEMBERS.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    assert swhid(MEMBERS, "study/") == f"swh:1:dir:{git_tree(tmp_path / 'study')}"


def test_an_empty_folder_is_the_empty_tree() -> None:
    """Its hash is known to everybody who uses Git."""
    assert swhid({}, "study/") == "swh:1:dir:4b825dc642cb6eb9a060e54bf8d69288fbee4904"


RO_CRATE = "https://w3id.org/ro/crate/1.1/context"
WORKFLOW_RUN = "https://w3id.org/ro/terms/workflow-run/context"
BIOSCHEMAS = "https://bioschemas.org/"
# The rocrate package brings the context of a later release, with the same terms of schema.org. What
# 1.1 names differently, and this crate uses, stands here; see the appendix on JSON-LD of
# https://www.researchobject.org/ro-crate/specification/1.1/
DIFFERENT = {
    "File": "http://schema.org/MediaObject",
    "ComputationalWorkflow": f"{BIOSCHEMAS}ComputationalWorkflow",
    "input": f"{BIOSCHEMAS}ComputationalWorkflow#input",
    "output": f"{BIOSCHEMAS}ComputationalWorkflow#output",
    "FormalParameter": f"{BIOSCHEMAS}FormalParameter",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}
# Terms of https://w3id.org/ro/terms/workflow-run that the profiles ask about.
RUN_TERMS = ("ParameterConnection", "connection", "sourceParameter", "targetParameter", "sha256")


def contexts() -> dict[str, Any]:
    """The two JSON-LD contexts that the validator would fetch, by address."""
    shared = {
        term: iri
        for term, iri in vocabs.RO_CRATE["@context"].items()
        if iri == f"http://schema.org/{term}" and term != "sha256"
    }
    run = {term: f"https://w3id.org/ro/terms/workflow-run#{term}" for term in RUN_TERMS}
    return {RO_CRATE: {"@context": shared | DIFFERENT}, WORKFLOW_RUN: {"@context": run}}


class _Local(BaseAdapter):
    """Answers for the two addresses and for nothing else."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Answer without the network."""
        body = json.dumps(contexts()[str(request.url)]).encode()
        headers = {"Content-Type": "application/ld+json"}
        response = requests.Response()
        response.raw = HTTPResponse(io.BytesIO(body), headers, status=200, preload_content=False)
        response.status_code, response.url, response.request = 200, str(request.url), request
        response.headers = requests.structures.CaseInsensitiveDict(headers)
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator's cache with both contexts, so that it can work offline."""
    path = tmp_path_factory.mktemp("cache") / "http"
    with CachedSession(str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Local())
        for address in contexts():
            session.get(address).raise_for_status()
    return path


def problems(folder: Path, members: dict[str, bytes], cache: Path) -> list[str]:
    """What roc-validator finds against the REQUIRED rules of the profile, offline."""
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    settings = models.ValidationSettings(
        rocrate_uri=folder,
        profile_identifier="provenance-run-crate",
        requirement_severity="REQUIRED",
        offline=True,
        cache_path=cache,
    )
    result = services.validate(settings)
    assert result.passed() == (not result.get_issues())
    return [str(issue.message) for issue in result.get_issues()]


def graph(members: dict[str, bytes]) -> dict[str, Any]:
    """The crate's entities by id."""
    content = json.loads(members["ro-crate-metadata.json"])
    return {entity["@id"]: entity for entity in content["@graph"]}


@pytest.mark.filterwarnings("ignore")
def test_validator_accepts(members: dict[str, bytes], tmp_path: Path, cache: Path) -> None:
    """Every REQUIRED check of roc-validator for provenance-run-crate passes, offline."""
    assert problems(tmp_path / "crate", members, cache) == []


@pytest.mark.filterwarnings("ignore")
def test_validator_refuses(members: dict[str, bytes], tmp_path: Path, cache: Path) -> None:
    """The validator really looks: an action without its tool and an unknown term are found."""
    content = json.loads(members["ro-crate-metadata.json"])
    for entity in content["@graph"]:
        if entity["@id"] == "#run-measure":
            del entity["instrument"]
            entity["unheardOf"] = 1
    members["ro-crate-metadata.json"] = json.dumps(content).encode()
    found = " ".join(problems(tmp_path / "crate", members, cache))
    assert "instrument" in found
    assert "unheardOf" in found


def test_only_measuring_has_times(members: dict[str, bytes]) -> None:
    """Times stand only where the record knows them, and are the record's."""
    record = json.loads(members["record/record.json"])
    timed = {i: e for i, e in graph(members).items() if "startTime" in e or "endTime" in e}
    assert list(timed) == ["#run-measure"]
    assert timed["#run-measure"]["startTime"] == record["started"]
    assert timed["#run-measure"]["endTime"] == record["ended"]


def test_nobody_is_invented(members: dict[str, bytes]) -> None:
    """Persons are the paper's authors only, as long as the configuration names nobody."""
    people = {e["name"] for e in graph(members).values() if e["@type"] == "Person"}
    assert people == {"Ada Example", "Jan van den Berg"}
    assert not any("agent" in entity for entity in graph(members).values())


def test_who_checked_is_the_agent(members: dict[str, bytes]) -> None:
    """A person whom the configuration names is the agent of every action, by ORCID."""
    named = {"checked_by": "C. Hecker", "orcid": "0000-0001-2345-6789", "max_readings": 24}
    members["results/options.json"] = json.dumps(named).encode()
    del members["ro-crate-metadata.json"]
    found = graph({"ro-crate-metadata.json": metadata(members, Facts(members))})
    agents = {e["agent"]["@id"] for e in found.values() if "agent" in e}
    assert agents == {"https://orcid.org/0000-0001-2345-6789"}


def test_rules_that_made_something_are_steps(members: dict[str, bytes]) -> None:
    """A rule that wrote an archived file is a step with an action; that others ran is not said."""
    steps = {e["name"] for e in graph(members).values() if e["@type"] == "HowToStep"}
    assert steps == {
        *("instantiate", "measure", "check_paper", "reconcile", "search"),
        *("render_report", "render_pdf"),
    }


def test_results_come_from_their_rules(members: dict[str, bytes]) -> None:
    """An action's results are the files that its rule writes."""
    found = graph(members)
    measured = {ref["@id"] for ref in found["#run-measure"]["result"]}
    assert {"results/layers.csv", "record/timings.csv", "record/record.json"} <= measured
    rendered = {ref["@id"] for ref in found["#run-render_report"]["result"]}
    assert {"record/report.html", "results/numbers.tex", "results/figures/neurons.svg"} <= rendered
