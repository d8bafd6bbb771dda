"""The JSON Schemas are in step with the models and agree with the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from breaking import broken_data
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError
from support import PROJECT, study_data

from reconcile.cli import main
from reconcile.study.config import SCHEMAS, Config, schema_text

FOLDER = PROJECT / "workflow" / "schemas"
TABLE = {
    "id": "sizes",
    "where": "Table 1",
    "quote": "Sizes of the networks.",
    "columns": {"parameters": {"scale": "million", "label": "#params (M)"}, "macs": {}},
    "rows": {"one": ["5.3", "–"], "other": {"cells": ["7.8", None], "of": "conv"}},
}
EXAMPLES: dict[str, Any] = {
    "study.schema.json": study_data() | {"tables": [TABLE]},
    "config.schema.json": Config().model_dump(),
}


def schema(name: str) -> dict[str, Any]:
    """A schema as it stands in the project."""
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def properties(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property in a schema, by its path."""
    if isinstance(part, list):
        for item in part:
            yield from properties(item, path)
    elif isinstance(part, dict):
        for name, value in part.get("properties", {}).items():
            yield f"{path}.{name}", value
        for key, value in part.items():
            yield from properties(value, f"{path}.{key}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_in_step(name: str) -> None:
    """The files are what `python -m reconcile schemas` writes now."""
    assert (FOLDER / name).read_text(encoding="utf-8") == schema_text(name)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes both files and says where."""
    assert main(["schemas", str(tmp_path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(SCHEMAS)
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in SCHEMAS]


@pytest.mark.parametrize("name", SCHEMAS)
def test_valid(name: str) -> None:
    """A schema is one by its own dialect, and every property in it is described."""
    Draft202012Validator.check_schema(schema(name))
    found = dict(properties(schema(name)))
    assert len(found) > 8
    undescribed = [path for path, value in found.items() if not value.get("description")]
    assert undescribed == []


def test_titles_of_users_stay() -> None:
    """The key `title` is described; only the titles that were made up are gone."""
    study = schema("study.schema.json")
    assert study["properties"]["title"]["description"].startswith("Short name")
    assert "title" not in study["properties"]["question"]


@pytest.mark.parametrize(
    "file",
    [*sorted(PROJECT.glob("studies/*/study.yaml")), PROJECT / "config.yaml"],
    ids=lambda file: f"{file.parent.name}-{file.name}",
)
def test_files_of_the_project(file: Path) -> None:
    """Every study and the configuration are good by their schema."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    Draft202012Validator(schema(f"{file.stem}.schema.json")).validate(content)


@pytest.mark.parametrize("name", SCHEMAS)
def test_agreement(name: str) -> None:
    """What the model accepts the schema accepts; what the schema refuses the model refuses.

    The model says more: that ids are there, that expressions parse, that links are links.
    """
    validator = Draft202012Validator(schema(name))
    refused = 0
    for variant, data in broken_data(EXAMPLES[name]):
        valid = validator.is_valid(data)
        refused += not valid
        assert valid or not accepted(SCHEMAS[name], data), variant
    assert refused > 100


def accepted(model: type[BaseModel], data: Any) -> bool:
    """Whether a model takes the data."""
    try:
        model.model_validate(data)
    except ValidationError:
        return False
    return True
