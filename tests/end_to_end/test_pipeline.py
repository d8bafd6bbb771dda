"""The real study through Snakemake, as a user runs it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import Snakemake
from projects import fault_of, replace_in, snakemake, tiny_project, told, whole_project
from support import text_table

from reconcile.tables.contract import FILES, tables

pytestmark = pytest.mark.slow


def of_the_record(name: str) -> bool:
    """Whether a file may differ between two runs: the record, and what is made from it.

    PDFs bear the date of the record; timings are drawn as they were.
    """
    return (
        (name in FILES and (FILES[name].record or FILES[name].drawn))
        or name.endswith(".pdf")
        or "latency" in name
    )


def contents(results: Path) -> dict[str, bytes]:
    """Every file of a results folder by its path in it; the marks are Snakemake's business."""
    files = (file for file in results.rglob("[!.]*") if file.is_file())
    return {
        file.relative_to(results).as_posix(): file.read_bytes()
        for file in files
        if ".made" not in file.parts
    }


@pytest.fixture(scope="module")
def twice(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The results of two runs from scratch: other folders, hash seeds, time zones and locales."""
    surroundings = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    project = whole_project(tmp_path_factory.mktemp("pipeline") / "second-in-a-longer-folder")
    done = snakemake(project, **surroundings)
    assert done.returncode == 0, told(done)
    return [rendered, project / "results" / "alexnet"]


def test_everything_lands(twice: list[Path]) -> None:
    """One command writes every file of the contract."""
    found = contents(twice[0])
    wanted = {*tables(), "interpretations.json", "record.json", "reconciliation.json"}
    wanted |= {"report.html", "report.pdf", "numbers.tex", "tables.tex", "references.bib"}
    assert wanted <= set(found)
    assert any(name.startswith("figures/") and name.endswith(".svg") for name in found)
    assert all(found.values())


def test_reproducible_files_are_identical(twice: list[Path]) -> None:
    """Two runs from scratch give the same files, byte for byte, but for the record's."""
    first, second = map(contents, twice)
    assert set(first) == set(second)
    differing = {name for name in first if first[name] != second[name]}
    assert {name for name in differing if not of_the_record(name)} == set()
    assert "record.json" in differing
    assert len(first) - len(differing) > 15


def test_record_is_of_its_own_run(twice: list[Path]) -> None:
    """The record says when, how and on what this run was made."""
    first, second = (json.loads((folder / "record.json").read_text()) for folder in twice)
    assert first["started"] < first["ended"] <= second["started"]
    assert first["device"]["type"] in ("cpu", "cuda")
    assert first["settings"]["repeats"] == 1
    assert second["command"] == "snakemake"


def test_no_absolute_path_in_tables(twice: list[Path]) -> None:
    """Nothing that is compared holds the folder it was made in."""
    project = str(twice[1].parents[1]).encode()
    for name, content in contents(twice[1]).items():
        if not of_the_record(name):
            assert project not in content, name


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A project with the tiny study, not run yet, with results of an earlier run lying there."""
    project = tiny_project(tmp_path / "project")
    results_of_yesterday(project)
    yield project
    if sys.exc_info()[0] is None:
        shutil.rmtree(project)


def results_of_yesterday(project: Path) -> None:
    """Let a table lie among the results."""
    old = project / "results" / "tiny" / "verdicts.csv"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("results of yesterday\n")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snakemake]:
    """Snakemake on such a project, started once for all that it refuses before it runs a job."""
    snakemake = Snakemake(tiny_project(tmp_path_factory.mktemp("asked") / "project"))
    yield snakemake
    snakemake.close()


@pytest.fixture
def refused(asked: Snakemake) -> Iterator[Snakemake]:
    """The same, with its files as they are at first."""
    files = [asked.project / "config.yaml", asked.project / "studies/tiny/study.yaml"]
    before = {file: file.read_bytes() for file in files}
    results_of_yesterday(asked.project)
    yield asked
    for file, content in before.items():
        file.write_bytes(content)


FAULTS = [
    (
        "config.yaml",
        "device: auto",
        "device: tpu",
        "config.yaml:10: measure.device: must be 'auto', 'cuda' or 'cpu', not 'tpu'",
    ),
    (
        "config.yaml",
        "repeats: 1",
        "repaets: 1",
        "measure.repaets: unknown key, did you mean 'repeats'?",
    ),
    (
        "config.yaml",
        "studies: [tiny]",
        "studies: [tinny]",
        "config.yaml:5: studies: there is no study 'tinny', did you mean 'tiny'?",
    ),
    ("config.yaml", "report:\n", "report: [\n", "config.yaml:"),
    (
        "studies/tiny/study.yaml",
        "title: Tiny\n",
        "titel: Tiny\n",
        "studies/tiny/study.yaml:1: titel: unknown key, did you mean 'title'?",
    ),
    (
        "studies/tiny/study.yaml",
        "printed: '48'",
        "printed: 48",
        "claims.0.printed: must be the printed digits in quotes",
    ),
    (
        "studies/tiny/study.yaml",
        "interpretation: slip\n",
        "interpretation: slipp\n",
        "conclusion.interpretation: there is no interpretation 'slipp', did you mean 'slip'?",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), FAULTS)
def test_a_fault_stops_before_anything_runs(
    refused: Snakemake, file: str, old: str, new: str, message: str
) -> None:
    """A fault in a study or the configuration is one line with its place; results stay."""
    replace_in(refused.project / file, old, new)
    assert message in fault_of(refused())
    left = contents(refused.project / "results")
    assert left == {"tiny/verdicts.csv": b"results of yesterday\n"}


def test_faults_found_late_are_one_line(small: Path) -> None:
    """A conclusion that does not resolve fails its rule with a line and no traceback."""
    study = small / "studies/tiny/study.yaml"
    replace_in(study, "{ceil.conv.neurons}", "{ceil.conf.neurons}")
    text = fault_of(snakemake(small))
    assert re.search(r"study\.yaml:\d+: conclusion\.answer: \{ceil\.conf\.neurons\}", text)
    assert "results of yesterday" in (small / "results/tiny/verdicts.csv").read_text()


def test_cuda_without_cuda_is_one_line(small: Path) -> None:
    """`device: cuda` where there is none fails with what is accepted."""
    if (Path("/dev") / "nvidia0").exists():
        pytest.skip("this machine has a GPU")
    text = fault_of(snakemake(small, "--config", "measure={device: cuda}"))
    assert "device: cuda was asked for, but" in text
    assert not (small / "results/tiny/layers.csv").exists()


def test_options_on_the_command_line(small: Path) -> None:
    """`--config` sets a key and `--resources gpu=0` keeps to the CPU."""
    done = snakemake(
        small, "measurements", "--config", "measure={repeats: 3}", "--resources", "gpu=0"
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((small / "results/tiny/record.json").read_text())
    assert (record["settings"]["repeats"], record["device"]["type"]) == (3, "cpu")
    timings = text_table(small / "results/tiny/timings.csv")
    assert set(timings["repeats"]) == {"3", "1"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("measure={repeats: many}", "measure.repeats: must be a whole number, not 'many'"),
        ("mesure={repeats: 1}", "mesure: unknown key, did you mean 'measure'?"),
        ("studies=[nowhere]", "there is no study 'nowhere'"),
    ],
)
def test_faults_on_the_command_line(refused: Snakemake, given: str, message: str) -> None:
    """What `--config` sets is checked like the file."""
    assert message in fault_of(refused("--dry-run", "--config", given))
