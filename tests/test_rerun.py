"""An edit reruns exactly what depends on it, whatever the clock says.

One project with the tiny study is run from start to end; then each row of the table edits one file
of it, asks Snakemake what it would run, and the project is put back. The table is the rule: a new
rule or a new dependency shows up here first. A file may be put in place in many ways, most of which
leave a wrong time.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from forked import Snakemake
from support import copy_project, study_data, write_study

pytestmark = pytest.mark.slow

RENDERING = {"render_report", "render_pdf"}
JUDGING = {"reconcile", "search", "render_index"} | RENDERING
FROM_MEASUREMENTS = JUDGING
FROM_CLAIMS = {"check_paper"} | FROM_MEASUREMENTS
MEASURING = {"measure"} | FROM_MEASUREMENTS
INSTANTIATING = {"instantiate"} | MEASURING
EVERYTHING = INSTANTIATING | FROM_CLAIMS

LONG_AGO = 1_000_000_000
"""Before anything here was made, in seconds: September 2001."""
NO_PROFILE = ("--workflow-profile", "none", "--cores", "1")
EVERY_TRIGGER = ("--rerun-triggers", "mtime", "params", "input", "software-env", "code")

Edit = Callable[[str], str]


class Project:
    """A project whose tiny study has been run from start to end.

    Attributes:
        folder: where each test finds it as it was then, times included.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = copy_project(folder / "project")
        self._finished = folder / "finished"
        shutil.rmtree(self.folder / "studies")
        write_study(self.folder / "studies" / "tiny")
        configure(self.folder / "config.yaml")
        self.snakemake = Snakemake(self.folder)
        done = self.snakemake()
        assert done.returncode == 0, done.stderr
        shutil.copytree(self.folder, self._finished, symlinks=True)

    def restore(self) -> None:
        """Have it be as it was when it was finished."""
        shutil.rmtree(self.folder)
        shutil.copytree(self._finished, self.folder, symlinks=True)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def planned(self, *arguments: str) -> set[str]:
        """The rules that Snakemake would run now."""
        return set(self.jobs(*arguments)) - {"all"}

    def jobs(self, *arguments: str) -> list[str]:
        """The rule of every job that Snakemake would run now."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"^(?:local)?rule (\w+):", done.stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of all tests here."""
    project = Project(tmp_path_factory.mktemp("rerun"))
    yield project
    project.snakemake.close()


