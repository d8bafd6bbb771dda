"""How large and of what form the parts of an archive may be, and what is raised when they are not.

An archive may come from anybody. The limits are far above what a study needs and far below what
would hurt the machine that verifies it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from reconcile.errors import InputError

MAX_ARCHIVE_BYTES = 256 * 1024**2
MAX_MEMBER_BYTES = 128 * 1024**2
MAX_MEMBERS = 10_000
MAX_NAME = 200
MAX_JSON_BYTES = 64 * 1024**2
# Deeper than any file of ours, and far from the recursion limit of Python's parser.
MAX_JSON_DEPTH = 60

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._+-]*|\.[A-Za-z0-9_-][A-Za-z0-9._+-]*")


class ArchiveError(Exception):
    """An archive that cannot be trusted or written; ``str()`` is one line that says why."""


def shown(name: str) -> str:
    """A name that may hold anything, as printable ASCII of bounded length."""
    text = ascii(name)
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}..."


@contextmanager
def one_line(root: Path | None = None) -> Iterator[None]:
    """Whatever goes wrong with somebody's archive is a finding of one line, not a crash.

    Args:
        root: a temporary folder, whose name says nothing to anybody.

    Raises:
        ArchiveError: in place of any other exception.
    """
    try:
        yield
    except ArchiveError:
        raise
    except InputError as error:
        raise ArchiveError(_below(root, str(error.faults[0]))) from None
    except Exception as error:
        message = _below(root, f"{type(error).__name__}: {error}")
        raise ArchiveError(f"cannot be checked: {message}") from None


def _below(root: Path | None, message: str) -> str:
    return shown(message if root is None else message.replace(f"{root}/", ""))[1:-1]


def check_name(name: str) -> None:
    """Accept only plain relative paths of ASCII letters, digits and ``._+-``.

    Raises:
        ArchiveError: the name is absolute, leaves the archive, or is not plain.
    """
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise ArchiveError(f"{shown(name)} is an absolute path")
    if ".." in re.split(r"[/\\]", name):
        raise ArchiveError(f"{shown(name)} leads out of the archive")
    if name.endswith("/"):
        raise ArchiveError(f"{shown(name)} is a folder; an archive holds files only")
    if len(name) > MAX_NAME or not all(_PART.fullmatch(part) for part in name.split("/")):
        raise ArchiveError(f"{shown(name)} is not a plain file name")


def text_of(name: str, data: bytes) -> str:
    """The UTF-8 text of a member.

    Raises:
        ArchiveError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{name} is not UTF-8 text (byte {error.start})") from None


def parse_json(name: str, data: bytes) -> Any:
    """Parse a member as JSON, within limits, refusing duplicate keys and NaN.

    Raises:
        ArchiveError: it is too large, nested too deeply, or no such JSON.
    """
    if len(data) > MAX_JSON_BYTES:
        raise ArchiveError(f"{name} is larger than {MAX_JSON_BYTES:,} bytes")
    text = text_of(name, data)
    if _depth(text) > MAX_JSON_DEPTH:
        raise ArchiveError(f"{name} is nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    # ValueError also stands for integers of thousands of digits, which Python refuses to read.
    except ValueError as error:
        raise ArchiveError(f"{name} is not valid JSON: {shown(str(error))}") from None


def _depth(text: str) -> int:
    """An upper bound of the nesting: brackets inside strings count too."""
    deepest = depth = 0
    for match in re.finditer(r"[\[{\]}]", text):
        depth += 1 if match[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")
