"""Write codemeta.json and .zenodo.json from CITATION.cff, so that the project is described once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
LICENCES = "https://spdx.org/licenses/"


def codemeta(cff: Mapping[str, Any]) -> dict[str, Any]:
    """codemeta.json, version 3.0: what software catalogues read."""
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": cff["title"],
        "description": " ".join(cff["abstract"].split()),
        "version": str(cff["version"]),
        "license": f"{LICENCES}{cff['license']}",
        "author": [_agent(author) for author in cff["authors"]],
        "keywords": cff["keywords"],
        "programmingLanguage": "Python",
        "operatingSystem": "Linux",
    } | _given(cff, {"date-released": "datePublished", "repository-code": "codeRepository"})


def zenodo(cff: Mapping[str, Any]) -> dict[str, Any]:
    """.zenodo.json: what Zenodo takes for the metadata of a release's deposit."""
    return {
        "upload_type": "software",
        "title": cff["title"],
        "description": " ".join(cff["abstract"].split()),
        "version": str(cff["version"]),
        "license": cff["license"],
        "creators": [{"name": _name(author)} for author in cff["authors"]],
        "keywords": cff["keywords"],
    } | _given(cff, {"date-released": "publication_date"})


def _given(cff: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """What CITATION.cff may say, under other names; what it does not say is left out."""
    return {name: str(cff[key]) for key, name in names.items() if key in cff}


def _name(author: Mapping[str, str]) -> str:
    parts = (author.get(key, "") for key in ("family-names", "given-names"))
    return author.get("name") or ", ".join(filter(None, parts))


def _agent(author: Mapping[str, str]) -> dict[str, str]:
    if "name" in author:
        return {"@type": "Organization", "name": author["name"]}
    names = {"family-names": "familyName", "given-names": "givenName", "orcid": "@id"}
    return {"@type": "Person"} | _given(author, names)


def described(cff: Mapping[str, Any]) -> dict[str, str]:
    """The text of each file, by its name."""
    contents = {"codemeta.json": codemeta(cff), ".zenodo.json": zenodo(cff)}
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in contents.items()
    }


if __name__ == "__main__":
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for name, text in described(citation).items():
        (ROOT / name).write_text(text, encoding="utf-8")
