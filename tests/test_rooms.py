"""The rooms of the library: what may import what, and who may load torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PROJECT

LIBRARY = PROJECT / "workflow" / "reconcile"
FILES = sorted(file for file in LIBRARY.rglob("*.py") if "skeleton/network" not in str(file))
BASE = {"errors", "files", "folders", "words"}
ALLOWED: dict[str, set[str]] = {
    "tables": set(),
    "study": {"tables"},
    "run": {"study"},
    "measure": {"tables", "study", "run"},
    "judge": {"tables", "study"},
    "search": {"tables", "study", "judge"},
    "cite": {"tables", "study"},
    "report": {"tables", "study", "judge", "search", "cite"},
    "archive": {"tables", "study", "judge", "search", "cite", "report", "measure"},
}
"""What a room imports besides the base; docs/how-it-works.md draws it."""
LOADS_TORCH = {
    "layers.py",
    *(f"measure/{name}.py" for name in ("building", "closed_forms", "counting", "coverage")),
    *(f"measure/{name}.py" for name in ("crediting", "device", "kinds", "operators", "recall")),
    *(f"measure/{name}.py" for name in ("timing", "weights", "worker", "zygote")),
}


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


def test_no_class_has_two_meanings() -> None:
    """No two files define a public class of the same name."""
    seen: dict[str, Path] = {}
    for file in FILES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert node.name not in seen, (node.name, file, seen.get(node.name))
                seen[node.name] = file
