"""The library on its own: a wheel has all that a run, a report and an archive need."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from installed import Installed
from support import PROJECT, write_study

from reconcile import __version__
from reconcile.files import ROOT, TEMPLATES, code_files

ASK = """
import json
from reconcile.files import ROOT, TEMPLATES, code_files
from reconcile.report.pages import html_templates
html_templates().get_template("report.html.jinja")
files = {name: file.read_bytes().hex() for name, file in code_files().items()}
print(json.dumps([str(ROOT), files]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The library, installed."""
    return Installed(tmp_path_factory.mktemp("library"))


def test_places_in_a_checkout() -> None:
    """In a checkout the project's files are those at its root."""
    assert ROOT == PROJECT
    assert (TEMPLATES / "report.html.jinja").is_file()
    assert code_files()["workflow/scripts/measure.py"] == PROJECT / "workflow/scripts/measure.py"


def test_a_wheel_carries_the_code(installed: Installed, tmp_path: Path) -> None:
    """Installed, the templates load, and the code of an archive is that of the checkout."""
    done = installed.run(tmp_path, "python", "-c", ASK)
    assert done.returncode == 0, done.stderr
    root, files = json.loads(done.stdout)
    assert Path(root).is_relative_to(installed.library)
    assert files == {name: file.read_bytes().hex() for name, file in code_files().items()}


def test_commands_of_a_wheel(installed: Installed, tmp_path: Path) -> None:
    """`check` and `new` work from any folder; the console script is the same command."""
    study = write_study(tmp_path / "tiny")
    done = installed.run(tmp_path, "python", "-m", "reconcile", "check", study)
    assert "5 claims, 3 interpretations" in done.stdout, done.stderr
    done = installed.run(tmp_path, "python", "-m", "reconcile", "new", "mypaper")
    assert (tmp_path / "studies/mypaper/network.py").is_file(), done.stderr
    (entry,) = installed.library.glob("*.dist-info/entry_points.txt")
    assert "reconcile = reconcile.cli:main" in entry.read_text("utf-8")


def test_every_package_is_listed() -> None:
    """Each folder of the library is named for the wheel, and its release is the library's."""
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    library = PROJECT / "workflow"
    folders = {file.parent.relative_to(library) for file in library.rglob("reconcile/**/*.py")}
    folders.add(Path("reconcile/carried"))
    assert set(metadata["tool"]["setuptools"]["packages"]) == {".".join(f.parts) for f in folders}
    assert metadata["project"]["version"] == __version__
