"""Write files whole or not at all: beside the target first, flushed to the disk, then renamed."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError
from reconcile.tables.cells import written_cell


def write_bytes(file: Path, content: bytes) -> None:
    """Replace a file by the given bytes in one step; readers see the old or the new, never half.

    Raises:
        InputError: the file cannot be written (no room, no permission); the old one is untouched.
    """
    with staged(file) as part:
        part.write_bytes(content)


def write_text(file: Path, content: str) -> None:
    """As ``write_bytes``, for UTF-8 text with Unix line ends."""
    write_bytes(file, content.encode())


def json_text(value: Any) -> str:
    """JSON with sorted keys, indented, one final line end: the same value, the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(file: Path, value: Any) -> None:
    """Write ``json_text(value)`` in one step."""
    write_text(file, json_text(value))


def keep_only(folder: Path, kept: Container[Path], suffixes: Container[str]) -> None:
    """Make a folder if there is none, and remove its files of some suffixes but for those kept.

    Raises:
        InputError: the folder cannot be made, or a file not be removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            if file.suffix in suffixes and file not in kept:
                file.unlink()
    except OSError as error:
        raise _not_written(folder, error) from error


@contextmanager
def staged(file: Path) -> Iterator[Path]:
    """A path beside ``file`` to write to; it takes the file's place when the block ends well."""
    part = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A writer that was killed left its part behind; there is one writer at a time.
        for orphan in file.parent.glob(f".{escape(file.name)}.*.part"):
            orphan.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
        os.close(handle)
        part = Path(name)
        yield part
        _publish(part, file)
    except OSError as error:
        raise _not_written(file, error) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _not_written(file: Path, error: OSError) -> InputError:
    return InputError(Fault(file, 0, "", f"cannot be written: {error.strerror or error}"))


def _publish(part: Path, file: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    # mkstemp makes files private; results get the permissions any new file would have.
    mask = os.umask(0)
    os.umask(mask)
    part.chmod(0o666 & ~mask)
    part.replace(file)


class Csv:
    """A table that is written row by row, so that memory stays flat however long it gets.

    Args:
        file: where it is written.
        columns: its columns, in order.
        target: the file that faults name, when ``file`` only takes its place in the end.
    """

    def __init__(self, file: Path, columns: Sequence[str], target: Path | None = None) -> None:
        self.target, self.columns = target or file, columns
        self._stream = file.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(columns)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows given by column name; a missing or None value is an empty cell."""
        try:
            self._writer.writerows(
                [written_cell(row.get(column)) for column in self.columns] for row in rows
            )
        except OSError as error:
            raise _not_written(self.target, error) from error

    def close(self) -> None:
        """Flush and close; once is enough."""
        try:
            self._stream.close()
        except OSError as error:
            raise _not_written(self.target, error) from error
