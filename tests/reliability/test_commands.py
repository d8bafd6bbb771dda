"""Commands: whatever each is given, it ends with lines that can be read and a documented code."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import EVERYTHING
from support import write_study

from reconcile import cli
from reconcile.cli import COMMANDS, main

DOCUMENTED = {int(code) for code in re.findall(r"\b(\d+),", cli._CODES)}
NUMBERS = ["0", "-1", "1", "3.5", "nan", "-inf", "1e309", "1_0", "٣", "9" * 5000, "10**23", "0x10"]
WORDS = [
    "",
    " ",
    "tpu",
    "cpu",
    "auto",
    "--",
    "-",
    "-h=",
    "x" * 300,
    "a\0b",
    "\udcff",
    "\x1b[2J",
    "é",
]
PLACES = ["tiny", "notes.txt", "notes.txt/x", ".", "..", "nowhere", "link", "loop", "empty.zip"]
SYSTEM = ["/proc/1/mem", "/dev/full", "/dev/null/x", "/proc/self/environ"]
LIKELY = ["307M", "tiny", "48", "size=8", "1x8x8", "mypaper", "OWNER/NAME"]
VALUES = st.one_of(
    st.sampled_from([*NUMBERS, *WORDS, *PLACES, *SYSTEM, *LIKELY]),
    st.text(max_size=12).filter(lambda text: "/" not in text),
)
# Its network is code, or a package, and is tried with the other networks that `explain` is given.
NO_NETWORK = "nowhere.py:Network"


def arguments_of(command: str) -> list[argparse.Action]:
    """What a command takes, as it declares it: a new one is tried without a line here."""
    parser = argparse.ArgumentParser(add_help=False)
    COMMANDS[command][1](parser)
    return parser._actions


@st.composite
def lines(draw: st.DrawFn, command: str) -> list[str]:
    """The words of a command line: each argument as it should be, odd, doubled or left out."""
    words = [command]
    for action in arguments_of(command):
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
            value = NO_NETWORK if action.dest == "network" else draw(VALUES)
            if not action.option_strings:
                words.append(value)
            elif action.nargs == 0:
                words.append(action.option_strings[-1])
            else:
                words.append(f"{action.option_strings[-1]}={value}")
    return words + draw(st.lists(st.sampled_from(["--nothing", "more", "-x"]), max_size=1))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good study, things that are none, and nothing that measures."""
    write_study(tmp_path / "tiny")
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "empty.zip").touch()
    (tmp_path / "link").symlink_to("tiny")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    # The options are checked before; what measures is tried elsewhere.
    monkeypatch.setattr("reconcile.measure.run.measure_study", lambda *_, **__: None)
    return tmp_path


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code and the lines of stderr."""
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_a_command_is_given(
    command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not fall, says at most a line a fault, and its exit code is one of `--help`."""

    @settings(max_examples=300 if EVERYTHING else 40)
    @given(words=lines(command))
    def tried(words: list[str]) -> None:
        code, err = told(words, capsys)
        assert code in DOCUMENTED, words
        assert all(line.isprintable() for line in err), err
        assert not any("Traceback" in line for line in err), err
        assert code != 2 or err, words
        assert len(err) <= 1 or command in ("check", "measure", "verify"), err
        os.chdir(place)

    tried()


BAD = {
    "--device": "tpu",
    "--repeats": "-1",
    "--threads": "0",
    "--seed": "1" + "0" * 23,
    "--time-limit-s": "0",
    "--warmup": "nan",
    "--readings-per-job": "1e309",
}


@pytest.mark.parametrize("option", BAD)
def test_an_option_of_measure(option: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the configuration refuses the command line refuses, in a line that names the option."""
    code, (line,) = told(["measure", "tiny", "out", f"{option}={BAD[option]}"], capsys)
    assert code == 2
    assert option.removeprefix("--").replace("-", "_") in line
    assert not (place / "out").exists()


def test_every_option_of_measure_is_tried() -> None:
    """Each that holds a number or a choice has a value here that it refuses."""
    options = {a.option_strings[-1] for a in arguments_of("measure") if a.option_strings}
    assert options - {"--packages"} == set(BAD)
