"""A study that is small enough to be measured in a second, and what tests do with it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from reconcile.cite.numbers import write_citations
from reconcile.files import code_files, write_json
from reconcile.judge.measurements import Measurements
from reconcile.measure.process import Zygote
from reconcile.measure.run import MEASUREMENT_FILES, measure_study
from reconcile.report.render import write_page, write_paper
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.contract import head_of
from reconcile.tables.frames import table
from reconcile.tables.rows import read_rows

PROJECT = Path(__file__).parents[1]

NETWORK = '''
import torch
from torch import nn

from reconcile.layers import Conv2d


class Tiny(nn.Module):
    """Input (N, 1, size, size), output (N, 10)."""

    def __init__(self, *, size, kernels, rule):
        super().__init__()
        self.size = size
        self.conv = Conv2d(1, kernels, 3, stride=2, rule=rule)
        self.relu = nn.ReLU()
        side = (size - 3) // 2 + 1 if rule == "floor" else -((3 - size) // 2) + 1
        self.fc = nn.Linear(kernels * side * side, 10)

    def example_inputs(self):
        return (torch.rand(1, 1, self.size, self.size),)

    def forward(self, images):
        return self.fc(self.relu(self.conv(images)).flatten(1))
'''
"""8 pixels, 3 by 3 windows every 2: 3 windows in a row under "floor", 4 under "ceil"."""

STUDY: dict[str, Any] = {
    "title": "Tiny",
    "paper": {
        "title": "A tiny paper",
        "authors": ["Ada Lovelace", "Charles Babbage"],
        "year": 1843,
        "venue": "Taylor's Scientific Memoirs",
        "url": "https://example.org/paper.pdf",
        "doi": "10.1000/182",
    },
    "question": "Which rule gives 48 neurons?",
    "network": "network.py:Tiny",
    "placement": "auto",
    "arguments": {"size": 8, "kernels": 4, "rule": "floor"},
    "argument_help": {"size": "side of the image"},
    "statements": [
        {
            "id": "side",
            "quote": "images of 8 pixels",
            "where": "p. 1",
            "argument": "size",
            "value": 8,
        },
        {"id": "stride", "quote": "every 2 pixels", "where": "p. 1", "value": 2},
    ],
    "claims": [
        {
            "id": "conv",
            "quote": "48 neurons",
            "where": "p. 2",
            "printed": "48",
            "quantity": "neurons",
            "of": "conv",
        },
        {
            "id": "map",
            "quote": "maps of 4",
            "where": "p. 2",
            "printed": "4",
            "quantity": "width",
            "of": "conv",
        },
        {
            "id": "parameters",
            "quote": "0.7 thousand parameters",
            "where": "p. 3",
            "printed": "0.7 thousand",
            "quantity": "parameters",
            "of": "network",
        },
        {
            "id": "neurons",
            "quote": "70 neurons in all",
            "where": "p. 3",
            "printed": "70",
            "quantity": "neurons",
            "of": "network",
            "unit": 10,
            "unit_reason": "a round figure",
            "title": "all layers",
            "countings": [
                {"id": "conv-only", "title": "convolutional layer only", "count": "neurons(conv)"}
            ],
        },
        {
            "id": "share",
            "quote": "no more than 90% of the parameters",
            "where": "p. 3",
            "printed": "90%",
            "quantity": "parameters(fc) / parameters(network)",
            "relation": "at-most",
            "network": "main",
        },
    ],
    "interpretations": [
        {
            "id": "floor",
            "title": "Rounded down",
            "assumes": ["Sizes are rounded down."],
            "proposed_by": [{"name": "A forum", "url": "https://example.org/forum"}],
        },
        {
            "id": "ceil",
            "title": "Rounded up",
            "network": {"rule": "ceil"},
            "assumes": ["Sizes are rounded up."],
            "proposed_by": [{"name": "Constructed for this study"}],
        },
        {
            "id": "slip",
            "title": "Rounded up, 3 for 4",
            "network": {"rule": "ceil"},
            "assumes": ["Sizes are rounded up.", "A 4 was written as 3."],
            "proposed_by": [{"name": "Constructed for this study"}],
            "slip": {
                "claim": "conv",
                "right": "height(conv) * width(conv) * channels(conv)",
                "written": "3 * width(conv) * channels(conv)",
                "says": "3 took the place of 4.",
            },
        },
    ],
    "evidence": [
        {
            "id": "rounds-up",
            "title": "The program rounds up",
            "source": [{"name": "the program", "url": "https://example.org/program#L1"}],
            "says": "The last window reaches beyond the image.",
            "supports": ["ceil", "slip"],
            "excludes": ["floor"],
            "check": "width(conv) == ceil((argument(size) - 3) / stated(stride)) + 1",
        },
        {
            "id": "hearsay",
            "title": "Somebody said so",
            "source": [{"name": "somebody"}],
            "says": "There is nothing to compute.",
        },
    ],
    "consistency": [
        {
            "id": "product",
            "says": "four maps of 4 by 4",
            "compute": "printed(map) ** 2 * 4",
            "claim": "conv",
        }
    ],
    "slips": [
        {
            "claim": "conv",
            "interpretation": "ceil",
            "factors": {
                "height": "height(conv)",
                "width": "width(conv)",
                "kernels": "channels(conv)",
            },
            "vocabulary": [3, 4, 8],
        }
    ],
    "geometries": [
        {
            "claim": "conv",
            "kind": "square-maps",
            "channels": [4],
            "inputs": [4, 16],
            "kernels": [1, 5],
            "strides": [1, 3],
        }
    ],
    "conclusion": {
        "interpretation": "slip",
        "answer": "The layer has {ceil.conv.neurons} neurons, not {claim:conv}.",
        "text": "Four maps of {ceil.conv.width} have {consistency:product}.",
        "undecided": ["Who made the slip."],
    },
}
"""A study.yaml in which every section stands; the `ceil` network has 64 neurons in `conv`."""


def study_data() -> dict[str, Any]:
    """A copy of ``STUDY`` to change."""
    return deepcopy(STUDY)


class Quoted(yaml.SafeDumper):
    """Writes YAML in which text that a study would read as a number is quoted."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Text, in quotes where it looks like 1e309, which YAML 1.1 takes for text."""
        style = '"' if re.fullmatch(r"[-+]?[\d_.]+e[-+]?\d+", data, re.IGNORECASE) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


