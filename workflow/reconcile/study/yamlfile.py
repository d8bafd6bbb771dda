"""YAML into models, with one line a fault: the line of the key, what is wrong, what is accepted.

First the kinds of values that the keys of a study take, and what each accepts; then the loader.

PyYAML's SafeLoader lets duplicate keys pass silently and forgets where a value stood; both matter
to somebody who edits a study by hand. This loader refuses the first and remembers the second.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from reconcile.errors import Fault, InputError
from reconcile.study.printed import parse_scale, parse_within

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
STUDY_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"
RESERVED = ("all", "claims")
"""What no study can be called: config.yaml means every study by the one, and in the folder of
results the other holds the claims of all of them."""
ARGUMENT_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
AXIS_PATTERN = rf"^([A-Za-z0-9][A-Za-z0-9._-]*\.)?{ARGUMENT_PATTERN[1:]}"
ORCID_PATTERN = r"^(\d{4}-\d{4}-\d{4}-\d{3}[\dX])?$"
DOI_PATTERN = r"^10\.\d{4,9}/\S+$"
DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
NETWORK_PATTERN = (
    r"^([A-Za-z0-9_][A-Za-z0-9_.-]*\.py|[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r":[A-Za-z_][A-Za-z0-9_]*$"
)
PATTERNS = {
    ID_PATTERN: "an id of letters, digits, dots, dashes and underscores",
    STUDY_PATTERN: "an id of small letters, digits, dots, dashes and underscores",
    ARGUMENT_PATTERN: "a name of letters, digits and underscores",
    AXIS_PATTERN: "the name of an argument, or network.argument",
    ORCID_PATTERN: "an ORCID like 0000-0002-1825-0097, or empty",
    DOI_PATTERN: "a DOI like 10.1145/3065386",
    DAY_PATTERN: 'a day like "2026-05-03", in quotes',
    NETWORK_PATTERN: "a file beside study.yaml and a class in it, like network.py:AlexNet, or an "
    "installed package and what makes a network in it, like torchvision.models:alexnet",
}
"""What the patterns of texts accept, in words."""


def _safe_link(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if (
        scheme not in ("http", "https")
        or not rest
        or any(c.isspace() or not c.isprintable() or c in "<>\"'`" for c in url)
    ):
        raise ValueError("must be a link that starts with https:// or http://")
    return url


def quoted_digits(value: Any) -> Any:
    """Digits as text; ValueError of a number, whose zeros YAML has dropped."""
    if is_number(value):
        raise ValueError(f'must be the printed digits in quotes ("{value}"): YAML drops zeros')
    return value


def _scale(value: str | float) -> str | float:
    parse_scale(value)
    return value


def _within(value: str | float) -> str | float:
    if parse_within(value, Fraction(1)) < 0:
        raise ValueError(f"must be 0 or more, not {value}")
    return value


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no day of the calendar") from None
    return text


_WANTED = "\n\t\u00ad\u200c\u200d"
"""Of what is not to be seen: line ends, and hyphens and joiners that belong to words."""


def _seen(text: str) -> str:
    if text.isprintable():
        return text
    bad = next((c for c in text if unicodedata.category(c) in _UNSEEN and c not in _WANTED), None)
    if bad is not None:
        kind = _UNSEEN[unicodedata.category(bad)]
        raise ValueError(f"holds the {kind} character U+{ord(bad):04X}")
    return text


# Marks of writing direction can make a text read as another than it is.
_UNSEEN = {"Cc": "control", "Cf": "invisible", "Cs": "control", "Zl": "control", "Zp": "control"}


def printable(text: str) -> str:
    """Text without control or invisible characters, stripped; ValueError names the first."""
    return _seen(text).strip()


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(printable)]
Link = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_safe_link)]
Day = Annotated[str, StringConstraints(pattern=DAY_PATTERN), AfterValidator(_date)]
Digits = Annotated[
    str, BeforeValidator(quoted_digits), StringConstraints(min_length=1, max_length=60)
]
NumberOrText = int | float | Annotated[str, StringConstraints(max_length=60)]
Scale = Annotated[NumberOrText, AfterValidator(_scale)]
Within = Annotated[NumberOrText, AfterValidator(_within)]
Relation = Literal["equals", "at-most", "at-least", "about"]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Scalar = None | bool | int | float | Annotated[str, AfterValidator(_seen)]
Argument = Scalar | list[Scalar]
Arguments = dict[Annotated[str, StringConstraints(pattern=ARGUMENT_PATTERN)], Argument]


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class Strict(BaseModel):
    """Keys of a study: none unknown, none of another type, none changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Counting(Strict):
    """One way in which a claim's number may have been counted."""

    id: Id = Field(description="Identifier, unique within the claim.")
    title: Text = Field(description="What is counted, in a few words.")
    count: Expression = Field(description="Expression over measured quantities.")


Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
Places = dict[Place, int]