def configure(file: Path) -> None:
    """Run the tiny study, and time one pass only."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^studies: .*$", "studies: [tiny]", text, flags=re.MULTILINE)
    text = re.sub(r"^  repeats: \d+$", "  repeats: 1", text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def project(finished: Project) -> Project:
    """The finished project, whatever the last test did with it."""
    finished.restore()
    return finished


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
RESULTS = "results/tiny"
LIBRARY = "workflow/reconcile"
COMMENT = append("# A comment.")

TABLE: list[tuple[str, str, Edit, set[str]]] = [
    (
        "claim",
        STUDY_FILE,
        in_study(lambda data: data["claims"][1].update(quote="maps of 4 by 4")),
        FROM_CLAIMS,
    ),
    (
        "evidence",
        STUDY_FILE,
        in_study(lambda data: data["evidence"][1].update(says="Nobody computed it.")),
        FROM_MEASUREMENTS,
    ),
    (
        "title of an interpretation",
        STUDY_FILE,
        in_study(lambda data: data["interpretations"][1].update(title="Covers the image")),
        FROM_MEASUREMENTS,
    ),
    (
        "arguments of an interpretation",
        STUDY_FILE,
        in_study(lambda data: data["interpretations"][0].update(network={"kernels": 8})),
        INSTANTIATING,
    ),
    ("one more interpretation", STUDY_FILE, in_study(add_reading), INSTANTIATING),
    ("comment in the study", STUDY_FILE, COMMENT, set()),
    ("network", "studies/tiny/network.py", COMMENT, MEASURING),
    (
        "style sheet",
        "templates/report.css",
        append("p { margin: 0 }"),
        {"render_report", "render_index"},
    ),
    ("style sheet for paper", "templates/print.css", append("p { margin: 0 }"), {"render_pdf"}),
    ("template", "templates/report.html.jinja", append("<!-- -->"), RENDERING),
    ("script of the index", "templates/index.js", append("/* */"), {"render_index"}),
    ("claims of all", "results/claims.csv", replace("tiny", "tinny"), {"render_index"}),
    ("a page of claims", "results/claims/1.html", replace("Tiny", "Tinny"), {"render_index"}),
    ("template of archives", "templates/archive/README.md.jinja", append("More."), set()),
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
    ("module of the measuring process", f"{LIBRARY}/measure/fields.py", COMMENT, MEASURING),
    ("measuring processes", f"{LIBRARY}/measure/process.py", COMMENT, MEASURING),
    ("check of the paper", f"{LIBRARY}/judge/evidence.py", COMMENT, {"check_paper"} | JUDGING),
    ("layers", f"{LIBRARY}/layers.py", COMMENT, MEASURING),
    ("ranking", f"{LIBRARY}/judge/conclusion.py", COMMENT, JUDGING),
    ("search", f"{LIBRARY}/search/geometries.py", COMMENT, {"search"} | RENDERING),
    ("figures", f"{LIBRARY}/report/figures/__init__.py", COMMENT, RENDERING),
    ("citation", f"{LIBRARY}/cite/numbers.py", COMMENT, {"render_report"}),
    ("faults", f"{LIBRARY}/errors.py", COMMENT, EVERYTHING),
    ("mark", f"{RESULTS}/.made/search.json", str.upper, {"search"} | RENDERING),
    ("a measured number", f"{RESULTS}/layers.csv", replace("conv", "convolution"), MEASURING),
    ("a cut file", f"{RESULTS}/verdicts.csv", lambda text: text[:100], JUDGING),
    ("the report", f"{RESULTS}/report.html", replace("Tiny", "Tinny"), {"render_report"}),
    ("command line", f"{LIBRARY}/cli.py", COMMENT, set()),
]


def put(path: Path, text: str) -> None:
    """Write a file, as an editor does."""
    path.write_text(text, encoding="utf-8")


def put_older(path: Path, text: str) -> None:
    """Put a file that is older than all results, as `cp -p`, tar and rsync do."""
    put(path, text)
    os.utime(path, (LONG_AGO, LONG_AGO))


def move_older(path: Path, text: str) -> None:
    """Move such a file to its place."""
    put_older(path.with_suffix(".old"), text)
    path.with_suffix(".old").replace(path)


def as_it_is(project: Path) -> None:
    """Leave all else alone."""


def forget(project: Path) -> None:
    """Delete what Snakemake knows."""
    shutil.rmtree(project / ".snakemake")


def shuffle(project: Path) -> None:
    """Copy the results away and back, in any order, and delete what Snakemake knows."""
    forget(project)
    files = sorted((project / "results").rglob("*"))
    random.Random(5).shuffle(files)  # noqa: S311 - any order will do
    for n, file in enumerate(files):
        os.utime(file, (LONG_AGO + n, LONG_AGO + n))


def touch(project: Path) -> None:
    """Give everything but the results a new time, as a checkout does."""
    for file in project.rglob("*"):
        if file.is_file() and not {"results", ".snakemake"} & {*file.relative_to(project).parts}:
            file.touch()


WAYS: dict[str, tuple[Callable[[Path, str], None], Callable[[Path], None], tuple[str, ...]]] = {
    "written": (put, as_it_is, ()),
    "older": (put_older, as_it_is, ()),
    "moved": (move_older, as_it_is, ()),
    "nothing known": (put_older, forget, ()),
    "by times": (put_older, as_it_is, ("--rerun-triggers", "mtime")),
    "copied results": (put_older, shuffle, ()),
    "checked out": (put, touch, (*NO_PROFILE, *EVERY_TRIGGER)),
}
EVERY_WAY = ("claim", "repeats", "a cut file")
"""The edits that are tried in every way; the others are written."""


@pytest.mark.parametrize(
    ("way", "row"),
    [
        pytest.param(way, row, id=f"{row[0]}, {way}")
        for row in TABLE
        for way in (WAYS if row[0] in EVERY_WAY else ["written"])
    ],
)
def test_edit(project: Project, way: str, row: tuple[str, str, Edit, set[str]]) -> None:
    """An edit plans the rules that depend on it and no other, however the file got there."""
    _, file, edit, expected = row
    write, around, options = WAYS[way]
    around(project.folder)
    write(project / file, edit((project / file).read_text(encoding="utf-8")))
    assert project.planned(*options) == expected


@pytest.mark.parametrize("way", WAYS)
def test_nothing(project: Project, way: str) -> None:
    """A finished project has nothing to do, whatever the times are."""
    _, around, options = WAYS[way]
    around(project.folder)
    assert project.planned(*options) == set()


def test_a_dry_run_changes_nothing(project: Project) -> None:
    """Asking what would run leaves the results as they are, times included."""

    def state() -> dict[Path, tuple[bytes, int]]:
        files = (file for file in (project / "results").rglob("*") if file.is_file())
        return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    before = state()
    put_older(project / STUDY_FILE, in_study(add_reading)((project / STUDY_FILE).read_text()))
    assert project.planned() == INSTANTIATING
    assert state() == before


def test_forced(project: Project) -> None:
    """A rule that is forced takes with it what depends on it."""
    assert project.planned("--forcerun", "measure") == MEASURING


def test_only_what_is_asked_for(project: Project) -> None:
    """What is out of date but not asked for is left alone."""
    put(project / STUDY_FILE, in_study(add_reading)((project / STUDY_FILE).read_text()))
    assert project.planned("measurements") == {"instantiate", "measure"} | {"measurements"}


def test_a_new_template(project: Project) -> None:
    """A file that is added where a rule reads all files counts."""
    put(project / "templates/partials/more.jinja", "")
    assert project.planned() == RENDERING


def test_measured_elsewhere(project: Project) -> None:
    """Results that another machine wrote are taken as they are once they are touched."""
    timings = project / "results/tiny/timings.csv"
    put_older(timings, timings.read_text(encoding="utf-8").replace("1", "2"))
    assert project.planned() == MEASURING
    done = project.snakemake("--touch", "results/tiny/record.json")
    assert done.returncode == 0, done.stderr
    assert project.planned() == RENDERING


def test_archive(project: Project) -> None:
    """An archive of an older study.yaml is made anew, with all that depends on it."""
    now = (project / STUDY_FILE).read_text(encoding="utf-8")
    put(project / STUDY_FILE, in_study(add_reading)(now))
    assert project.planned("archive") >= {"build_archive"} | INSTANTIATING - {"render_index"}


def test_another_study(project: Project) -> None:
    """A study that is added plans its own rules and leaves the others alone."""
    write_study(project / "studies" / "other")
    done = project.snakemake("--dry-run", "--config", "studies=all")
    shutil.rmtree(project / "studies" / "other")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"wildcards: study=(\w+)", done.stdout)) == {"other"}


def test_results_of_another_study(project: Project) -> None:
    """The index runs again for results that another run left, and makes nothing of theirs again."""
    shutil.copytree(project / RESULTS, project / "results/other")
    assert project.planned() == {"render_index"}
    done = project.snakemake()
    assert done.returncode == 0, done.stderr
    assert project.planned() == set()
    page = (project / "results/index.html").read_text(encoding="utf-8")
    assert "other</span> (its last run did not end)" in page
    shutil.rmtree(project / "results/other")
    assert project.planned() == {"render_index"}


def test_planned_is_done(project: Project) -> None:
    """What is planned is what happens: after a new title, the old measurements are used again."""
    record = project / "results/tiny/record.json"
    before = record.read_bytes()
    path = project / STUDY_FILE
    change = in_study(lambda data: data["interpretations"][1].update(title="Covers the image"))
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = project.snakemake("results/tiny/reconciliation.json")
    assert done.returncode == 0, done.stderr
    assert "Covers the image" in (project / "results/tiny/reconciliation.json").read_text()
    assert record.read_bytes() == before


def test_batches(project: Project) -> None:
    """Batches that a stopped run left are used again, unless they are out of date."""
    two = ("--config", "measure={readings_per_job: 2, repeats: 1, warmup: 0}")
    done = project.snakemake(*two, "--", "results/tiny/batches/0/record.json")
    assert done.returncode == 0, done.stderr
    rest = {"measure_batch", "gather_measurements"} | FROM_MEASUREMENTS
    assert project.planned(*two) == rest
    assert project.jobs(*two).count("measure_batch") == 1
    network = project / "studies/tiny/network.py"
    put_older(network, COMMENT(network.read_text(encoding="utf-8")))
    assert project.jobs(*two).count("measure_batch") == len((0, 1))
    done = project.snakemake(*two, "--", "measurements")
    assert done.returncode == 0, done.stderr
    assert not list(project.folder.glob("results/tiny/batches/*/*"))
    assert project.planned(*two, "--", "measurements") == set()


def test_a_study_that_is_not_configured(project: Project) -> None:
    """A study that only the command line names is measured, and then up to date, too."""
    write_study(project / "studies" / "other")
    wanted = "results/other/reconciliation.json"
    done = project.snakemake(wanted)
    assert done.returncode == 0, done.stderr
    assert project.planned(wanted) == set()
    network = project / "studies/other/network.py"
    put_older(network, COMMENT(network.read_text(encoding="utf-8")))
    assert project.planned(wanted) == {"measure", "reconcile"}
