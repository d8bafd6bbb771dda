"""A GPU that cannot be used, is full or gets lost: the CPU takes over, or the run fails."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from projects import EVERYTHING
from support import measure, study_data, write_study

from reconcile.files import write_json
from reconcile.measure.process import MeasureError
from reconcile.measure.provenance import merged_record
from reconcile.measure.run import measure_study
from reconcile.report.pages import html_templates
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring

FAKE = Path(__file__).parent / "fake_gpu"
in_full = pytest.mark.skipif(not EVERYTHING, reason="in `make reliability`")
Measured = Callable[..., tuple[Path, list[str]]]

AT_THE_START = {
    "old-driver": "there is no usable CUDA device (CUDA initialization: The NVIDIA driver on your "
    "system is too old (found version 11040))",
    "busy": "the CUDA device does not work (CUDA error: all CUDA-capable devices are busy or "
    "unavailable)",
    "full": "the CUDA device does not work (CUDA out of memory)",
}
FAULTS = tuple(AT_THE_START) if EVERYTHING else ("old-driver",)
LOST = (
    "the GPU stopped working at ceil: the CUDA device does not work "
    "(CUDA error: unspecified launch failure)"
)


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Measure the tiny study with a GPU that has a fault; return the results and the log."""

    def run(fault: str, device: str) -> tuple[Path, list[str]]:
        monkeypatch.setenv("FAKE_GPU", fault)
        monkeypatch.setenv("PYTHONPATH", f"{FAKE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        folder, out, log = write_study(tmp_path / "tiny"), tmp_path / "out", []
        plan = out / "interpretations.json"
        write_json(plan, plan_of(load_study(folder), "tiny"))
        settings = Measuring(device=device, warmup=0, repeats=1)
        measure_study(plan, folder, out, settings, root=tmp_path, report=log.append)
        return out, log

    return run


def device_of(out: Path) -> dict[str, Any]:
    """The device of the record."""
    device: dict[str, Any] = json.loads((out / "record.json").read_text())["device"]
    return device


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def told_in_the_report(out: Path) -> str:
    """What the report says about the GPU."""
    part = html_templates().get_template("partials/measuring.jinja")
    record = json.loads((out / "record.json").read_text())
    context = {
        "titles": {"measuring": ""},
        "unmeasured": [],
        "paper": False,
        "data": {},
        "sweep": None,
    }
    shown = part.render(context, record=record, figures={})
    found = re.search(r"<dt>Why not the GPU</dt><dd>(.*?)</dd>", shown)
    assert found is not None
    return unescape(found[1])


@in_full
def test_a_gpu_without_a_fault_is_used(measured: Measured) -> None:
    """Under auto, a GPU that works is where networks run."""
    out, log = measured("none", "auto")
    device = device_of(out)
    assert (device["type"], device["name"], device["fallback"]) == ("cuda", "Fake GPU", None)
    assert {row["device"] for row in rows(out / "timings.csv")} == {"cuda"}
    assert not any("CPU" in line for line in log)


@pytest.mark.parametrize("fault", FAULTS)
def test_auto_takes_the_cpu_and_says_why(measured: Measured, fault: str) -> None:
    """Under auto, a GPU that cannot be used leaves the CPU, with the reason in log and record."""
    out, log = measured(fault, "auto")
    device = device_of(out)
    assert (device["policy"], device["type"]) == ("auto", "cpu")
    assert device["fallback"] == AT_THE_START[fault]
    assert f"on the CPU: {AT_THE_START[fault]}" in log
    assert told_in_the_report(out) == AT_THE_START[fault]
    assert {row["status"] for row in rows(out / "totals.csv")} == {"measured"}


@pytest.mark.parametrize("fault", FAULTS)
def test_cuda_fails_in_one_line(measured: Measured, fault: str) -> None:
    """Under cuda, a GPU that cannot be used stops the run with the reason, in one line."""
    with pytest.raises(MeasureError) as failed:
        measured(fault, "cuda")
    assert str(failed.value).startswith("device: cuda was asked for, but ")
    assert AT_THE_START[fault] in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_reading_too_large_for_the_gpu_runs_on_the_cpu(measured: Measured) -> None:
    """Under auto, a reading for which the GPU has no memory runs on the CPU, and that is told."""
    out, log = measured("full-at:2", "auto")
    notice = "ceil ran out of memory on the GPU and was run on the CPU"
    assert (device_of(out)["type"], device_of(out)["fallback"]) == ("cuda", notice)
    assert notice in log
    assert told_in_the_report(out) == notice
    ran_on = {row["interpretation"]: row["device"] for row in rows(out / "timings.csv")}
    assert ran_on == {"floor": "cuda", "ceil": "cpu", "slip": "cuda"}


@in_full
def test_a_reading_too_large_for_the_gpu_is_a_result_under_cuda(measured: Measured) -> None:
    """Under cuda, such a reading is recorded as out of memory, and the others are measured."""
    out, _ = measured("full-at:2", "cuda")
    found = {row["interpretation"]: row["status"] for row in rows(out / "totals.csv")}
    assert found == {"floor": "measured", "ceil": "out-of-memory", "slip": "measured"}


def test_a_gpu_lost_on_the_way_leaves_the_cpu(measured: Measured) -> None:
    """Under auto, a GPU that stops working is left for the CPU, and the record says from where."""
    out, log = measured("lost-at:2", "auto")
    notice = f"{LOST}; from there on the CPU was used"
    device = device_of(out)
    assert (device["policy"], device["type"], device["fallback"]) == ("auto", "cpu", notice)
    assert notice in log
    assert told_in_the_report(out) == notice
    ran_on = {row["interpretation"]: row["device"] for row in rows(out / "timings.csv")}
    assert ran_on == {"floor": "cuda", "ceil": "cpu", "slip": "cpu"}


@in_full
def test_a_gpu_lost_on_the_way_stops_a_run_that_wants_it(measured: Measured) -> None:
    """Under cuda, a GPU that stops working ends the run in one line; nothing is half-written."""
    with pytest.raises(MeasureError) as failed:
        measured("lost-at:2", "cuda")
    assert str(failed.value) == f"{LOST}; device: cuda was asked for"


def test_one_job_of_many_that_left_the_gpu_is_told() -> None:
    """Of a study that several jobs measured, the record tells every reason for taking the CPU."""
    spans = {"started": "2031-02-03", "ended": "2031-02-04", "seconds": 1.0, "host": {}}
    fallbacks = (None, "lost", None, "lost", "full")
    records = [spans | {"device": {"type": "cuda", "fallback": why}} for why in fallbacks]
    assert merged_record(records)["device"] == {"type": "cuda", "fallback": "lost; full"}


@in_full
def test_counts_do_not_depend_on_where_a_reading_ran(measured: Measured, tmp_path: Path) -> None:
    """The tables of counts are the same whichever device was lost or full."""
    out, _ = measured("lost-at:2", "auto")
    plain = measure(write_study(tmp_path / "plain", study_data()), tmp_path / "plain-out")
    for name in ("layers.csv", "totals.csv", "coverage.csv", "windows.csv"):
        assert (out / name).read_bytes() == (plain / name).read_bytes()


@pytest.mark.gpu
@pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason="this machine has no GPU")
def test_a_real_gpu_that_is_hidden_leaves_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the GPU hidden from CUDA, auto takes the CPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    out = measure(write_study(tmp_path / "tiny"), tmp_path / "out", device="auto")
    assert device_of(out)["type"] == "cpu"
    assert "no usable CUDA device" in device_of(out)["fallback"]
