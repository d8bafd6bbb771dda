"""``python -m reconcile verify FILE``: check an archive without executing anything from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reconcile import __version__
from reconcile.archiving.limits import ArchiveError
from reconcile.errors import Fault, InputError, visible
from reconcile.files import write_json
from reconcile.verify import Verification, receipt, verify_archive

__all__ = ["add_arguments", "run"]

RECEIPT = "verification.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("archive", type=Path, help="the .crate.zip file")
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="measure again on this machine; this EXECUTES the archive's network code",
    )
    parser.add_argument(
        "--device", choices=("auto", "cuda", "cpu"), default="auto", help="where to measure again"
    )
    parser.add_argument("--by", help="who verifies, for the receipt")
    parser.add_argument(
        "--receipt", type=Path, help=f"the receipt to write (default: {RECEIPT} beside the archive)"
    )


def run(args: argparse.Namespace) -> int:
    """Print what was found, write the receipt; 0 only if every check holds.

    Raises:
        InputError: there is no such archive.
    """
    if args.rerun:
        print("--rerun executes network code from the archive on this machine", file=sys.stderr)
    try:
        device = args.device if args.rerun else None
        found = verify_archive(args.archive, rerun=device, report=_progress)
    except ArchiveError as error:
        raise InputError(Fault(args.archive, 0, "", str(error))) from None
    print("\n".join(_lines(found)))
    _write_receipt(args.receipt or args.archive.parent / RECEIPT, found, args.by)
    return 0 if found.holds else 1


def _write_receipt(target: Path, found: Verification, who: str | None) -> None:
    """Write the receipt; where that cannot be done, what was found stands all the same."""
    try:
        write_json(target, receipt(found, who))
    except InputError as error:
        print(f"no receipt: {error}", file=sys.stderr)
    else:
        print(f"receipt: {visible(str(target))}")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _lines(found: Verification) -> list[str]:
    lines = [f"archive  {visible(found.file.name)}", f"sha256   {found.sha256}"]
    if found.study is not None:
        written = ascii(found.version)[1:-1]
        lines.append(
            f"study    {found.study}, written by reconcile {written}, read by {__version__}"
        )
    width = max(len(check.name) for check in found.checks)
    lines += [f"{c.outcome:8} {c.name:{width}}  {_plain(c.detail)}" for c in found.checks]
    for latency in found.latencies:
        sides = f"{latency.archived or '-'} ms archived, {latency.here or '-'} ms here"
        lines.append(f"{'latency':8} {latency.network}: {sides}")
    verdict = "all checks hold" if found.holds else "NOT verified"
    return [*lines, verdict]


def _plain(text: str) -> str:
    """Text from an archive, unable to steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
