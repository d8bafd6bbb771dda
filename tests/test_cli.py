"""The command line: what it says, and with which exit code it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT, put_link, study_data, write_study

from reconcile import __version__
from reconcile.cli import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself and its arguments."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split()).lower()
    assert COMMANDS[command][0].lower() in told
    assert f"python -m reconcile {command}" in told


def test_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists every command with its summary."""
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    for name, (summary, *_) in COMMANDS.items():
        assert name in told and summary in told


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the release."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"reconcile {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["reconcil"], ["check"], ["measure", "x", "y", "--device"]]
)
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use is one line that says where the use is told, and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m reconcile")
    assert line.endswith("--help)")


ODD = ["nowhere", "notes.txt", "notes.txt/x", ".", "", "a\0b", "\udcff", "x" * 300, "/proc/1/mem"]
"""What is no study, no archive and no new folder."""


READING = ("check", "compare", "measure", "new", "verify")
# What is no zip at all is an archive that does not hold: 1, and every check is told.
NO_ANSWER = [(c, g) for c in READING for g in ODD if (c, g) != ("verify", "notes.txt")]


@pytest.mark.parametrize(("command", "given"), NO_ANSWER)
def test_whatever_is_given(
    command: str,
    given: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever a command is given, it ends with one line and exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    if (command, given) in (("new", "nowhere"), ("new", "notes.txt")):
        (tmp_path / "studies" / given).mkdir(parents=True)
    more = ["notes.txt"] if command in ("compare", "measure") else []
    assert main([command, given, *more]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_nobody_foresaw(capsys: pytest.CaptureFixture[str]) -> None:
    """Any other error is a line with its name, and says how to see all of it."""
    assert main(["schemas", "a\0b"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("schemas: cannot be done: ValueError: embedded null byte")
    assert "python -X dev -m reconcile" in line


def test_a_reader_that_has_read_enough() -> None:
    """Where a pipe is closed early nothing is complained of."""
    command = f"{sys.executable} -m reconcile check {PROJECT}/studies/lenet5 | true"
    done = subprocess.run(
        ["bash", "-c", f"sleep 0; {command}"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` says what a good study holds."""
    assert main(["check", str(write_study(tmp_path / "tiny"))]) == 0
    assert "5 claims, 3 interpretations" in capsys.readouterr().out


def test_check_follows_no_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` names a link in a study in one line, and shows nothing of where it leads."""
    secret = tmp_path / "secret"
    secret.write_text("password: 1234\n")
    folder = write_study(tmp_path / "tiny")
    put_link(folder, "study.yaml", str(secret))
    assert main(["check", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder}/study.yaml: is a symbolic link")


def test_check_tells_the_faults_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` tells every fault of every study, a line each, and exits with 2."""
    good = write_study(tmp_path / "good")
    first = write_study(tmp_path / "first", study_data() | {"titel": "x"})
    second = write_study(tmp_path / "second", study_data() | {"question": 3})
    assert main(["check", str(first), str(good), str(second)]) == 2
    told = capsys.readouterr()
    assert f"{good}: 5 claims" in told.out
    lines = told.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{first}/study.yaml:") and "did you mean 'title'?" in lines[0]
    assert lines[1].endswith(": question: must be text, not 3")


def reads(folder: Path) -> dict[str, tuple[str, ...]]:
    """Commands that would write over what they read, each under another name of it."""
    study = write_study(folder / "studies" / "tiny")
    archive = folder / "a.zip"
    archive.write_bytes(b"PK")
    (folder / "linked").symlink_to(archive)
    (folder / "there").symlink_to(study)
    named = folder / "verification.json"
    named.write_bytes(b"PK")
    network = f"{study}/network.py:Tiny"
    return {
        "receipt": ("verify", f"{archive}", "--receipt", f"{archive}"),
        "receipt behind a link": ("verify", f"{archive}", "--receipt", f"{folder}/linked"),
        "archive behind a link": ("verify", f"{folder}/linked", "--receipt", f"{archive}"),
        "name of a receipt": ("verify", f"{named}"),
        "page": ("explain", "48", network, "--html", f"{study}/network.py"),
        "page by another name": ("explain", "48", network, "--html", f"{folder}/there/network.py"),
        "page of a study": ("explain", "48", f"{study}", "--html", f"{study}/study.yaml"),
        "page of a study by its name": ("explain", "48", "tiny", "--html", f"{study}/study.yaml"),
        "tables": ("measure", f"{study}", f"{study}"),
        "tables by another name": ("measure", f"{study}", f"{folder}/there"),
        "tables inside": ("measure", f"{study}", f"{study}/new/out"),
    }


OVER_ITSELF = (
    *("receipt", "receipt behind a link", "archive behind a link", "name of a receipt", "page"),
    *("page by another name", "page of a study", "page of a study by its name"),
    *("tables", "tables by another name", "tables inside"),
)


@pytest.mark.parametrize("case", OVER_ITSELF)
def test_nothing_that_is_read_is_written_over(
    case: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command refuses in a line to write over its own input, and leaves it as it is."""
    monkeypatch.chdir(tmp_path)
    commands = reads(tmp_path)
    assert commands.keys() == {*OVER_ITSELF}
    command = commands[case]
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert main([*command]) == 2
    said = capsys.readouterr()
    assert not said.out
    (line,) = said.err.splitlines()
    assert line.endswith("is read here; write it elsewhere")
    assert before == {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