# A study is a few thousand lines at most. The limits stop aliases that explode and nesting that
# exhausts the stack long before they cost memory.
MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_CHARACTERS = 8_000_000
MAX_DEPTH = 40
MAX_KEY = 500
MAX_BITS = 256
_TEXT = "tag:yaml.org,2002:str"
# YAML 1.1 takes 1e9 for text, and so would a study of 1e-3; every newer reader takes a number.
_FLOAT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", re.ASCII)


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
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - there is no fourth kind
        return self.scalar(node, place)

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.fault(key_node, place, "a key must be plain text")
            key = key_node.value
            if len(key) > MAX_KEY:
                raise self.fault(key_node, place, f"a key has at most {MAX_KEY} characters")
            if key in result:
                raise self.fault(key_node, (*place, key), "this key stands here twice")
            result[key] = self.value(value_node, (*place, key))
            # A fault about a value is best shown where its key stands.
            self.places[(*place, key)] = key_node.start_mark.line + 1
        return result

    def scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        self.characters += len(node.value)
        if self.characters > MAX_CHARACTERS:
            limit = f"more than {MAX_CHARACTERS:,} characters once aliases are expanded"
            raise self.fault(node, (), limit)
        try:
            text = node.tag == _TEXT
            value = node.value if text else self.constructor.construct_object(node)
        except yaml.YAMLError as error:
            reason = str(error).splitlines()[0]
            raise self.fault(node, place, f"cannot be read as a value: {reason}") from None
        except (LookupError, ValueError, OverflowError, AttributeError, TypeError):
            # PyYAML trusts a tag that is written out: `!!int ""`, `!!bool foo`.
            kind = node.tag.rpartition(":")[2]
            raise self.fault(
                node, place, f"cannot be read as a value: no {kind}, or too long"
            ) from None
        if isinstance(value, str) and not node.style and _FLOAT.fullmatch(value):
            value = float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fault(node, place, f"{node.value[:SHOWN]} is not a finite number")
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise self.fault(node, place, f"is a number of more than {MAX_BITS} bits")
        if value is not None and not isinstance(value, str | bool | int | float):
            raise self.fault(
                node, place, f"is read by YAML as a {type(value).__name__}; put it in quotes"
            )
        return value


def _read_text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError.of(file, f"is larger than {MAX_BYTES:,} bytes")
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError.of(file, "there is no such file") from None
    except OSError as error:
        raise InputError.of(file, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(Fault(file, line, "", f"is not UTF-8 text (byte {error.start})")) from None


def _compose(file: Path, text: str) -> yaml.Node | None:
    node = _composed_by_libyaml(text)
    if node is not None:
        return node
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


def _composed_by_libyaml(text: str) -> yaml.Node | None:
    """The nodes as libyaml reads them, ten times as fast; None where it is missing or refuses.

    What it refuses Python's own composer reads again, to say why. Nesting is looked at before,
    since libyaml's composer recurses without a limit.
    """
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is None:
        return None
    try:
        return None if any(_too_deep(text, fast)) else yaml.compose(text, Loader=fast)
    except yaml.YAMLError:
        return None


def _deep_line(text: str) -> int:
    """The line where nesting first exceeds the limit."""
    marks = (event.start_mark for event in _too_deep(text, yaml.SafeLoader))
    return next((int(mark.line) + 1 for mark in marks if mark is not None), 0)


def _too_deep(text: str, loader: Any) -> Iterator[yaml.Event]:
    """What is nested deeper than the limit; the parser, unlike the composer, is flat."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield event


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


SHOWN = 60
"""Characters of a wrong value that a message repeats."""

# pydantic names the branch of a union in an error's location, a model by its class; users never
# wrote these words.
_UNION_BRANCHES = {"bool", "int", "float", "str", "constrained-str"}

_WORDS: dict[str, str] = {
    "string_type": "text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "list_type": "a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "`key: value` pairs"),
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
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
        elif isinstance(part, str) and (
            part in _UNION_BRANCHES or "[" in part or part[:1].isupper()
        ):
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
