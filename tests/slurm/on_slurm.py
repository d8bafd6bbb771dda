"""The SLURM profile on a real SLURM; `make test-slurm` starts the cluster and runs this file.

It is not named test_*, so that a bare `pytest` never submits a job to whatever cluster it finds
itself on. The tests stand in the order in which they run and share one project.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from support import copy_project, study_data, write_study

from reconcile.archive.container import member_of
from reconcile.measure.provenance import file_sha256
from reconcile.run.slurm import JOB_NAME
from reconcile.study.model import Sweep, SweptInterpretation
from reconcile.study.plan import interpretations_of

LIMIT_S = 1800
"""Longer than any of this takes on a busy machine: a hang fails instead of lasting for ever."""
BATCHES = 20
SWEPT = 2000
STUDIES = ("alexnet", "geometries")
EDITED_CONFIG = """
studies: [no-such-study]
measure: {device: cuda, repeats: 3, readings_per_job: 1}
"""
UNREADABLE_CONFIG = "studies: [alexnet\n"


class Run:
    """A Snakemake that is going on, and what it has said so far."""

    started_here: ClassVar[list[Run]] = []

    def __init__(self, project: Path, *arguments: str) -> None:
        self.log = project.with_suffix(f".{time.monotonic_ns()}.log")
        self.started = time.monotonic()
        environment = os.environ | {"PYTHONPATH": str(project / "workflow")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *arguments],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.started_here.append(self)

    def said(self) -> str:
        """Everything printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to come true while the run goes on."""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert self.process.poll() is None, self.said()[-5000:]
            assert time.monotonic() < deadline, self.said()[-5000:]
            time.sleep(0.2)

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        try:
            return self.process.wait(LIMIT_S - (time.monotonic() - self.started))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it hangs:\n{self.said()[-5000:]}") from None

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    def submitted(self) -> list[str]:
        """The numbers that SLURM gave its jobs."""
        return re.findall(r"submitted with SLURM jobid (\d+)", self.said())


def slurm(project: Path, *arguments: str) -> Run:
    """Start a run on the cluster."""
    return Run(project, "--workflow-profile", "profiles/slurm", *arguments)


def told(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def jobs(state: str) -> list[str]:
    """The cluster's jobs in a state, without those of nobody's run."""
    lines = told("squeue", "--noheader", f"--states={state}", "--format=%i|%j").splitlines()
    return [job for job, _, name in (line.partition("|") for line in lines) if JOB_NAME.match(name)]


def of_job(job: str) -> dict[str, str]:
    """What SLURM knows about a job."""
    return dict(re.findall(r"(\S+?)=(\S*)", told("scontrol", "show", "job", job)))


def is_batch(job: str) -> bool:
    """Whether a job measures a batch of the sweep."""
    return of_job(job)["Comment"].startswith("rule_measure_batch")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """The folder of the cluster that tools/test_slurm.sh started."""
    folder = os.environ.get("RECONCILE_TEST_CLUSTER")
    assert folder, "run this with `make test-slurm`: it starts the cluster"
    yield Path(folder)
    # What a failed test left behind; without its cluster it would wait for ever.
    for run in Run.started_here:
        run.process.kill()
        run.process.wait()


def edit(file: Path, **values: str) -> None:
    """Set keys of a YAML file as a user would, in its text; commented ones too."""
    text = file.read_text(encoding="utf-8")
    for key, value in values.items():
        text, count = re.subn(rf"^( *)(?:# )?{key}: .*$", rf"\g<1>{key}: {value}", text, flags=re.M)
        assert count == 1, (file, key)
    file.write_text(text, encoding="utf-8")


def swept(sweep: dict[str, Any]) -> Iterator[SweptInterpretation]:
    """The readings of a sweep."""
    return interpretations_of(Sweep.model_validate(sweep))


def write_sweep(folder: Path, alexnet: Path) -> None:
    """A study of 2,000 readings: the geometries that AlexNet's text leaves open."""
    kept = ("paper", "network", "arguments", "argument_help")
    study = yaml.safe_load((alexnet / "study.yaml").read_text(encoding="utf-8"))
    claims = [claim for claim in study["claims"] if claim["id"] in ("conv1", "conv2", "conv3")]
    sweep = {
        "title": "input sizes, paddings and rules",
        "axes": {
            "input_size": {"first": 212, "last": 236, "step": 1},
            "conv1_padding": [[0, 0], [1, 1], [1, 2], [2, 2], [3, 3]],
            "conv_rule": ["floor", "ceil"],
            "pool_rule": ["floor", "ceil"],
            "towers": [1, 2],
            "response_normalization": [True, False],
        },
        "proposed_by": [{"name": "Constructed for this test"}],
    }
    study = {key: study[key] for key in kept} | {
        "title": "Geometries",
        "question": "Which geometries give 253,440 neurons?",
        "claims": [{**claim, "countings": []} for claim in claims],
        "sweep": sweep,
        "conclusion": {
            "interpretation": next(interpretation.id for interpretation in swept(sweep)),
            "answer": "Not this one.",
            "text": "It stands here because a conclusion must.",
        },
    }
    write_study(folder, study, (alexnet / "network.py").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the AlexNet study and the sweep, and the profile as a user fills it in."""
    root = tmp_path_factory.mktemp("slurm")
    project = copy_project(root / "project")
    for study in (project / "studies").iterdir():
        if study.name != "alexnet":
            shutil.rmtree(study)
    write_sweep(project / "studies" / "geometries", project / "studies" / "alexnet")
    edit(
        project / "config.yaml",
        studies=f"[{', '.join(STUDIES)}]",
        warmup="0",
        repeats="1",
        threads="1",
        readings_per_job=str(SWEPT // BATCHES),
    )
    edit(
        project / "profiles" / "slurm" / "profile.yaml",
        slurm_partition="gpus",
        slurm_account="science",
        gpu_model="fake",
    )
    return project


@pytest.fixture(scope="module")
def reference(project: Path) -> Path:
    """The same project, run on this machine alone."""
    inputs_only = shutil.ignore_patterns("results", "logs", ".snakemake")
    copy = shutil.copytree(project, project.with_name("reference"), ignore=inputs_only)
    run = Run(copy, "--workflow-profile", "profiles/default")
    assert run.ended() == 0, run.said()[-5000:]
    print(f"\nlocal run: {run.seconds():.0f} s")
    return copy


@pytest.fixture(scope="module")
def killed(project: Path) -> list[str]:
    """The jobs of a run that was killed while two of them were running."""
    run = slurm(project)
    run.until(lambda: len(jobs("RUNNING")) > 1)
    run.process.send_signal(signal.SIGKILL)
    run.ended()
    left = jobs("PENDING,RUNNING,COMPLETING")
    print(f"\nkilled after {run.seconds():.0f} s; jobs left behind: {len(left)}")
    unlocked = Run(project, "--unlock")
    assert unlocked.ended() == 0, unlocked.said()
    return left


class Disturbed:
    """A run during which everything happened that may happen to it.

    Attributes:
        cancelled: the job that somebody cancelled.
        requeued: the job whose node died.
    """

    def __init__(self, project: Path, cluster: Path) -> None:
        config = project / "config.yaml"
        self.config_sha256 = file_sha256(config)
        original = config.read_bytes()
        self.run = slurm(project)
        self.run.until(lambda: len(self.run.submitted()) > BATCHES / 2)
        config.write_text(EDITED_CONFIG, encoding="utf-8")
        self.run.until(self._running)
        self.cancelled = self._running()[0]
        told("scancel", self.cancelled)
        self.run.until(self._running)
        self.requeued = self._running()[0]
        config.write_text(UNREADABLE_CONFIG, encoding="utf-8")
        self._lose_node(of_job(self.requeued)["NodeList"], cluster)
        self.code = self.run.ended()
        config.write_bytes(original)
        said = self.run.said()
        print(
            f"\ncluster run: {self.run.seconds():.0f} s, {len(self.run.submitted())} submissions, "
            f"{said.count('Trying to restart job')} by a retry"
        )

    def _running(self) -> list[str]:
        """The jobs of this run that measure a batch now."""
        mine = set(self.run.submitted()) - {getattr(self, "cancelled", "")}
        return [job for job in jobs("RUNNING") if job in mine and is_batch(job)]

    def _lose_node(self, node: str, cluster: Path) -> None:
        """Kill a node's daemon with all it runs; a while later the node is back."""
        daemon = int((cluster / f"{node}.pid").read_text())
        job_daemons = [
            process
            for process, command in processes()
            if re.match(rf"slurmstepd: \[{self.requeued}\.", command)
        ]
        assert job_daemons
        for process in [daemon, *job_daemons]:
            for each in tree(process):
                os.kill(each, signal.SIGKILL)
        self.run.until(lambda: of_job(self.requeued)["Restarts"] == "1")
        told("slurmd", "-N", node)


def processes() -> Iterator[tuple[int, str]]:
    """Every process with its command line."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        yield int(entry.name), command


def tree(process: int) -> list[int]:
    """A process and what descends from it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [process, *(each for child in children for each in tree(int(child)))]


@pytest.fixture(scope="module")
def disturbed(project: Path, cluster: Path, killed: list[str]) -> Disturbed:
    """The run after the killed one: on it the tests below agree to look."""
    return Disturbed(project, cluster)


def test_succeeds(disturbed: Disturbed) -> None:
    """A cancelled job, a dead node and an edited configuration do not fail a run."""
    assert disturbed.code == 0, disturbed.run.said()[-5000:]


def test_cancels_leftovers(disturbed: Disturbed, killed: list[str]) -> None:
    """Jobs that a killed run left behind are cancelled before the next run submits any."""
    said = disturbed.run.said()
    assert killed
    named = re.search(r"cancelling SLURM jobs that a killed run left behind: (.+)", said)
    assert named
    assert said.index(named[0]) < said.index("submitted with SLURM jobid")
    assert {of_job(job)["JobState"] for job in named[1].split(", ")} == {"CANCELLED"}
    # One or the other may have ended by itself in between, without its run where it saw that.
    states = {of_job(job)["JobState"] for job in killed}
    assert states <= {"CANCELLED", "COMPLETED", "FAILED"}


def test_submits_only_measuring(disturbed: Disturbed) -> None:
    """Only measuring becomes jobs: with a GPU of the type, in the partition, for the account."""
    found = [of_job(job) for job in disturbed.run.submitted()]
    rules = [re.match(r"rule_(.+)_wildcards", job["Comment"])[1] for job in found]
    assert set(rules) == {"measure", "measure_batch"}
    assert {job["Partition"] for job in found} == {"gpus"}
    assert {job["Account"] for job in found} == {"science"}
    assert {job["TresPerJob"] for job in found} == {"gres:gpu:fake:1"}


def test_retries_cancelled(disturbed: Disturbed) -> None:
    """A job that somebody cancels is named in one line and submitted again."""
    said = disturbed.run.said()
    line = f"SLURM-job '{disturbed.cancelled}' failed, SLURM status is: 'CANCELLED'"
    assert said.count(line) == 1
    assert "Trying to restart job" in said
    assert of_job(disturbed.cancelled)["JobState"] == "CANCELLED"


def test_survives_node(disturbed: Disturbed) -> None:
    """The job of a node that dies runs again on another, by SLURM's own doing."""
    job = of_job(disturbed.requeued)
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")


def test_measures_in_batches(disturbed: Disturbed, project: Path) -> None:
    """A sweep of 2,000 readings is measured in 20 jobs, and their tables are put together."""
    record = json.loads((project / "results/geometries/record.json").read_text())
    assert len(record["jobs"]) == BATCHES
    totals = (project / "results/geometries/totals.csv").read_text().splitlines()
    assert len(totals) == 1 + SWEPT
    assert disturbed.code == 0


def test_keeps_configuration(disturbed: Disturbed, project: Path) -> None:
    """What jobs do, and what the record says, is the configuration that the run began with."""
    for study in STUDIES:
        record = json.loads((project / f"results/{study}/record.json").read_text())
        assert record["settings"]["repeats"] == 1
        assert record["source"]["config_sha256"] == disturbed.config_sha256


def test_falls_back(disturbed: Disturbed, project: Path) -> None:
    """On a node whose GPU does not work, the log and the record say so and the CPU is used."""
    assert disturbed.code == 0
    device = json.loads((project / "results/alexnet/record.json").read_text())["device"]
    assert device["type"] == "cpu"
    assert device["fallback"]
    log = (project / "logs/alexnet/measure.log").read_text()
    assert log.startswith(f"on the CPU: {device['fallback']}\n")


@pytest.mark.parametrize("study", STUDIES)
def test_same_bytes(disturbed: Disturbed, project: Path, reference: Path, study: str) -> None:
    """Everything but the record is what a run on one machine gives, byte for byte."""
    assert disturbed.code == 0
    command = json.loads((reference / "results" / study / "record.json").read_text())["command"]
    assert command.endswith("profiles/default")
    here, there = (results_of(folder / "results" / study) for folder in (project, reference))
    assert len(here) > len(("layers.csv", "totals.csv", "verdicts.csv", "reconciliation.json"))
    assert sorted(here) == sorted(there)
    assert [name for name in here if here[name] != there[name]] == []
    print(f"\n{study}: {len(here)} files equal, {sum(map(len, here.values())):,} bytes")


def results_of(folder: Path) -> dict[str, bytes]:
    """The reproducible files of a study's results."""
    files = (file for file in folder.rglob("*") if file.is_file() and ".made" not in file.parts)
    names = (str(file.relative_to(folder)) for file in files)
    return {n: (folder / n).read_bytes() for n in names if member_of(n).startswith("results/")}


def test_nothing_left(disturbed: Disturbed, project: Path) -> None:
    """A finished run leaves no batches, no logs of jobs that went well, and nothing to do."""
    assert disturbed.code == 0
    assert not list(project.glob("results/*/batches/*/*"))
    kept = {log.stem for log in project.glob("logs/slurm/**/*.log")}
    assert kept & set(disturbed.run.submitted()) <= {disturbed.cancelled}
    again = slurm(project, "--dry-run")
    assert again.ended() == 0
    assert "Nothing to be done" in again.said()


@pytest.fixture(scope="module")
def small(project: Path) -> Path:
    """A project with one study that is measured in a second."""
    small = copy_project(project.with_name("small"))
    shutil.rmtree(small / "studies")
    write_study(small / "studies" / "tiny", study_data())
    edit(small / "config.yaml", studies="[tiny]", repeats="1", device="cuda")
    return small


def test_failure(small: Path) -> None:
    """A job that fails says why in one line, and the run ends."""
    run = slurm(small, "--retries", "0", "measurements")
    assert run.ended() == 1
    line = (
        r"measure: SLURM-job '\d+' failed.+'FAILED'.+; logs/tiny/measure.log ends with: device: .+"
    )
    assert len(re.findall(f"^{line}$", run.said(), re.M)) == 1
    assert "Traceback" not in run.said()
    print(f"\na failure shows after {run.seconds():.0f} s")


def test_refusal(small: Path) -> None:
    """A job that SLURM refuses says why in one line, and the run ends."""
    where = ["slurm_partition=nowhere", "mem_mb=500", "runtime=5"]
    run = slurm(small, "--retries", "0", "--default-resources", *where, "--", "measurements")
    assert run.ended() == 1
    line = "measure: SLURM sbatch failed.*invalid partition specified: nowhere.*"
    assert len(re.findall(f"^{line}$", run.said(), re.M)) == 1


def test_outage(small: Path, cluster: Path) -> None:
    """While SLURM's controller is away a run waits for its jobs, and goes on afterwards."""
    edit(small / "config.yaml", device="auto")
    run = slurm(small, "measurements")
    run.until(lambda: set(run.submitted()) & set(jobs("RUNNING")))
    file = cluster / "slurmctld.pid"
    os.kill(int(file.read_text()), signal.SIGTERM)
    run.until(lambda: not file.exists())
    # More than the looks that the executor takes by default: 5, of some 9 seconds each.
    time.sleep(60)
    assert run.process.poll() is None
    told("slurmctld")
    assert run.ended() == 0, run.said()[-5000:]
