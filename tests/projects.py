"""Copies of the project, of the tiny study alone above all, and how a user runs them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from support import PROJECT, copy_project, write_study

from reconcile import __version__
from reconcile.tables.contract import FILES

EVERYTHING = os.environ.get("RELIABILITY") in ("all", "part", "table")
"""Whether everything is tried, and not the sample that is part of `make test`."""
TABLE = os.environ.get("RELIABILITY") in ("part", "table")
"""Whether this is `make reliability` or a part of it, which writes its table; "all" does not."""
WHOLE = os.environ.get("RELIABILITY") == "table"
# The sample leaves the report out: half of a run's time goes into its PDF.
TARGETS = () if EVERYTHING else ("results/tiny/reconciliation.json",)
LIMIT_S = 3600
"""No run takes as long on any machine, not even one of all studies."""
Done = subprocess.CompletedProcess[str]


class Undisturbed(NamedTuple):
    """A project that was run from start to end, what that wrote, and how long it took."""

    project: Path
    outputs: dict[str, bytes]
    seconds: float


class Ran(NamedTuple):
    """A project that was run, and what the run told."""

    project: Path
    told: str


def whole_project(folder: Path) -> Path:
    """A copy of the project with all its studies, timed by one pass that is the first.

    One thread of it measures: two would wait for each other where other tests run beside.
    """
    copy_project(folder)
    configure(folder, "warmup: 2", "warmup: 0")
    configure(folder, "repeats: 10", "repeats: 1")
    configure(folder, "threads: 2", "threads: 1")
    return folder


def tiny_project(folder: Path, data: dict[str, Any] | None = None, **network: str) -> Path:
    """A copy of the project whose only study is the tiny one, timed by one pass."""
    copy_project(folder)
    shutil.copy(PROJECT / "Makefile", folder / "Makefile")
    shutil.rmtree(folder / "studies")
    write_study(folder / "studies" / "tiny", data, **network)
    configure(folder, "studies: [alexnet]", "studies: [tiny]")
    configure(folder, "repeats: 10", "repeats: 1")
    return folder


def configure(project: Path, old: str, new: str) -> None:
    """Replace a text of config.yaml that must be there."""
    replace_in(project / "config.yaml", old, new)


def replace_in(file: Path, old: str, new: str) -> None:
    """Replace a text of a file, once; it must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def environment(project: Path, **variables: str | None) -> dict[str, str]:
    """The environment of a user who has .venv active; a variable of None is taken away."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = os.environ | {"PYTHONPATH": str(project / "workflow"), "PATH": path}
    return {name: v for name, v in (found | variables).items() if v is not None}


def run(project: Path, *command: str, **variables: str | None) -> Done:
    """Run a command in a project and capture what it tells."""
    return subprocess.run(
        command,
        cwd=project,
        env=environment(project, **variables),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT_S,
        check=False,
    )


def snakemake(project: Path, *arguments: str, **variables: str | None) -> Done:
    """Run a plain `snakemake`."""
    return run(project, "snakemake", *arguments, **variables)


def make_report(project: Path) -> Done:
    """Run `make report` with the environment of these tests in place of the project's own."""
    return run(project, "make", "--old-file=environment", "report")


def start(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a run as the leader of a process group of its own, quietly."""
    return start_as(project, "snakemake", *arguments)


def start_as(
    project: Path, *command: str, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """The same with a command of any kind."""
    return subprocess.Popen(
        command,
        cwd=project,
        env=environment(project),
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End what a test started, whatever is left of it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def told(done: Done) -> str:
    """What a run told."""
    return done.stdout + done.stderr


def fault_of(done: Done) -> str:
    """What a failed run told, which must hold no traceback."""
    text = told(done)
    assert done.returncode not in (0, None), text
    assert "Traceback" not in text, text
    return text


def reproducible(name: str) -> bool:
    """Whether two runs must write the same bytes: no record, and nothing that shows its times."""
    recorded = (
        (name in FILES and FILES[name].record)
        or name.endswith((".html", ".pdf"))
        or "latency" in name
    )
    return not recorded


def archive_of(project: Path, study: str = "tiny") -> Path:
    """The archive of a study's results."""
    return project / "results" / study / f"{study}-{__version__}.crate.zip"


def outputs(project: Path, study: str = "tiny") -> dict[str, bytes]:
    """The reproducible results of a study by name."""
    folder = project / "results" / study
    files = (file for file in folder.rglob("[!.]*") if file.is_file())
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in files
        if reproducible(file.name) and ".made" not in file.parts
    }
