"""Which files of this library a script needs, so that its rule reruns when one of them changes.

Snakemake does not track imported Python. The imports are read from the syntax trees, so the list
can never fall behind the code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "reconcile"
_MODULE = re.compile(rf"{PACKAGE}(\.\w+)+")
ROOT = Path(__file__).resolve().parents[1]


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
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = (name for node in ast.walk(tree) for name in _names(node))
    files = (_file(name) for name in names if name.partition(".")[0] == PACKAGE)
    return tuple(sorted({f for f in files if f is not None}))


def _names(node: ast.AST) -> Iterator[str]:
    """Modules that a statement may load, ``from package import module`` included."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        # What is run as `python -m` is named and not imported.
        yield from [node.value] if _MODULE.fullmatch(node.value) else []


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)
