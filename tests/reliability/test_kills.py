"""A run that is killed at any moment: nothing half-written, nothing left, nothing to remember."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from living import IN_A_CONTAINER, ISOLATED, descendants
from projects import (
    EVERYTHING,
    TARGETS,
    Undisturbed,
    end_group,
    make_report,
    outputs,
    replace_in,
    run,
    snakemake,
    start,
    start_as,
    tiny_project,
    told,
)
from support import write_study

from reconcile.run.processes import Alive, answered_in_a_thread

pytestmark = pytest.mark.slow

SEED = 8
KILLS = 50 if EVERYTHING else 3
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
Process = subprocess.Popen[bytes]


def only_snakemake(process: Process, number: int) -> None:
    """Signal the process that the user started."""
    process.send_signal(number)


def only_its_children(process: Process, number: int) -> None:
    """Signal every process under it."""
    for child in descendants(process.pid):
        with suppress(ProcessLookupError):
            os.kill(child, number)


def the_whole_group(process: Process, number: int) -> None:
    """Signal all of them, as a terminal or a batch system does."""
    os.killpg(process.pid, number)


WHOM: tuple[Callable[[Process, int], None], ...] = (
    only_snakemake,
    only_its_children,
    the_whole_group,
)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_run_is_finished_by_the_next(undisturbed: Undisturbed, number: int) -> None:
    """After SIGKILL or SIGTERM at a random moment `make report` finishes, with the same bytes."""
    project, wanted = undisturbed.project, undisturbed.outputs
    chance = random.Random(SEED * 1000 + number)  # noqa: S311 - a test draws moments, no secrets
    start_again_from_nothing(project)
    process = start(project, *TARGETS)
    try:
        time.sleep(chance.uniform(0, undisturbed.seconds))
        WHOM[number % 3](process, SIGNALS[number % 2])
        # Whoever was signalled, the run comes to its end; orderly, where it was asked to.
        process.wait(timeout=180)
        there = outputs(project)
        assert there == {name: wanted[name] for name in there}, "half-written"
        if EVERYTHING or not number:
            plain_snakemake_finishes_or_tells(project)
        finish(project)
    finally:
        end_group(process)
    assert outputs(project) == wanted
    assert not list((project / "results").rglob(".*.part"))
    assert nobody_runs(project)
    assert Alive(project).job() is None
    assert not list((project / ".snakemake/locks").glob("*"))


def nobody_runs(project: Path) -> bool:
    """Whether it is known that no run is alive in a project."""
    with Alive(project).kept_out() as nobody:
        return nobody


def start_again_from_nothing(project: Path) -> None:
    """Forget every result and all that Snakemake knows."""
    for name in ("results", ".snakemake", "logs"):
        shutil.rmtree(project / name, ignore_errors=True)


def plain_snakemake_finishes_or_tells(project: Path) -> None:
    """Without `make`, the run either finishes or names the command that clears the lock."""
    done = snakemake(project, *TARGETS)
    if done.returncode:
        assert "It can be removed with the --unlock argument" in told(done)
        assert "Traceback" not in told(done)


def finish(project: Path) -> None:
    """What a user does next: `make report`, which the sample does without the report itself."""
    if EVERYTHING:
        done = make_report(project)
    else:
        assert run(project, "python", "-m", "reconcile", "recover").returncode == 0
        done = snakemake(project, *TARGETS)
    assert done.returncode == 0, told(done)


def test_make_report_recovers_first() -> None:
    """`make report` clears what a killed run left before it starts Snakemake."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    report = makefile.partition("\nreport:")[2].partition("\n\n")[0]
    commands = report.splitlines()[1:]
    assert [line.split(" -")[0] for line in commands] == ["\tpython", "\tsnakemake"]
    assert commands[0] == "\tpython -m reconcile recover"


