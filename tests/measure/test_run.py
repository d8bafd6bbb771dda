"""Measuring: whatever a reading does becomes its status, and changes nothing for the others."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import yaml
from support import measure, study_data, tables_of, write_study

from reconcile.cli import main
from reconcile.errors import InputError
from reconcile.files import write_json
from reconcile.measure import process
from reconcile.measure.device import DeviceError, choose_device, describe_device
from reconcile.measure.process import MeasureError
from reconcile.measure.run import (
    EVERY_ONE,
    MEASUREMENT_FILES,
    Progress,
    gather_batches,
    measure_study,
)
from reconcile.report import pdf
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring

pytestmark = pytest.mark.usefixtures("shared_zygote")

HEAD = """
import contextlib, ctypes, os, random, signal, sys, threading, time
import torch
from torch import nn


class Odd(nn.Module):
    \"\"\"Behaves as its argument says.\"\"\"

    def __init__(self, *, kind):
        super().__init__()
        self.kind = kind
        self.fc = nn.Linear(4, 10**12 if kind == "wide-layer" else 3)
        do(kind, "build")

    def example_inputs(self):
        do(self.kind, "inputs")
        if self.kind == "inputs-none":
            return None
        if self.kind == "inputs-of-two":
            return (torch.rand(2, 4),)
        if self.kind == "inputs-empty":
            return ()
        return (torch.rand(1, 10**13 if self.kind == "wide-input" else 4),)

    def forward(self, x):
        do(self.kind, "run")
        if self.kind == "makes-a-layer":
            self.late = nn.Linear(4, 4)
        with torch.inference_mode(self.kind == "infers"):
            y = self.fc(x[:, :4])
        if self.kind == "looks-at-values":
            assert x.sum() > -1000
        if self.kind == "asks-for-memory":
            torch.ones(1 << 50, device="cpu")
        if self.kind == "returns-text":
            return "text"
        if self.kind == "returns-nothing":
            return None
        return y * float("nan") if self.kind == "nan" else y


def do(kind, moment):
    if kind == f"raises-in-{moment}":
        raise ValueError(f"no {moment}\\nsecond line")
    if kind == f"exits-in-{moment}":
        sys.exit(3)
    if kind == f"quiet-in-{moment}":
        raise RuntimeError
    if kind == f"recurses-in-{moment}":
        do(kind, moment)
    if moment != "run":
        return
    if kind == "ends":
        os._exit(7)
    if kind == "kills":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "kills-its-thread":
        signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
    if kind == "ends-its-group":
        os.killpg(os.getpgrp(), signal.SIGTERM)
    if kind == "crashes":
        ctypes.string_at(0)
    if kind == "writes-to-pipes":
        for pipe in range(3, 200):
            with contextlib.suppress(OSError):
                os.write(pipe, b"rubbish\\n")
    if kind == "answers-for-itself":
        for pipe in range(3, 200):
            with contextlib.suppress(OSError):
                os.write(pipe, b'["measured"]\\n')
    if kind == "interrupts":
        raise KeyboardInterrupt
    if kind == "sleeps":
        time.sleep(600)
    if kind == "prints":
        print('{"status": "measured", "layers": []}', flush=True)
        os.write(1, b"raw\\n")
    if kind == "reads":
        input()
    if kind == "closes":
        sys.stdout.close()
        sys.stdin.close()
    if kind == "tells-kernels":
        raise RuntimeError(
            f"deterministic {torch.are_deterministic_algorithms_enabled()}, "
            f"cuBLAS {os.environ.get('CUBLAS_WORKSPACE_CONFIG')}, "
            f"TF32 {torch.backends.cuda.matmul.allow_tf32} {torch.backends.cudnn.allow_tf32}"
        )
    if kind == "changes-globals":
        torch.manual_seed(1)
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(False)
        sys.path.insert(0, "/nowhere")
        os.chdir("/")
        os.environ["OMP_NUM_THREADS"] = "1"
