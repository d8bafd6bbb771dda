"""A small study, really measured once, and the archive of its results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.archive.build import build_archive
from reconcile.archive.container import pack, unpack
from reconcile.archive.manifest import MANIFEST, digest, manifest
from reconcile.archive.reading import running_library
from reconcile.cite.numbers import write_citations
from reconcile.files import write_json
from reconcile.judge.consistency import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.run import measure_study
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import head_of
from reconcile.tables.frames import write_table

PROJECT = Path(__file__).resolve().parents[2]
STUDY = "toy"
RULES = (
    *("instantiate", "measure", "check_paper", "reconcile", "search"),
    *("render_report", "render_pdf"),
)
OTHER_RULES = ("gather_measurements", "build_archive")

STUDY_YAML = """\
title: Toy
paper:
  title: On a Layer & its Size
  authors: [Ada Example, Jan van den Berg]
  year: 2001
  venue: Proceedings of the Toy Conference
  url: https://example.org/toy.pdf
question: Does the layer have 12 or 16 neurons per map?
network: network.py:Toy
arguments: {kernels: 2}
claims:
  - {id: conv1, quote: 32 neurons, where: Text, printed: "32", quantity: neurons, of: conv1}
  - {id: out, quote: ten outputs, where: Text, printed: "10", quantity: neurons, of: out}
statements:
  - {id: side, quote: 6x6 images, where: Section 1, argument: side, value: 6}
interpretations:
  - id: six
    title: Input of 6
    network: {side: 6}
    proposed_by: [{name: constructed for this study}]
  - id: seven.5
    title: Input of 7
    network: {side: 7}
    proposed_by: [{name: A forum, url: "https://example.org/forum"}]
evidence:
  - id: code
    title: The code crops to 6
    source: [{name: The code, url: "https://example.org/code.py#L1"}]
    says: The published code crops images to six pixels.
    supports: [six]
    excludes: [seven.5]
    check: argument(side) == 6
conclusion:
  interpretation: six
  answer: The layer has {six.conv1.neurons} neurons.
  text: The printed {claim:conv1} follows from an input of 6.
"""
NETWORK = '''\
"""A layer."""

import torch
from torch import nn


class Toy(nn.Module):
    """One convolution and one linear layer."""

    def __init__(self, *, side: int, kernels: int) -> None:
        super().__init__()
        self.side = side
        self.conv1 = nn.Conv2d(3, kernels, 3)
        self.out = nn.Linear(kernels * (side - 2) ** 2, 10)

    def example_inputs(self):
        return (torch.rand(1, 3, self.side, self.side),)

    def forward(self, x):
        return self.out(self.conv1(x).flatten(1))
'''
Change = Callable[[dict[str, bytes]], None]


def make_project(root: Path) -> None:
    """A project with all that an archive takes from one, as small as it can be."""
    for name in ("CITATION.cff", "LICENSE", "pyproject.toml"):
        shutil.copy(PROJECT / name, root / name)
    for name in ("Snakefile", "config.yaml", "requirements.lock"):
        (root / name).write_text(f"# {name} of a test\n", encoding="utf-8")
    scripts = root / "workflow" / "scripts"
    scripts.mkdir(parents=True)
    for rule in (*RULES, *OTHER_RULES):
        (scripts / f"{rule}.py").write_text(f'"""{rule}."""\n', encoding="utf-8")
    library = root / "workflow" / "reconcile"
    for name, data in running_library().items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_bytes(data)
    study = root / "studies" / STUDY
    study.mkdir(parents=True)
    (study / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
    (study / "network.py").write_text(NETWORK, encoding="utf-8")


def make_results(root: Path) -> Path:
    """Everything in ``results/toy/``, measured on the CPU; the report is a stand-in."""
    folder, out = root / "studies" / STUDY, root / "results" / STUDY
    study = load_study(folder)
    write_json(out / "interpretations.json", plan_of(study, STUDY))
    settings = Measuring(device="cpu", warmup=0, repeats=1, threads=1, seed=1)
    measure_study(out / "interpretations.json", folder, out, settings, report=lambda _: None)
    done = reconcile_study(study, folder, Measurements.read(out))
    tables = {**done.tables, "consistency.csv": consistency_table(study, folder)}
    for name, table in tables.items():
        write_table(out, name, table)
    write_json(out / "reconciliation.json", done.summary)
    write_citations(folder, out, root / "CITATION.cff")
    for name in ("slips.csv", "geometries.csv"):
        (out / name).write_text(",".join(head_of(name)) + "\n", encoding="utf-8")
    write_json(out / "settings.json", settings.model_dump())
    write_json(out / "options.json", ReportOptions().model_dump())
    (out / "figures").mkdir()
    for name in ("neurons.svg", "neurons.pdf", "latency-layers.svg"):
        (out / "figures" / name).write_text("<svg/>\n", encoding="utf-8")
    (out / "report.html").write_text("<!doctype html>\n", encoding="utf-8")
    (out / "report.pdf").write_bytes(b"%PDF-1.7\n")
    return out


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with one study and its results."""
    root = tmp_path_factory.mktemp("project")
    make_project(root)
    make_results(root)
    return root


@pytest.fixture(scope="session")
def archive_file(project: Path) -> Path:
    """The archive of the project's study."""
    out = project / "results" / STUDY / f"{STUDY}-0.1.0.crate.zip"
    build_archive(project, project / "studies" / STUDY, project / "results" / STUDY, out)
    return out


@pytest.fixture
def members(archive_file: Path) -> dict[str, bytes]:
    """The archive's files by name."""
    return unpack(archive_file.read_bytes())


@pytest.fixture
def forged(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Writes an archive of any files, with every hash put right."""

    def write(members: dict[str, bytes]) -> Path:
        if "ro-crate-metadata.json" in members:
            members["ro-crate-metadata.json"] = _rehashed(members)
        members[MANIFEST] = manifest(members)
        file = tmp_path / "forged.crate.zip"
        file.write_bytes(pack(members))
        return file

    return write


@pytest.fixture
def forge(
    members: dict[str, bytes], forged: Callable[[dict[str, bytes]], Path]
) -> Callable[[Change], Path]:
    """Writes the archive with something changed and every hash put right again."""

    def write(change: Change) -> Path:
        change(members)
        return forged(members)

    return write


def _rehashed(members: dict[str, bytes]) -> bytes:
    crate = json.loads(members["ro-crate-metadata.json"])
    for entity in crate["@graph"]:
        data = members.get(entity["@id"])
        if data is not None and "sha256" in entity:
            entity["sha256"] = digest(data)
            entity["contentSize"] = str(len(data))
    return json.dumps(crate).encode()
