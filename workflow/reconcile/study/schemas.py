"""JSON Schemas of the files that users write, for editors: from the models, never by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from reconcile.files import json_text
from reconcile.study.config import Config
from reconcile.study.model import Study

SCHEMAS: dict[str, type[BaseModel]] = {"study.schema.json": Study, "config.schema.json": Config}
"""The schema files in ``workflow/schemas/`` and the models they come from."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text(name: str) -> str:
    """The content of one of the schema files."""
    schema = _without_titles(SCHEMAS[name].model_json_schema())
    return json_text({"$schema": DIALECT} | schema)


def _without_titles(schema: Any) -> Any:
    """Without the titles that pydantic makes of key names: "Proposed By" helps nobody."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _properties(value) if key in ("properties", "$defs") else _without_titles(value)
        for key, value in schema.items()
        if key != "title"
    }


def _properties(named: dict[str, Any]) -> dict[str, Any]:
    """Below these keys every name is the user's, also one that reads "title"."""
    return {name: _without_titles(value) for name, value in named.items()}
