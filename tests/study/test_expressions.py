"""The expression language: exact, small, and closed to everything else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.study.expressions import (
    ExpressionError,
    UnknownNameError,
    evaluate,
    networks_named,
    parse,
    references,
    spelled,
)

LAYERS = {"conv1": 290_400, "conv2": 186_624, "fc6": 4096, "features.0": 7}


class Made:
    """A scope that a test makes up."""

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """Neurons of the layers above; a pattern is everything."""
        if selector == "conv*":
            return [Fraction(LAYERS["conv1"]), Fraction(LAYERS["conv2"])]
        if selector not in LAYERS:
            raise UnknownNameError(f"there is no layer {selector!r}")
        return [Fraction(LAYERS[selector])]

    def other(self, network: str) -> Made:
        """Another network, ten times as large."""
        if network != "large":
            raise UnknownNameError(f"there is no network {network!r}")
        return Larger()

    def lookup(self, function: str, name: str) -> Any:
        """A few values of every kind."""
        values = {
            "size": 224,
            "share": 0.1,
            "rule": "ceil",
            "padding": [1, 2],
            "tied": True,
            "head": None,
        }
        if name not in values:
            raise UnknownNameError(f"there is no {function} {name!r}")
        return values[name]

    def errors(self, claims: list[str]) -> list[Fraction]:
        """One of a claim by its name's length."""
        return [Fraction(len(claim), 100) for claim in claims]


