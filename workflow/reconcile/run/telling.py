"""Lines to a terminal or a pipe that may go away while a run is going on.

Snakemake 9 hands a broken pipe on to whoever told something. A thread that tells of a job that
failed then never says that it has ended, and the run waits for it for ever, with its folder locked:
``snakemake 2>&1 | head``, or a program that read the lines and was killed. So what is told to
nobody is lost, and nothing fails for it; the log files have it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast


class _Lasting:
    """A stream that goes on when whoever read it has gone; otherwise the stream that it is of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream does; nothing where nobody reads it."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._send_nowhere()
            return len(text)

    def flush(self) -> None:
        """As the stream does."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._send_nowhere()

    def _send_nowhere(self) -> None:
        # The descriptor, since what the stream still holds would fail this process as it ends, and
        # each that it starts has the same pipe.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lasting(stream: TextIO) -> TextIO:
    """A stream that outlives its reader, in the place of one that may not."""
    return stream if isinstance(stream, _Lasting) else cast(TextIO, _Lasting(stream))


def outlive_readers(handlers: Iterable[logging.Handler] = ()) -> None:
    """Have this process go on where nobody reads what it tells.

    Args:
        handlers: those of a logger, which took their streams before.
    """
    sys.stderr = lasting(sys.stderr)
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler) and not hasattr(handler, "baseFilename"):
            handler.setStream(lasting(handler.stream))
