"""What every rule's script shares: a log, and one line instead of a traceback for a fault."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from reconcile.errors import InputError, visible
from reconcile.run.alive import Alive
from reconcile.run.marks import marked
from reconcile.run.processes import end_with_parent
from reconcile.run.telling import outlive_readers


class Log:
    """Tells people a line at once: on the terminal and in the rule's log file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, line: str) -> None:
        """Write one line to both; several where it holds several."""
        text = "\n".join(map(visible, line.split("\n")))
        # A disk that is full is told by what did not fit, on the terminal at least.
        with suppress(OSError):
            print(text, file=self._stream, flush=True)
        print(text, file=sys.stderr, flush=True)


@contextmanager
def job(snakemake: Any, *expected: type[Exception]) -> Iterator[Log]:
    """Run a rule's script with its log, and leave its mark beside the results.

    Args:
        snakemake: what Snakemake hands to the script.
        expected: as of ``logged``.
    """
    with logged(snakemake.log[0], *expected) as log, marked(snakemake):
        yield log


@contextmanager
def logged(file: str, *expected: type[Exception]) -> Iterator[Log]:
    """Run a script's work with its log; expected faults become one line each and exit code 1.

    Args:
        file: the rule's log file.
        expected: further exceptions whose message alone tells users what is wrong.
    """
    # Two runs must not write the same results because Snakemake was killed and its jobs were not.
    end_with_parent()
    outlive_readers()
    if not Alive(Path.cwd()).join():
        sys.exit("the run that started this job is gone")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with Path(file).open("w", encoding="utf-8") as stream:
        log = Log(stream)
        try:
            yield log
        except InputError as error:
            fault = str(error)
        except expected as error:
            fault = str(error)
        except Exception:
            # On a cluster the terminal of a job is a file elsewhere.
            traceback.print_exc(file=stream)
            raise
        else:
            return
        log(fault)
        sys.exit(1)
