"""``python -m reconcile compare A B``: what differs between two archives, as a table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconcile.archiving.differences import Difference
from reconcile.archiving.limits import ArchiveError
from reconcile.compare import Comparison, compare_archives
from reconcile.errors import Fault, InputError

__all__ = ["add_arguments", "run"]

HEADER = ("table", "where", "what")
MAX_WIDTH = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("a", type=Path, help="one .crate.zip file")
    parser.add_argument("b", type=Path, help="the other")


def run(args: argparse.Namespace) -> int:
    """Print the differences; 0 if measurements, verdicts and ranking are equal, else 1.

    Raises:
        InputError: an archive is missing or broken.
    """
    try:
        found = compare_archives(args.a, args.b)
    except ArchiveError as error:
        raise InputError(Fault(args.a, 0, "compare", str(error))) from None
    rows = [(*HEADER, *_labels(args.a, args.b)), *_rows(found)]
    print("\n".join(_aligned(rows)))
    count = sum(map(len, found.differences.values())) + len(found.ranking)
    print(f"{found.compared:,} cells compared, {count:,} differ; latencies are not judged")
    return 0 if found.equal else 1


def _labels(one: Path, other: Path) -> tuple[str, str]:
    """What the two columns are called: file names, or paths where these are the same."""
    return (one.name, other.name) if one.name != other.name else (str(one), str(other))


def _rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    groups = {"record.json": found.circumstances, **found.differences}
    for table, differences in (groups | {"ranking": found.ranking}).items():
        yield from (_row(table, difference) for difference in differences)
    yield from (_row("timings.csv", latency) for latency in found.latencies)


def _row(table: str, difference: Difference) -> tuple[str, ...]:
    return (table, *(_cell(value) for value in difference))


def _cell(value: str | None) -> str:
    text = "-" if value is None else "".join(c if c.isprintable() else "?" for c in value)
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 3]}..."


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
