"""Results of earlier runs are told of where their marks say that they follow from what is there.

What a run settled before its first job reaches the jobs that start later.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from odd_studies import ODD, write_odd
from support import PROJECT, study_data, write_study

from reconcile.files import write_json
from reconcile.run.fresh import (
    CURRENT,
    EDITED,
    HALF,
    PARTS,
    PLAN_VARIABLE,
    RunPlan,
    answers,
    hand_over,
    handed_over,
    others,
    planned,
    standing_of,
    standings,
    sums_of_parts,
)
from reconcile.run.jobs import sum_of
from reconcile.study.config import Config
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring

RESULTS = Path("results/tiny")
GIVES = {
    "measure": ("layers.csv",),
    "reconcile": ("reconciliation.json", "verdicts.csv"),
    "render_report": ("report.html",),
}
READS = {"reconcile": ("layers.csv",), "render_report": ("reconciliation.json",)}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the results of the tiny study, whose marks are those of a run."""
    monkeypatch.chdir(tmp_path)
    write_study(Path("studies/tiny"))
    RESULTS.mkdir(parents=True)
    for name in ("layers.csv", "reconciliation.json", "verdicts.csv", "report.html"):
        (RESULTS / name).write_text(name)
    for rule in GIVES:
        mark(rule)


def mark(rule: str) -> None:
    """Leave the mark of a rule that has run just now."""
    made = {f"{RESULTS}/{name}": sum_of(RESULTS / name) for name in READS.get(rule, ())}
    if rule in PARTS:
        sums = sums_of_parts(load_study(Path("studies/tiny")))
        made["studies/tiny/study.yaml"] = sums[rule]
    else:
        made["studies/tiny/network.py"] = sum_of(Path("studies/tiny/network.py"))
    gave = {f"{RESULTS}/{name}": sum_of(RESULTS / name) for name in GIVES[rule]}
    write_json(RESULTS / ".made" / f"{rule}.json", {"from": made, "gave": gave})


def edit_study(**changed: object) -> None:
    """Write the study anew."""
    file = Path("studies/tiny/study.yaml")
    file.write_text(yaml.safe_dump(study_data() | changed, sort_keys=False), encoding="utf-8")


def test_what_a_run_left() -> None:
    """Results of a run that ended are current, and stay so after a comment in the study."""
    assert standing_of("tiny") == CURRENT
    file = Path("studies/tiny/study.yaml")
    file.write_text(file.read_text() + "# A comment.\n")
    assert standing_of("tiny") == CURRENT


def test_batches_and_an_archive() -> None:
    """The mark of measuring in one job does not hold once batches were gathered, and need not."""
    whole = RESULTS / ".made" / "measure.json"
    shutil.copy(whole, RESULTS / ".made" / "gather_measurements.json")
    whole.write_text(
        whole.read_text().replace('"results/tiny/layers.csv": "', '"results/tiny/layers.csv": "0')
    )
    (RESULTS / ".made" / "build_archive.json").write_text("no longer true")
    assert standing_of("tiny") == CURRENT


@pytest.mark.parametrize(
    "change",
    [
        lambda: edit_study(title="Another title"),
        lambda: edit_study(title=5),
        lambda: Path("studies/tiny/network.py").write_text("pass"),
        lambda: shutil.rmtree("studies/tiny"),
    ],
    ids=["edited", "broken", "network", "gone"],
)
def test_a_study_that_was_edited(change: Callable[[], object]) -> None:
    """Results of another version of the study are told of, with a note."""
    change()
    assert standing_of("tiny") == EDITED


@pytest.mark.parametrize(
    "change",
    [
        (RESULTS / "report.html").unlink,
        lambda: (RESULTS / "reconciliation.json").write_text("edited"),
        (RESULTS / "verdicts.csv").unlink,
        lambda: (RESULTS / "layers.csv").write_text("measured anew"),
        (RESULTS / ".made" / "render_report.json").unlink,
        lambda: (RESULTS / ".made" / "reconcile.json").write_text("cut"),
        lambda: shutil.rmtree(RESULTS / ".made"),
    ],
)
def test_what_does_not_belong_together(change: Callable[[], object]) -> None:
    """Results that do not follow from each other are not told of."""
    change()
    assert standing_of("tiny") == HALF