"""
"""A network that misbehaves as its argument says, at building, making inputs or running."""


def odd_study(folder: Path, *kinds: str) -> Path:
    """A study with one reading for each kind of behaviour."""
    data = study_data()
    data |= {"network": "network.py:Odd", "arguments": {}, "argument_help": {}, "statements": []}
    data |= {"evidence": [], "slips": [], "consistency": [], "geometries": []}
    data["interpretations"] = [
        {"id": kind, "title": kind, "network": {"kind": kind}, "proposed_by": [{"name": "a test"}]}
        for kind in kinds
    ]
    data["conclusion"] = {"interpretation": kinds[0], "answer": "a", "text": "t"}
    return write_study(folder, data, HEAD)


def statuses(out: Path) -> dict[str, tuple[str, str]]:
    """Status and message of every reading."""
    rows = tables_of(out)["totals.csv"]
    return {row["interpretation"]: (row["status"], row["message"]) for row in rows}


EXPECTED = {
    "good": ("measured", ""),
    "raises-in-build": ("does-not-build", "ValueError: no build"),
    "raises-in-inputs": ("does-not-build", "ValueError: no inputs"),
    "raises-in-run": ("does-not-run", "ValueError: no run"),
    "exits-in-build": ("does-not-build", "SystemExit: 3"),
    "exits-in-run": ("does-not-run", "SystemExit: 3"),
    "quiet-in-build": ("does-not-build", "RuntimeError"),
    "quiet-in-run": ("does-not-run", "RuntimeError"),
    "recurses-in-run": ("does-not-run", "RecursionError: maximum recursion depth exceeded"),
    "inputs-none": ("does-not-build", "example_inputs() must return tensors with a batch of one"),
    "inputs-of-two": ("does-not-build", "example_inputs() must return tensors with a batch of one"),
    "inputs-empty": ("does-not-build", "example_inputs() must return tensors with a batch of one"),
    "returns-text": ("does-not-run", "TypeError: the network returned no tensor"),
    "returns-nothing": ("does-not-run", "TypeError: the network returned no tensor"),
    "nan": ("measured", "the output is not finite (NaN or infinity)"),
    "ends": ("killed", "the measuring process ended (exit code 7)"),
    "kills": ("killed", "the measuring process ended (signal 9)"),
    "kills-its-thread": ("killed", "the measuring process ended (signal 9)"),
    "ends-its-group": ("killed", "the measuring process ended (signal 15)"),
    "crashes": ("killed", "the measuring process ended (signal 11)"),
    "writes-to-pipes": ("does-not-run", "it wrote to the pipe of the measuring process"),
    "answers-for-itself": ("does-not-run", "it wrote to the pipe of the measuring process"),
    "makes-a-layer": ("counts-disagree", "rows sum to 15 parameters, the network has 35"),
    "infers": ("measured", ""),
    "interrupts": ("does-not-run", "KeyboardInterrupt"),
    "wide-layer": (
        "measured-on-meta",
        "shapes and counts from a run on the meta device: it needs a",
    ),
    "wide-input": (
        "measured-on-meta",
        "shapes and counts from a run on the meta device: it needs a",
    ),
    "looks-at-values": ("measured", ""),
    "asks-for-memory": ("out-of-memory", "RuntimeError: "),
    "prints": ("measured", ""),
    "reads": ("does-not-run", "EOFError: EOF when reading a line"),
    "closes": ("measured", ""),
    "changes-globals": (
        "measured",
        "it left behind: threads 1, deterministic off, default dtype float64, default device meta",
    ),
    "tells-kernels": (
        "does-not-run",
        "RuntimeError: deterministic True, cuBLAS :4096:8, TF32 False False",
    ),
    "good-too": ("measured", ""),
}


@pytest.fixture(scope="module")
def odd_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of every misbehaviour, measured."""
    folder = tmp_path_factory.mktemp("odd")
    study = odd_study(folder / "study", *EXPECTED)
    return measure(study, folder / "out", repeats=1)


@pytest.mark.parametrize("kind", EXPECTED)
def test_status(odd_results: Path, kind: str) -> None:
    """What a reading does is recorded as its status, with one line of message."""
    status, message = statuses(odd_results)[kind]
    wanted, beginning = EXPECTED[kind]
    assert status == wanted, message
    assert message.startswith(beginning)
    assert message if beginning else not message
    assert "\n" not in message and "0x" not in message


