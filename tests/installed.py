"""The library as a wheel installs it, and commands that use it outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from support import PROJECT

from reconcile.files import code_files

Done = subprocess.CompletedProcess[str]
CACHE = "snakemake/snakemake/source-cache/snakemake-git-cache/github.com"
"""Where Snakemake keeps the repositories that it has modules from, below the user's cache."""


class Installed:
    """A wheel of this project, built without a network and unpacked.

    Args:
        folder: an empty folder.

    Attributes:
        library: what the wheel installs.
    """

    def __init__(self, folder: Path) -> None:
        self._source, self.library = folder / "source", folder / "installed"
        for name, file in {**code_files(), "README.md": PROJECT / "README.md"}.items():
            (self._source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, self._source / name)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        command = [*pip, "--no-build-isolation", "--wheel-dir", folder, self._source]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": ""})
        (wheel,) = folder.glob("reconcile-*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(self.library)

    def run(self, folder: Path, *command: object, **variables: object) -> Done:
        """Run a command in a folder, with this library and the environment of the tests."""
        own = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": self.library,
        }
        return subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env=os.environ | {name: str(value) for name, value in (own | variables).items()},
            capture_output=True,
            text=True,
            check=False,
        )

    def at(self, folder: Path) -> tuple[str, ...]:
        """Options of Snakemake to run the checkout's rules on a folder elsewhere."""
        return ("--snakefile", str(PROJECT / "Snakefile"), "--directory", str(folder))

    def publish(self, repository: str, tag: str, cache: Path) -> None:
        """Have a tag on GitHub be this code, for whoever has this cache."""
        git = ["git", "-C", self._source, "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "-q"], ["add", "-A", "."], ["commit", "-qm", "All"], ["tag", tag]):
            subprocess.run([*git, *words], check=True)
        clone = cache / CACHE / repository
        clone.parent.mkdir(parents=True)
        subprocess.run(["git", "clone", "-q", "--bare", self._source, clone], check=True)
