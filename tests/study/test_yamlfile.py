"""The loader of YAML files: what it accepts, and that every refusal names its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.errors import InputError
from reconcile.study.yamlfile import MAX_DEPTH, load_yaml


def refused(file: Path) -> str:
    """The one line that refuses a file, from its name on."""
    with pytest.raises(InputError) as caught:
        load_yaml(file)
    (line,) = str(caught.value).splitlines()
    return line.removeprefix(f"{file.parent}/")


def written(folder: Path, content: str | bytes) -> Path:
    """A file with this content."""
    file = folder / "study.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_values_and_places(tmp_path: Path) -> None:
    """Values come as YAML has them and every key with its line, list items included."""
    data, places = load_yaml(written(tmp_path, 'a: 1\nb:\n  - c: "01.50"\n    d: true\n  - 2.5\n'))
    assert data == {"a": 1, "b": [{"c": "01.50", "d": True}, 2.5]}
    assert places[("b",)] == 2
    assert places["b", 0, "c"] == 3
    assert places["b", 0, "d"] == 4
    assert places["b", 1] == 5


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa: 1\nb: x\n",
        b"a: 1\r\nb: x\r\n",
        b"a: 1\rb: x\r",
        b"# only a comment before\n---\na: 1\nb: x\n...\n",
    ],
    ids=["bom", "crlf", "cr", "markers"],
)
def test_line_ends_and_byte_order_marks(tmp_path: Path, content: bytes) -> None:
    """Files of other systems are read like any other."""
    data, places = load_yaml(written(tmp_path, content))
    assert data == {"a": 1, "b": "x"}
    assert places[("b",)] == places[("a",)] + 1


def test_numbers_with_an_exponent(tmp_path: Path) -> None:
    """1e6 is a number, as in every newer YAML, and "1e6" is text."""
    data, _ = load_yaml(written(tmp_path, "a: 1e6\nb: -1.5E-3\nc: '1e6'\nd: 1.0e+6\ne: e6\n"))
    assert data == {"a": 1e6, "b": -0.0015, "c": "1e6", "d": 1e6, "e": "e6"}


def test_aliases(tmp_path: Path) -> None:
    """An alias stands for its anchor's value."""
    assert load_yaml(written(tmp_path, "a: &x [1, 2]\nb: *x\n"))[0] == {"a": [1, 2], "b": [1, 2]}


EXPLODING = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)

