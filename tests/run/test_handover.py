"""What a run settled before its first job reaches the jobs that start later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from odd_studies import ODD, write_odd
from support import PROJECT

from reconcile.files import write_json
from reconcile.run.handover import PLAN_VARIABLE, RunPlan, answers, hand_over, handed_over, planned
from reconcile.study.config import Config
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring


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


def found(results: Path, name: str, answer: str, report_time: int | None) -> None:
    """A study's reconciliation of second 10, and its report, if any, of another second."""
    file = results / name / "reconciliation.json"
    write_json(file, {"conclusion": {"answer": answer}})
    os.utime(file, (10, 10))
    if report_time is not None:
        page = results / name / "report.html"
        page.write_text("", encoding="utf-8")
        os.utime(page, (report_time, report_time))


def test_each_study_has_its_answer_and_its_report(tmp_path: Path) -> None:
    """In the order of the run; what an answer holds reaches the terminal as text."""
    found(tmp_path, "two", "Forty-eight.", 10)
    found(tmp_path, "one", "Sixty-four\x1b[2J.", 11)
    assert [*answers(tmp_path, ["one", "two"])] == [
        "one: Sixty-four\\x1b[2J.",
        f"  {tmp_path.as_posix()}/one/report.html",
        "two: Forty-eight.",
        f"  {tmp_path.as_posix()}/two/report.html",
    ]


def test_nothing_is_said_of_a_report_that_was_not_made(tmp_path: Path) -> None:
    """A report that is older than the reconciliation is not of it, and there may be none."""
    found(tmp_path, "old", "Old.", 9)
    found(tmp_path, "none", "None.", None)
    assert [*answers(tmp_path, ["old", "none", "unknown"])] == []