Quoted.add_representer(str, Quoted.represent_str)


def write_study(folder: Path, data: dict[str, Any] | None = None, network: str = NETWORK) -> Path:
    """Write a study folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    content = STUDY if data is None else data
    text = yaml.dump(content, Dumper=Quoted, sort_keys=False, allow_unicode=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    (folder / "network.py").write_text(network, encoding="utf-8")
    return folder


LINKS = {
    "file elsewhere": ("notes.txt", "/etc/passwd"),
    "file beside it": ("notes.txt", "network.py"),
    "folder elsewhere": ("data", "/etc"),
    "folder above": ("up", ".."),
    "itself": ("self", "self"),
    "nothing": ("notes.txt", "nowhere"),
    "in a subfolder": ("a/b/notes.txt", "/etc/passwd"),
    "study file": ("study.yaml", "/etc/passwd"),
    "study file of its own": ("study.yaml", "real.yaml"),
    "network": ("network.py", "/etc/passwd"),
    "cache": ("__pycache__", "/etc"),
}
"""Links that a study may not hold: name and where each leads."""


def put_link(folder: Path, name: str, to: str) -> None:
    """Put a link in a folder; a file of that name goes elsewhere first."""
    link = folder / name
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_file():
        link.rename(folder / f"real{link.suffix}")
    link.symlink_to(to)


def measure(folder: Path, out: Path, **settings: Any) -> Path:
    """Measure a study on the CPU, quietly, and return the results folder."""
    plan = out / "interpretations.json"
    write_json(plan, plan_of(load_study(folder), folder.name))
    chosen = Measuring(**{"device": "cpu", "warmup": 0, "repeats": 0} | settings)
    measure_study(plan, folder, out, chosen, root=folder, report=lambda line: None)
    return out


class _KeptZygote(Zygote):
    """Stays when its run is over, for the next one, which finds nothing of what it was told."""

    def __enter__(self) -> Zygote:
        self.notices, self._kept, self._by_chance = [], {}, False
        return self if self._process is not None else super().__enter__()

    def __exit__(self, *exception: object) -> None:
        """Stay."""

    def end(self) -> None:
        """End the process."""
        super().__exit__()


@contextmanager
def one_zygote() -> Iterator[None]:
    """Measure all studies with children of one process: torch takes longer to import than they do.

    No other process is started meanwhile that must outlive it.
    """
    kept: dict[tuple[str | None, ...], _KeptZygote] = {}

    def zygote(settings: Measuring, package: str | None = None) -> Zygote:
        same = settings.model_dump_json(), package, os.environ.get("PYTHONPATH")
        if same not in kept:
            kept[same] = _KeptZygote(settings, package)
        return kept[same]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconcile.measure.run.Zygote", zygote)
        patch.setattr("reconcile.explain.asking.Zygote", zygote)
        yield
    for one in kept.values():
        one.end()


def text_table(file: Path) -> pd.DataFrame:
    """A table whose every cell is the text that stands in the file."""
    return pd.DataFrame(read_rows(file), columns=list(head_of(file.name)), dtype=str)


def tables_of(out: Path) -> dict[str, list[dict[str, str]]]:
    """The measured tables of a results folder as rows by file name."""
    return {name: read_rows(out / name) for name in MEASUREMENT_FILES}


def measured(study: Study, layers: list[dict[str, Any]], **failed: str) -> Measurements:
    """Measurements that a test makes up: rows of ``layers.csv``, totals summed from them."""
    defaults = {"network": "main", "parameters": 0, "macs": 0, "connections": 0}
    rows = [defaults | row for row in layers]
    totals = [
        {"interpretation": reading.id, "network": "main"}
        | _totals([row for row in rows if row["interpretation"] == reading.id], failed)
        | (
            {"status": failed[reading.id], "message": "as the test says"}
            if reading.id in failed
            else {}
        )
        for reading in study.interpretations
    ]
    return Measurements(
        table("layers.csv", rows),
        table("totals.csv", totals),
        table("coverage.csv", []),
        table("outputs.csv", []),
        table("tensors.csv", []),
    )


def _totals(rows: list[dict[str, Any]], failed: dict[str, str]) -> dict[str, Any]:
    own = [row for row in rows if row["kind"] in ("conv", "fc")]
    return {
        "status": "measured",
        "neurons": sum(row["neurons"] for row in own),
        "conv_neurons": sum(row["neurons"] for row in own if row["kind"] == "conv"),
        "parameters": sum(row["parameters"] for row in rows),
        "macs": sum(row["macs"] for row in rows),
        "connections": sum(row["connections"] for row in rows),
    }


def render(study: Study, out: Path, **options: Any) -> None:
    """Write the report, its figures, the PDF and what is cited, as the rules do."""
    write_page(study, out, options)
    write_paper(study, out, options)
    write_citations(study, out)


def _copy_bytecode(file: Path, copied: Path) -> None:
    """What Python made of a module; it is good while size and time of the file are the same."""
    made = Path(cache_from_source(str(file)))
    if file.suffix == ".py" and made.exists():
        to = Path(cache_from_source(str(copied)))
        to.parent.mkdir(exist_ok=True)
        shutil.copy(made, to)


def copy_project(to: Path) -> Path:
    """Copy what a run needs into a folder of its own: no results, caches or environment."""
    for name, file in code_files().items():
        copied = to / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copied)
        _copy_bytecode(file, copied)
    shutil.copytree(PROJECT / "studies", to / "studies", ignore=shutil.ignore_patterns(".*"))
    return to
