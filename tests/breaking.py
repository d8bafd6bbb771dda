"""Ways to break a YAML file, by the hundred."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from reconcile.errors import Fault

Place = tuple[str | int, ...]

WRONG_VALUES: dict[str, Any] = {
    "nothing": None,
    "text": "certainly not this",
    "empty text": "",
    "number": -7,
    "fraction": 2.5,
    "huge": 10**40,
    "truth": True,
    "list": [],
    "nested list": [["x"]],
    "mapping": {},
    "nested mapping": {"certainly": {"not": "this"}},
    "control character": "a\x07b",
    "long": "x" * 6000,
}


def places_in(data: Any, place: Place = ()) -> Iterator[Place]:
    """Every place in plain data, the top left out."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places_in(value, (*place, key))


def changed(data: Any, place: Place, change: Any) -> Any:
    """A copy of the data in which ``change(container, key)`` was done to one place."""
    copy = deepcopy(data)
    container = copy
    for part in place[:-1]:
        container = container[part]
    change(container, place[-1])
    return copy


def put(value: Any) -> Any:
    """A change that puts a value in a place."""

    def change(container: Any, key: Any) -> None:
        container[key] = value

    return change


def _remove(container: Any, key: Any) -> None:
    del container[key]


def _misspell(container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[f"{key}x"] = container.pop(key)
    else:
        container.append(deepcopy(container[key]))


def broken_data(data: Any) -> Iterator[tuple[str, Any]]:
    """Copies of the data, each with one value replaced, removed, misspelt or listed twice."""
    for place in places_in(data):
        name = ".".join(map(str, place))
        yield f"{name} removed", changed(data, place, _remove)
        yield f"{name} misspelt or doubled", changed(data, place, _misspell)
        for label, value in WRONG_VALUES.items():
            yield f"{name} is {label}", changed(data, place, put(value))


def broken_text(text: str, step: int = 1) -> Iterator[tuple[str, str]]:
    """Copies of a text, each with one line or character lost, doubled, moved or replaced.

    Args:
        text: what to break.
        step: break every so many lines only.
    """
    lines = text.splitlines(keepends=True)
    for i, line in list(enumerate(lines))[::step]:
        before, after = "".join(lines[:i]), "".join(lines[i + 1 :])
        yield f"line {i + 1} lost", before + after
        yield f"line {i + 1} doubled", before + line + line + after
        yield f"line {i + 1} indented", f"{before}  {line}{after}"
        yield f"line {i + 1} flush", before + line.lstrip() + after
        yield f"line {i + 1} without colon", before + line.replace(":", "", 1) + after
        yield f"line {i + 1} with tab", f"{before}\t{line}{after}"
        yield f"cut after line {i + 1}", before + line.rstrip()[:-1]
        for character in "[{&*!%@`\"'":
            yield (
                f"line {i + 1} with {character}",
                before + line.replace(": ", f": {character}", 1) + after,
            )


def is_a_good_line(fault: Fault) -> bool:
    """Whether a fault is one line with its place, in words that users know."""
    text = str(fault)
    jargon = ("instance of", "Input should", "valid dictionary", "validation error", "pydantic")
    return fault.line >= 1 and "\n" not in text and not any(word in text for word in jargon)
