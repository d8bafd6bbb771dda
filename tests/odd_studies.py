"""Small studies of kinds that the project's own are not: each must end with a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import PROJECT, render, write_study

from reconcile.archive.build import build_archive
from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.run import measure_study
from reconcile.search.run import search_geometries, search_slips
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.frames import write_table

Odd = tuple[dict[str, Any], str]
"""What stands in study.yaml, and the text of network.py."""

SOURCE = [{"name": "Constructed for this study"}]
PAPER = {
    "title": "An odd paper",
    "authors": ["Ada Lovelace"],
    "year": 1843,
    "venue": "Odd Memoirs",
    "url": "https://example.org/odd.pdf",
}

TOKENS = '''
import torch
from torch import nn


class Odd(nn.Module):
    """Five token numbers in, eleven scores for each out."""

    def __init__(self, *, width=4):
        super().__init__()
        self.embed = nn.Embedding(11, width)
        self.head = nn.Linear(width, 11)

    def example_inputs(self):
        return (torch.randint(0, 11, (1, 5)),)

    def forward(self, tokens):
        return self.head(self.embed(tokens))
'''

IMAGES = '''
import torch
from torch import nn


class Odd(nn.Module):
    """Images of eight pixels; widths of which some cannot be built and some not be run."""

    def __init__(self, *, kernels=4, stride=2, breaks=""):
        super().__init__()
        if breaks == "build":
            raise ValueError("this reading is not to be built")
        self.breaks = breaks
        self.conv = nn.Conv2d(1, kernels, 3, stride=stride)
        side = (8 - 3) // stride + 1
        self.fc = nn.Linear(kernels * side * side, 10)

    def example_inputs(self):
        return (torch.rand(1, 1, 8, 8),)

    def forward(self, images):
        if self.breaks == "run":
            raise RuntimeError("this reading is not to be run")
        return self.fc(self.conv(images).flatten(1))
'''

NAMES = '''
import torch
from torch import nn


class Odd(nn.Module):
    """Layers whose names differ in what a LaTeX command cannot hold, or begin with digits."""

    def __init__(self, *, width=4):
        super().__init__()
        self.a_b = nn.Linear(6, width)
        self.a = nn.ModuleDict({"b": nn.Linear(width, 5), "0": nn.Linear(5, 4)})
        self.a_0 = nn.Linear(4, 3)
        self.conv1 = nn.Linear(3, 2)
        self.claim = nn.ModuleDict({"conv1": nn.Linear(2, 2)})
        self.größe = nn.Linear(2, 2)

    def example_inputs(self):
        return (torch.rand(1, 6),)

    def forward(self, x):
        x = self.conv1(self.a_0(self.a["0"](self.a["b"](self.a_b(x)))))
        return self.größe(self.claim["conv1"](x))
'''

NO_LAYERS = '''
import torch
from torch import nn


class Odd(nn.Module):
    """Nothing that is counted: a network of an activation alone."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def example_inputs(self):
        return (torch.rand(1, 3, 4),)

    def forward(self, x):
        return self.relu(x)
