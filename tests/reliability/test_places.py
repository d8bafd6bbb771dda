"""Checkouts of any place: both commands of the README work there, the second by its quick parts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import EVERYTHING, Done, Undisturbed, outputs, run, tiny_project, told
from support import NETWORK, PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EVERYTHING, reason="in `make reliability`"),
]

NOT_COPIED = ("results", "studies", "config.yaml", "node_modules", "logs", "build", "dist")
QUICK = ("tests/test_words.py", "tests/test_project.py", "tests/study/test_printed.py")
# Set-up has tests of its own; here the environment is the one that these tests run in.
READY = ("--old-file=environment", "--old-file=test-environment")
NOT_CHECKED = "# ruff: noqa\n# mypy: ignore-errors\n# fmt: off\n"
PLAINEST = {"LC_ALL": "C", "LANG": "C"}
ODD = ["with spaces", 'it\'s "quoted" $HOME', "Übung ✓ 日本語", "a b/c'd ü#(1)&"]


def checkout(folder: Path) -> Path:
    """All of this checkout, with the tiny study in place of the others."""
    tiny_project(folder, network=f"{NOT_CHECKED}{NETWORK}")
    for entry in PROJECT.iterdir():
        if entry.name in NOT_COPIED or (entry.name.startswith(".") and entry.name != ".gitignore"):
            continue
        if entry.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")
            shutil.copytree(entry, folder / entry.name, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy(entry, folder / entry.name)
    return folder


def reports(folder: Path, undisturbed: Undisturbed) -> Done:
    """`make report` writes there what it writes anywhere."""
    done = run(folder, "make", *READY, "report", **PLAINEST)
    assert done.returncode == 0, told(done)
    assert outputs(folder) == undisturbed.outputs
    return done


def tries(folder: Path) -> None:
    """Style, types and the quick tests of `make test` hold there."""
    done = run(folder, "make", *READY, "lint", **PLAINEST)
    assert done.returncode == 0, told(done)
    done = run(folder, "make", *READY, f"--eval={PART}", "quick", **PLAINEST)
    assert done.returncode == 0, told(done)
    assert " passed" in told(done)


PART = f"quick: ; pytest {' '.join(QUICK)}"


@pytest.mark.parametrize("name", ODD)
def test_a_checkout_of_any_name(tmp_path: Path, undisturbed: Undisturbed, name: str) -> None:
    """Spaces, quotes and letters beyond ASCII, where the locale knows ASCII only."""
    folder = checkout(tmp_path / name)
    reports(folder, undisturbed)
    tries(folder)


@pytest.mark.parametrize("how", ["mv", "cp -a"])
def test_a_checkout_that_went_elsewhere(tmp_path: Path, undisturbed: Undisturbed, how: str) -> None:
    """Moved or copied with its results it has nothing to do, and can do all of it again."""
    first, folder = checkout(tmp_path / "first"), tmp_path / ODD[0]
    reports(first, undisturbed)
    subprocess.run([*how.split(), first, folder], check=True)
    assert "Nothing to be done" in told(reports(folder, undisturbed))
    shutil.rmtree(folder / "results")
    reports(folder, undisturbed)
    tries(folder)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A checkout on a disk that is read-only but for results/."""
    folder, view = checkout(tmp_path / "project"), tmp_path / "view"
    (folder / "results").mkdir(exist_ok=True)
    view.mkdir()
    mounts = [["--bind", folder, view], ["-o", "remount,ro,bind", view]]
    mounts.append(["--bind", folder / "results", view / "results"])
    try:
        for mount in mounts:
            subprocess.run(["mount", *mount], check=True)
        yield view
    finally:
        subprocess.run(["umount", "--lazy", view / "results"], check=False)
        subprocess.run(["umount", "--lazy", view], check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk for the test")
def test_a_checkout_that_is_read_only(read_only: Path, undisturbed: Undisturbed) -> None:
    """On a disk that can be written in results/ only both commands keep their files there."""
    assert not os.access(read_only, os.W_OK)
    reports(read_only, undisturbed)
    assert "Nothing to be done" in told(reports(read_only, undisturbed))
    tries(read_only)
