"""From pydantic's errors to one line a fault, with the YAML line and what is accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconcile.errors import Fault, InputError
from reconcile.study.model import PATTERNS
from reconcile.study.yamlfile import Places

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[Any, ...]

SHOWN = 60
"""Characters of a wrong value that a message repeats."""

# pydantic names the branch of a union in an error's location; users never wrote these words.
_UNION_BRANCHES = {"bool", "int", "float", "str", "constrained-str"}

_WORDS: dict[str, str] = {
    kind: words
    for words, kinds in (
        ("text", {"string_type"}),
        ("true or false", {"bool_type", "bool_parsing"}),
        ("a whole number", {"int_type", "int_parsing", "int_from_float"}),
        ("a number", {"float_type", "float_parsing"}),
        ("a list", {"list_type"}),
        ("`key: value` pairs", {"dict_type", "model_type", "model_attributes_type"}),
        ("{expected}", {"literal_error"}),
        ("at least {ge}", {"greater_than_equal"}),
        ("more than {gt}", {"greater_than"}),
        ("at most {le}", {"less_than_equal"}),
        ("text of at least {min_length} character", {"string_too_short"}),
        ("text of at most {max_length} characters", {"string_too_long"}),
        ("a list of at least {min_length}", {"too_short"}),
        ("a list of at most {max_length}", {"too_long"}),
    )
    for kind in kinds
}
"""What each kind of error says is accepted, after "must be"."""


def line_of(place: Place, places: Places) -> int:
    """The line of a key, or of the nearest key around it that stands in the file; 0 of no file."""
    while place and place not in places:
        place = place[:-1]
    return places.get(place, 1 if places else 0)


def build(
    model: type[Model],
    data: dict[str, Any],
    places: Places,
    file: Path,
    *,
    strict: bool | None = None,
) -> Model:
    """Validate plain values against a model, as strictly as it asks for unless told otherwise.

    Raises:
        InputError: one fault for each thing that is wrong.
    """
    try:
        return model.model_validate(data, strict=strict)
    except ValidationError as error:
        found = _by_place(error.errors(include_url=False), data)
    faults = (
        Fault(file, line_of(place, places), ".".join(map(str, place)), _message(own, place, model))
        for place, own in found.items()
    )
    raise InputError(*sorted(faults))


def _by_place(errors: Iterable[Any], data: Any) -> dict[Place, list[Any]]:
    """The errors of each place; of a value that fits no branch of a union, one place only.

    A list with a wrong item fails as text, as a number and as a list; only the last says where.
    """
    located = [(*_written_place(error["loc"], data), error) for error in errors]
    branched = [place for place, in_branch, _ in located if in_branch]
    found: dict[Place, list[Any]] = {}
    for place, in_branch, error in located:
        deeper = (p for p in branched if len(p) > len(place) and p[: len(place)] == place)
        if not (in_branch and any(deeper)):
            found.setdefault(place, []).append(error)
    return found


def _written_place(loc: tuple[Any, ...], data: Any) -> tuple[Place, bool]:
    """The location without pydantic's own words, and whether it had a word for a branch."""
    place: list[Any] = []
    in_branch = False
    for part in loc:
        if (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            data = data[part]
        elif part == "[key]":
            continue
        elif isinstance(part, str) and (part in _UNION_BRANCHES or "[" in part):
            in_branch = True
            continue
        place.append(part)
    return tuple(place), in_branch


def _message(errors: list[Any], place: Place, model: type[BaseModel]) -> str:
    error = errors[0]
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(str(place[-1]), _accepted_keys(model, place[:-1]))
    if kind == "missing":
        return "this key is missing"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    shown = repr(error["input"])
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
    return f"must be {_or(list(dict.fromkeys(map(_accepted, errors))))}, not {shown}"


def _accepted(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    return str(error["msg"]).removeprefix("Input should be ")


def _or(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _unknown_key(key: str, accepted: list[str]) -> str:
    near = difflib.get_close_matches(key, accepted, n=1)
    hint = f", did you mean '{near[0]}'?" if near else "."
    return f"unknown key{hint} Accepted here: {', '.join(accepted)}" if accepted else "unknown key"


def _accepted_keys(model: type[BaseModel], place: Place) -> list[str]:
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
