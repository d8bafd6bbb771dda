"""Systems other than Linux: everything can be imported, and what does not work there says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import PROJECT, write_study

MODULES = sorted(
    ".".join(file.relative_to(PROJECT / "workflow").with_suffix("").parts)
    for file in (PROJECT / "workflow" / "reconcile").rglob("*.py")
    if file.name != "__main__.py"
)

LOADED = "jinja2, pandas, rocrate.rocrate, snakemake.logging, torch, weasyprint, yaml, pydantic"
# What others need of this system is loaded once; each question is a fork, which hides the rest.
EACH = f"""
import json, os, signal, subprocess, sys, tempfile
from pathlib import Path
import {LOADED}

for question in json.load(sys.stdin):
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        Path(question["said"], "code").write_text(str(code))
        continue
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(question["said"], name), os.O_WRONLY | os.O_CREAT), number)
    os.chdir(question["folder"])
    sys.argv = ["-c", *question["arguments"]]
    exec(question["code"])
    sys.exit()
"""
# As on another system.
ELSEWHERE = """
system = sys.argv.pop(1)
sys.platform = system
if system == "win32":
    for module in ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty"):
        sys.modules[module] = None
    for name in ("fork", "forkpty", "getuid", "geteuid", "setsid", "killpg", "sysconf", "waitid"):
        delattr(os, name)
    for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGPIPE", "SIGXCPU", "SIGCHLD"):
        delattr(signal, name)
from reconcile import proc
proc.PROC = Path("/nowhere")
"""
IMPORTS = f"""{ELSEWHERE}
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
COMMAND = f"""{ELSEWHERE}
from reconcile.cli import main
sys.exit(main(sys.argv[1:]))
"""
SYSTEMS = ("win32", "darwin")


class Answer(NamedTuple):
    """How a process ended, and what it told of it."""

    code: int
    told: str


ASKED = {
    "check": (["check", "tiny"], 0, ""),
    "new": (["new", "other"], 0, ""),
    "recover": (["recover"], 0, "recover: locked, and whether that run is alive is not known: "),
    "measure": (["measure", "tiny", "out"], 1, "networks are measured on Linux; "),
    "explain": (["explain", "48", "tiny"], 2, "networks are measured on Linux; "),
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What each import and each command gave as if on another system."""
    questions = {name: question(tmp_path_factory, IMPORTS, name, *MODULES) for name in SYSTEMS}
    for name, (arguments, _, _) in ASKED.items():
        questions[name] = question(tmp_path_factory, COMMAND, "win32", *arguments)
    subprocess.run(
        [sys.executable, "-c", EACH],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow")},
        input=json.dumps(list(questions.values())),
        text=True,
        check=True,
    )
    said = {name: Path(asked["said"]) for name, asked in questions.items()}
    return {
        name: Answer(int((f / "code").read_text()), (f / "stderr").read_text("utf-8"))
        for name, f in said.items()
    }


def question(folders: pytest.TempPathFactory, code: str, *arguments: str) -> dict[str, Any]:
    """Code to run in a folder of its own, which a run on another machine has locked."""
    folder, said = folders.mktemp("elsewhere"), folders.mktemp("said")
    write_study(folder / "tiny")
    for name in ("alive", "locks/0.output.lock"):
        file = folder / ".snakemake" / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return {"code": code, "arguments": arguments, "folder": str(folder), "said": str(said)}


@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_can_be_imported(elsewhere: dict[str, Answer], system: str) -> None:
    """No module needs at its import what only Linux, or only a Unix, has."""
    assert elsewhere[system] == Answer(0, "")


@pytest.mark.parametrize("command", ASKED)
def test_commands_on_windows(elsewhere: dict[str, Answer], command: str) -> None:
    """They do what they do anywhere, or say in one line what is needed."""
    _, code, said = ASKED[command]
    done = elsewhere[command]
    assert "Traceback" not in done.told
    assert (done.code, bool(done.told)) == (code, bool(said)), done.told
    assert said in done.told
    assert len(done.told.splitlines()) <= 1
