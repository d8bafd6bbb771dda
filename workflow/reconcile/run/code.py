"""Which files of this library a module needs, so that a rule reruns when one of them changes.

Snakemake does not track imported Python. The imports are read from the syntax trees, so the list of
a rule's inputs can never fall behind the code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "reconcile"
ROOT = Path(__file__).resolve().parents[1]


def library_files(*modules: str) -> list[Path]:
    """The files of some modules and of everything of this library they import, sorted.

    Args:
        modules: names below the package: "measure.run".
    """
    waiting = [_file(f"{PACKAGE}.{module}") for module in modules]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file is not None and file not in found:
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
    """Modules that an import statement may load, ``from package import module`` included."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)
