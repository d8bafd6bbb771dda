"""An edit reruns exactly what depends on it.

One project with the tiny study is run from start to end; then each row of the table edits one file
and asks Snakemake what it would run. The table is the rule: a new rule or a new dependency shows up
here first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from support import copy_project, study_data, write_study

pytestmark = pytest.mark.slow

RENDERING = {"render_report", "render_pdf"}
JUDGING = {"reconcile", "render_index"} | RENDERING
FROM_MEASUREMENTS = {"search"} | JUDGING
FROM_STUDY = {"check_paper"} | FROM_MEASUREMENTS
"""What reads study.yaml."""
MEASURING = {"measure"} | FROM_MEASUREMENTS
INSTANTIATING = {"instantiate"} | MEASURING
EVERYTHING = INSTANTIATING | FROM_STUDY

Edit = Callable[[str], str]


def snakemake(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake on a project with the library of that project."""
    environment = os.environ | {"PYTHONPATH": str(project / "workflow")}
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def planned(project: Path, *arguments: str) -> set[str]:
    """The rules that Snakemake would run now."""
    done = snakemake(project, "--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^(?:local)?rule (\w+):", done.stdout, re.MULTILINE)) - {"all"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose tiny study has been run from start to end."""
    project = copy_project(tmp_path_factory.mktemp("rerun") / "project")
    shutil.rmtree(project / "studies")
    write_study(project / "studies" / "tiny")
    configure(project / "config.yaml")
    done = snakemake(project)
    assert done.returncode == 0, done.stderr
    return project


def configure(file: Path) -> None:
    """Run the tiny study, and time one pass only."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^studies: .*$", "studies: [tiny]", text, flags=re.MULTILINE)
    text = re.sub(r"^  repeats: \d+$", "  repeats: 1", text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def project(finished: Path) -> Iterator[Path]:
    """The finished project, whose files are put back, times included, after the test."""
    kept = [f for f in finished.rglob("*") if f.is_file() and ".snakemake" not in f.parts]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in kept}
    yield finished
    for file, (content, modified) in before.items():
        if file.stat().st_mtime_ns != modified:
            file.write_bytes(content)
            os.utime(file, ns=(modified, modified))


def append(text: str) -> Edit:
    """Add text to the end of a file."""
    return lambda content: f"{content}\n{text}\n"


def replace(old: str, new: str) -> Edit:
    """Put one text for another, which must be there."""

    def edit(content: str) -> str:
        assert old in content
        return content.replace(old, new, 1)

    return edit


def in_study(change: Callable[[dict], None]) -> Edit:
    """Change the data of a study file."""

    def edit(content: str) -> str:
        data = yaml.safe_load(content)
        change(data)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)

    return edit


def add_reading(data: dict) -> None:
    """One more interpretation."""
    more = study_data()["interpretations"][0] | {"id": "wide", "network": {"kernels": 8}}
    data["interpretations"].append(more)


STUDY_FILE = "studies/tiny/study.yaml"
LIBRARY = "workflow/reconcile"
COMMENT = append("# A comment.")

TABLE: list[tuple[str, str, Edit, set[str]]] = [
    (
        "claim",
        STUDY_FILE,
        in_study(lambda data: data["claims"][1].update(quote="maps of 4 by 4")),
        FROM_STUDY,
    ),
    (
        "evidence",
        STUDY_FILE,
        in_study(lambda data: data["evidence"][1].update(says="Nobody computed it.")),
        FROM_STUDY,
    ),
    (
        "title of an interpretation",
        STUDY_FILE,
        in_study(lambda data: data["interpretations"][1].update(title="Covers the image")),
        FROM_STUDY,
    ),
    (
        "arguments of an interpretation",
        STUDY_FILE,
        in_study(lambda data: data["interpretations"][0].update(network={"kernels": 8})),
        EVERYTHING,
    ),
    ("one more interpretation", STUDY_FILE, in_study(add_reading), EVERYTHING),
    ("network", "studies/tiny/network.py", COMMENT, MEASURING),
    (
        "style sheet",
        "templates/report.css",
        append("p { margin: 0 }"),
        {"render_report", "render_index"},
    ),
    ("style sheet for paper", "templates/print.css", append("p { margin: 0 }"), {"render_pdf"}),
    ("template", "templates/report.html.jinja", append("<!-- -->"), RENDERING),
    (
        "who checked",
        "config.yaml",
        replace('checked_by: ""', 'checked_by: "Ada Lovelace"'),
        RENDERING,
    ),
    ("repeats", "config.yaml", replace("repeats: 1", "repeats: 2"), INSTANTIATING),
    ("comment in the configuration", "config.yaml", COMMENT, set()),
    ("profile", "profiles/default/profile.yaml", COMMENT, set()),
    ("script", "workflow/scripts/reconcile.py", COMMENT, JUDGING),
    ("module of the measuring process", f"{LIBRARY}/measure/coverage.py", COMMENT, MEASURING),
    ("layers", f"{LIBRARY}/layers.py", COMMENT, MEASURING),
    (
        "ranking",
        f"{LIBRARY}/judge/ranking.py",
        COMMENT,
        {"check_paper"} | JUDGING,
    ),
    ("search", f"{LIBRARY}/search/digits.py", COMMENT, {"search"} | RENDERING),
    ("figures", f"{LIBRARY}/report/figures/svg.py", COMMENT, {"render_index"} | RENDERING),
    ("citation", f"{LIBRARY}/cite/numbers.py", COMMENT, {"render_report"}),
    ("faults", f"{LIBRARY}/errors.py", COMMENT, EVERYTHING),
    ("command line", f"{LIBRARY}/cli.py", COMMENT, set()),
]


@pytest.mark.parametrize(
    ("file", "edit", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0].replace(" ", "-") for row in TABLE],
)
def test_edit(project: Path, file: str, edit: Edit, expected: set[str]) -> None:
    """An edit plans the rules that depend on it and no other."""
    path = project / file
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert planned(project) == expected


def test_nothing(project: Path) -> None:
    """A finished project has nothing to do."""
    assert planned(project) == set()


def test_touch(project: Path) -> None:
    """New times of unchanged files, as after a checkout, plan nothing.

    Scripts are left out: Snakemake compares a script by its time alone.
    """
    for folder in ("studies", "templates", "workflow/reconcile", "workflow/rules", "profiles"):
        for file in (project / folder).rglob("*"):
            file.touch()
    (project / "config.yaml").touch()
    assert planned(project) == set()


def test_another_study(project: Path) -> None:
    """A study that is added plans its own rules and leaves the others alone."""
    write_study(project / "studies" / "other")
    done = snakemake(project, "--dry-run", "--config", "studies=all")
    shutil.rmtree(project / "studies" / "other")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"wildcards: study=(\w+)", done.stdout)) == {"other"}


def test_planned_is_done(project: Path) -> None:
    """What is planned is what happens: after a new title, the old measurements are used again."""
    record = project / "results/tiny/record.json"
    before = record.read_bytes()
    path = project / STUDY_FILE
    change = in_study(lambda data: data["interpretations"][1].update(title="Covers the image"))
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = snakemake(project, "results/tiny/reconciliation.json")
    assert done.returncode == 0, done.stderr
    assert "Covers the image" in (project / "results/tiny/reconciliation.json").read_text()
    assert record.read_bytes() == before
