"""Snakemake for tests that ask it a hundred times: imported once, forked for each question.

A bare `python -m snakemake` spends most of its time on imports. Here a process imports Snakemake
and the library of one project, and every run is a fork of it: it reads the project's files anew and
ends, so that no run knows of another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PRELOADED = (
    *("snakemake.cli", "snakemake.workflow", "snakemake.dag", "snakemake.scheduling.job_scheduler"),
    # What it imports only while it runs.
    *("snakemake.report", "jinja2", "jsonschema", "nbformat", "requests", "smart_open", "yte"),
    *("reconcile.run.fresh", "reconcile.run.processes"),
    *("reconcile.measure.run", "reconcile.archive.container"),
)


class Snakemake:
    """Runs Snakemake on a project with the library of that project.

    Args:
        project: the folder; it may be emptied and filled again between runs.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        environment = os.environ | {"PYTHONPATH": str(project / "workflow")}
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it with these arguments."""
        assert self._server.stdin is not None and self._server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            question = {"project": str(self.project), "arguments": arguments, "answers": folder}
            print(json.dumps(question), file=self._server.stdin, flush=True)
            code = int(self._server.stdout.readline())
            said = [(Path(folder) / name).read_text("utf-8") for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["snakemake", *arguments], code, *said)

    def close(self) -> None:
        """End the process."""
        self._server.communicate()


def _serve() -> None:
    """Answer each question with the exit code of a fork that ran it."""
    for name in PRELOADED:
        __import__(name)
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # imports the plugins
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _run(json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(question: dict[str, Any]) -> None:
    """Be Snakemake, and end."""
    from snakemake.cli import main

    os.chdir(question["project"])
    for name, number in (("stdout", 1), ("stderr", 2)):
        answer = os.open(Path(question["answers"]) / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(answer, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["snakemake", *question["arguments"]]
    code: Any = 1
    try:
        main(question["arguments"])
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve()
