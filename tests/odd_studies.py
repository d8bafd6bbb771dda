"""Small studies of kinds that the project's own are not: each must end with a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cases import CASES
from support import PROJECT, render, write_study

from reconcile.archive.verify import Check, build_archive
from reconcile.cite.numbers import write_citations
from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.run import measure_study
from reconcile.report import pdf
from reconcile.report.render import write_page
from reconcile.report.views import DATA_FILES
from reconcile.search.candidates import Given
from reconcile.search.run import search_all
from reconcile.study.load import load_study
from reconcile.study.model import Study
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


def _no_reading_fits() -> Odd:
    """Two claims that exclude each other, one that nobody satisfies, and no conclusion."""
    claims = [
        claim("four", "36", "neurons", "conv"),
        claim("six", "54", "neurons", "conv"),
        claim("never", "37", "neurons", "conv"),
    ]
    readings = [reading("r4"), reading("r6", network={"kernels": 6})]
    data = study(claims, readings, arguments={"kernels": 4})
    data["conclusion"] |= {
        "interpretation": "none",
        "holds": [
            "readings(four, six) == 0 and readings(four) == 1 and readings(six) == 1",
            "conflicts(four, six) == 1",
            "conflicts(never) == 1",
        ],
    }
    return data, IMAGES


def _partly() -> Odd:
    """Readings of three networks, of which some cannot be built or run."""
    whole = {f"n{i}": {"kernels": 2 * i, "breaks": ""} for i in (1, 2, 3)}
    claims = [claim(f"c{i}", str(18 * i), "neurons", "conv", network=f"n{i}") for i in (1, 2, 3)]
    readings = [
        reading("whole", networks=whole),
        reading("part", networks=whole | {"n2": {"kernels": 4, "breaks": "run"}}),
        reading("less", networks={n: a | {"breaks": "build"} for n, a in whole.items()}),
    ]
    return study(claims, readings), IMAGES


def _fifty_networks() -> Odd:
    """Fifty networks of one reading, a claim on each."""
    networks = {f"n{i}": {"kernels": i} for i in range(1, 51)}
    claims = [
        claim(f"c{i}", str(9 * i + i % 2), "neurons", "conv", network=f"n{i}") for i in range(1, 51)
    ]
    return study(claims, [reading("r", networks=networks)]), IMAGES


def _sweep_that_evidence_cuts() -> Odd:
    """Combinations match more claims than the study's own readings, and evidence excludes them."""
    evidence = {
        "id": "stride",
        "title": "The stride",
        "source": SOURCE,
        "says": "Windows of the program move by two pixels.",
        "supports": ["own"],
        "excludes": ["other"],
        "check": "argument(stride) == 2",
    }
    sweep = _sweep({"kernels": [2, 4, 6], "stride": [1, 2, 3]})
    claims = [claim("conv", "216", "neurons", "conv"), claim("all", "226", "neurons", "network")]
    readings = [reading("own", network={"stride": 2}), reading("other", network={"stride": 3})]
    more = {"arguments": {"kernels": 4}, "sweep": sweep, "evidence": [evidence]}
    return study(claims, readings, **more), IMAGES


def _counted_otherwise() -> Odd:
    """A claim that only another counting than its own reproduces."""
    other = {"id": "with-fc", "title": "both layers", "count": "neurons(conv) + neurons(fc)"}
    claims = [claim("conv", "46", "neurons", "conv", countings=[other], title="the first layer")]
    return study(
        claims, [reading("r"), reading("six", network={"kernels": 6})], arguments={"kernels": 4}
    ), IMAGES


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
    "no-reading-fits": _no_reading_fits,
    "partly": _partly,
    "fifty-networks": _fifty_networks,
    "sweep-that-evidence-cuts": _sweep_that_evidence_cuts,
    "counted-otherwise": _counted_otherwise,
}


def generated(seed: int) -> Odd:
    """A study that nobody thought of: some claims, readings, networks, with a sweep or without."""
    choose = Random(seed)  # noqa: S311 - the same studies every time
    arguments = [
        {"kernels": choose.randint(1, 9), "stride": choose.randint(1, 4), "breaks": broken}
        for broken in choose.choices(["", "", "build", "run"], k=4)
    ]
    names = [f"n{i}" for i in range(choose.choice([0, 0, 1, 3]))]
    readings = []
    for i in range(choose.choice([0, 1, 2, 7])):
        own = choose.choice(arguments)
        networks = {"networks": {n: choose.choice(arguments) for n in names}} if names else {}
        readings.append(reading(f"r{i}", **(networks or {"network": own})))
    swept = not readings or choose.random() < 0.5
    sweep = _sweep({"kernels": [1, 2, 4], "stride": [1, 2][: choose.randint(1, 2)]})
    sweep |= (
        {"networks": {n: {"breaks": ""} for n in names}} if names else {"network": {"breaks": ""}}
    )
    claims = [_any_claim(f"c{i}", choose, names) for i in range(choose.choice([1, 2, 5, 20]))]
    data = study(claims, readings, **({"sweep": sweep} if swept else {}))
    if readings and choose.random() < 0.5:
        data["evidence"] = [_any_evidence(choose, readings)]
    if not readings or choose.random() < 0.4:
        data["conclusion"]["interpretation"] = "none"
    return data, IMAGES


