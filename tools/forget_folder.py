"""Make an environment work wherever its folder is moved or copied to, and in a folder of any name.

Run by tools/setup.sh, at the root, with the environment's own Python. pip and venv write the
folder's path into what they make: wrong once it is moved, and broken by a space, a quote or a `$`.
"""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

PACKAGES, COMMANDS = (Path(sysconfig.get_path(name)) for name in ("purelib", "scripts"))

# As pip writes it: the interpreter, or sh in front of it where a line of `#!` cannot hold it.
PYTHON_LINE = re.compile(rb"#!(/bin/sh\n'''exec' .*\n' '''|/.*/python.*)\n")
PYTHON_BESIDE = rb"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""

COMMAND = b"""import sys

from reconcile.cli import main

sys.exit(main())
"""
"""`reconcile`, as pyproject.toml names it."""

ACTIVATE = {
    "activate": (
        r"( *)(?:export )?VIRTUAL_ENV=.*",
        r"""\1VIRTUAL_ENV="${BASH_SOURCE:-${ZSH_VERSION:+$0}}"
\1VIRTUAL_ENV="$(dirname -- "${VIRTUAL_ENV:-.venv/bin/activate}")/.."
\1VIRTUAL_ENV="$(CDPATH= cd -- "$VIRTUAL_ENV" >/dev/null && pwd)"
\1export VIRTUAL_ENV""",
    ),
    "activate.fish": (
        r"set -gx VIRTUAL_ENV .*",
        r"set -gx VIRTUAL_ENV (realpath (dirname (status filename))/..)",
    ),
    # A script of csh cannot tell where it lies; the README has it sourced from the root.
    "activate.csh": (r"setenv VIRTUAL_ENV .*", r'setenv VIRTUAL_ENV "$cwd/.venv"'),
}
"""The line of each script that names the folder, and what finds the folder instead."""


def find_library() -> None:
    """Have Python find the library, and its command, in the folder that the environment lies in."""
    library = os.path.relpath("workflow", PACKAGES)
    (PACKAGES / "reconcile.pth").write_text(f"{library}\n", "utf-8")
    command = COMMANDS / "reconcile"
    command.write_bytes(PYTHON_BESIDE + COMMAND)
    command.chmod(0o755)


def find_python() -> None:
    """Have every command start the Python beside it."""
    for command in COMMANDS.iterdir():
        content = b"" if command.is_symlink() else command.read_bytes()
        if line := PYTHON_LINE.match(content):
            command.write_bytes(PYTHON_BESIDE + content[line.end() :])


def find_environment() -> None:
    """Have every `activate` find the environment that it lies in."""
    for name, (line, instead) in ACTIVATE.items():
        script = COMMANDS / name
        text = script.read_text("utf-8", "surrogateescape")
        script.write_text(re.sub(f"(?m)^{line}$", instead, text), "utf-8", "surrogateescape")


if __name__ == "__main__":
    find_library()
    find_python()
    find_environment()
