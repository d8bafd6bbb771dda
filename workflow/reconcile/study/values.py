"""The kinds of values that the keys of a study take, and what each accepts."""

from __future__ import annotations

import unicodedata
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

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
Scale = Annotated[
    int | float | Annotated[str, StringConstraints(max_length=60)], AfterValidator(_scale)
]
Within = Annotated[
    int | float | Annotated[str, StringConstraints(max_length=60)], AfterValidator(_within)
]
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
