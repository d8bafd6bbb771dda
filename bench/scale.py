"""Many studies in one folder of results: what a dry run takes, and the pages of all of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from processes import Ratio, Took, tell
from project import Project
from rows import Outcome, Row

__all__ = ["scale"]

STUDIES, CLAIMS = 200, 500
"""A hundred thousand claims."""
FIRST = "s000"
LIMIT_S = 30
NETWORK = """from torch import nn, ones


class Tiny(nn.Module):
    def __init__(self, *, kernels):
        super().__init__()
        self.conv = nn.Conv2d(3, kernels, 3)

    def example_inputs(self):
        return (ones(1, 3, 8, 8),)

    def forward(self, images):
        return self.conv(images)
"""


def scale(project: Project, runs: int) -> Outcome:
    """A dry run of all studies, one of a single study beside them, and the index of all.

    Every study has results that are up to date: those of the first, under another name.
    """
    del runs  # processor time of minutes: once is enough
    project.clear()
    shutil.rmtree(project.folder / "studies")
    write_study(project.folder / "studies" / FIRST)
    project.snakemake("--config", f"studies=[{FIRST}]")
    half, whole = STUDIES // 2, STUDIES
    taken: dict[int, tuple[Took, Took, Took]] = {}
    for number in (half, whole):
        for n in range(1, number):
            repeat(project.folder, f"s{n:03}")
        tell(f"scale: {number} studies")
        index = project.snakemake("--config", f"studies=[{FIRST}]", "--", "results/index.html")
        one = project.snakemake("-n", "--config", f"studies=[{FIRST}]")
        taken[number] = (project.snakemake("-n", "--config", "studies=all"), one, index)
    claims = STUDIES * CLAIMS
    names = (
        f"`snakemake -n` of {STUDIES} studies with {claims:,} claims",
        "the same of one study, the others beside it",
        "a run that writes the index and all claims of them",
    )
    rows = []
    for name, ours, fewer in zip(names, taken[whole], taken[half], strict=True):
        seconds = ours.cpu_seconds
        rows.append(
            Row(name, seconds, target=f"≤ {LIMIT_S}", met=seconds <= LIMIT_S, unit="s of CPU")
        )
        growth = Ratio.of([seconds], [fewer.cpu_seconds])
        rows.append(Row.at_most("that / the same with half as many studies", growth, 2.2))
    return Outcome(rows, 1)


def write_study(folder: Path) -> None:
    """A study of one small network and many claims."""
    folder.mkdir(parents=True)
    paper = {
        "title": "A paper of many numbers",
        "authors": ["Ada Lovelace"],
        "year": 1843,
        "venue": "Scientific Memoirs",
        "url": "https://example.org/paper.pdf",
    }
    claims = [
        {
            "id": f"c{n}",
            "quote": f"the layer has {n + 100} weights",
            "where": "Table 1",
            "printed": str(n + 100),
            "quantity": "parameters",
            "of": "conv",
        }
        for n in range(CLAIMS)
    ]
    reading = {"id": "paper", "title": "As written", "proposed_by": [{"name": "The paper"}]}
    study = {
        "title": "Many numbers",
        "paper": paper,
        "question": "Which of its numbers does the layer have?",
        "network": "network.py:Tiny",
        "placement": "meta",
        "arguments": {"kernels": 8},
        "claims": claims,
        "interpretations": [reading],
        "conclusion": {"interpretation": "paper", "answer": "One of them.", "text": "As counted."},
    }
    # JSON is YAML.
    (folder / "study.yaml").write_text(json.dumps(study, indent=1), encoding="utf-8")
    (folder / "network.py").write_text(NETWORK, encoding="utf-8")


def repeat(project: Path, name: str) -> None:
    """Give the first study and its results another name, as if that one had been run too."""
    study, results = project / "studies" / name, project / "results" / name
    if study.exists():
        return
    shutil.copytree(project / "studies" / FIRST, study)
    shutil.copytree(project / "results" / FIRST, results)
    file = results / "reconciliation.json"
    text = file.read_text(encoding="utf-8")
    renamed = text.replace(f'"study": "{FIRST}"', f'"study": "{name}"')
    file.write_text(renamed, encoding="utf-8")
    before, after = (hashlib.sha256(t.encode()).hexdigest() for t in (text, renamed))
    for mark in (results / ".made").glob("*.json"):
        told = mark.read_text(encoding="utf-8").replace(f"/{FIRST}/", f"/{name}/")
        mark.write_text(told.replace(before, after), encoding="utf-8")
