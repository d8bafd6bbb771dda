"""A study that starts from an explanation is one that loads and says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.cli import main
from reconcile.study.load import load_study

LINEAR = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.fc = nn.Linear(12, width)

    def forward(self, images):
        return self.fc(images.flatten(1))
"""


def test_a_study_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The claim counts as the best explanation does, of the network with its inputs."""
    file = tmp_path / "network.py"
    file.write_text(LINEAR, encoding="utf-8")
    typed = ["explain", "96", f"{file}:Net", "--input", "3x2x2"]
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 0
    assert "now: reconcile check" in capsys.readouterr().err
    study = load_study(tmp_path / "begun")
    assert study.claims[0].expression == "macs(network)"
    assert study.inputs[0].shape == [1, 3, 2, 2]
    assert study.network == "network.py:Net"
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_nothing_is_left_of_what_would_be_no_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study whose claim cannot be read by itself is refused, and its folder is not there."""
    file = tmp_path / "network.py"
    file.write_text(LINEAR, encoding="utf-8")
    typed = ["explain", "0.4 KB", f"{file}:Net", "--input", "3x2x2"]
    assert main([*typed, "--study", str(tmp_path / "begun")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("explain: --study: would be no study: claims.0.printed: ")
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["network.py"]
