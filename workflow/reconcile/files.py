"""Write files whole or not at all: beside the target first, flushed to the disk, then renamed."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError


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
        raise not_written(folder, error) from error


@contextmanager
def staged(file: Path) -> Iterator[Path]:
    """A path beside ``file`` to write to; it takes the file's place when the block ends well."""
    part = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _sweep(file)
        prefix = f".{file.name}.{os.getpid()}-"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=file.parent)
        os.close(handle)
        part = Path(name)
        yield part
        _publish(part, file)
    except OSError as error:
        raise not_written(file, error) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _sweep(file: Path) -> None:
    """Remove what killed writers left beside a file; the part of one that lives here is its own."""
    for part in file.parent.glob(f".{escape(file.name)}.*.part"):
        name = re.fullmatch(r"(?:([1-9]\d{0,8})-)?[^.]+\.part", part.name[len(file.name) + 2 :])
        if name is not None and not (name[1] and _lives(int(name[1]))):
            # Somebody else's, or another writer removed it just now: no reason not to write.
            with suppress(OSError):
                part.unlink()


def _lives(process: int) -> bool:
    """Whether a process of this machine runs; one that ended and was not asked how does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is another user's.
        return True
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(") ")[2][:1]
    except OSError:
        return True
    return state != "Z"


def not_written(file: Path, error: OSError) -> InputError:
    """The fault of a file that cannot be written."""
    return InputError(Fault(file, 0, "", f"cannot be written: {error.strerror or error}"))


def _publish(part: Path, file: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    # mkstemp makes files private; results get the permissions any new file would have.
    mask = os.umask(0)
    os.umask(mask)
    part.chmod(0o666 & ~mask)
    part.replace(file)
