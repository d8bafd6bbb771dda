"""``python -m reconcile new``: a study to start from, which works as it is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import copy_project, measure

from reconcile.cli import main
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.tables.contract import FITS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new study."""
    assert main(["new", "mypaper", "--studies", str(tmp_path / "studies")]) == 0
    return tmp_path / "studies" / "mypaper"


def test_the_study_is_right(folder: Path, tmp_path: Path) -> None:
    """It loads, its first reading reproduces every claim, and its evidence holds."""
    study = load_study(folder)
    out = measure(folder, tmp_path / "out")
    done = reconcile_study(study, folder, Measurements.read(out))
    best = done.summary["ranking"][0]["interpretation"]
    verdicts = done.tables["verdicts.csv"]
    assert best == "unpadded" == study.conclusion.interpretation
    assert set(verdicts[verdicts["interpretation"] == best]["verdict"]) <= set(FITS)
    assert list(done.tables["evidence.csv"]["outcome"]) == ["holds"]


def test_every_section_has_a_comment(folder: Path) -> None:
    """Each key of the study is explained in the lines above it."""
    lines = (folder / "study.yaml").read_text(encoding="utf-8").splitlines()
    keys = list(yaml.safe_load("\n".join(lines)))
    above = {line.partition(":")[0]: lines[i - 1] for i, line in enumerate(lines) if i}
    assert all(above[key].startswith("#") for key in keys)
    assert {*Study.model_fields} - {*keys} == {
        *("checked", "corrections", "replies"),
        *("inputs", "parts", "placement", "receptive_fields"),
        *("slips", "geometries", "solve", "terms"),
    }


def test_its_name_stands_in_it(folder: Path) -> None:
    """The placeholder is gone, and the commands in the comments are the user's."""
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "PAPER" not in text and "mypaper" in text


BAD = (
    "My Paper",
    "../OUT",
    "",
    "a/b c",
    ".hidden",
    "all",
    "claims",
    "MYPAPER",
    "..",
    "/",
    "a" * 300,
)


@pytest.mark.parametrize("name", BAD)
def test_bad_names(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none for a study is refused in one line, and nothing is written."""
    assert main(["new", name, "--studies", str(tmp_path / "studies")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "studies").exists()


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path is the study's folder itself, wherever it is."""
    assert main(["new", str(tmp_path / "papers" / "one")]) == 0
    assert load_study(tmp_path / "papers" / "one").title == "one"
    assert f"now: reconcile check {tmp_path}/papers/one" in capsys.readouterr().out


def test_options_of_a_repository(capsys: pytest.CaptureFixture[str]) -> None:
    """What is for a repository is refused without one."""
    assert main(["new", "mypaper", "--workflow", "ada/reconcile"]) == 2
    assert "need --repository" in capsys.readouterr().err


def test_never_overwrites(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is there stays as it is."""
    (folder / "study.yaml").write_text("mine", encoding="utf-8")
    assert main(["new", "mypaper", "--studies", str(folder.parent)]) == 2
    assert capsys.readouterr().err == f"{folder}: is there already\n"
    assert (folder / "study.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
def test_snakemake_runs_it(tmp_path: Path) -> None:
    """`snakemake --config studies=[mypaper]` works at once and writes report and index."""
    project = copy_project(tmp_path / "project")
    python = [sys.executable, "-m"]
    env = {
        "PYTHONPATH": str(project / "workflow"),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    for command in (
        ["reconcile", "new", "mypaper"],
        ["snakemake", "--config", "studies=[mypaper]"],
    ):
        subprocess.run([*python, *command], cwd=project, check=True, capture_output=True, env=env)
    report = (project / "results/mypaper/report.html").read_text(encoding="utf-8")
    assert "The image is not padded: the first layer then has 4,704 neurons" in report
    assert 'href="mypaper/report.html"' in (project / "results/index.html").read_text("utf-8")
