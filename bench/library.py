"""Parts of the pipeline against their peers: a forward pass, counting, sweeping, searching."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from processes import Ratio, tell
from project import ROOT, Project
from rows import Outcome, Row

__all__ = ["child", "counters", "forward", "scaling", "search", "sweep"]

CHILDREN = Path(__file__).resolve().parent / "children"
PASSES = 30
READINGS = 8
MOST = {"cpu": 1.25, "meta": 1.5}
"""What counting a forward pass may take at most, as a multiple of a plain one."""
SWEPT, SUMMARISED = 10_000, 500
SIZES = (100, 1_000, 10_000, 100_000)
FEW = 5
SEARCH_TARGET = 20e6


def _child(project: Project, script: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script.name} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def forward(project: Project, runs: int) -> Outcome:
    """A forward pass that measures, against a plain one and torch's own counter."""
    samples: dict[tuple[str, str], list[float]] = {}
    for turn in range(runs):
        for network, passes in _child(project, CHILDREN / "forward.py", str(PASSES)).items():
            for name, values in passes.items():
                samples.setdefault((network, name), []).append(statistics.median(values))
        tell(f"forward: {turn + 1}/{runs}")

    def row(what: str, network: str, name: str, peer: str, target: float | None = None) -> Row:
        ratio = Ratio.of(samples[network, name], samples[network, peer])
        return Row.at_most(f"{what}, {network} / {peer}", ratio, target)

    rows = []
    for network in dict.fromkeys(network for network, _ in samples):
        counted, target = "a pass with every layer counted", MOST[network.split()[-1]]
        if "meta" not in network:
            rows.append(row("a pass with every layer timed", network, "timed", "plain", 1.05))
        rows.append(row(counted, network, "counted", "plain", target))
        rows.append(row(counted, network, "counted", "FlopCounterMode"))
    return Outcome(rows, runs)


def child(project: Project, runs: int) -> Outcome:
    """A reading in a process of its own, against the same in one that is warm."""
    samples: dict[str, list[float]] = {"child": [], "warm": []}
    for turn in range(runs):
        for name, values in _child(project, CHILDREN / "reading.py", str(READINGS)).items():
            samples[name].append(statistics.median(values))
        tell(f"child: {turn + 1}/{runs}: {samples['child'][-1] / samples['warm'][-1]:.3f}")
    what = "a reading of AlexNet in a child / the same in one warm process, processor time"
    return Outcome([Row.at_most(what, Ratio.of(samples["child"], samples["warm"]), 1.1)], runs)


def counters(project: Project, runs: int) -> Outcome:
    """One table per layer of a built network, on the CPU."""
    samples: dict[str, list[float]] = {"ours": [], "torchinfo": [], "fvcore": []}
    for turn in range(runs):
        for name, values in _child(project, CHILDREN / "counters.py").items():
            samples[name].append(statistics.median(values))
        tell(f"counters: {turn + 1}/{runs}")
    rows = [
        Row.at_most(
            f"table per layer of one reading / {peer}", Ratio.of(samples["ours"], samples[peer])
        )
        for peer in ("torchinfo", "fvcore")
    ]
    return Outcome(rows, runs)


def _swept(project: Project, number: int) -> Any:
    with tempfile.TemporaryDirectory() as out:
        _child(project, CHILDREN / "sweep.py", "plan", str(number), out)
        return _child(project, CHILDREN / "sweep.py", "ours", str(number), out)


def sweep(project: Project, runs: int) -> Outcome:
    """A sweep of AlexNet geometries, per reading."""
    ours, peers = [], []
    for turn in range(runs):
        found = _swept(project, SWEPT)
        ours.append(found["seconds"] / SWEPT)
        peer = _child(project, CHILDREN / "sweep.py", "torchinfo", str(SUMMARISED))
        peers.append(peer["seconds"] / SUMMARISED)
        tell(f"sweep: {turn + 1}/{runs}: {ours[-1] / peers[-1]:.3f}")
    what = f"sweep of {SWEPT:,} geometries: time per reading / torchinfo's on the meta device"
    return Outcome([Row.at_most(what, Ratio.of(ours, peers), 0.1)], runs)


def scaling(project: Project, runs: int) -> Outcome:
    """The same sweep from 100 to 100,000 readings: time per reading, and memory."""
    each: dict[int, list[float]] = {number: [] for number in SIZES}
    held: dict[int, list[float]] = {number: [] for number in SIZES}
    for turn in range(runs):
        # What the first reading costs, it costs once.
        first, _ = _repeatedly_swept(project, 1)
        for number in SIZES:
            seconds, kib = _repeatedly_swept(project, number)
            each[number].append((seconds - first) / (number - 1))
            held[number].append(kib)
            tell(f"scaling: {number:,} readings, {turn + 1}/{runs}")
    base = SIZES[1]
    rows = []
    for number in SIZES:
        ratio = Ratio.of(each[number], each[base])
        what = f"time per reading, {number:,} readings / {base:,}"
        rows.append(_within(what, ratio) if number != base else Row.at_most(what, ratio))
    largest = Ratio.of(held[SIZES[-1]], held[base])
    rows.append(Row.at_most(f"peak memory, {SIZES[-1]:,} readings / {base:,}", largest, 1.2))
    return Outcome([*rows, *_new_operators(project, runs)], runs)


def _new_operators(project: Project, runs: int) -> list[Row]:
    """Why short sweeps take longer per reading: more of their operators are new."""
    found = []
    for turn in range(runs):
        found.append(_child(project, CHILDREN / "sweep.py", "anew", str(SIZES[1])))
        tell(f"scaling: new operators, {turn + 1}/{runs}")
    early, late, usual, operator = (
        [f[name] for f in found] for name in ("early", "late", "usual", "one operator")
    )
    first, last = found[0]["new early"], found[0]["new"]
    known = (
        "a reading all of whose operators are remembered, among the first 100 of 1,000 / the last"
    )
    return [
        Row.at_most(known, Ratio.of(early, late)),
        Row.at_most("executing one new operator / such a reading", Ratio.of(operator, usual)),
        Row("new operators executed per reading, first 100 of 1,000", first, unit="operators"),
        Row("new operators executed per reading, all 1,000", last, unit="operators"),
    ]


def _repeatedly_swept(project: Project, number: int) -> tuple[float, float]:
    """Seconds and KiB held, medians of several processes where one takes no time to speak of."""
    found = [_swept(project, number) for _ in range(1 if number >= SIZES[1] else FEW)]
    memory = [f["this process"] + f["measuring process"] for f in found]
    return statistics.median(f["seconds"] for f in found), statistics.median(memory)


def _within(what: str, ratio: Ratio) -> Row:
    near = 1 / 1.2 <= ratio.value <= 1.2  # noqa: PLR2004 - a fifth more or less
    return Row(what, ratio.value, ratio.low, ratio.high, "within 20%", near)


def search(project: Project, runs: int) -> Outcome:
    """Combinations a second on one core."""
    found = _child_table(project, runs)
    rows = [
        Row(
            f"{row['group']} searched, all searches of the group",
            float(row["rate"]) / 1e6,
            target=f"≥ {SEARCH_TARGET / 1e6:g}",
            met=float(row["rate"]) >= SEARCH_TARGET,
            unit="million combinations a second",
        )
        for row in found
        if row["search"] == "all"
    ]
    return Outcome(rows, runs)


def _child_table(project: Project, runs: int) -> Any:
    tell("search")
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "search.py"), "--json", "--runs", str(max(runs, 7))],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["rows"]
