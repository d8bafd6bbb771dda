"""The pipeline as a whole: cold, unchanged and edited, against the floor and the notebook."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from processes import Ratio, Took, in_turn, run, seconds, tell
from project import FLOOR, OneRule, Project
from rows import Outcome, Row

from reconcile.tables.contract import passes_of_layers

__all__ = ["cold", "edits", "explain", "memory", "no_op", "profile", "studies", "verify"]

ONE_AT_A_TIME = ("-p", "keep", "False")
"""The notebook that holds one network at a time, as careful users write it."""
EXPLAIN = (
    *("explain", "4.1 GFLOPs", "studies/resnet/network.py:ResNet"),
    *("--with", "depth=50", "--with", "shortcut=projection", "--with", "stride_at=3x3"),
)
"""A number that is explained, of the network that bench/peers/summary.py builds."""
CLAIM = ("studies/alexnet/study.yaml", "Figure 2, caption", "The caption of Figure 2")
ALL = "all"
PROBE = Path(__file__).resolve().parent / "probe"
PASSES = "forward passes in the measuring process, their number times their median"


def cold(project: Project, runs: int) -> Outcome:
    """From nothing: the pipeline, the floor and the notebook in turn."""
    peers = {
        "snakemake": project.cold,
        "floor": project.floor,
        "notebook": project.notebook,
    }
    for peer in peers.values():  # whatever is slow once (bytecode, the disk's cache) is not timed
        peer()
    taken = in_turn("cold", runs, peers)
    ours, floor, notebook = (seconds(taken[name]) for name in peers)
    cpu = {name: [took.cpu_seconds for took in taken[name]] for name in peers}
    return Outcome(
        [
            Row.at_most("cold `snakemake` / `floor.py`, wall", Ratio.of(ours, floor), 1.25),
            Row.at_most("cold `snakemake` / notebook, wall", Ratio.of(ours, notebook), 0.75),
            Row.at_most("the same, processor time", Ratio.of(cpu["snakemake"], cpu["notebook"])),
            Row.at_most(
                "`snakemake` / `floor.py`, processor time", Ratio.of(cpu["snakemake"], cpu["floor"])
            ),
        ],
        runs,
    )


def memory(project: Project, runs: int) -> Outcome:
    """The most memory that the whole tree of processes holds."""
    commands = {
        "snakemake": ["snakemake"],
        "floor": list(FLOOR),
        "notebook": project.notebook_command(),
        "one at a time": project.notebook_command(*ONE_AT_A_TIME),
    }
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs):
        for name, command in commands.items():
            peaks[name].append(project.peak(*command))
            tell(f"memory: {name} {turn + 1}/{runs}")
    ours = peaks["snakemake"]
    careful = "the same / notebook that holds one network at a time"
    return Outcome(
        [
            Row.at_most("peak memory / notebook", Ratio.of(ours, peaks["notebook"]), 0.4),
            Row.at_most(careful, Ratio.of(ours, peaks["one at a time"])),
            Row.at_most("peak memory / `floor.py`", Ratio.of(ours, peaks["floor"])),
        ],
        runs,
    )


def explain(project: Project, runs: int) -> Outcome:
    """One number of one network explained, against a script that builds it and sums it up."""
    ours, peer = ("python", "-m", "reconcile", *EXPLAIN), ("python", "bench/peers/summary.py")
    commands = {"explain": ours, "summary": peer}
    peers = {
        name: partial(run, [*command], project.folder, project.environment)
        for name, command in commands.items()
    }
    for one in peers.values():
        one()
    taken = in_turn("explain", runs, peers)
    walls = [seconds(taken[name]) for name in peers]
    cpus = [[took.cpu_seconds for took in taken[name]] for name in peers]
    what = (
        "`reconcile explain` of ResNet-50 / a script that builds it for torchinfo's summary, wall"
    )
    return Outcome(
        [
            Row.at_most(what, Ratio.of(*walls), 2.5),
            Row.at_most("the same, processor time", Ratio.of(*cpus)),
        ],
        runs,
    )


def studies(project: Project, runs: int) -> Outcome:
    """All studies in one run, against a cold run of each; once, since it takes minutes."""
    names = sorted(file.parent.name for file in (project.folder / "studies").glob("*/study.yaml"))
    project.cold()
    alone = [_of(project, name) for name in names]
    together = _of(project, ALL)
    tell(f"studies: {len(names)} alone and together")
    what = f"all {len(names)} studies in one cold run / the sum of cold runs of each"
    walls = Ratio.of([together.seconds], [sum(took.seconds for took in alone)])
    cpus = Ratio.of([together.cpu_seconds], [sum(took.cpu_seconds for took in alone)])
    shares = {
        "all studies, each by itself": {
            name: took.seconds / sum(one.seconds for one in alone)
            for name, took in zip(names, alone, strict=True)
        }
    }
    rows = [Row.at_most(f"{what}, wall", walls, 0.7), Row.at_most("the same, processor time", cpus)]
    return Outcome(rows, 1, shares)


def _of(project: Project, name: str) -> Took:
    project.clear()
    chosen = name if name == ALL else f"[{name}]"
    took = project.snakemake("--config", f"studies={chosen}")
    tell(f"studies: {name} took {took.seconds:.0f} s, {took.cpu_seconds:.0f} s of processor time")
    return took


def no_op(project: Project, runs: int) -> Outcome:
    """Nothing changed: what is left is reading the workflow."""
    project.cold()
    one = OneRule(project.folder.parent / "one-rule", project.environment)
    one.snakemake()
    taken = in_turn("no-op", runs, {"ours": project.snakemake, "one rule": one.snakemake})
    ratio = Ratio.of(seconds(taken["ours"]), seconds(taken["one rule"]))
    what = "nothing changed: `snakemake` / `snakemake` on one up-to-date rule"
    return Outcome([Row.at_most(what, ratio, 1.3)], runs)


def edits(project: Project, runs: int) -> Outcome:
    """An edit of a style sheet, of both, and of a claim, each against a cold run."""
    marks = iter(range(10**6))

    def styled(*files: str) -> None:
        for file in files:
            mark = f"\np {{ orphans: {next(marks) % 1000 + 2} }}\n"
            project.edited(f"templates/{file}", lambda text, mark=mark: text + mark)

    def css() -> object:
        styled("report.css")
        return project.snakemake()

    def both() -> object:
        styled("report.css", "print.css")
        return project.snakemake()

    loaded: list[bool] = []

    def claim() -> object:
        reworded(project)
        with tempfile.TemporaryDirectory() as notes:
            took = project.snakemake(**_probed(project, notes))
            loaded.extend(note["torch"] for note in _notes(Path(notes)))
        return took

    project.cold()
    taken = in_turn("edits", runs, {"cold": project.cold, "css": css, "both": both, "claim": claim})  # type: ignore[dict-item]
    times = {name: seconds(took) for name, took in taken.items()}
    torch = f"processes that import torch after the edit of a claim, of {len(loaded) // runs}"
    return Outcome(
        [
            Row.at_most(
                "`report.css` edited: rebuild / cold", Ratio.of(times["css"], times["cold"]), 0.5
            ),
            Row.at_most(
                "`report.css` and `print.css` edited / cold",
                Ratio.of(times["both"], times["cold"]),
                0.5,
            ),
            Row.at_most("a claim edited: rebuild / cold", Ratio.of(times["claim"], times["cold"])),
            Row(torch, sum(loaded), target="0", met=not any(loaded), unit="processes"),
        ],
        runs,
    )


def reworded(project: Project) -> None:
    """Reword where a claim stands, there and back again."""
    file, one, other = CLAIM

    def change(text: str) -> str:
        return text.replace(one, other, 1) if other not in text else text.replace(other, one, 1)

    project.edited(file, change)


def verify(project: Project, runs: int) -> Outcome:
    """Verify an archive without its PDF, against the cold run that made it."""
    project.cold()
    project.snakemake("archive")
    archive = project.kept_archive()
    taken = in_turn(
        "verify", runs, {"verify": lambda: project.verify(archive), "cold": project.cold}
    )
    ratio = Ratio.of(seconds(taken["verify"]), seconds(taken["cold"]))
    what = "`reconcile verify --no-pdf` of its archive / cold `snakemake`"
    return Outcome([Row.at_most(what, ratio, 0.6)], runs)


def profile(project: Project, runs: int) -> Outcome:
    """Where the time of a cold run goes: each process, and each step of the floor."""
    processes: dict[str, list[float]] = {}
    steps: dict[str, list[float]] = {}
    for turn in range(runs):
        with tempfile.TemporaryDirectory() as notes:
            took = project.cold(**_probed(project, notes))
            for name, begun, ended in _spans(Path(notes)):
                processes.setdefault(name, []).append((ended - begun) / took.seconds)
        processes.setdefault(PASSES, []).append(_seconds_of_passes(project) / took.seconds)
        whole = project.floor()
        written = project.folder / "build" / "bench" / "floor" / "steps.json"
        for name, value in json.loads(written.read_text()).items():
            steps.setdefault(name, []).append(value / whole.seconds)
        tell(f"profile: {turn + 1}/{runs}")
    shares = {"cold `snakemake`": _medians(processes), "`floor.py`": _medians(steps)}
    return Outcome([], runs, shares)


def _seconds_of_passes(project: Project) -> float:
    """What the networks themselves took: passes of the warm-up, of the network, of its layers."""
    results = project.folder / "results" / "alexnet"
    settings = json.loads((results / "settings.json").read_text())
    with (results / "timings.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["layer"] == "network"]
    # Readings that build the same network share one measurement.
    networks = {(row["median_ms"], row["q1_ms"], row["q3_ms"]) for row in rows}
    repeats = settings["repeats"]
    passes = max(settings["warmup"], 1) + repeats + passes_of_layers(repeats)
    return passes * sum(float(median) for median, _, _ in networks) / 1000


def _medians(samples: dict[str, list[float]]) -> dict[str, float]:
    return {name: sorted(values)[len(values) // 2] for name, values in samples.items()}


def _probed(project: Project, notes: str) -> dict[str, str]:
    path = f"{PROBE}:{project.environment['PYTHONPATH']}"
    return {"PYTHONPATH": path, "RECONCILE_PROBE": notes}


def _notes(folder: Path) -> list[dict[str, object]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


def _spans(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Each process by the name of its rule's script, with when it began and ended."""
    for note in sorted(_notes(folder), key=lambda note: note["begun"]):  # type: ignore[arg-type,return-value]
        words = [str(word) for word in note["command"]]  # type: ignore[attr-defined]
        script = next((word for word in words if ".snakemake/scripts" in word), None)
        if script:
            name = Path(script).stem.partition(".")[2] or Path(script).stem
        elif "reconcile.measure.zygote" in words:
            name = "the measuring process"
        else:
            name = "snakemake"
        yield name, float(note["begun"]), float(note["ended"])  # type: ignore[arg-type]