REFUSALS = {
    "duplicate": ("a: 1\nb: 2\na: 3\n", "study.yaml:3: a: this key stands here twice"),
    "nested duplicate": (
        "a:\n  - b: 1\n    b: 2\n",
        "study.yaml:3: a.0.b: this key stands here twice",
    ),
    "list": ("- a\n- b\n", "study.yaml:1: must hold `key: value` pairs at its top level"),
    "scalar": ("hello\n", "study.yaml:1: must hold `key: value` pairs at its top level"),
    "empty": ("", "study.yaml:1: must hold `key: value` pairs at its top level"),
    "tab": ("a:\n\tb: 1\n", "study.yaml:2: is not valid YAML: "),
    "open bracket": ("a: [1, 2\n", "study.yaml:2: is not valid YAML: "),
    "open quote": ("a: 'x\nb: y\n", "study.yaml:"),
    "no alias": ("a: 1\nb: *x\n", "study.yaml:2: is not valid YAML: found undefined alias"),
    "two documents": ("a: 1\n---\nb: 2\n", "study.yaml:2: is not valid YAML: "),
    "date": ("a: 1\nwhen: 2012-10-01\n", "study.yaml:2: when: is read by YAML as a date"),
    "object": ("a: !!python/object:os.system x\n", "study.yaml:1: a: cannot be read as a value"),
    "infinity": ("a: 1\nb: .inf\n", "study.yaml:2: b: .inf is not a finite number"),
    "not a number": ("b: .nan\n", "study.yaml:1: b: .nan is not a finite number"),
    "no integer": ('a: !!int ""\n', "study.yaml:1: a: cannot be read as a value: no int"),
    "no float": ('a: !!float ""\n', "study.yaml:1: a: cannot be read as a value: no float"),
    "no truth": ("a: !!bool foo\n", "study.yaml:1: a: cannot be read as a value: no bool"),
    "no time": ("a: !!timestamp foo\n", "study.yaml:1: a: cannot be read as a value: no timestamp"),
    "many hexadecimal digits": (f"a: 0x{'f' * 5000}\n", "study.yaml:1: a: is a number of more"),
    "many minutes": (f"a: 1{':00' * 3000}\n", "study.yaml:1: a: is a number of more than 256 bits"),
    "long key": (f"{'k' * 501}: 1\n", "study.yaml:1: a key has at most 500 characters"),
    "long text in aliases": (
        f"a: &a {'x' * 300_000}\nb: [{', '.join(['*a'] * 30)}]\n",
        "study.yaml:1: more than 8,000,000 characters once aliases are expanded",
    ),
    "binary": ("a: !!binary aGk=\n", "study.yaml:1: a: is read by YAML as a bytes"),
    "many digits": (f"a: {'9' * 5000}\n", "study.yaml:1: a: cannot be read as a value"),
    "key that is a list": ("? [a, b]\n: 1\n", "study.yaml:1: a key must be plain text"),
    "control character": ("a: 1\nb: \x07\n", "study.yaml:2: is not valid YAML: the char"),
    "not UTF-8": (b"a: 1\nb: caf\xe9\n", "study.yaml:2: is not UTF-8 text"),
    "UTF-16": ("a: 1\n".encode("utf-16"), "study.yaml:1: is not UTF-8 text"),
    "alias of itself": ("a: &x [*x]\n", "study.yaml:1: nested deeper than"),
    "exploding aliases": (EXPLODING, "values once aliases are expanded"),
    "deep": (f"a: 1\nb: {'[' * 60}{']' * 60}\n", f"study.yaml:2: nested deeper than {MAX_DEPTH}"),
    "very deep": (f"a: 1\nb: {'[' * 9999}", f"study.yaml:2: nested deeper than {MAX_DEPTH}"),
    "very deep mappings": ("a: 1\nb: " + "{x: " * 9999, "study.yaml:2: nested deeper than"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(tmp_path: Path, name: str) -> None:
    """What cannot be read is one line with the file, the line and the reason."""
    content, message = REFUSALS[name]
    assert message in refused(written(tmp_path, content))


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    assert refused(tmp_path / "study.yaml") == "study.yaml: there is no such file"


def test_directory(tmp_path: Path) -> None:
    """A directory in place of a file is refused."""
    (tmp_path / "study.yaml").mkdir()
    assert refused(tmp_path / "study.yaml").startswith("study.yaml: cannot be read: ")


def test_file_in_a_file(tmp_path: Path) -> None:
    """A path through a file is refused."""
    written(tmp_path, "a: 1\n")
    assert "cannot be read: " in refused(tmp_path / "study.yaml" / "study.yaml")


def test_huge_file(tmp_path: Path) -> None:
    """A file of many megabytes is refused before it is read."""
    file = tmp_path / "study.yaml"
    with file.open("wb") as stream:
        stream.truncate(5_000_000)
    assert "is larger than 4,000,000 bytes" in refused(file)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=60), st.text("ab:-[]{}&*!'\"|>?#%@ \n\t,1.", max_size=40))
)
def test_any_content(tmp_path: Path, content: str | bytes) -> None:
    """Whatever a file holds, it is read or refused with a line; nothing else happens."""
    try:
        data, places = load_yaml(written(tmp_path, content))
    except InputError as error:
        assert all(fault.line >= 1 for fault in error.faults)
    else:
        assert set(data) == {place[0] for place in places if len(place) == 1}
