"""The library files of a rule are found from what its modules import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT

from reconcile.run import code
from reconcile.run.code import library_files

LIBRARY = PROJECT / "workflow" / "reconcile"


def names(*modules: str) -> set[str]:
    """Files below the library, by path."""
    return {str(file.relative_to(LIBRARY)) for file in library_files(*modules)}


def test_module_alone() -> None:
    """A module without imports is itself alone."""
    assert names("tables.contract") == {"tables/contract.py"}


def test_imports_of_imports() -> None:
    """Imports are followed, through packages too."""
    assert {"measure/worker.py", "measure/counting.py", "layers.py"} <= names("measure.worker")


def test_measuring_needs_no_study() -> None:
    """What measures does not hang on claims, verdicts or rendering."""
    found = names("measure.run", "measure.worker", "run.scripting")
    for other in ("study.py", "model.py", "verdicts.py", "report.py", "tables.py", "yamlfile.py"):
        assert other not in found


def test_reconciling_needs_no_torch() -> None:
    """Nothing after measuring depends on a module that imports torch."""
    for modules in (("reconciliation", "run.scripting"), ("search",), ("report", "cite")):
        for file in library_files(*modules):
            assert "import torch" not in file.read_text(encoding="utf-8"), (modules, file)


@pytest.mark.parametrize(
    "module",
    ["measure.run", "measure.worker", "judge.reconciliation", "report.render", "search.run"],
)
def test_nothing_is_missed(module: str) -> None:
    """Every module of the library that importing really loads is in the list."""
    code = (
        f"import sys, reconcile.{module}\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'reconcile'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {Path(file).resolve() for file in done.stdout.split()}
    packages = {file for file in loaded if file.name == "__init__.py"}
    assert loaded - packages <= set(library_files(module))


def test_ways_to_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`import a.b`, `from a import b`, imports in functions and cycles are all followed."""
    (tmp_path / "sub").mkdir()
    for name, text in {
        "__init__.py": "",
        "one.py": "import reconcile.two\nimport os, json\n",
        "two.py": "from reconcile import three\nfrom reconcile.sub import five\n",
        "three.py": "def f():\n    from reconcile.four import x\n    return x\n",
        "four.py": "import reconcile.one\nx = 1\n",
        "sub/__init__.py": "",
        "sub/five.py": "",
        "sub/six.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    code._imports.cache_clear()
    found = {str(file.relative_to(tmp_path)) for file in library_files("one")}
    code._imports.cache_clear()
    assert found - {"__init__.py", "sub/__init__.py"} == {
        "one.py", "two.py", "three.py", "four.py", "sub/five.py",
    }  # fmt: skip
