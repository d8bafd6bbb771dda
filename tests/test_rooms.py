"""The rooms of the library: what may import what, and who may load torch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PROJECT

LIBRARY = PROJECT / "workflow" / "reconcile"
FILES = sorted(LIBRARY.rglob("*.py"))
BASE = {"errors", "files", "proc", "words"}
ALLOWED: dict[str, set[str]] = {
    "tables": set(),
    "study": {"tables"},
    "run": {"study"},
    "measure": {"tables", "study", "run"},
    "judge": {"tables", "study"},
    "search": {"tables", "study", "judge"},
    "explain": {"tables", "study", "search", "measure"},
    "cite": {"tables", "study"},
    "report": {"tables", "study", "judge", "search", "cite"},
    "archive": {"tables", "study", "judge", "search", "cite", "report", "measure"},
}
"""What a room imports besides the base; docs/how-it-works.md draws it."""
LOADS_TORCH = {
    "layers.py",
    *(f"measure/{name}.py" for name in ("boxes", "building", "counting")),
    *(f"measure/{name}.py" for name in ("crediting", "device", "fields", "kinds", "operators")),
    *(f"measure/{name}.py" for name in ("recall", "tensors", "weights", "worker", "zygote")),
}


TESTS = PROJECT / "tests"
VAGUE = ("told", "said", "found", "wanted", "alone", "do", "go", "handle", "helper", "util", "misc")
TESTED_IN = {
    "__main__.py": ("test_cli.py", "Two lines that call the command line."),
    "errors.py": (
        "study/test_load.py",
        "A fault is what a wrong study is told.",
    ),
    "archive/again.py": ("archive/test_verify.py", "Making again is what verifying does."),
    "archive/reading.py": ("archive/test_verify.py", "Every way to damage an archive is read."),
    "judge/measurements.py": ("study/test_expressions.py", "It answers what expressions ask."),
    "measure/answers.py": ("measure/test_process.py", "Answers are what a process gives."),
    "measure/boxes.py": ("measure/test_fields.py", "Boxes are carried to find what layers see."),
    "measure/kinds.py": ("measure/test_counting.py", "The kind of a layer is in its row."),
    "measure/weights.py": ("measure/test_crediting.py", "Whose weights are seen in whose work."),
    "measure/worker.py": ("measure/test_run.py", "It lives in a process of its own only."),
    "measure/zygote.py": ("measure/test_process.py", "Its children are what a process is told of."),
    "report/pdf.py": ("end_to_end/test_pdf.py", "A PDF is looked at with a whole report in it."),
    "study/model.py": ("study/test_load.py", "The model is what a study is loaded into."),
    "tables/frames.py": ("tables/test_contract.py", "Every table of the contract becomes a frame."),
    "tables/rows.py": ("tables/test_cells.py", "A row is its cells."),
}
"""Modules without a test file of their own name: where they are tested, and why there."""


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_used(file: Path) -> set[str]:
    """The rooms, and files of the base, that a file imports from."""
    modules = (name.split(".") for name in imports(file) if name.startswith("reconcile."))
    names = {parts[1] for parts in modules}
    return {n for n in names if (LIBRARY / n).is_dir() or (LIBRARY / f"{n}.py").is_file()}


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_between_rooms(room: str) -> None:
    """A room imports from the rooms below it only, so that data flows one way."""
    for file in (f for f in FILES if LIBRARY / room in f.parents):
        own = {room, "layers"} if room == "measure" else {room}
        assert rooms_used(file) <= BASE | ALLOWED[room] | own, file


def test_the_base_knows_no_room() -> None:
    """What lies beside the rooms imports from none of them; the command line from all."""
    for name in (*BASE, "layers"):
        assert rooms_used(LIBRARY / f"{name}.py") <= BASE, name


def test_every_room_is_ruled() -> None:
    """A new room gets its place in the order."""
    assert {f.name for f in LIBRARY.iterdir() if (f / "__init__.py").is_file()} == set(ALLOWED)
    assert len([f for f in LIBRARY.iterdir() if f.suffix == ".py"]) <= 10


def test_who_loads_torch() -> None:
    """Only the measuring process and what a network imports load torch."""
    found = {
        file.relative_to(LIBRARY).as_posix()
        for file in FILES
        if any(name.partition(".")[0] == "torch" for name in imports(file))
    }
    assert found == LOADS_TORCH


def defined(kind: type[ast.ClassDef | ast.FunctionDef]) -> dict[str, list[str]]:
    """The files that define each top-level class or function, by its name."""
    found: dict[str, list[str]] = {}
    for file in FILES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, kind):
                found.setdefault(node.name, []).append(file.relative_to(LIBRARY).as_posix())
    return found


def test_no_class_has_two_meanings() -> None:
    """No two files define a class of the same name, not even a private one."""
    assert {name: files for name, files in defined(ast.ClassDef).items() if len(files) > 1} == {}


def test_names_of_functions_say_something() -> None:
    """A word that fits any function names one at most, and no name stands in more than three files.

    Three, because a small word is the best name of what a file does with its own things.
    """
    functions = defined(ast.FunctionDef)
    most = {f"{mark}{word}": 1 for word in VAGUE for mark in ("", "_")}
    often = {name: files for name, files in functions.items() if len(files) > most.get(name, 3)}
    assert often == {}


def test_what_is_exported() -> None:
    """An underscore says what is private; only what a study's network imports lists its names."""
    listing = [f for f in FILES if re.search(r"^__all__\b", f.read_text("utf-8"), re.MULTILINE)]
    assert listing == [LIBRARY / "layers.py"]


MODULES = sorted(f.relative_to(LIBRARY).as_posix() for f in FILES if f.name != "__init__.py")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_tested(module: str) -> None:
    """A module has a test file of its own name and room, or stands in the list of others."""
    own = TESTS / Path(module).with_name(f"test_{Path(module).name}")
    assert own.is_file() != (module in TESTED_IN), f"{module}: either {own} or a reason, not both"
    if module in TESTED_IN:
        file, reason = TESTED_IN[module]
        assert (TESTS / file).is_file(), file
        assert reason.endswith("."), reason


def test_no_reason_outlives_its_module() -> None:
    """The list of modules that are tested elsewhere names modules only."""
    assert set(TESTED_IN) <= set(MODULES)
