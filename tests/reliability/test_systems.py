"""Systems other than Linux: everything can be imported, and what does not work there says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT, write_study

MODULES = sorted(
    ".".join(file.relative_to(PROJECT / "workflow").with_suffix("").parts)
    for file in (PROJECT / "workflow" / "reconcile").rglob("*.py")
    if file.name != "__main__.py"
)

# As on another system: what others need of this one is loaded before it is hidden.
ELSEWHERE = """
import os, signal, subprocess, sys, tempfile
from pathlib import Path
import jinja2, pandas, rocrate.rocrate, snakemake.logging, torch, weasyprint, yaml, pydantic

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


def elsewhere(
    code: str, system: str, *arguments: str, folder: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Run code as if on another system."""
    return subprocess.run(
        [sys.executable, "-c", code, system, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_can_be_imported(system: str) -> None:
    """No module needs at its import what only Linux, or only a Unix, has."""
    done = elsewhere(IMPORTS, system, *MODULES)
    assert (done.returncode, done.stderr) == (0, "")


ASKED = {
    "check": (["check", "tiny"], 0, ""),
    "new": (["new", "other"], 0, ""),
    "recover": (["recover"], 0, "recover: locked, and whether that run is alive is not known: "),
    "measure": (["measure", "tiny", "out"], 1, "networks are measured on Linux; "),
    "explain": (["explain", "48", "tiny"], 2, "networks are measured on Linux; "),
}


@pytest.mark.parametrize("command", ASKED)
def test_commands_on_windows(tmp_path: Path, command: str) -> None:
    """They do what they do anywhere, or say in one line what is needed."""
    write_study(tmp_path / "tiny")
    for name in ("alive", "locks/0.output.lock"):
        file = tmp_path / ".snakemake" / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    arguments, code, said = ASKED[command]
    done = elsewhere(COMMAND, "win32", *arguments, folder=tmp_path)
    assert "Traceback" not in done.stderr
    assert (done.returncode, bool(done.stderr)) == (code, bool(said)), done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 1