def test_the_others_go_on(odd_results: Path) -> None:
    """Every reading that can be measured is, whatever the ones before it did."""
    layers = tables_of(odd_results)["layers.csv"]
    own = {
        kind: [{k: v for k, v in row.items() if k != "interpretation"} for row in layers
               if row["interpretation"] == kind]
        for kind, (status, _) in EXPECTED.items() if status == "measured"
    }  # fmt: skip
    assert len(own) == 8
    assert all(rows == own["good"] for rows in own.values())
    assert [row["layer"] for row in own["good"]] == ["input", "fc"]


def test_globals_are_put_back(odd_results: Path) -> None:
    """What one reading sets for the whole process is gone for the next: outputs are the same."""
    outputs = {row.pop("interpretation"): row for row in tables_of(odd_results)["outputs.csv"]}
    assert outputs["good-too"] == outputs["good"] == outputs["changes-globals"]


def test_failed_readings_have_no_numbers(odd_results: Path) -> None:
    """A reading that was not measured has empty totals, and no rows but of the layers that ran."""
    tables = tables_of(odd_results)
    failed = {kind for kind, (status, _) in EXPECTED.items() if "measured" not in status}
    for row in tables["totals.csv"]:
        if row["interpretation"] in failed:
            assert {row[key] for key in ("neurons", "parameters", "macs")} == {""}
    for name in ("coverage.csv", "windows.csv", "timings.csv"):
        assert not failed & {row["interpretation"] for row in tables[name]}


def reproducible(out: Path) -> dict[str, list[dict[str, str]]]:
    """The tables without timings, each sorted."""
    tables = {name: rows for name, rows in tables_of(out).items() if name != "timings.csv"}
    return {name: sorted(rows, key=str) for name, rows in tables.items()}


def test_time_limit(tmp_path: Path) -> None:
    """A reading that never ends is given up after the limit, and the next one goes on."""
    study = odd_study(tmp_path / "study", "sleeps", "good")
    plan, out = tmp_path / "plan.json", tmp_path / "out"
    write_json(plan, plan_of(load_study(study), "study"))
    settings = Measuring(device="cpu", warmup=0, repeats=0, time_limit_s=1)

    def be_patient(line: str) -> None:
        # The limit is for the reading that sleeps; a busy machine may need longer for the other.
        object.__setattr__(settings, "time_limit_s", 300.0)

    measure_study(plan, study, out, settings, report=be_patient)
    assert statuses(out) == {"sleeps": ("timed-out", "no answer in 1 s"), "good": ("measured", "")}


KILLED = """
import os, time
from pathlib import Path

import torch
from torch import nn


class Tiny(nn.Module):
    \"\"\"Waits to be killed, as often as its argument says.\"\"\"

    def __init__(self, *, kills):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.kills = kills

    def example_inputs(self):
        return (torch.rand(1, 4),)

    def forward(self, x):
        here = Path(__file__).parent
        if len(list(here.glob("*.pid"))) < self.kills:
            (here / f"{os.getpid()}.pid").touch()
            time.sleep(600)
        return self.fc(x)
"""


def killed_study(folder: Path, kills: int) -> Path:
    """A study of two readings whose first waits to be killed a number of times."""
    data = study_data() | {"arguments": {"kills": 0}, "argument_help": {}, "statements": []}
    data |= {"evidence": [], "slips": [], "consistency": [], "geometries": []}
    data["interpretations"] = [
        {"id": name, "title": name, "network": own, "proposed_by": [{"name": "a test"}]}
        for name, own in (("first", {"kills": kills}), ("second", {}))
    ]
    data["conclusion"] = {"interpretation": "first", "answer": "a", "text": "t"}
    return write_study(folder, data, KILLED)


@contextmanager
def killer(study: Path, number: int) -> Iterator[None]:
    """Sends a signal to every process that the study's network names, from outside."""
    ended, done = threading.Event(), set()

    def kill() -> None:
        while not ended.wait(0.02):
            for file in set(study.glob("*.pid")) - done:
                done.add(file)
                os.kill(int(file.stem), number)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("placement", ["auto", "meta"])
def test_killed_once_from_outside(tmp_path: Path, number: int, placement: str) -> None:
    """A measuring process that somebody kills measures the reading again, as if never killed."""
    study = killed_study(tmp_path / "study", 1)
    data = yaml.safe_load((study / "study.yaml").read_text()) | {"placement": placement}
    (study / "study.yaml").write_text(yaml.safe_dump(data))
    with killer(study, number):
        out = measure(study, tmp_path / "out")
    assert len(list(study.glob("*.pid"))) == 1
    assert {status for status, _ in statuses(out).values()} == {
        "measured-on-meta" if placement == "meta" else "measured"
    }
    assert json.loads((out / "record.json").read_text())["device"]["fallback"] is None