def _any_claim(name: str, choose: Random, networks: list[str]) -> Any:
    quantity, of = choose.choice(
        [("neurons", "conv"), ("parameters", "network"), ("width", "conv"), ("macs", "fc")]
    )
    printed = choose.choice(["36", "46", "10", "3", "1.2 thousand", "400", "about"])
    more: dict[str, Any] = {"network": choose.choice(networks)} if networks else {}
    if printed == "about":
        printed = "40"
        more["relation"] = choose.choice(["at-most", "at-least"])
    if choose.random() < 0.3:
        more["countings"] = [{"id": "more", "title": "one more", "count": f"{quantity}({of}) + 1"}]
    return claim(name, printed, quantity, of, **more)


def _any_evidence(choose: Random, readings: list[Any]) -> Any:
    names = [r["id"] for r in readings]
    return {
        "id": "item",
        "title": "An item",
        "source": SOURCE,
        "says": "It is said somewhere.",
        "supports": choose.sample(names, k=min(1, len(names))),
        "check": choose.choice(["width(conv) == 3", "argument(stride) == 2"]),
    }


CASE = '''

class Odd(nn.Module):
    """One of the networks whose counts were worked out by hand."""

    def __init__(self, *, case, swept=False):
        super().__init__()
        self.shape, self.net = CASES[case].shape, CASES[case].make()

    def example_inputs(self):
        return (torch.rand(self.shape),)

    def forward(self, x):
        return self.net(x)
'''


def every_case() -> Odd:
    """Each network of ``cases``, run as a reading and counted as a combination of a sweep."""
    names = list(CASES)
    readings = [reading(name, network={"case": name}) for name in names]
    sweep = _sweep({"case": names}, network={"swept": True})
    claims = [claim("all", "99", "parameters", "network"), claim("macs", "24", "macs", "network")]
    text = (PROJECT / "tests" / "cases.py").read_text(encoding="utf-8")
    return study(claims, readings, arguments={"swept": False}, sweep=sweep), text + CASE


def reported(folder: Path, out: Path, **options: Any) -> str:
    """Run a study up to the report for browsers and what is cited; return the report.

    Options are those of measuring, beside the ones of ``judge_study``.
    """
    study = judge_study(folder, out, **options)
    write_page(study, out, {})
    write_citations(study, out)
    return (out / "report.html").read_text(encoding="utf-8")


def write_odd(project: Path, name: str) -> Path:
    """Write the study of this name into a project folder."""
    return write_study(project / "studies" / name, *ODD[name]())


def run_study(folder: Path, out: Path, options: dict[str, Any] | None = None) -> list[Check]:
    """Do with a study what every rule does; return the checks that its archive passed."""
    study = judge_study(folder, out)
    render(study, out, **(options or {}))
    return build_archive(PROJECT, folder, out, out / "archive.crate.zip")


@contextmanager
def laid_out_once() -> Iterator[None]:
    """Lay out one page with the same attachments once.

    An archive is verified by making its PDF again from what is in it. That the same page has the
    same bytes each time is what ``end_to_end/test_pdf.py`` and the runs of Snakemake hold.
    """
    known: dict[Any, bytes] = {}
    lay_out, draw = pdf.pdf_of, pdf.figure_pdf

    def pdf_of(page: str, results: Path, date: str, report: Any = None) -> bytes:
        files = [results / name for name in DATA_FILES]
        key = (page, date, *(file.read_bytes() if file.is_file() else None for file in files))
        if key not in known:
            known[key] = lay_out(page, results, date, report)
        return known[key]

    def figure_pdf(page: str, fonts: str) -> bytes:
        if (page, fonts) not in known:
            known[page, fonts] = draw(page, fonts)
        return known[page, fonts]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "pdf_of", pdf_of)
        patch.setattr(pdf, "figure_pdf", figure_pdf)
        yield


def judge_study(folder: Path, out: Path, **options: Any) -> Study:
    """Measure, judge and search what a study asks for, as the rules do."""
    settings = Measuring(device="cpu", warmup=0, repeats=1, threads=1, seed=1, **options)
    plan, study = out / "interpretations.json", load_study(folder)
    write_json(plan, plan_of(study, folder.name))
    write_json(out / "settings.json", settings.model_dump())
    measure_study(plan, folder, out, settings, root=folder, report=quietly)
    measured = Measurements.read(out)
    done = reconcile_study(study, folder, measured)
    tables = done.tables | {"consistency.csv": consistency_table(study, folder)}
    for name, content in tables.items():
        write_table(out, name, content)
    for name, content in search_all(Given(study, folder, measured, out, quietly)):
        write_table(out, name, content)
    write_json(out / "reconciliation.json", done.summary)
    return study


def quietly(line: str) -> None:
    """Take a line of progress and show it to nobody."""
