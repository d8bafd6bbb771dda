"""Whatever a study says becomes text in LaTeX, and every number a command of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from reconcile.cite.latex import (
    Macros,
    Tex,
    command_name,
    environment_for_latex,
    escape,
    number,
    read_macros,
)

SPECIAL = "\\{}$&%#_~^<>|\"`'[]*"


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["conv1", "neurons"], "rcConvOneNeurons"),
        (["pad-1-2", "fc6", "macs"], "rcPadOneTwoFcSixMacs"),
        (["features.0", "width"], "rcFeaturesZeroWidth"),
        (["dropout-0.5", "network", "conv_neurons"], "rcDropoutZeroPointFiveNetworkConvNeurons"),
        (["vocab-40478_tied"], "rcVocabFourZeroFourSevenEightTied"),
        (["a.b", "c"], "rcABC"),
    ],
)
def test_names(parts: list[str], name: str) -> None:
    """A command has letters only: digits and decimal points are spelled, words capitalised."""
    assert command_name(*parts) == name


@given(st.lists(st.text(max_size=20), max_size=3))
def test_names_are_letters(parts: list[str]) -> None:
    """No name, however odd, gives a command of anything but ASCII letters."""
    assert re.fullmatch("rc[A-Za-z]*", command_name(*parts))


def test_decimals_do_not_collide() -> None:
    """1.5 and 15 are two names."""
    assert command_name("a-1.5") != command_name("a-15")


def test_a_shared_command_is_left_out() -> None:
    """What would stand for two things is defined for neither, and both are named in a comment."""
    macros = Macros()
    macros.add(["pad-1"], "x", "layer 'pad-1'")
    macros.add(["clear"], "z", "layer 'clear'")
    macros.add(["pad_1"], "y", "layer 'pad_1'")
    assert macros.text().splitlines() == [
        r"\newcommand{\rcClear}{z}",
        "% Not defined, since names that differ have the same letters:",
        r"% \rcPadOne would stand for layer 'pad-1' and for layer 'pad_1'",
    ]


def test_one_thing_has_one_value() -> None:
    """The same thing twice is defined once; with two values it is not defined."""
    macros = Macros()
    for body in ("x", "x"):
        macros.add(["pad-1"], body, "layer 'pad-1'")
    assert macros.text() == "\\newcommand{\\rcPadOne}{x}\n"
    macros.add(["pad-1"], "y", "layer 'pad-1'")
    assert "\\newcommand" not in macros.text()
    assert r"% \rcPadOne would stand for several values of layer 'pad-1'" in macros.text()


def test_equal_values_do_not_make_two_things_one() -> None:
    """Two things of equal value are two: a later run may measure another."""
    macros = Macros()
    macros.add(["pad-1"], "x")
    macros.add(["pad_1"], "x")
    assert read_macros(macros.text()) == {}


def test_comments_are_lines_that_tex_can_read() -> None:
    """TeX stops at a line of 200,000 characters, however many names share a command."""
    macros = Macros()
    for i in range(20_000):
        macros.add(["-"], "x", f"the neurons of layer {i}")
    lines = macros.text().splitlines()
    assert max(map(len, lines)) <= 10_000
    assert all(line.startswith("%") for line in lines)
    assert all(f"layer {i}" in macros.text() for i in (0, 19_999))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("50% & more_", r"50\% \& more\_"),
        ("C:\\x{y}", r"C:\textbackslash{}x\{y\}"),
        ("11×11", r"11\ensuremath{\times}11"),
        ("a – b", r"a \textendash{} b"),
        ("a -- b", r"a -{}- b"),
        ("Krčmář", "Krčmář"),
        ("ﬁ²", r"fi\ensuremath{^{2}}"),
        ("日", "{[}U+65E5{]}"),
        ("two\n  lines", "two lines"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    """Text is shown as it is, on one line; what cannot be typeset is shown by its code point."""
    assert escape(text).replace("[U+65E5]", "{[}U+65E5{]}") == shown


@given(st.text())
def test_escape_leaves_nothing_active(text: str) -> None:
    """After escaping, every special character belongs to a command of ours; braces balance."""
    ours = r"\\ensuremath\{\^|\\[\\{}$&%#_,]|\\[a-z]+(\d+)?(\{\})?"
    rest = re.sub(ours, "", escape(text))
    assert not set(rest) & set("$&%#_^\\")
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", escape(text)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("290400", r"\rcnum{290400}{290{,}400}"),
        ("55", r"\rcnum{55}{55}"),
        ("0.0145", r"\rcnum{0.0145}{0.0145}"),
        ("-1234.5", r"\rcnum{-1234.5}{\ensuremath{-}1{,}234.50}"),
        ("1e-05", r"\rcnum{1e-05}{1e\ensuremath{-}05}"),
    ],
)
def test_numbers(digits: str, shown: str) -> None:
    """A number carries its plain digits for programs and grouped ones for people."""
    assert number(digits) == shown


def test_macros_are_read_back() -> None:
    """What was written is read, and a command that stands twice is refused."""
    macros = Macros()
    macros.comment("a section\nof two lines")
    macros.add(["conv1", "neurons"], number("290400"))
    macros.add(["answer"], escape("50% {of} it"))
    assert read_macros(macros.text()) == {
        "rcConvOneNeurons": r"\rcnum{290400}{290{,}400}",
        "rcAnswer": r"50\% \{of\} it",
    }
    with pytest.raises(ValueError, match="defined twice"):
        read_macros(macros.text() * 2)


def test_templates_escape(tmp_path: Path) -> None:
    """What a template shows is text, whatever it is, but for what is LaTeX already."""
    (tmp_path / "t").write_text("<< a >> & << b >> & << c >>", encoding="utf-8")
    template = environment_for_latex(tmp_path).get_template("t")
    assert template.render(a="50%_x", b=7, c=Tex(r"\TeX")) == r"50\%\_x & 7 & \TeX"
    with pytest.raises(UndefinedError):
        template.render(a="")