def test_killed_twice_from_outside(tmp_path: Path) -> None:
    """One that is killed again fails the run in one line; what was there stays, nothing is new."""
    study, out = killed_study(tmp_path / "study", 5), tmp_path / "out"
    out.mkdir()
    (out / "layers.csv").write_text("of yesterday\n")
    with killer(study, signal.SIGKILL), pytest.raises(MeasureError) as caught:
        measure(study, out)
    assert str(caught.value).startswith("first/main: the measuring process was killed twice from")
    assert "\n" not in str(caught.value)
    assert (out / "layers.csv").read_text() == "of yesterday\n"
    assert sorted(f.name for f in out.iterdir()) == ["interpretations.json", "layers.csv"]


def test_order_changes_nothing(tmp_path: Path) -> None:
    """Whatever the order of the readings, the numbers are the same."""
    kinds = ["good", "changes-globals", "raises-in-run", "nan", "good-too"]
    forwards, backwards = (
        measure(odd_study(tmp_path / f"study{i}", *order), tmp_path / f"out{i}")
        for i, order in enumerate((kinds, kinds[::-1]))
    )
    assert reproducible(forwards) == reproducible(backwards)


@pytest.fixture(scope="module")
def tiny_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study, measured and timed."""
    folder = tmp_path_factory.mktemp("tiny")
    return measure(write_study(folder / "tiny"), folder / "out", repeats=4, warmup=1, seed=5)


def test_tiny_study(tiny_results: Path) -> None:
    """Layers and totals of the tiny study are those of its closed forms."""
    tables = tables_of(tiny_results)
    totals = {row["interpretation"]: row for row in tables["totals.csv"]}
    assert [totals[r]["neurons"] for r in ("floor", "ceil", "slip")] == ["46", "74", "74"]
    assert [totals[r]["parameters"] for r in ("floor", "ceil", "slip")] == ["410", "690", "690"]
    assert [totals[r]["macs"] for r in ("floor", "ceil", "slip")] == ["684", "1216", "1216"]
    conv = [row for row in tables["layers.csv"] if row["layer"] == "conv"]
    assert [(r["channels"], r["height"], r["width"]) for r in conv] == [
        ("4", "3", "3"), ("4", "4", "4"), ("4", "4", "4"),
    ]  # fmt: skip


def test_rows_sum_to_totals(tiny_results: Path) -> None:
    """The rows of the layers sum to the totals."""
    tables = tables_of(tiny_results)
    for total in tables["totals.csv"]:
        own = [r for r in tables["layers.csv"] if r["interpretation"] == total["interpretation"]]
        for column in ("parameters", "macs", "connections"):
            assert sum(int(row[column]) for row in own) == int(total[column])


def test_timings(tiny_results: Path) -> None:
    """Every layer and the network have a spread over their passes; memory is the network's."""
    rows = tables_of(tiny_results)["timings.csv"]
    own = [row for row in rows if row["interpretation"] == "ceil"]
    assert [row["layer"] for row in own] == ["network", "conv", "relu", "fc"]
    for row in own:
        assert float(row["q1_ms"]) <= float(row["median_ms"]) <= float(row["q3_ms"])
        passes = "4" if row["layer"] == "network" else "2"
        assert (row["repeats"], row["device"]) == (passes, "cpu")
    assert int(own[0]["peak_memory_bytes"]) > 0
    assert [row["peak_memory_bytes"] for row in own[1:]] == ["", "", ""]


def test_a_network_is_measured_once(tiny_results: Path) -> None:
    """Readings that build the same network have the same latencies, to the last digit."""
    rows = tables_of(tiny_results)["timings.csv"]
    own = {
        reading: [(r["layer"], r["median_ms"], r["peak_memory_bytes"]) for r in rows
                  if r["interpretation"] == reading]
        for reading in ("floor", "ceil", "slip")
    }  # fmt: skip
    assert own["slip"] == own["ceil"] != own["floor"]


