"""The library files that a rule depends on are found from what its script imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT

from reconcile.run import code
from reconcile.run.code import imported_files

LIBRARY = PROJECT / "workflow" / "reconcile"
SCRIPTS = PROJECT / "workflow" / "scripts"


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
    assert LIBRARY / "run/scripting.py" in files
    assert [f for f in files if "import torch" in f.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("script", ["check_paper.py", "reconcile.py", "search.py"])
def test_judging_needs_nothing_of_measuring(script: str) -> None:
    """What is computed of measurements hangs on no module that makes them."""
    assert "judge" in rooms(script)
    assert "measure" not in rooms(script)


@pytest.mark.parametrize("script", sorted(file.name for file in SCRIPTS.glob("*.py")))
def test_nothing_is_missed(script: str, tmp_path: Path) -> None:
    """Every module of the library that a script's imports really load is in the list."""
    lines = (SCRIPTS / script).read_text(encoding="utf-8").split("\n")
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    show = "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'reconcile'))"
    program = "\n".join(["import sys", *imports, show])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {Path(file).resolve() for file in done.stdout.split()}
    packages = {file for file in loaded if file.name == "__init__.py"}
    assert loaded - packages <= set(imported_files(SCRIPTS / script))
    assert loaded - packages


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
    monkeypatch.setattr(code, "ROOT", tmp_path)
    code._imports.cache_clear()
    found = {str(file.relative_to(tmp_path)) for file in imported_files(tmp_path / "one.py")}
    code._imports.cache_clear()
    assert found - {"__init__.py", "sub/__init__.py"} == {
        "one.py", "two.py", "three.py", "four.py", "sub/five.py", "seven.py",
    }  # fmt: skip
