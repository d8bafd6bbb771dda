"""A mark says what results were made from, and a job reads what the run began with or fails."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconcile.errors import InputError
from reconcile.run.marks import Sums, counted, marked, sum_of, sum_of_text


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


def test_many_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums of hundreds of studies fit into one variable of the environment."""
    monkeypatch.setenv("RECONCILE_SUMS", "")
    names = [f"studies/study-number-{n}" for n in range(300)]
    sums = Sums(
        files={f"{n}/{f}": sum_of_text(n + f) for n in names for f in ("study.yaml", "net.py")},
        studies={f"{n}/study.yaml": {"judge": sum_of_text(n)} for n in names},
    )
    sums.hand_over()
    assert Sums.handed_over() == sums
    assert len(os.environ["RECONCILE_SUMS"]) < 128 * 1024


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
