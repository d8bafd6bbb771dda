"""A small study, really measured once, and the archive of its results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from forging import measured_again, sealed
from support import render

from reconcile.archive import again
from reconcile.archive.container import METADATA, pack, unpack
from reconcile.archive.crate import Facts
from reconcile.archive.verify import build_archive
from reconcile.files import code_files, json_text, write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.run import MEASUREMENT_FILES, measure_study
from reconcile.search.candidates import Given
from reconcile.search.run import search_all
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.frames import write_table

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
consistency:
  - {id: sum, says: one and one, compute: printed(out) + 22, claim: conv1}
slips:
  - claim: conv1
    interpretation: six
    factors: {height: height(conv1), width: width(conv1), kernels: channels(conv1)}
    vocabulary: [2, 4, 6]
geometries:
  - claim: conv1
    kind: square-maps
    channels: [2]
    inputs: [4, 9]
    kernels: [1, 4]
    strides: [1, 2]
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
Found = tuple[str, pd.DataFrame]


def make_project(root: Path) -> None:
    """A project with the code of this one and a study of its own."""
    for name, file in code_files().items():
        copy = root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    study = root / "studies" / STUDY
    study.mkdir(parents=True)
    (study / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
    (study / "network.py").write_text(NETWORK, encoding="utf-8")


def make_results(root: Path) -> Path:
    """Everything in ``results/toy/``, measured on the CPU and rendered as the rules do."""
    folder, out = root / "studies" / STUDY, root / "results" / STUDY
    study = load_study(folder)
    write_json(out / "interpretations.json", plan_of(study, STUDY))
    settings = Measuring(device="cpu", warmup=0, repeats=1, threads=1, seed=1)
    write_json(out / "settings.json", settings.model_dump())
    measure_study(out / "interpretations.json", folder, out, settings, report=lambda _: None)
    measured = Measurements.read(out)
    done = reconcile_study(study, folder, measured)
    tables = done.tables | {"consistency.csv": consistency_table(study, folder)}
    for name, table in tables.items():
        write_table(out, name, table)
    for name, table in search_all(Given(study, folder, measured, out, lambda _: None)):
        write_table(out, name, table)
    write_json(out / "reconciliation.json", done.summary)
    render(study, out)
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


@pytest.fixture(scope="session")
def original(archive_file: Path) -> Mapping[str, bytes]:
    """The archive's files by name, unpacked once."""
    return MappingProxyType(unpack(archive_file.read_bytes()))


@pytest.fixture
def members(original: Mapping[str, bytes]) -> dict[str, bytes]:
    """The archive's files by name, to be changed."""
    return dict(original)


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[None]:
    """Make from the same files only once what most forgeries do not change."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("write_page", "write_paper"):
            patch.setattr(again, name, _rendered_once(getattr(again, name)))
        patch.setattr(again, "search_all", _found_once(again.search_all))
        patch.setattr(again, "metadata", _described_once(again.metadata))
        patch.setattr(again, "system", cache(again.system))
        patch.setattr(again, "Measurements", SimpleNamespace(read=_read_once()))
        yield


def _rendered_once(render: Callable[..., None]) -> Callable[..., None]:
    """A renderer that writes again what it wrote from the same study, results and options."""
    known: dict[str, dict[str, bytes]] = {}

    def write(study: Study, results: Path, config: dict[str, Any]) -> None:
        before = _contents(results)
        key = repr((study, before, sorted(config.items())))
        if key not in known:
            render(study, results, config)
            after = _contents(results)
            known[key] = {n: data for n, data in after.items() if before.get(n) != data}
        for name, data in known[key].items():
            (results / name).parent.mkdir(exist_ok=True)
            (results / name).write_bytes(data)

    return write


def _found_once(search: Callable[[Given], Iterable[Found]]) -> Callable[[Given], list[Found]]:
    """Searches that know what they found in the same study and results."""
    known: dict[str, list[Found]] = {}

    def found(given: Given) -> list[Found]:
        key = repr((given.study, _contents(given.results)))
        if key not in known:
            known[key] = list(search(given))
        return known[key]

    return found


def _read_once() -> Callable[[Path], Measurements]:
    """A reader of measurements that knows what it read from the same tables."""
    known: dict[str, Measurements] = {}

    def read(results: Path) -> Measurements:
        key = repr({n: d for n, d in _contents(results).items() if n in MEASUREMENT_FILES})
        if key not in known:
            known[key] = Measurements.read(results)
        return known[key]

    return read


def _described_once(metadata: Callable[..., bytes]) -> Callable[[dict[str, bytes], Facts], bytes]:
    """Metadata that is written once of the same facts and names, with each file's size and hash."""
    known: dict[str, bytes] = {}

    def described(members: dict[str, bytes], facts: Facts) -> bytes:
        said = facts.reconciliation, facts.record, facts.tool, facts.json("options.json")
        key = repr((sorted(members), said))
        if key not in known:
            known[key] = metadata(members, facts)
        return json_text(measured_again(members | {METADATA: known[key]})).encode()

    return described


def _contents(folder: Path) -> dict[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture
def forged(tmp_path: Path, original: Mapping[str, bytes]) -> Callable[[dict[str, bytes]], Path]:
    """Writes an archive of any files, with every hash put right, and all that describes them."""

    def write(members: dict[str, bytes]) -> Path:
        file = tmp_path / "forged.crate.zip"
        file.write_bytes(pack(sealed(members, original)))
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
