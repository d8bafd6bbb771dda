"""What a run tells may be read by nobody: it goes on, and ends as it would have."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from reconcile.run.telling import lasting, outlive_readers


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A stream into a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as stream:
        yield stream


def test_nobody_reads(unread: TextIO) -> None:
    """What is told to nobody is lost, again and again, and the stream can still be closed."""
    stream = lasting(unread)
    for _ in range(2):
        assert stream.write("a line\n") == len("a line\n")
        stream.flush()
    assert not stream.isatty()


def test_somebody_reads() -> None:
    """What is read arrives as it was told."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        print("a line", file=lasting(stream), flush=True)
    with os.fdopen(reader) as told:
        assert told.read() == "a line\n"


def test_handlers_that_took_their_stream_before(
    unread: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logger's handlers outlive the reader too, and raise nothing."""
    monkeypatch.setattr(sys, "stderr", unread)
    handler = logging.StreamHandler()
    monkeypatch.setattr(handler, "handleError", pytest.fail)
    outlive_readers([handler, logging.NullHandler()])
    handler.emit(logging.makeLogRecord({"msg": "a line"}))
    print("another", file=sys.stderr, flush=True)


TELLS = """
import sys
from reconcile.run.telling import outlive_readers
{}
print("a line", file=sys.stderr)
"""


@pytest.mark.parametrize(("asked", "ends_well"), [("outlive_readers()", True), ("", False)])
def test_exit_code(unread: TextIO, asked: str, ends_well: bool) -> None:
    """A process that tells its last line to nobody ends well, and would not by itself."""
    done = subprocess.run([sys.executable, "-c", TELLS.format(asked)], stderr=unread, check=False)
    assert (done.returncode == 0) == ends_well