'''


def claim(name: str, printed: str, quantity: str, of: str | None = None, **more: Any) -> Any:
    """A claim with the words that every claim needs."""
    words = {"quote": f"{printed} of them", "where": "p. 1"}
    own = {"id": name, "printed": printed, "quantity": quantity} | ({"of": of} if of else {})
    return words | own | more


def reading(name: str, **more: Any) -> Any:
    """An interpretation that somebody proposed."""
    return {"id": name, "title": f"Reading {name}", "proposed_by": SOURCE} | more


def study(claims: list[Any], readings: list[Any], **more: Any) -> dict[str, Any]:
    """A study of no more than it must have, and what is added to it."""
    found = {
        "title": "Odd",
        "paper": PAPER,
        "question": "Does an odd study get a report?",
        "network": "network.py:Odd",
        "claims": claims,
        "interpretations": readings,
        "conclusion": {
            "interpretation": readings[0]["id"] if readings else "",
            "answer": "It does.",
            "text": "Every study does.",
        },
    }
    return found | more


def _tokens_on_meta() -> Odd:
    return study(
        [claim("all", "99", "parameters", "network")], [reading("r")], placement="meta"
    ), TOKENS


def _tokens() -> Odd:
    claims = [claim("all", "99", "parameters", "network"), claim("head", "50", "neurons", "head")]
    return study(
        claims, [reading("r"), reading("wide", network={"width": 8})], arguments={"width": 4}
    ), TOKENS


def _nothing_builds() -> Odd:
    readings = [reading(name, network={"breaks": "build"}) for name in ("one", "two")]
    return study([claim("conv", "36", "neurons", "conv")], readings), IMAGES


def _nothing_runs() -> Odd:
    readings = [
        reading("one", network={"breaks": "build"}),
        reading("two", network={"breaks": "run"}),
    ]
    evidence = {
        "id": "code",
        "title": "The program",
        "source": SOURCE,
        "says": "The program has four kernels.",
        "supports": ["one"],
        "check": "channels(conv) == 4",
    }
    geometry = {
        "claim": "conv",
        "kind": "square-maps",
        "inputs": [6, 9],
        "kernels": [2, 4],
        "strides": [1, 2],
    }
    check = {"id": "sum", "says": "conv and fc", "compute": "printed(conv) + 10", "claim": "all"}
    claims = [claim("conv", "36", "neurons", "conv"), claim("all", "46", "neurons", "network")]
    more = {"evidence": [evidence], "geometries": [geometry], "consistency": [check]}
    return study(claims, readings, **more), IMAGES


def _some_run() -> Odd:
    """The reading that the study concludes on is one of those that do not run."""
    readings = [
        reading("breaks", network={"breaks": "run"}),
        reading("runs"),
        reading("same", assumes=["Nothing else."]),
    ]
    claims = [claim("conv", "36", "neurons", "conv"), claim("fc", "10", "neurons", "fc")]
    return study(claims, readings, arguments={"breaks": ""}), IMAGES


def _sweep(axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "Kernels", "axes": axes, "proposed_by": SOURCE} | more


def _one_axis() -> Odd:
    sweep = _sweep({"kernels": [2, 4, 6]})
    claims = [claim("conv", "40", "parameters", "conv")]
    return study(
        claims, [reading("four")], arguments={"kernels": 4}, sweep=sweep, placement="meta"
    ), IMAGES


def _one_combination() -> Odd:
    data = study([claim("all", "99", "parameters", "network")], [], sweep=_sweep({"width": [4]}))
    data["conclusion"]["interpretation"] = "width-4"
    return data, TOKENS


def _only_swept() -> Odd:
    sweep = _sweep({"kernels": [2, 4, 6], "stride": {"first": 1, "last": 3}})
    claims = [claim("conv", "36", "neurons", "conv"), claim("fc", "10", "neurons", "fc")]
    data = study(claims, [], sweep=sweep)
    data["conclusion"]["interpretation"] = "kernels-4_stride-2"
    return data, IMAGES


def _sweep_fits_nothing() -> Odd:
    """No combination matches the claim, half cannot be built, and one of these is concluded on."""
    sweep = _sweep({"kernels": [2, 4], "breaks": ["", "build"]})
    data = study([claim("conv", "37", "neurons", "conv")], [], sweep=sweep)
    data["conclusion"]["interpretation"] = "kernels-2_breaks-build"
    return data, IMAGES


def _concludes_on_a_misfit() -> Odd:
    """Combinations match the claim, but not the one that the study concludes on."""
    sweep = _sweep({"kernels": [2, 4], "stride": [1, 2]})
    data = study([claim("conv", "36", "neurons", "conv")], [], sweep=sweep)
    data["conclusion"]["interpretation"] = "kernels-2_stride-1"
    return data, IMAGES


def _networks() -> Odd:
    """Networks with the names of layers and of a reading."""
    sizes = {"conv": {"kernels": 2}, "fc": {"kernels": 4}, "r.1": {"kernels": 6}}
    claims = [
        claim(f"all-{i}", "36", "neurons", "conv", network=name) for i, name in enumerate(sizes)
    ]
    readings = [reading("r.1", networks=sizes), reading("conv", networks=sizes, assumes=["More."])]
    return study(claims, readings), IMAGES


def _network_fails() -> Odd:
    """One of two networks runs under no reading, and a claim is about that one."""
    sizes = {"small": {"kernels": 2, "breaks": ""}, "large": {"kernels": 4, "breaks": "run"}}
    claims = [claim(name, "18", "neurons", "conv", network=name) for name in sizes]
    return study(claims, [reading("r", networks=sizes)]), IMAGES


def _names() -> Odd:
    """Names that differ in punctuation only, and names with digits, dots and underscores."""
    claims = [
        claim("conv1", "2", "neurons", "conv1"),
        claim("conv.1", "5", "neurons", "a.b"),
        claim("0", "4", "neurons", "a_b"),
    ]
    readings = [reading(name) for name in ("a.b", "a-b", "a_b", "conv1", "0.5", "claim", "network")]
    return study(claims, readings), NAMES


def _hundreds() -> Odd:
    """Three hundred claims."""
    claims = [claim(f"c{i}", str(i), "neurons", "conv") for i in range(300)]
    return study(
        claims, [reading("r"), reading("six", network={"kernels": 6})], arguments={"kernels": 4}
    ), IMAGES


def _nothing_counted() -> Odd:
    """A network without a weight: counts of zero."""
    claims = [
        claim("none", "0", "parameters", "network"),
        claim("few", "1%", "neurons(network) / neurons(relu)", relation="at-most"),
        claim("size", "0", "neurons", "relu"),
    ]
    return study(claims, [reading("r")]), NO_LAYERS


ODD: dict[str, Callable[[], Odd]] = {
    "tokens-on-meta": _tokens_on_meta,
    "tokens": _tokens,
    "nothing-builds": _nothing_builds,
    "nothing-runs": _nothing_runs,
    "some-run": _some_run,
    "one-axis": _one_axis,
    "one-combination": _one_combination,
    "only-swept": _only_swept,
    "sweep-fits-nothing": _sweep_fits_nothing,
    "concludes-on-a-misfit": _concludes_on_a_misfit,
    "networks": _networks,
    "network-fails": _network_fails,
    "names_1.5-a.b": _names,
    "hundreds": _hundreds,
    "nothing-counted": _nothing_counted,
}


def write_odd(project: Path, name: str) -> Path:
    """Write the study of this name into a project folder."""
    return write_study(project / "studies" / name, *ODD[name]())


def run_study(folder: Path, out: Path, options: dict[str, Any] | None = None) -> Path:
    """Do with a study what every rule does, the archive included; return the archive."""
    settings = Measuring(device="cpu", warmup=0, repeats=1, threads=1, seed=1)
    plan, study = out / "interpretations.json", load_study(folder)
    write_json(plan, plan_of(study, folder.name))
    write_json(out / "settings.json", settings.model_dump())
    measure_study(plan, folder, out, settings, root=folder, report=quietly)
    measured = Measurements.read(out)
    done = reconcile_study(study, folder, measured)
    tables = done.tables | {
        "consistency.csv": consistency_table(study, folder),
        "slips.csv": search_slips(study, folder, measured, quietly),
        "geometries.csv": search_geometries(study, folder, quietly),
    }
    for name, content in tables.items():
        write_table(out, name, content)
    write_json(out / "reconciliation.json", done.summary)
    render(study, out, **(options or {}))
    build_archive(PROJECT, folder, out, out / "archive.crate.zip")
    return out / "archive.crate.zip"


def quietly(line: str) -> None:
    """Take a line of progress and show it to nobody."""
