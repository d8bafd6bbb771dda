"""``reconcile new --repository``: what a paper's own repository holds, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support import PROJECT

from reconcile.cli import main
from reconcile.study import skeleton
from reconcile.study.config import load_config
from reconcile.study.load import load_study

WRITTEN = {
    *(".github/workflows/report.yaml", ".gitignore", "README.md", "Snakefile", "config.yaml"),
    *("constraints.txt", "profiles/default/profile.yaml", "requirements.txt"),
    *("studies/mypaper/network.py", "studies/mypaper/study.yaml"),
}


def new(folder: Path, *options: str) -> int:
    """Run the command."""
    return main(["new", str(folder), "--repository", *options])


def text(folder: Path, name: str) -> str:
    """A file of a repository."""
    return (folder / name).read_text("utf-8")


def test_what_is_written(tmp_path: Path) -> None:
    """The files are those that a reader expects, and what is in them is good."""
    folder = tmp_path / "mypaper"
    assert new(folder) == 0
    files = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert files == WRITTEN
    assert load_config(folder / "config.yaml").studies == "all"
    assert load_study(folder / "studies" / "mypaper").title == "mypaper"
    assert "yaml-language-server" not in text(folder, "studies/mypaper/study.yaml")
    assert len(text(folder, "Snakefile").splitlines()) <= 10
    steps = yaml.safe_load(text(folder, ".github/workflows/report.yaml"))["jobs"]["report"]["steps"]
    assert {"run": "snakemake all archive"} in steps


def test_a_checkout(tmp_path: Path) -> None:
    """From a checkout, rules and library are taken from where it lies."""
    assert new(tmp_path / "mypaper") == 0
    assert str(PROJECT / "Snakefile") in text(tmp_path / "mypaper", "Snakefile")
    wanted = f"reconcile[pipeline] @ {PROJECT.as_uri()}"
    assert wanted in text(tmp_path / "mypaper", "requirements.txt").splitlines()


@pytest.mark.parametrize("given", ["ada/reconcile", "https://github.com/ada/reconcile.git"])
def test_a_tag(tmp_path: Path, given: str) -> None:
    """On GitHub both are taken from the tag of this release."""
    folder = tmp_path / "mypaper"
    assert new(folder, "--workflow", given) == 0
    asked = 'github("ada/reconcile", path="Snakefile", tag="v0.1.0")'
    assert asked in text(folder, "Snakefile")
    assert "git+https://github.com/ada/reconcile@v0.1.0" in text(folder, "requirements.txt")
    assert "[reconcile](https://github.com/ada/reconcile)" in text(folder, "README.md")


GIT = {
    "url": "https://github.com/ada/reconcile.git",
    "vcs_info": {"vcs": "git", "requested_revision": "v0.1.0", "commit_id": "a" * 40},
}


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (GIT, 'tag="v0.1.0"'),
        (GIT | {"vcs_info": {"vcs": "git", "commit_id": "a" * 40}}, f'tag="{"a" * 40}"'),
        ({"url": "file:///srv/my%20tools", "dir_info": {}}, '"/srv/my tools/Snakefile"'),
    ],
)
def test_where_an_installed_library_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: dict[str, object], expected: str
) -> None:
    """Installed, the library takes the rules from where pip had it."""
    monkeypatch.setattr(skeleton, "ROOT", tmp_path / "carried")
    monkeypatch.setattr(skeleton, "_installed_from", lambda: noted)
    origin = skeleton.origin_of(None)
    assert expected in origin.snakefile


def test_nobody_knows_where_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library from an index must be told, in a line."""
    monkeypatch.setattr(skeleton, "ROOT", tmp_path / "carried")
    monkeypatch.setattr(skeleton, "_installed_from", dict)
    assert new(tmp_path / "mypaper") == 2
    assert capsys.readouterr().err.startswith("--workflow: is needed here; accepted is")
    assert not (tmp_path / "mypaper").exists()


def test_pins(tmp_path: Path) -> None:
    """What the library needs is pinned to what this release is locked to; torch it pins itself."""
    assert new(tmp_path / "mypaper") == 0
    pins = text(tmp_path / "mypaper", "constraints.txt").splitlines()[1:]
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    assert all(pin.split(" ")[0] in lock for pin in pins)
    assert {"snakemake", "weasyprint", "pydantic"} <= {pin.split("==")[0] for pin in pins}
    assert "torch" not in {pin.split("==")[0] for pin in pins}


REFUSED = {
    "a name that is none": ("My Paper", [], "no name for a study"),
    "another name that is none": ("mypaper", ["--study", "../x"], "no name for a study"),
    "no workflow": ("mypaper", ["--workflow", "ftp://x"], "accepted is the folder of a checkout"),
    "no checkout": ("mypaper", ["--workflow", "."], "accepted is the folder of a checkout"),
    "a full folder": ("full", [], "is there already, and holds notes.txt"),
    "a file": ("full/notes.txt", ["--study", "a"], "is no folder for it: Not a directory"),
    "no place": ("/proc/mypaper", [], "cannot be written"),
    "a null": ("my\0paper", ["--study", "a"], "null"),
    "a long name": ("a" * 300, [], "no name for a study"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is one line and exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    folder, options, message = REFUSED[name]
    assert new(Path(folder), *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_empty_clone(tmp_path: Path) -> None:
    """A clone that nothing was committed to is a good place."""
    (tmp_path / "mypaper" / ".git").mkdir(parents=True)
    assert new(tmp_path / "mypaper") == 0


def test_origin_is_quoted(tmp_path: Path) -> None:
    """A folder of any name is spelled as Python reads it."""
    odd = tmp_path / 'a "b" Ü'
    assert json.loads(skeleton.in_folder(odd).snakefile) == str(odd / "Snakefile")
