"""A mark says what results were made from, and a job reads what the run began with or fails.

The library files that a rule depends on are found from what its script imports.
What a run tells may be read by nobody: it goes on, and ends as it would have.
"""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from support import PROJECT

from reconcile.errors import InputError
from reconcile.run import jobs
from reconcile.run.jobs import (
    Sums,
    counted,
    imported_files,
    lasting,
    marked,
    outlive_readers,
    sum_of,
)

LIBRARY = PROJECT / "workflow" / "reconcile"
SCRIPTS = PROJECT / "workflow" / "scripts"


def sum_of_text(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Named(dict[str, Any]):
    """Files by name, listed by path, as Snakemake gives them."""

    def __iter__(self) -> Any:
        return iter(self.values())


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A job that reads a study, a network and a result, as a run of now would start it."""
    monkeypatch.chdir(tmp_path)
    for name in ("study.yaml", "network.py", "layers.csv", "scripts/judge.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    Sums(
        files={name: sum_of(Path(name)) for name in ("study.yaml", "network.py")},
        studies={"study.yaml": {"judge": sum_of_text("its claims")}},
        code={"judge": {"scripts/judge.py": sum_of(Path("scripts/judge.py"))}},
    ).hand_over()
    return SimpleNamespace(
        rule="judge",
        scriptdir=str(tmp_path / "scripts"),
        input=["study.yaml", "network.py", "layers.csv", ".snakemake/outdated"],
        output=Named(table="verdicts.csv", made=".made/judge.json"),
        params={"digits": 3},
    )


def test_mark(job: SimpleNamespace) -> None:
    """All that a job reads and gives is in its mark; of a study, the part that it uses."""
    with marked(job):
        Path("verdicts.csv").write_text("matches")
    mark = json.loads(Path(".made/judge.json").read_text())
    read = {"study.yaml", "network.py", "layers.csv", "options", "scripts/judge.py"}
    assert set(mark["from"]) == read
    assert mark["from"]["study.yaml"] == sum_of_text("its claims")
    assert mark["from"]["layers.csv"] == sum_of_text("layers.csv")
    assert mark["gave"] == {"verdicts.csv": sum_of_text("matches")}


@pytest.mark.parametrize("name", ["study.yaml", "network.py", "scripts/judge.py"])
@pytest.mark.parametrize("late", [False, True])
def test_edited(job: SimpleNamespace, name: str, late: bool) -> None:
    """What is edited before or while a job runs fails it in one line, and leaves no mark."""

    def run() -> None:
        with marked(job):
            if late:
                Path(name).write_text("edited")
                return
            raise AssertionError("the job must not begin")

    if not late:
        Path(name).write_text("edited")
    with pytest.raises(InputError) as fault:
        run()
    (line,) = str(fault.value).splitlines()
    assert line.endswith(f"{name}: was edited while this run was going on; run again")
    assert not Path(".made").exists()


def test_failed(job: SimpleNamespace) -> None:
    """A job that fails leaves no mark."""
    with pytest.raises(ZeroDivisionError), marked(job):
        _ = 1 / 0
    assert not Path(".made").exists()


def test_many_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums of hundreds of studies arrive together; Linux allows a variable 128 KiB."""
    names = [f"studies/study-number-{n}" for n in range(300)]
    sums = Sums()
    for number, name in enumerate(names):
        monkeypatch.setenv(f"RECONCILE_SUMS_{number}", "")
        piece = Sums(
            files={f"{name}/{f}": sum_of_text(name + f) for f in ("study.yaml", "net.py")},
            studies={f"{name}/study.yaml": {"judge": sum_of_text(name)}},
        )
        piece.hand_over(number)
        sums.add(piece)
    assert Sums.handed_over() == sums
    assert max(len(v) for k, v in os.environ.items() if k.startswith("RECONCILE_SUMS")) < 128 * 1024


def test_sums_of_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was started by a job of another hands over nothing of that one's."""
    for number in range(2):
        monkeypatch.setenv(f"RECONCILE_SUMS_{number}", "")
        Sums(files={f"older-{number}": None}).hand_over(number)
    own = Sums(files={"newer": None})
    own.hand_over()
    assert Sums.handed_over() == own


def test_folder(tmp_path: Path) -> None:
    """The sum of a folder changes with a file's name and content, and with no hidden file."""
    (tmp_path / "a.svg").write_text("1")
    first = sum_of(tmp_path)
    (tmp_path / ".snakemake_timestamp").touch()
    assert sum_of(tmp_path) == first
    (tmp_path / "a.svg").rename(tmp_path / "b.svg")
    second = sum_of(tmp_path)
    (tmp_path / "b.svg").write_text("2")
    assert len({first, second, sum_of(tmp_path), None}) == len("1234")


def test_counted() -> None:
    """Batches and the folder of the outdated are no part of what results are made from."""
    files = ["results/a/batches/0/layers.csv", "results/batches/layers.csv", ".snakemake/outdated"]
    assert counted(files) == ["results/batches/layers.csv"]


def rooms(script: str) -> set[str]:
    """The folders of the library that a script depends on."""
    files = imported_files(SCRIPTS / script)
    return {file.relative_to(LIBRARY).parts[0] for file in files}


def test_what_is_run_and_not_imported() -> None:
    """The measuring process, which is started as `python -m`, is followed too."""
    files = {str(file.relative_to(LIBRARY)) for file in imported_files(SCRIPTS / "measure.py")}
    assert {"measure/worker.py", "measure/counting.py", "layers.py"} <= files


def test_measuring_needs_no_judge() -> None:
    """What measures does not hang on verdicts or rendering, nor on how studies are read."""
    assert {"measure", "run"} <= rooms("measure.py")
    assert not {"judge", "search", "report", "cite", "archive"} & rooms("measure.py")
    files = imported_files(SCRIPTS / "measure.py")
    assert not {LIBRARY / "study/load.py", LIBRARY / "study/model.py"} & set(files)


@pytest.mark.parametrize(
    "script", ["check_paper", "reconcile", "search", "render_report", "render_pdf", "render_index"]
)
def test_nothing_else_needs_measuring(script: str) -> None:
    """What judges, searches and renders hangs on no module that imports torch."""
    files = imported_files(SCRIPTS / f"{script}.py")
    assert LIBRARY / "run/jobs.py" in files
    assert [f for f in files if "import torch" in f.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("script", ["check_paper.py", "reconcile.py", "search.py"])
def test_judging_needs_nothing_of_measuring(script: str) -> None:
    """What is computed of measurements hangs on no module that makes them."""
    assert "judge" in rooms(script)
    assert "measure" not in rooms(script)


# A fork for each, in which other libraries are there and nothing of this one.
EACH = """
import os, sys
import jinja2, pandas, pydantic, rocrate.rocrate, weasyprint, yaml
for script, imports in zip(sys.argv[1::2], sys.argv[2::2]):
    if os.fork() == 0:
        exec(imports)
        own = (m for name, m in sys.modules.items() if name.split(".")[0] == "reconcile")
        print(script, *(module.__file__ for module in own))
        sys.exit()
    os.wait()
"""
NAMES = sorted(file.name for file in SCRIPTS.glob("*.py"))


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[Path]]:
    """The files of the library that the imports of each script really load."""
    asked = []
    for script in NAMES:
        lines = (SCRIPTS / script).read_text(encoding="utf-8").split("\n")
        imports = [line for line in lines if line.startswith(("import ", "from "))]
        asked += [script, "\n".join(imports)]
    command = [sys.executable, "-c", EACH, *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = (line.split() for line in done.stdout.splitlines())
    return {script: {Path(file).resolve() for file in files} for script, *files in found}


@pytest.mark.parametrize("script", NAMES)
def test_nothing_is_missed(script: str, loaded: dict[str, set[Path]]) -> None:
    """Every module of the library that a script's imports really load is in the list."""
    modules = {file for file in loaded[script] if file.name != "__init__.py"}
    assert modules
    assert modules <= set(imported_files(SCRIPTS / script))


def test_imports_are_those_of_the_syntax_trees() -> None:
    """What is read of the text of each module is what Python would read, no more and no less."""
    for file in [*LIBRARY.rglob("*.py"), *SCRIPTS.glob("*.py")]:
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        for node in (n for n in nodes if isinstance(n, ast.ImportFrom) and n.module):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        own = [name for name in names if name.partition(".")[0] == "reconcile"]
        quoted = jobs._MODULE_IN_QUOTES.findall(file.read_text(encoding="utf-8"))
        read = {jobs._file(name) for name in (*own, *quoted)} - {None}
        assert set(jobs._imports(file)) == read, file


def test_ways_to_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`import a.b`, `from a import b`, imports in functions and cycles are all followed."""
    (tmp_path / "sub").mkdir()
    for name, text in {
        "__init__.py": "",
        "one.py": "import reconcile.two\nimport os, json\nCOMMAND = ['-m', 'reconcile.seven']\n",
        "seven.py": "",
        "two.py": "from reconcile import three\nfrom reconcile.sub import five\n",
        "three.py": "def f():\n    from reconcile.four import x\n    return x\n",
        "four.py": "import reconcile.one\nx = 1\n",
        "sub/__init__.py": "",
        "sub/five.py": "",
        "sub/six.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(jobs, "ROOT", tmp_path)
    jobs._imports.cache_clear()
    found = {str(file.relative_to(tmp_path)) for file in imported_files(tmp_path / "one.py")}
    jobs._imports.cache_clear()
    assert found - {"__init__.py", "sub/__init__.py"} == {
        "one.py", "two.py", "three.py", "four.py", "sub/five.py", "seven.py",
    }  # fmt: skip


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
from reconcile.run.jobs import outlive_readers
{}
print("a line", file=sys.stderr)
"""


@pytest.mark.parametrize(("asked", "ends_well"), [("outlive_readers()", True), ("", False)])
def test_exit_code(unread: TextIO, asked: str, ends_well: bool) -> None:
    """A process that tells its last line to nobody ends well, and would not by itself."""
    done = subprocess.run([sys.executable, "-c", TELLS.format(asked)], stderr=unread, check=False)
    assert (done.returncode == 0) == ends_well
