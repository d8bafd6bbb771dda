"""From pydantic's errors to one line a fault, with the YAML line and what is accepted."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconcile.errors import Fault, InputError
from reconcile.yamlfile import Places

__all__ = ["build", "line_of"]

Model = TypeVar("Model", bound=BaseModel)

SHOWN = 60
"""Characters of a wrong value that a message repeats."""

# pydantic names the branch of a union in an error's location; users never wrote these words.
_UNION_BRANCHES = {"bool", "int", "float", "str", "constrained-str"}


def line_of(place: tuple[Any, ...], places: Places) -> int:
    """The line of a key, or of the nearest key around it that stands in the file."""
    while place and place not in places:
        place = place[:-1]
    return places.get(place, 1)


def build(model: type[Model], data: dict[str, Any], places: Places, file: Path) -> Model:
    """Validate plain values against a model.

    Raises:
        InputError: one fault for each thing that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = {_fault(e, model, data, places, file) for e in error.errors(include_url=False)}
    raise InputError(*sorted(faults))


def _fault(error: Any, model: type[BaseModel], data: Any, places: Places, file: Path) -> Fault:
    place = _written_place(error["loc"], data)
    message = _message(error, place, model)
    return Fault(file, line_of(place, places), ".".join(map(str, place)), message)


def _written_place(loc: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    """The location without pydantic's own words: only keys and positions that users wrote."""
    place: list[Any] = []
    for part in loc:
        if (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            data = data[part]
        elif isinstance(part, str) and (part in _UNION_BRANCHES or "[" in part):
            continue
        place.append(part)
    return tuple(p for p in place if p != "[key]")


def _message(error: Any, place: tuple[Any, ...], model: type[BaseModel]) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(str(place[-1]), _accepted_keys(model, place[:-1]))
    if kind == "missing":
        return "this key is missing"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    shown = repr(error["input"])
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
    text = error["msg"].replace("Input should", "must").replace("should", "must")
    text = text[0].lower() + text[1:]
    return f"{text}, not {shown}"


def _unknown_key(key: str, accepted: list[str]) -> str:
    near = difflib.get_close_matches(key, accepted, n=1)
    hint = f", did you mean '{near[0]}'?" if near else ""
    return f"unknown key{hint} Accepted here: {', '.join(accepted)}" if accepted else "unknown key"


def _accepted_keys(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """The keys of the model at a place, following lists, mappings and optional fields."""
    current: Any = model
    for part in place:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            break
        if isinstance(part, str) and part in current.model_fields:
            current = _model_in(current.model_fields[part].annotation)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(current.model_fields)
    return []


def _model_in(annotation: Any) -> Any:
    """The model inside ``list[Model]``, ``Model | None`` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(arg) for arg in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found is not None), None)
