"""The pipeline from any folder: a paper's own repository, an installed library, other places.

Each test is outside the checkout, with the library as a wheel installs it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from installed import Done, Installed
from support import PROJECT, study_data, write_study

pytestmark = pytest.mark.slow

MISSING = "config.yaml: there is no such file"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The library, installed."""
    return Installed(tmp_path_factory.mktemp("library"))


def tiny(folder: Path) -> Path:
    """A folder with the tiny study, which is measured on the meta device."""
    write_study(folder / "studies" / "tiny", study_data() | {"placement": "meta"})
    (folder / "config.yaml").write_text("studies: all\n", encoding="utf-8")
    return folder


def told(done: Done) -> str:
    """What a run that failed told: a line, and no traceback."""
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert "Traceback" not in text, text
    return text


def good(done: Done) -> str:
    """What a run told that did what was asked for."""
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return text


def marks(folder: Path) -> Mapping[str, bytes]:
    """The marks of the tiny study, by rule."""
    files = (folder / "results" / "tiny" / ".made").glob("*.json")
    return {file.stem: file.read_bytes() for file in files}


def test_a_repository_of_its_own(installed: Installed, tmp_path: Path) -> None:
    """`new`, then bare `snakemake` and `snakemake archive` in it; the archive verifies."""
    folder = tmp_path / "my paper Ü"
    options = ("--repository", "--study", "tiny", "--workflow", PROJECT)
    good(installed.run(tmp_path, "python", "-m", "reconcile", "new", folder, *options))
    shutil.rmtree(folder / "studies")
    tiny(folder)
    good(installed.run(folder, "snakemake", "all", "archive"))
    assert "Four maps of 4 have 64" in (folder / "results/tiny/report.html").read_text("utf-8")
    assert (folder / "results/index.html").is_file()
    (archive,) = (folder / "results/tiny").glob("*.crate.zip")
    done = installed.run(folder, "python", "-m", "reconcile", "verify", "--no-pdf", archive)
    assert done.returncode == 3, done.stdout
    assert "written by this very code" in done.stdout
    record = json.loads((folder / "results/tiny/record.json").read_text("utf-8"))
    assert {"lock_sha256", "config_sha256", "study_sha256"} <= record["source"].keys()
    assert "Nothing to be done" in good(installed.run(folder, "snakemake", "--dry-run", "all"))
    # The same results are up to date for the checkout's own Snakefile, and when they are moved.
    moved = folder.rename(tmp_path / "moved")
    done = installed.run(tmp_path, "snakemake", *installed.at(moved), "--dry-run", "archive")
    assert "Nothing to be done" in good(done)


def test_a_tag(installed: Installed, tmp_path: Path) -> None:
    """Rules from a tag on GitHub run, and their results are marked as those of local ones."""
    folder, other = tiny(tmp_path / "tagged"), tiny(tmp_path / "local")
    (folder / "Snakefile").write_text(
        "module reconcile:\n    snakefile:\n"
        '        github("ada/reconcile", path="Snakefile", tag="v0.1.0")\n\n\n'
        "use rule * from reconcile\n"
    )
    installed.publish("ada/reconcile", "v0.1.0", tmp_path / "home")
    wanted = ("--cores", "2", "--", "results/tiny/consistency.csv")
    good(installed.run(folder, "snakemake", *wanted, XDG_CACHE_HOME=tmp_path / "home"))
    good(installed.run(tmp_path, "snakemake", *installed.at(other), *wanted))
    assert marks(folder) == marks(other) != {}


def test_another_configuration(installed: Installed, tmp_path: Path) -> None:
    """`--configfile` stands for config.yaml where there is none, and is checked with its lines."""
    folder, file = tiny(tmp_path / "a"), tmp_path / "mine.yaml"
    (folder / "config.yaml").unlink()
    run = ("snakemake", *installed.at(folder), "--dry-run")
    assert MISSING in told(installed.run(tmp_path, *run))
    file.write_text("# mine\nstudies: [tinny]\n")
    given = ("--configfile", file)
    assert "there is no study 'tinny'" in told(installed.run(tmp_path, *run, *given))
    file.write_text("studies: [tiny]\nmeasure: {repaets: 1}\n")
    message = f"{file}:2: measure.repaets: unknown key, did you mean 'repeats'?"
    assert message in told(installed.run(tmp_path, *run, *given))
    file.write_text("studies: [tiny]\nmeasure: {repeats: 3}\n")
    good(installed.run(tmp_path, *run, *given))


def test_no_studies(installed: Installed, tmp_path: Path) -> None:
    """A folder without studies/ is told in a line."""
    (tmp_path / "config.yaml").write_text("studies: all\n")
    done = installed.run(tmp_path, "snakemake", *installed.at(tmp_path), "--dry-run")
    assert "studies: there is no study in it: no */study.yaml" in told(done)


@pytest.mark.parametrize(
    ("library", "message"),
    [
        ('__version__ = "0.0.9"', "the installed library is of release 0.0.9, and these rules of"),
        ("raise ImportError", "the library `reconcile` is not installed in this environment"),
    ],
)
def test_another_library(installed: Installed, tmp_path: Path, library: str, message: str) -> None:
    """A library of another release than the rules, or none, is a line."""
    (tmp_path / "old" / "reconcile").mkdir(parents=True)
    (tmp_path / "old" / "reconcile" / "__init__.py").write_text(f"{library}\n")
    folder = tiny(tmp_path / "paper")
    run = ("snakemake", *installed.at(folder), "--dry-run")
    assert message in told(installed.run(tmp_path, *run, PYTHONPATH=tmp_path / "old"))


def test_renamed_rules(installed: Installed, tmp_path: Path) -> None:
    """Rules that are taken under other names are refused in a line."""
    folder = tiny(tmp_path / "paper")
    (folder / "Snakefile").write_text(
        f"module reconcile:\n    snakefile:\n        {json.dumps(str(PROJECT / 'Snakefile'))}\n\n\n"
        "use rule * from reconcile as paper_*\n"
    )
    done = installed.run(folder, "snakemake", "--cores", "1", "--dry-run")
    assert "take the rules under their own names: use rule * from reconcile" in told(done)