def test_a_second_run_says_so_and_harms_nothing(
    undisturbed: Undisturbed,
) -> None:
    """Of two runs at once the second says that the folder is locked, and the first finishes."""
    project, wanted = undisturbed.project, undisturbed.outputs
    start_again_from_nothing(project)
    first = start(project, *TARGETS)
    try:
        wait_for(lambda: list((project / ".snakemake/locks").glob("*")))
        assert not nobody_runs(project)
        recovered = run(project, "python", "-m", "reconcile", "recover")
        assert (recovered.returncode, recovered.stderr) == (0, "")
        second = snakemake(project, *TARGETS)
        assert second.returncode != 0
        assert "Directory cannot be locked" in told(second)
        assert "Traceback" not in told(second)
        assert first.wait(timeout=300) == 0
    finally:
        end_group(first)
    assert outputs(project) == wanted


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_that_nobody_listens_to(undisturbed: Undisturbed, fails: bool) -> None:
    """Where what reads its lines goes away, a run ends as it would have, failed jobs included."""
    project, wanted = undisturbed.project, undisturbed.outputs
    start_again_from_nothing(project)
    process = start_as(project, "snakemake", *TARGETS, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        while b"rule measure:" not in process.stderr.readline():
            assert process.poll() is None
        process.stderr.close()
        if fails:
            wait_for(lambda: descendants(process.pid))
            only_its_children(process, signal.SIGKILL)
        assert (process.wait(timeout=300) != 0) == fails
    finally:
        end_group(process)
    finish(project)
    assert outputs(project) == wanted


def test_a_run_that_was_killed_while_it_copied(tmp_path: Path) -> None:
    """Copies of results, which Snakemake makes before it replaces them, are no obstacle later."""
    project, target = tiny_project(tmp_path / "project"), "results/tiny/report.html"
    assert snakemake(project, target).returncode == 0
    shutil.copytree(
        project / "results/tiny/figures", project / ".snakemake/backups/results/tiny/figures"
    )
    replace_in(project / "templates" / "report.css", "body {", "body { color: black;")
    done = snakemake(project, target)
    assert done.returncode == 0, told(done)


ENDLESS = """
import time
from pathlib import Path

import torch
from torch import nn


class Tiny(nn.Module):
    def __init__(self, *, size, kernels, rule):
        super().__init__()

    def example_inputs(self):
        return (torch.rand(1, 1, 8, 8),)

    def forward(self, images):
        Path("busy").touch()
        total = 0
        while True:
            total += sum(range(1000))
"""


WAYS = {
    "plain": ["snakemake"],
    "module": ["python", "-W", "ignore", "-m", "snakemake"],
    "another name": ["python", "{}/editor.py"],
    "elsewhere": ["env", "--chdir=/", "snakemake", "--snakefile={}/Snakefile", "--directory={}"],
    "container": [*IN_A_CONTAINER, "snakemake"],
}


@pytest.mark.parametrize("way", WAYS if EVERYTHING else ["module", "container"])
def test_recovery_never_touches_a_live_run(tmp_path: Path, way: str) -> None:
    """However it was started, `recover` ends no process of it and removes no lock."""
    if way == "container" and not ISOLATED:
        pytest.skip("no namespaces of processes for this user")
    project = tiny_project(tmp_path / "project", network=ENDLESS)
    (project / "editor.py").write_text("from snakemake.cli import main\n\nmain()\n")
    command = [word.replace("{}", str(project)) for word in WAYS[way]]
    live = start_as(project, *command, "--cores=1", "results/tiny/layers.csv")
    try:
        wait_for((project / "busy").exists)
        before = descendants(live.pid), sorted((project / ".snakemake/locks").iterdir())
        recovered = run(project, "python", "-m", "reconcile", "recover")
        assert (recovered.returncode, recovered.stderr) == (0, "")
        assert (descendants(live.pid), sorted((project / ".snakemake/locks").iterdir())) == before
        assert live.poll() is None
    finally:
        end_group(live)
    # Of what was started in the container only the outermost process was killed by the test.
    wait_for(lambda: nobody_runs(project) and Alive(project).job() is None)
    recovered = run(project, "python", "-m", "reconcile", "recover")
    assert "cleared the lock of a run that was killed" in recovered.stderr


def test_the_measuring_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """When the process that started it is killed, it ends, in the middle of a forward pass too."""
    folder = write_study(tmp_path / "tiny", network=ENDLESS)
    command = [sys.executable, "-m", "reconcile", "measure", str(folder), str(tmp_path / "out")]
    parent = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_for((tmp_path / "busy").exists)
    workers = descendants(parent.pid)
    assert workers
    parent.kill()
    parent.wait()
    wait_for(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers), 10)


def test_a_signal_does_not_wait_for_who_it_interrupts() -> None:
    """A handler that takes a lock is no deadlock when the signal comes while the lock is held."""
    lock, answered = threading.Lock(), threading.Event()

    def answer(*told: object) -> None:
        with lock:
            answered.set()

    before = signal.signal(signal.SIGUSR1, answer)
    try:
        answered_in_a_thread(signal.SIGUSR1)
        with lock:
            signal.raise_signal(signal.SIGUSR1)
        assert answered.wait(timeout=30)
    finally:
        signal.signal(signal.SIGUSR1, before)


def wait_for(condition: Callable[[], object], limit: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