class Larger(Made):
    """Another network of the same reading."""

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """Ten times as many."""
        return [10 * value for value in super().quantity(name, selector)]

    def lookup(self, function: str, name: str) -> Any:
        """Its own size."""
        return 448 if name == "size" else super().lookup(function, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("neurons(conv1, large)", 2_904_000),
        ("neurons(fc6, large) / neurons(fc6)", 10),
        ("largest(neurons, 'conv*', 'large')", 2_904_000),
        ("argument(size, large) - argument(size)", 224),
        ("argument(padding, 1, large)", 2),
        ("argument(head) == None", True),
        ("neurons(conv1)", 290_400),
        ("neurons('conv1')", 290_400),
        ("neurons('features.0')", 7),
        ("neurons('conv*')", 477_024),
        ("largest(neurons, 'conv*')", 290_400),
        ("smallest(neurons, 'conv*')", 186_624),
        ("largest(neurons, 'conv*') / neurons('conv*')", Fraction(290_400, 477_024)),
        ("largest_error('a9.*', fc)", Fraction(4, 100)),
        ("mean_error('a9.*', fc)", Fraction(3, 100)),
        ("1 + 2 * 3 - 4 / 5", Fraction(31, 5)),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("55 ** 2", 3025),
        ("2 ** -1", Fraction(1, 2)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("argument(share) * 3", Fraction(3, 10)),
        ("argument(size) % 2 == 0", True),
        ("argument(padding, 1)", 2),
        ("argument(rule) == 'ceil'", True),
        ("argument(rule) != 'floor' and not argument(tied) == 1", False),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("1 == 2 or 3 >= 3", True),
        ("floor(7 / 2) + ceil(7 / 2)", 7),
        ("abs(-2) + min(1, 2) + max(1, 2, 3)", 6),
        ("(224 - 11) / 4 + 1 == 54.25", True),
        (" 1 + 1 ", 2),
    ],
)
def test_values(text: str, value: object) -> None:
    """Arithmetic is exact: fractions, never floats."""
    found = evaluate(text, Made())
    assert found == value
    assert isinstance(found, Fraction | bool)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not an expression"),
        ("1 +", "is not an expression"),
        ("a = 1", "is not an expression"),
        ("import os", "is not an expression"),
        ("x", "'x' is not accepted"),
        ("conv1.neurons", "is not accepted"),
        ("[1, 2]", "is not accepted"),
        ("{1: 2}", "is not accepted"),
        ("lambda: 1", "is not accepted"),
        ("1 if 2 else 3", "is not accepted"),
        ("[x for x in 'a']", "is not accepted"),
        ("f'{1}'", "is not accepted"),
        ("1j", "is not accepted"),
        ("b'x'", "is not accepted"),
        ("~1", "is not accepted"),
        ("1 << 2", "is not accepted"),
        ("1 @ 2", "is not accepted"),
        ("1 in 2", "is not accepted"),
        ("(1).real", "is not accepted"),
        ("(lambda: 1)()", "is not accepted"),
        ("neurons(conv1)(1)", "is not accepted"),
        ("eval('1')", "eval() is not a function; accepted are channels, "),
        ("__import__('os')", "__import__() is not a function"),
        ("neurons(x=1)", "is not accepted"),
        ("neurons(*conv1)", "is no name"),
        ("neurons()", "neurons() takes a layer and, maybe, a network"),
        ("neurons(a, b, c)", "neurons() takes a layer and, maybe, a network"),
        ("neurons(conv*)", "is not an expression"),
        ("printed(rows.3a)", "stand in quotes: 'conv*', '3a'"),
        ("neurons(1)", "'1' is no name; quote patterns"),
        ("mean_error()", "mean_error() takes claims, by id or pattern"),
        ("largest_error(1)", "'1' is no name; quote patterns"),
        ("largest(neurons)", "largest() takes a quantity, a layer pattern and"),
        ("largest(width, x, y, z)", "largest() takes a quantity, a layer pattern and"),
        ("largest(os, 'conv*')", "largest() takes a quantity, a layer pattern and"),
        ("argument()", "argument() takes a name and, maybe, a position in its list and a network"),
        ("argument(size, eval('1'))", "eval() is not a function"),
        ("floor(1, 2)", "floor() takes one number"),
        ("max(1)", "max() takes two numbers or more"),
        ("1e999", "a number is too large"),
        ("(" * 900 + "1" + ")" * 900, "is"),
        ("1" + " + 1" * 20_000, "is nested deeper than 100 levels"),
        ("'\x00'", "is not an expression"),
    ],
)
def test_what_is_not_of_the_language(text: str, message: str) -> None:
    """Everything but the listed forms is refused before anything is evaluated."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("neurons(conv1, small)", "there is no network 'small'"),
        ("neurons(conv1) * argument(head)", "is no number to calculate with"),
        ("1 / 0", "divides by zero"),
        ("1 % 0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("neurons(conv9)", "there is no layer 'conv9'"),
        ("printed(conv9)", "there is no printed 'conv9'"),
        ("argument(rule) + 1", "is no number to calculate with"),
        ("'a' * 3", "is no number to calculate with"),
        ("'%1000000000d' % 3", "is no number to calculate with"),
        ("argument(padding) + argument(padding)", "is no number to calculate with"),
        ("-argument(rule)", "is no number to calculate with"),
        ("floor('x')", "is no number to calculate with"),
        ("argument(rule) < 1", "mixes numbers with text"),
        ("argument(padding, 5)", "asks for a position that the list does not have"),
        ("argument(size, 0)", "mixes numbers with text"),
        ("2 ** 0.5", "an exponent must be a whole number up to 64"),
        ("2 ** 65", "an exponent must be a whole number up to 64"),
        ("((10 ** 64) ** 64) ** 64", "bits on the way"),
        ("1 == 1 + (2 == 2)", "is no number to calculate with"),
    ],
)
def test_what_cannot_be_evaluated(text: str, message: str) -> None:
    """What has no value is told, and never takes the machine with it."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, Made())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("neurons(conv1) / 0", "'neurons(conv1) / 0' divides by zero"),
        ("neurons(conv1) * (1 / (2 - 2))", "divides by zero"),
        ("neurons(conv1) + 2 ** 99", "an exponent must be a whole number up to 64"),
        ("neurons(conv1) + " + " * ".join(["2 ** 64"] * 17), "more than 960 bits on the way"),
        ("neurons(conv1) == 'a' * 3", "is no number to calculate with"),
        ("1 < 'a'", "compares numbers with text"),
        ("9" * 400, "more than 960 bits"),
        ("-" * 494 + "1", "is nested deeper than 100 levels"),
        ("not " * 200 + "1", "is nested deeper than 100 levels"),
    ],
)
def test_what_can_be_told_before_anything_runs(text: str, message: str) -> None:
    """Arithmetic that comes to nothing is refused when it is parsed: it needs no measurement."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("neurons(conv1)", {None}),
        ("neurons(conv1, small) / neurons(conv1, large)", {"small", "large"}),
        ("largest(neurons, 'c*', small) + argument(size)", {"small", None}),
        ("argument(size, 0, small) * argument(padding, 1)", {"small", None}),
        ("2 * 3 + printed(a) + stated(b)", set()),
    ],
)
def test_networks_named(text: str, networks: set[str | None]) -> None:
    """The networks that an expression speaks of are known without one."""
    assert networks_named(text) == networks


def test_references() -> None:
    """The names that an expression looks up are found wherever they stand."""
    text = "printed(conv1) + max(printed('conv2-map'), stated(a)) * neurons(conv1)"
    assert references(text, "printed") == ["conv1", "conv2-map"]
    assert references(text, "stated") == ["a"]
    assert references(text, "argument") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("readings('conv1',\n b)  == 0", "readings(conv1, b) == 0"),
        ("readings('rows.conv1.ops', 'conv*')", "readings(rows.conv1.ops, 'conv*')"),
        ("printed('3a') + printed('a-b') + printed('not')", "printed('3a') + printed('a-b') + "
         "printed('not')"),
        ("argument(rule) == 'ceil'", "argument(rule) == 'ceil'"),
    ],
)  # fmt: skip
def test_one_spelling(text: str, wanted: str) -> None:
    """Shown is one line, with quotes around nothing that is a plain word; it means the same."""
    assert spelled(text) == wanted
    assert spelled(wanted) == wanted and parse(wanted)


WORDS = st.sampled_from(
    ["neurons", "largest", "argument", "size", "conv1", "'conv*'", "padding", "rule", "(", ")",
     ",", "+", "-", "*", "/", "//", "%", "**", "==", "<", "and", "or", "not", "0", "1", "2.5",
     "64", "1e9", "floor", "max", "'x'", "printed", ".", "True"]
)  # fmt: skip


@settings(max_examples=500)
@given(words=st.lists(WORDS, max_size=14))
def test_any_words(words: list[str]) -> None:
    """Whatever is written, it has a value or is refused as an expression."""
    try:
        value = evaluate(" ".join(words), Made())
    except ExpressionError as error:
        assert str(error)
    else:
        assert value is None or isinstance(value, Fraction | bool | str | list)


@settings(max_examples=300)
@given(text=st.text(max_size=30))
def test_any_text(text: str) -> None:
    """Whatever characters are written, nothing but an ExpressionError comes out."""
    try:
        parse(text)
    except ExpressionError as error:
        assert str(error)


NUMBERS = st.integers(-50, 50)


@given(a=NUMBERS, b=NUMBERS, c=st.integers(1, 50))
def test_arithmetic_is_pythons(a: int, b: int, c: int) -> None:
    """Whole numbers are calculated as Python's own."""
    text = f"({a}) * ({b}) // {c} + ({a}) % {c} - ({b})"
    assert evaluate(text, Made()) == a * b // c + a % c - b
