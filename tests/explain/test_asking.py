"""What may be typed: a network, its arguments, its inputs; anything else is one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import PROJECT

from reconcile.errors import InputError, visible
from reconcile.explain.asking import networks_asked, number_asked, power_of


def test_a_package() -> None:
    """A module and what makes a network in it; nothing is imported to say so."""
    (named,) = networks_asked("no_such.models:net", ["depth=20", "sizes=[1, 2]"], ["3x32x32"])
    assert named.place == {"module": "no_such.models", "class": "net"}
    assert named.arguments == {"depth": 20, "sizes": [1, 2]}
    assert [(given["shape"], given["dtype"]) for given in named.inputs] == [
        ([1, 3, 32, 32], "float32")
    ]


def test_words_are_whole_numbers() -> None:
    """An input says its type after a colon."""
    (named,) = networks_asked("a.b:c", [], ["128:int64", "1×8"])
    assert [(g["shape"], g["dtype"]) for g in named.inputs] == [
        ([1, 128], "int64"),
        ([1, 1, 8], "float32"),
    ]


def test_an_input_by_its_name() -> None:
    """A network whose forward takes several says which is which."""
    (named,) = networks_asked("a.b:c", [], ["words=128:int64", "3x8x8"])
    assert [given["name"] for given in named.inputs] == ["words", None]


def test_a_study() -> None:
    """A study is each of its own readings, with its arguments; those that are typed come last."""
    found = networks_asked(str(PROJECT / "studies" / "alexnet"))
    assert len({named.reading for named in found}) == len(found) > 1
    assert all(Path(named.place["file"]).is_file() for named in found)
    changed = networks_asked(str(PROJECT / "studies" / "alexnet"), ["side=99"])
    assert {named.arguments["side"] for named in changed} == {99}


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("resnet50", "'resnet50' names no network; accepted are package.module:name"),
        ("nowhere.py:Net", "there is no file nowhere.py"),
        ("studies/alexnett", "there is no study 'alexnett', did you mean 'alexnet'?"),
        ("tests", "tests has no study.yaml"),
        ("a-b:c", "'a-b' is no module"),
    ],
)
def test_no_such_network(network: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what would do."""
    monkeypatch.chdir(PROJECT)
    with pytest.raises(InputError) as refused:
        networks_asked(network)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "inputs", "says"),
    [
        (["depth"], [], "--with: 'depth' is no argument"),
        (["depth=["], [], "--with: 'depth=[' has no value that can be given"),
        ([], ["3,224,224"], "--input: '3,224,224' is no shape"),
        ([], ["3x0"], "--input: '3x0' is no shape"),
        ([], ["8:int3"], "types are float32"),
    ],
)
def test_no_argument_and_no_shape(arguments: list[str], inputs: list[str], says: str) -> None:
    """What cannot be read is named with the option it was given for."""
    with pytest.raises(InputError, match="explain: ") as refused:
        networks_asked("a:b", arguments, inputs)
    assert says in str(refused.value)


TYPED = st.one_of(
    st.text(max_size=40),
    st.from_regex(
        r"[~<]?\d{0,4}[., ]?\d{0,3}[., ]?\d{0,3} ?(x|e|\^|/)?[kmgbtKMGBT]?i?[bB]? ?[a-zF]*"
    ),
    st.from_regex(r"[a-z_.]{0,9}(\.py)?:?[A-Za-z_]{0,9}", fullmatch=True),
    st.from_regex(r"([a-z]+=)?[0-9x×]{0,12}(:[a-z0-9]{0,8})?", fullmatch=True),
    st.from_regex(r"[a-z]{0,5}=?[\[\]{}&*!|>'\"%@`a-z0-9:, -]{0,12}", fullmatch=True),
)


def refusals(ask: Callable[[], object]) -> str:
    """Why something is refused, in one line; nothing where it is taken."""
    try:
        ask()
    except InputError as refused:
        return str(refused)
    return ""


@given(TYPED)
@settings(max_examples=150)
@example("9" * 60 + "K")
@example("1e99")
@example("2^99")
@example("0.0")
@example("٣M")
@example("studies/..")
@example("a\0b")
@example("x.py:y" * 50)
@example("x=&a [*a, *a]")
@example("x=!!python/object:os.system {}")
@example("x=2020-99-99")
@example("999999999x999999999x999999999")
def test_whatever_is_typed(text: str) -> None:
    """Any text is taken or refused in one line that names what it was given for."""
    kinds: dict[str, Callable[[], object]] = {
        "number": lambda: number_asked(text),
        "network": lambda: networks_asked(text),
        "--with": lambda: networks_asked("a:b", [text]),
        "--input": lambda: networks_asked("a:b", [], [text]),
    }
    for option, ask in kinds.items():
        why = refusals(ask)
        assert why == "" or why.startswith(f"explain: {option}: "), why
        assert visible(why) == why


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("307M", ""),
        ("4.1 GFLOPs", "flops"),
        ("4.1G MACs", "macs"),
        ("25.6M params", "parameters"),
        ("650,000 neurons", "neurons"),
        ("60 million parameters", "parameters"),
        ("1.5 billion FLOPs", "flops"),
        ("11 million activations", "neurons"),
        ("97.8 MB", "bytes"),
        ("13.5 GB", "bytes"),
        ("98 MiB", "bytes"),
        ("1,024 bytes", "bytes"),
        ("7B", ""),
    ],
)
def test_what_a_number_says(text: str, quantity: str) -> None:
    """A word after the number says what it counts."""
    assert number_asked(text)[1] == quantity


@pytest.mark.parametrize(
    ("text", "value", "power"),
    [
        ("97.8 MB", 97_800_000, 2),
        ("1.5 GiB", 1.5 * 2**30, 0),
        ("1070KB", 1_070_000, 1),
        ("7B", 7e9, 0),
    ],
)
def test_sizes(text: str, value: float, power: int) -> None:
    """A size in bytes is read in thousands, and may count in 1,024s unless it says which."""
    assert number_asked(text)[0].value == value
    assert power_of(text) == power


@pytest.mark.parametrize("text", ["many", "1.234", "-3", "0", "<5M", ""])
def test_no_number(text: str) -> None:
    """What is no number, or may be one of two, is refused in one line."""
    with pytest.raises(InputError) as refused:
        number_asked(text)
    assert str(refused.value).startswith("explain: number: ")
    assert "\n" not in str(refused.value)