BUILT = """
from pathlib import Path

import torch
from torch import nn


class Tiny(nn.Module):
    \"\"\"Notes every time that it is built.\"\"\"

    def __init__(self, *, inputs, outputs):
        super().__init__()
        with Path(__file__).with_name("built").open("a") as file:
            file.write(f"{inputs}x{outputs}\\n")
        self.inputs, self.fc = inputs, nn.Linear(inputs, outputs)

    def example_inputs(self):
        return (torch.rand(1, self.inputs),)

    def forward(self, x):
        return self.fc(x)
"""


def test_a_counted_network_is_counted_once(tmp_path: Path) -> None:
    """Combinations that are alike in a network have its rows, and it is built for one of them."""
    data = study_data() | {"arguments": {}, "argument_help": {}, "statements": []}
    data |= {
        "evidence": [],
        "slips": [],
        "consistency": [],
        "geometries": [],
        "interpretations": [],
    }
    data["placement"] = "meta"
    data["claims"] = [data["claims"][0] | {"of": "network", "network": "small"}]
    data["sweep"] = {
        "title": "t",
        "axes": {"small.outputs": [2, 3, 4], "large.outputs": [7, 8, 9, 10, 11]},
        "networks": {"small": {"inputs": 4}, "large": {"inputs": 5}},
        "proposed_by": [{"name": "n"}],
    }
    data["conclusion"] = {"interpretation": "none", "answer": "a", "text": "t"}
    study = write_study(tmp_path / "study", data, BUILT)
    rows = tables_of(measure(study, tmp_path / "out"))["totals.csv"]
    plan = json.loads((tmp_path / "out" / "interpretations.json").read_text())
    assert [(row["interpretation"], row["network"], int(row["parameters"])) for row in rows] == [
        (reading["id"], name, (given["inputs"] + 1) * given["outputs"])
        for reading in plan["interpretations"]
        for name, given in reading["networks"].items()
    ]
    built = Counter((study / "built").read_text().split())
    assert len(rows) == 30 and len(built) == 8
    assert max(built.values()) <= 2  # one of them, by chance, to see whether it is built alike


def test_record(tiny_results: Path) -> None:
    """The record says how was measured, with what, and for how long."""
    record = json.loads((tiny_results / "record.json").read_text())
    assert record["study"] == "tiny"
    assert record["device"]["policy"] == record["device"]["type"] == "cpu"
    settings = record["settings"]
    assert (settings["warmup"], settings["repeats"], settings["seed"]) == (1, 4, 5)
    assert record["versions"]["torch"] == torch.__version__
    assert record["started"] <= record["ended"] and record["seconds"] > 0


def test_batches(tiny_results: Path, tmp_path: Path) -> None:
    """A study that is measured in several jobs has the tables of one job, row by row."""
    study, plan = tiny_results.parent / "tiny", tiny_results / "interpretations.json"
    settings = Measuring(device="cpu", repeats=1, seed=5, readings_per_job=2)
    folders = [tmp_path / str(batch) for batch in range(2)]
    for batch, folder in enumerate(folders):
        measure_study(plan, study, folder, settings, batch=batch, report=lambda line: None)
    gather_batches(folders, tmp_path / "out")
    whole, gathered = tables_of(tiny_results), tables_of(tmp_path / "out")
    for name in set(MEASUREMENT_FILES) - {"timings.csv"}:
        assert gathered[name] == whole[name]
    assert [row["layer"] for row in gathered["timings.csv"]] == [
        row["layer"] for row in whole["timings.csv"]
    ]
    jobs = json.loads((tmp_path / "out" / "record.json").read_text())["jobs"]
    assert len(jobs) == 2


def test_meta_on_request(tmp_path: Path) -> None:
    """`placement: meta` counts the same and neither runs nor times anything."""
    study = write_study(tmp_path / "tiny", study_data() | {"placement": "meta"})
    out = measure(study, tmp_path / "out", repeats=1)
    message = "shapes and counts from a run on the meta device: as the study asks"
    assert set(statuses(out).values()) == {("measured-on-meta", message)}
    tables = tables_of(out)
    assert [row["macs"] for row in tables["totals.csv"]] == ["684", "1216", "1216"]
    assert tables["timings.csv"] == tables["outputs.csv"] == []


WRONG = """
import torch
from torch import nn


class Tiny(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def example_inputs(self):
        return (torch.rand(1, 4),)

    def forward(self, x):
        self.late = nn.Linear(4, 4)
        return self.fc(x)
"""


