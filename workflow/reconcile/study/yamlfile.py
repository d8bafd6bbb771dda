"""YAML with the place of every key, for error messages that name a line.

PyYAML's SafeLoader lets duplicate keys pass silently and forgets where a value stood; both matter
to somebody who edits a study by hand. This loader refuses the first and remembers the second.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from reconcile.errors import Fault, InputError

Place = tuple[str | int, ...]
Places = dict[Place, int]

# A study is a few thousand lines at most. The limits stop aliases that explode and nesting that
# exhausts the stack long before they cost memory.
MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_CHARACTERS = 8_000_000
MAX_DEPTH = 40


class _Composer:
    """Turns YAML nodes into plain values, noting the line of each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.places: Places = {}
        self.nodes = self.characters = 0
        self.constructor = yaml.constructor.SafeConstructor()

    def fault(self, node: yaml.Node, place: Place, message: str) -> InputError:
        return InputError(
            Fault(self.file, node.start_mark.line + 1, ".".join(map(str, place)), message)
        )

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fault(node, (), f"more than {MAX_NODES:,} values once aliases are expanded")
        if len(place) > MAX_DEPTH:
            raise self.fault(node, (), f"nested deeper than {MAX_DEPTH} levels")
        self.places[place] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        return self.scalar(node, place)

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.fault(key_node, place, "a key must be plain text")
            key = key_node.value
            if key in result:
                raise self.fault(key_node, (*place, key), "this key stands here twice")
            result[key] = self.value(value_node, (*place, key))
            # A fault about a value is best shown where its key stands.
            self.places[(*place, key)] = key_node.start_mark.line + 1
        return result

    def scalar(self, node: yaml.Node, place: Place) -> Any:
        self.characters += len(node.value)
        if self.characters > MAX_CHARACTERS:
            limit = f"more than {MAX_CHARACTERS:,} characters once aliases are expanded"
            raise self.fault(node, (), limit)
        try:
            value = self.constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            reason = str(error).splitlines()[0]
            raise self.fault(node, place, f"cannot be read as a value: {reason}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fault(node, place, f"{node.value} is not a finite number")
        if value is not None and not isinstance(value, str | bool | int | float):
            raise self.fault(
                node, place, f"is read by YAML as a {type(value).__name__}; put it in quotes"
            )
        return value


def _read_text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(Fault(file, 0, "", f"is larger than {MAX_BYTES:,} bytes"))
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(Fault(file, 0, "", "there is no such file")) from None
    except OSError as error:
        raise InputError(Fault(file, 0, "", f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(Fault(file, line, "", f"is not UTF-8 text (byte {error.start})")) from None


def _compose(file: Path, text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise InputError(Fault(file, line, "", f"is not valid YAML: {error.problem}")) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise InputError(Fault(file, line, "", f"is not valid YAML: {problem}")) from None
    except RecursionError:
        line = _deep_line(text)
        raise InputError(Fault(file, line, "", f"nested deeper than {MAX_DEPTH} levels")) from None


def _deep_line(text: str) -> int:
    """The line where nesting first exceeds the limit; the parser, unlike the composer, is flat."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH and event.start_mark is not None:
            return int(event.start_mark.line) + 1
    return 0


def load_yaml(file: Path) -> tuple[dict[str, Any], Places]:
    """Read a YAML mapping and the line of each of its keys.

    Returns:
        The mapping, and a dictionary from key path to 1-based line.

    Raises:
        InputError: the file is missing, not UTF-8, not YAML, has a duplicate key, an exploding
            alias, or its top level is not a mapping.
    """
    node = _compose(file, _read_text(file))
    if not isinstance(node, yaml.MappingNode):
        raise InputError(Fault(file, 1, "", "must hold `key: value` pairs at its top level"))
    composer = _Composer(file)
    return composer.value(node, ()), composer.places
