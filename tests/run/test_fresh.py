"""Results of earlier runs are told of where their marks say that they follow from what is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support import study_data, write_study

from reconcile.files import write_json
from reconcile.run.fresh import (
    CURRENT,
    EDITED,
    HALF,
    PARTS,
    others,
    standing_of,
    standings,
    sums_of_parts,
)
from reconcile.run.jobs import sum_of
from reconcile.study.load import load_study

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