@pytest.mark.parametrize("placement", ["auto", "meta"])
def test_disagreement_is_a_status(tmp_path: Path, placement: str) -> None:
    """A count that is not its closed form leaves that reading without numbers, and says why."""
    data = study_data() | {"placement": placement}
    out = measure(write_study(tmp_path / "tiny", data, WRONG), tmp_path / "out")
    message = "rows sum to 15 parameters, the network has 35"
    assert statuses(out) == dict.fromkeys(("floor", "ceil", "slip"), ("counts-disagree", message))
    assert not tables_of(out)["layers.csv"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_cuda() -> None:
    """`device: cuda` where there is none is one line that says what is accepted."""
    with pytest.raises(DeviceError) as caught:
        choose_device("cuda")
    assert str(caught.value).startswith("device: cuda was asked for, but ")
    assert str(caught.value).endswith("; accepted: auto, cuda, cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_auto_falls_back_and_says_why() -> None:
    """`device: auto` without a GPU takes the CPU and records the reason."""
    device = describe_device(choose_device("auto"), "auto")
    assert (device["policy"], device["type"]) == ("auto", "cpu")
    assert "CUDA" in device["fallback"]


def test_process_that_never_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A measuring process that does not answer is an error of the run, not of a file."""
    monkeypatch.setattr(process, "START_LIMIT_S", 0)
    with pytest.raises(MeasureError, match="the measuring process did not start"):
        measure(write_study(tmp_path / "tiny"), tmp_path / "out", seed=1)  # as no other test has it


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    """A results folder that is a file is one line."""
    study = write_study(tmp_path / "tiny")
    plan = tmp_path / "plan.json"
    write_json(plan, {"study": "tiny", "network": {}, "interpretations": []})
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written: "):
        measure_study(plan, study, tmp_path / "out", Measuring(device="cpu"))


def test_progress(tmp_path: Path) -> None:
    """Progress is a line for every network while it runs: which of how many, and how it went."""
    lines: list[str] = []
    study = write_study(tmp_path / "tiny")
    plan = tmp_path / "plan.json"
    write_json(plan, plan_of(load_study(study), "tiny"))
    settings = Measuring(device="cpu", repeats=0)
    measure_study(plan, study, tmp_path / "out", settings, report=lines.append)
    assert len(tables_of(tmp_path / "out")["layers.csv"]) == 12
    assert tables_of(tmp_path / "out")["timings.csv"] == []
    assert [line.split(" (")[0] for line in lines] == [
        "[1/3] floor: measured", "[2/3] ceil: measured", "[3/3] slip: measured",
    ]  # fmt: skip


ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"{{name}} is not here")

sys.meta_path.insert(0, Blocked())
sys.argv = ["reconcile", "measure", {study!r}, {out!r}, "--device", "cpu", "--repeats", "1"]
from reconcile.cli import main
sys.exit(main())
"""


def test_measuring_alone(tmp_path: Path) -> None:
    """`python -m reconcile measure` runs where only torch, pydantic and PyYAML are installed."""
    blocked = {"pandas", "snakemake", "jinja2", "weasyprint", "pydyf", "fontTools", "rocrate"}
    study, out = write_study(tmp_path / "tiny"), tmp_path / "out"
    # torch itself imports jinja2 for a part that is not used here.
    code = ALONE.format(blocked=blocked - {"jinja2"}, study=str(study), out=str(out))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert {f.name for f in out.iterdir()} >= {*MEASUREMENT_FILES, "record.json"}
    with (out / "totals.csv").open(newline="") as stream:
        assert {row["status"] for row in csv.DictReader(stream)} == {"measured"}


def test_this_process_imports_no_torch() -> None:
    """The side that starts the measuring process needs neither torch nor pandas."""
    code = "import sys, reconcile.measure.run; sys.exit(bool({'torch', 'pandas'} & {*sys.modules}))"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure", "nowhere", "out"], "nowhere/study.yaml: there is no such file"),
        (["check", "nowhere"], "nowhere/study.yaml: there is no such file"),
    ],
)
def test_command_line_faults(tmp_path: Path, arguments: list[str], message: str) -> None:
    """The command line tells faults in one line each and exits with 2."""
    command = [sys.executable, "-m", "reconcile", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (2, message)


GOOD = {"status": "measured", "message": ""}
BAD = {"status": "does-not-run", "message": "ValueError: no"}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock of a run shows."""
    shown = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: shown[0])
    return shown


def told(now: list[float], total: int, seconds: float, answers: list[dict[str, str]]) -> list[str]:
    """The lines for networks that take some seconds each by the clock."""
    lines: list[str] = []
    progress = Progress(total, lines.append)
    for number, answer in enumerate(answers):
        now[0] += seconds
        progress.tell(f"r{number}", answer)
    return lines


def test_few_networks(now: list[float]) -> None:
    """Each of a few networks has its line: its place, its status and the time left."""
    assert told(now, 3, 10.0, [GOOD, BAD, GOOD]) == [
        "[1/3] r0: measured (20 s left)",
        "[2/3] r1: does-not-run ValueError: no (10 s left)",
        "[3/3] r2: measured (0 s left)",
    ]


def test_many_networks(now: list[float]) -> None:
    """Of many, one a second is told and always the last, with the rate and how many failed."""
    total = EVERY_ONE * 10
    lines = told(now, total, 0.25, [BAD, *[GOOD] * (total - 1)])
    assert len(lines) == total // 4
    assert lines[0] == "[  4/600] r3: measured (4 a second, 149 s left, 1 not measured)"
    assert lines[-1].startswith("[600/600] r599: measured")


def test_no_time_at_all(now: list[float]) -> None:
    """A clock that stands still gives no rate and no division by zero."""
    assert told(now, 1, 0.0, [GOOD]) == ["[1/1] r0: measured (0 s left)"]


def test_pages_of_a_pdf_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering says which page it has come to, and leaves WeasyPrint's logging as it was."""
    monkeypatch.setattr(pdf, "SECONDS", 0.0)
    logger = logging.getLogger("weasyprint.progress")
    lines: list[str] = []
    before = logger.level, list(logger.handlers)
    page = "<html lang=en><title>t</title>" + "<p style='break-after:page'>x" * 2 + "<p>x"
    pdf.pdf_of(page, tmp_path, "2031-01-01T00:00:00+00:00", lines.append)
    assert [line.partition(" (")[0] for line in lines] == [
        f"report.pdf: page {n}" for n in (1, 2, 3)
    ]
    assert (logger.level, logger.handlers) == before


def test_progress_is_a_line_a_second(now: list[float]) -> None:
    """Ten thousand networks in twenty seconds give about twenty lines, with rate and time left."""
    lines = list[str]()
    progress = Progress(10_000, lines.append)
    for i in range(10_000):
        now[0] += 0.002
        progress.tell(f"r{i}", {"status": "measured", "message": ""})
    assert 15 <= len(lines) <= 25
    assert lines[-1] == "[10000/10000] r9999: measured (500 a second, 0 s left)"


def test_small_studies_are_told_network_by_network(now: list[float]) -> None:
    """A dozen readings get their line each."""
    lines = list[str]()
    progress = Progress(2, lines.append)
    progress.tell("a", {"status": "measured", "message": ""})
    progress.tell("b", {"status": "does-not-build", "message": "why"})
    assert lines == ["[1/2] a: measured (0 s left)", "[2/2] b: does-not-build why (0 s left)"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--device", "tpu", "device: must be 'auto', 'cuda' or 'cpu', not 'tpu'"),
        ("--repeats", "-1", "repeats: must be at least 0, not -1"),
        ("--threads", "0", "threads: must be at least 1, not 0"),
        ("--threads", "100000", "threads: must be at most 1024, not 100000"),
        ("--seed", "1" + "0" * 23, "seed: must be at most 2147483648, not 1"),
        ("--seed", "10**23", "seed: must be a whole number, not '10**23'"),
        ("--time-limit-s", "0", "time_limit_s: must be more than 0.0, not 0"),
        ("--time-limit-s", "nan", "time_limit_s: must be at most 1000000.0, not nan"),
    ],
)
def test_options_are_checked(
    tmp_path: Path, option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that cannot be is one line that says what is accepted, and nothing is written."""
    study, out = write_study(tmp_path / "tiny"), tmp_path / "out"
    assert main(["measure", str(study), str(out), f"{option}={value}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"the command line: measure.{message}")
    assert not out.exists()