def test_told_and_not_told() -> None:
    """Each study with results is in one of the two lists."""
    shutil.copytree("results/tiny", "results/half")
    assert standings(["half", "tiny"]) == ({"tiny": CURRENT}, {"half": HALF})


def test_which_others_there_are() -> None:
    """Those with a reconciliation that are not named; a sum changes with what it rests on."""
    Path("results/tiny.old").mkdir()
    Path("results/Tiny").mkdir()
    shutil.copy(RESULTS / "reconciliation.json", "results/Tiny")
    assert others({"tiny"}) == {}
    before = others({"alexnet"})
    assert list(before) == ["tiny"] and others(set()) == before
    for change in (
        lambda: (RESULTS / "reconciliation.json").write_text("other"),
        (RESULTS / "report.html").unlink,
        lambda: edit_study(title="Another title"),
        (RESULTS / ".made" / "reconcile.json").unlink,
    ):
        change()
        after = others(set())
        assert after != before
        before = after
    assert json.loads(json.dumps(before)) == before


@pytest.mark.parametrize(("readings_per_job", "jobs"), [(1, 3), (2, 2), (3, 1), (1000, 1)])
def test_jobs(tiny: Study, readings_per_job: int, jobs: int) -> None:
    """A study is measured in as many jobs as its readings need."""
    plan = planned(tiny, Config(measure=Measuring(readings_per_job=readings_per_job)))
    assert (plan.network_file, plan.jobs) == ("network.py", jobs)


def test_handed_over(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job gets the very plan that its run left."""
    monkeypatch.setenv(PLAN_VARIABLE, "")
    assert handed_over() is None
    config = Config(studies="all", measure=Measuring(time_limit_s=0.5, device="cpu"))
    studies = {"b": planned(tiny, config), "a": planned(tiny, config)}
    plan = RunPlan(config=config, config_file="config.yaml", studies=studies)
    assert hand_over(plan) is plan
    assert handed_over() == plan
    assert list(handed_over().studies) == ["b", "a"]


OWN = sorted(file.parent for file in PROJECT.glob("studies/*/study.yaml"))


@pytest.mark.parametrize("name", [*ODD, *(folder.name for folder in OWN)])
def test_only_what_runs_for_real_asks_for_a_gpu(name: str, tmp_path: Path) -> None:
    """A study leaves it and the other cores where each of its readings says the meta device."""
    study = load_study(write_odd(tmp_path, name) if name in ODD else PROJECT / "studies" / name)
    placements = {reading["placement"] for reading in plan_of(study, name)["interpretations"]}
    assert planned(study, Config()).on_meta == (placements == {"meta"})


def found(name: str, answer: str, report_time: int | None) -> None:
    """A study's reconciliation of second 10, and its report, if any, of another second."""
    file = Path("results", name, "reconciliation.json")
    write_json(file, {"conclusion": {"answer": answer}})
    os.utime(file, (10, 10))
    if report_time is not None:
        page = file.with_name("report.html")
        page.write_text("", encoding="utf-8")
        os.utime(page, (report_time, report_time))


def test_each_study_has_its_answer_and_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the run; what an answer holds reaches the terminal as text."""
    monkeypatch.chdir(tmp_path)
    found("two", "Forty-eight.", 10)
    found("one", "Sixty-four\x1b[2J.", 11)
    assert [*answers(["one", "two"])] == [
        "one: Sixty-four\\x1b[2J.",
        "  results/one/report.html",
        "two: Forty-eight.",
        "  results/two/report.html",
    ]


def test_nothing_is_said_of_a_report_that_was_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that is older than the reconciliation is not of it, and there may be none."""
    monkeypatch.chdir(tmp_path)
    found("old", "Old.", 9)
    found("none", "None.", None)
    assert [*answers(["old", "none", "unknown"])] == []
