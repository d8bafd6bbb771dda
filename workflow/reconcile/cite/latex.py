r"""Text, numbers and names for LaTeX.

TeX's commands are made of letters only: ``conv1.neurons`` becomes ``\rcConvOneNeurons``. Whatever
comes from a study is text to be shown and is escaped; nothing of it can become a command. The
templates escape by themselves what is not ``Tex``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from textwrap import wrap

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reconcile import words

PREFIX = "rc"
LONGEST_LINE = 10_000
"""Characters of a comment's line: TeX stops at one of 200,000."""
# pdfLaTeX reads Latin-1's letters and Latin Extended-A in UTF-8 without further packages.
_LATIN = range(0xC0, 0x180)
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_SPELLED = {str(digit): word for digit, word in enumerate(_DIGITS)} | {".": "Point"}
_NOT_DEFINED = "% Not defined, since names that differ have the same letters:"
_WORDS = re.compile(r"[A-Za-z]+|[0-9]|(?<=[0-9])\.(?=[0-9])")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # In the old fonts these are other characters or start a ligature.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    # At the start of a table row these would be arguments of the line end before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
_UNICODE = {
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "\u2018": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "−": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "÷": r"\ensuremath{\div}",
    "±": r"\ensuremath{\pm}",
    "·": r"\ensuremath{\cdot}",
    "≈": r"\ensuremath{\approx}",
    "≠": r"\ensuremath{\neq}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "→": r"\ensuremath{\rightarrow}",
    "∞": r"\ensuremath{\infty}",
    "√": r"\ensuremath{\surd}",
    "⌊": r"\ensuremath{\lfloor}",
    "⌋": r"\ensuremath{\rfloor}",
    "⌈": r"\ensuremath{\lceil}",
    "⌉": r"\ensuremath{\rceil}",
    "²": r"\ensuremath{^{2}}",
    "³": r"\ensuremath{^{3}}",
    "°": r"\ensuremath{^{\circ}}",
    "µ": r"\ensuremath{\mu}",
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi - pi rho - sigma tau "
    "upsilon phi chi psi omega"
)
_UNICODE |= {
    chr(0x3B1 + i): rf"\ensuremath{{\{name}}}"
    for i, name in enumerate(_GREEK.split())
    if name != "-"
}


class Tex(str):
    """What is LaTeX already."""

    __slots__ = ()


@cache
def environment_for_latex(templates: Path) -> Environment:
    """What renders the LaTeX templates: ``<< >>`` shows, ``<% %>`` does; strict about names."""
    return Environment(
        autoescape=False,  # noqa: S701 - no HTML: ``finalize`` escapes for LaTeX
        finalize=lambda value: escape(value if isinstance(value, Tex) else str(value)),
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def escape(text: str) -> Tex:
    """Text that LaTeX shows as it is, on one line, with any engine.

    A character that pdfLaTeX cannot typeset is shown by its code point, never dropped.
    """
    if isinstance(text, Tex):
        return text
    shown = "".join(map(_escaped, " ".join(text.split())))
    # Two of these in a row are a ligature, another character.
    return Tex(re.sub(r"([-'?!])(?=[-'])", r"\1{}", shown))


def _escaped(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if char in _UNICODE:
        return _UNICODE[char]
    if " " <= char <= "~" or ord(char) in _LATIN:
        return char
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return escape(plain) if plain.strip() and plain.isalnum() else f"[U+{ord(char):04X}]"


def number(plain: str, shown: str | None = None) -> Tex:
    r"""A number for text and formulas: ``\rcnum{290400}{290{,}400}``.

    Args:
        plain: the number as it stands in a table.
        shown: what is shown unless the write-up redefines ``\rcnum``; as the report has it when
            left out.
    """
    if shown is None:
        # Braces keep TeX from taking the comma of a formula for the end of something.
        shown = words.number(plain).replace(",", "{,}").replace("-", r"\ensuremath{-}")
    return Tex(rf"\rcnum{{{plain}}}{{{shown}}}")


def command_name(*parts: str) -> str:
    r"""The command for a name, in letters only: ("conv1", "neurons") -> ``rcConvOneNeurons``.

    Words are capitalised, digits and decimal points are spelled, all else separates words.
    """
    words = (word for part in parts for word in _WORDS.findall(part))
    return PREFIX + "".join(_SPELLED.get(word, word[0].upper() + word[1:]) for word in words)


class Macros:
    r"""Definitions in order, each with what it stands for.

    Names that differ can have the same letters: layers ``a_b`` and ``a.b``. A command that would
    stand for several things is defined for none of them; a comment at the end names them all.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._found: dict[str, set[tuple[str, str]]] = {}

    def comment(self, text: str) -> None:
        """Start a section of the file."""
        self._lines.append(f"% {' '.join(text.split())}")

    def add(self, parts: Sequence[str], body: str, thing: str = "") -> None:
        """Define the command for a name.

        Args:
            parts: the name, from which the command's letters are taken.
            body: what the command is replaced by.
            thing: what it stands for, on one line and the same for nothing else; the name itself
                if left out.
        """
        name = command_name(*parts)
        if name not in self._found:
            self._lines.append(name)
        self._found.setdefault(name, set()).add((thing or repr(tuple(parts)), body))

    def text(self) -> str:
        """The definitions, one a line, then the commands that are left out."""
        shared = {name for name, found in self._found.items() if len(found) > 1}
        lines = [self._line(line) for line in self._lines if line not in shared]
        lines += [_NOT_DEFINED] if shared else []
        lines += [line for name in sorted(shared) for line in self._told(name)]
        return "".join(f"{line}\n" for line in lines)

    def _line(self, line: str) -> str:
        """A comment as it is, and a command's name with its definition."""
        if line not in self._found:
            return line
        ((_, body),) = self._found[line]
        return rf"\newcommand{{\{line}}}{{{body}}}"

    def _told(self, name: str) -> list[str]:
        """What a command that is left out would stand for."""
        things = sorted({thing for thing, _ in self._found[name]})
        several = " and for ".join(things) if len(things) > 1 else f"several values of {things[0]}"
        return wrap(
            rf"\{name} would stand for {several}",
            LONGEST_LINE,
            initial_indent="% ",
            subsequent_indent="%   ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def read_macros(text: str) -> dict[str, str]:
    """The one-line definitions in a file, by command: the inverse of ``Macros.text``.

    Raises:
        ValueError: a command is defined twice.
    """
    found: dict[str, str] = {}
    for match in re.finditer(r"^\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}$", text, re.MULTILINE):
        if match[1] in found:
            raise ValueError(f"\\{match[1]} is defined twice")
        found[match[1]] = match[2]
    return found
