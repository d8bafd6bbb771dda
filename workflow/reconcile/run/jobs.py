"""What every rule's script shares: its log, one line for a fault, and the mark that it leaves.

A mark says what a job's results were made from, and what they are.
``results/<study>/.made/<rule>.json`` names each thing that a rule read or wrote with its SHA-256:
the part of the study that it uses, other files, its options, its script and the modules behind it,
the results of other rules, and its own. Results whose mark says what is there now are up to date,
whatever the times of the files are (``reconcile.run.fresh`` looks).

Snakemake does not track imported Python. The imports are read from the modules themselves, so the
list can never fall behind the code.

What a job tells goes to a terminal or a pipe that may go away while a run is going on. Snakemake 9
hands a broken pipe on to whoever told something. A thread that tells of a job that failed then
never says that it has ended, and the run waits for it for ever, with its folder locked:
``snakemake 2>&1 | head``, or a program that read the lines and was killed. So what is told to
nobody is lost, and nothing fails for it; the log files have it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import re
import sys
import traceback
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any, TextIO, cast

from reconcile.errors import Fault, InputError, visible
from reconcile.files import PACKAGE as ROOT
from reconcile.files import ROOT as PROJECT
from reconcile.files import name_of, write_json
from reconcile.run.processes import Alive, end_with_parent
from reconcile.words import Report

SUMS_VARIABLE = "RECONCILE_SUMS"
"""How the variables of sums begin: the environment reaches every job, on other hosts too."""
MARK = "made"
"""The name of the output that is the mark."""
PACKAGE = "reconcile"
LIBRARY = ROOT.parent
_MODULE_IN_QUOTES = re.compile(rf"""["']({PACKAGE}(?:\.\w+)+)["']""")
# A syntax tree of every module took a third of a run with nothing to do.
_IMPORT = re.compile(
    rf"^ *(?:from|import) +({PACKAGE}\b[\w.]*)(?: +import +(\([^)]*\)|.*))?", re.MULTILINE
)
_WORD = re.compile(r"\w+")

Sum = str | None
"""A SHA-256, or None of what is not there."""
Name = str


@dataclass
class Sums:
    """What a run summed up before its first job, handed to each.

    Attributes:
        files: of every file that no rule makes, by path.
        studies: of the part of a study.yaml that a rule uses, by path and rule.
        code: of a rule's script and the modules behind it, by rule and name.
    """

    files: dict[str, Sum] = field(default_factory=dict)
    studies: dict[str, dict[str, Sum]] = field(default_factory=dict)
    code: dict[str, dict[Name, Sum]] = field(default_factory=dict)

    def add(self, more: Sums) -> None:
        """Know of these too."""
        self.files |= more.files
        self.studies |= more.studies
        self.code |= more.code

    def hand_over(self, number: int = 0) -> None:
        """Leave them in the environment of every job that this process starts.

        Args:
            number: how many were left there before; all from 0 on are handed over together. What a
                run of many studies sums up piece by piece is thereby packed once, and no piece
                comes near the 128 KiB that Linux allows a variable.
        """
        packed = zlib.compress(json.dumps(asdict(self)).encode())
        os.environ[_variable(number)] = base64.b64encode(packed).decode()
        os.environ.pop(_variable(number + 1), None)

    @classmethod
    def handed_over(cls) -> Sums:
        """Those of the run that started this process."""
        found = cls()
        there = takewhile(os.environ.__contains__, map(_variable, count()))
        for packed in (os.environ[name] for name in there):
            found.add(cls(**json.loads(zlib.decompress(base64.b64decode(packed)))))
        return found


def _variable(number: int) -> str:
    return f"{SUMS_VARIABLE}_{number}"


def are_handed_over() -> bool:
    """Whether the run that started this process left sums: an executor may pass none on."""
    return _variable(0) in os.environ


def sum_of(path: Path) -> Sum:
    """The SHA-256 of a file; of a folder, that of the names and sums of the files in it."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("[!.]*") if file.is_file())
        return sum_of_data([[str(f.relative_to(path)), sum_of(f)] for f in files])
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def sum_of_data(data: Any) -> str:
    """The SHA-256 of what JSON can hold; the order of keys is no part of it."""
    # Without an indent, which Python's encoder in C does not know.
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def counted(inputs: Iterable[str]) -> list[str]:
    """The inputs of a rule that its results are made from.

    Batches are not: they follow from what measures them, and are gone once they are gathered.
    """
    parts = {file: file.split("/") for file in inputs}
    return [f for f, p in parts.items() if p[0] != ".snakemake" and p[2:3] != ["batches"]]


def made_from(
    rule: str,
    inputs: Iterable[str],
    options: Mapping[str, Any],
    sums: Sums,
    results: Mapping[str, Sum],
) -> dict[Name, Sum]:
    """The sum of everything that a rule's results are made from.

    Args:
        rule: its name.
        inputs: its counted inputs.
        options: its parameters.
        sums: of what no rule makes.
        results: of what other rules make, by path.
    """
    found = dict(sums.code[rule])
    if options:
        found["options"] = sum_of_data(options)
    for file in inputs:
        part = sums.studies.get(file, {}).get(rule)
        found[name_of(file)] = part or (results[file] if file in results else sums.files[file])
    return found


@contextmanager
def marked(job: Any) -> Iterator[None]:
    """Do a job's work, and leave its mark; see to it that what it reads is what the run began with.

    Args:
        job: the ``snakemake`` of a rule's script.

    Raises:
        InputError: what the job reads was edited while the run was going on. There is no mark then,
            so the next run does the job again.
    """
    sums = Sums.handed_over()
    inputs = counted(job.input)
    _refuse_edited(job, inputs, sums)
    results = {file: sum_of(Path(file)) for file in inputs if file not in sums.files}
    made = made_from(job.rule, inputs, dict(job.params.items()), sums, results)
    yield
    _refuse_edited(job, inputs, sums)
    mark = job.output[MARK]
    gave = {file: sum_of(Path(file)) for file in job.output if file != mark}
    write_json(Path(mark), {"from": made, "gave": gave})


def _refuse_edited(job: Any, inputs: list[str], sums: Sums) -> None:
    files = {Path(file): sums.files[file] for file in inputs if file in sums.files}
    folder = scripts_in(Path(job.scriptdir))
    code = {_path_of(name, folder): s for name, s in sums.code[job.rule].items()}
    edited = [file for file, expected in (files | code).items() if sum_of(file) != expected]
    if edited:
        message = "was edited while this run was going on; run again"
        raise InputError(*(Fault(file, 0, "", message) for file in edited))


def scripts_in(folder: Path) -> Path:
    """The folder of the rules' scripts; of rules from a repository elsewhere, the library's own."""
    return folder if folder.is_dir() else PROJECT / "workflow" / "scripts"


def _path_of(name: Name, scripts: Path) -> Path:
    return (LIBRARY if name.startswith("reconcile/") else scripts.parent) / name


def imported_files(script: Path) -> list[Path]:
    """The files of this library that a script imports, and those that they import, sorted."""
    waiting = list(_imports(script))
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting.extend(_imports(file))
    return sorted(found)


@cache
def _imports(file: Path) -> tuple[Path, ...]:
    text = file.read_text(encoding="utf-8")
    # What is run as `python -m` is named and not imported.
    names = {*_MODULE_IN_QUOTES.findall(text), *_names(text)}
    files = (_file(name) for name in names)
    return tuple(sorted({f for f in files if f is not None}))


def _names(text: str) -> Iterator[str]:
    """Modules of this library that a text may load, ``from package import module`` among them."""
    for module, names in _IMPORT.findall(text):
        yield module
        yield from (f"{module}.{name}" for name in _WORD.findall(names))


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def _tell(stream: TextIO, line: str) -> None:
    """Tell people a line at once, on the terminal and in a log file."""
    text = "\n".join(map(visible, line.split("\n")))
    # A disk that is full is told by what did not fit, on the terminal at least.
    with suppress(OSError):
        print(text, file=stream, flush=True)
    print(text, file=sys.stderr, flush=True)


@contextmanager
def job(snakemake: Any, *expected: type[Exception]) -> Iterator[Report]:
    """Run a rule's script with its log, and leave its mark beside the results.

    Args:
        snakemake: what Snakemake hands to the script.
        expected: as of ``logged``.
    """
    with logged(snakemake.log[0], *expected) as log, marked(snakemake):
        yield log


@contextmanager
def logged(file: str, *expected: type[Exception]) -> Iterator[Report]:
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
        log = partial(_tell, stream)
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
