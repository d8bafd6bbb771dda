"""A clone of this project to run in: a benchmark leaves results/ and edited files alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from processes import Took, clean_environment, peak_memory, run

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
NOTEBOOK_ENVIRONMENT = BUILD / "venv"

ONE_RULE = """rule all:
    output:
        "done.txt",
    shell:
        "touch {output}"
"""


class Project:
    """A clone of the last commit, its results thrown away as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        tools = str(Path(sys.executable).parent)
        self.environment = clean_environment(PYTHONPATH=str(folder / "workflow"))
        self.environment["PATH"] = f"{tools}:{self.environment['PATH']}"

    def clear(self) -> None:
        """As after a clone: nothing was ever run."""
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)
        shutil.rmtree(self.folder / "build", ignore_errors=True)
        shutil.rmtree(self.folder / "logs", ignore_errors=True)
        for result in (self.folder / "results").iterdir():
            if result.name != "README.md":
                shutil.rmtree(result) if result.is_dir() else result.unlink()

    def snakemake(self, *arguments: str, **environment: str) -> Took:
        """Run the pipeline on what is there."""
        return run(["snakemake", *arguments], self.folder, self.environment | environment)

    def cold(self, **environment: str) -> Took:
        """Run the pipeline from nothing."""
        self.clear()
        return self.snakemake(**environment)

    def floor(self) -> Took:
        """Run the floor from nothing."""
        self.clear()
        return run([*FLOOR], self.folder, self.environment)

    def notebook(self, *options: str) -> Took:
        """Run the notebook from nothing."""
        self.clear()
        return run(self.notebook_command(*options), self.folder, clean_environment())

    def notebook_command(self, *options: str) -> list[str]:
        """The command that executes and exports the notebook."""
        script = "bench/peers/notebook/run.sh"
        return [script, str(NOTEBOOK_ENVIRONMENT), "build/bench/notebook", *options]

    def kept_archive(self) -> Path:
        """The archive of the study, put where a cold run does not remove it."""
        (made,) = (self.folder / "results").glob("*/*.crate.zip")
        return made.replace(self.folder.parent / made.name)

    def verify(self, archive: Path) -> Took:
        """Verify an archive, but for its PDF: what is left out makes it hold in part."""
        command = ["python", "-m", "reconcile", "verify", "--no-pdf", str(archive)]
        return run(command, self.folder, self.environment, accepted=HOLDS_IN_PART)

    def peak(self, *command: str) -> int:
        """Peak memory of a command that starts from nothing."""
        self.clear()
        notebook = command[0].endswith("run.sh")
        environment = clean_environment() if notebook else self.environment
        return peak_memory(command, self.folder, environment)

    def edited(self, file: str, change: Callable[[str], str]) -> None:
        """Change a file of the clone."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        changed = change(text)
        if changed == text:
            raise RuntimeError(f"the edit changes nothing in {file}")
        path.write_text(changed, encoding="utf-8")


HOLDS_IN_PART = 3
"""The exit code of ``verify`` where all that was compared holds."""
FLOOR = ("python", "bench/peers/floor.py")


class OneRule:
    """A workflow whose single rule is up to date: what Snakemake itself takes to find that out."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "Snakefile").write_text(ONE_RULE, encoding="utf-8")
        self.snakemake()

    def snakemake(self) -> Took:
        """Run it."""
        return run(["snakemake", "--cores", "all"], self.folder, self.environment)
