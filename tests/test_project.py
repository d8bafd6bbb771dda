"""The library on its own: a wheel has all that a run, a report and an archive need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from support import PROJECT, write_study

from reconcile import __version__
from reconcile.project import ROOT, TEMPLATES, code_files

ASK = """
import json
from reconcile.project import ROOT, TEMPLATES, code_files
from reconcile.report.pages import environment_of
environment_of(TEMPLATES).get_template("report.html.jinja")
files = {name: file.read_bytes().hex() for name, file in code_files().items()}
print(json.dumps([str(ROOT), files]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel of this project installs, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name, file in {**code_files(), "README.md": PROJECT / "README.md"}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command = [*pip, "--no-index", "--wheel-dir", folder, source]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": ""})
    (wheel,) = folder.glob("reconcile-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


def run(installed: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python with the installed library, in a folder that is no checkout."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_places_in_a_checkout() -> None:
    """In a checkout the project's files are those at its root."""
    assert ROOT == PROJECT
    assert (TEMPLATES / "report.html.jinja").is_file()
    assert code_files()["workflow/scripts/measure.py"] == PROJECT / "workflow/scripts/measure.py"


def test_a_wheel_carries_the_code(installed: Path, tmp_path: Path) -> None:
    """Installed, the templates load, and the code of an archive is that of the checkout."""
    done = run(installed, tmp_path, "-c", ASK)
    assert done.returncode == 0, done.stderr
    root, files = json.loads(done.stdout)
    assert Path(root).is_relative_to(installed)
    assert files == {name: file.read_bytes().hex() for name, file in code_files().items()}


def test_commands_of_a_wheel(installed: Path, tmp_path: Path) -> None:
    """`check` and `new` work from any folder; the console script is the same command."""
    study = write_study(tmp_path / "tiny")
    done = run(installed, tmp_path, "-m", "reconcile", "check", study)
    assert "5 claims, 3 interpretations" in done.stdout, done.stderr
    done = run(installed, tmp_path, "-m", "reconcile", "new", "mypaper")
    assert (tmp_path / "studies/mypaper/network.py").is_file(), done.stderr
    (entry,) = installed.glob("*.dist-info/entry_points.txt")
    assert "reconcile = reconcile.cli:main" in entry.read_text("utf-8")


def test_every_package_is_listed() -> None:
    """Each folder of the library is named for the wheel, and its release is the library's."""
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    library = PROJECT / "workflow"
    folders = {file.parent.relative_to(library) for file in library.rglob("reconcile/**/*.py")}
    folders.add(Path("reconcile/carried"))
    assert set(metadata["tool"]["setuptools"]["packages"]) == {".".join(f.parts) for f in folders}
    assert metadata["project"]["version"] == __version__
