"""The command line: ``python -m reconcile COMMAND``.

Each command imports only what it needs: ``measure`` runs where nothing but torch, pydantic and
PyYAML is installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from reconcile import __version__
from reconcile.errors import InputError

COMMANDS = {
    "new": "write a small study that works, to start from",
    "check": "check study files without running anything",
    "measure": "build, run and measure every interpretation of a study",
    "verify": "check an archive, executing nothing from it",
    "recover": "end what a killed run left running here and clear its lock",
    "compare": "show which measurements and verdicts differ between two archives",
    "schemas": "write the JSON Schemas of config.yaml and study.yaml, for editors",
}
"""Commands by name; ``reconcile.commands.<name>`` has add_arguments(parser) and run(args)."""


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconcile", description=__doc__)
    parser.add_argument("--version", action="version", version=f"reconcile {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        if name == command:
            importlib.import_module(f"reconcile.commands.{name}").add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; faults in the user's input are one line each and exit code 2."""
    argv = sys.argv[1:] if argv is None else list(argv)
    command = next((word for word in argv if word in COMMANDS), None)
    args = _parser(command).parse_args(argv)
    try:
        return int(importlib.import_module(f"reconcile.commands.{args.command}").run(args))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
