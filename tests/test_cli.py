"""The command line: what it says, and with which exit code it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import put_link, study_data, write_study

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
    """Wrong use shows the usage and exits with 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m reconcile" in capsys.readouterr().err


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
