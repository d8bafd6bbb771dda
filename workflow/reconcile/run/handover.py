"""What a run settles before its first job and hands to its jobs, and what it says at its end.

On a cluster every job starts a Snakemake of its own that reads the Snakefile anew, perhaps hours
later. It takes from here what the configuration and the studies said when the run began, so editing
their files in the meantime changes nothing for it and cannot break it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from reconcile.errors import visible
from reconcile.study.config import Config
from reconcile.study.model import Study
from reconcile.study.plan import network_file_of, stays_on_meta

PLAN_VARIABLE = "RECONCILE_PLAN"
"""The environment reaches every job of a run, on this machine and on others."""
REPORT = "report.html"


class PlannedStudy(BaseModel):
    """What measuring jobs need to know of a study.

    Attributes:
        network_file: the file of its network, below the study's folder; empty for a package's.
        jobs: how many jobs measure it.
        on_meta: whether they neither run nor time a network, and so need one core and no GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    network_file: str
    jobs: int
    on_meta: bool


class RunPlan(BaseModel):
    """The configuration and the studies of one run, the latter in order.

    Attributes:
        config: what the configuration says.
        config_file: the file that says it.
        studies: the studies.
        others: a sum of each other study that has results: the index tells of them too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    config: Config
    config_file: str
    studies: dict[str, PlannedStudy]
    others: dict[str, str | None] = {}


def planned(study: Study, config: Config) -> PlannedStudy:
    """What measuring jobs need to know of a study."""
    return PlannedStudy(
        network_file=network_file_of(study),
        jobs=-(-len(study.interpretations) // config.measure.readings_per_job),
        on_meta=stays_on_meta(study),
    )


def hand_over(plan: RunPlan) -> RunPlan:
    """Leave a plan in the environment of every job that this process starts, and return it."""
    os.environ[PLAN_VARIABLE] = plan.model_dump_json()
    return plan


def handed_over() -> RunPlan | None:
    """The plan of the run that started this process, or None where none was left."""
    text = os.environ.get(PLAN_VARIABLE)
    return RunPlan.model_validate_json(text) if text else None


def answers(results: Path, studies: Iterable[str]) -> Iterator[str]:
    """A line for each study that has a report of its reconciliation.

    A run that only measured leaves an older report, or none: nothing is said of it.

    Args:
        results: the folder of all results.
        studies: the names of the studies that were run.
    """
    for name in studies:
        page, found = results / name / REPORT, results / name / "reconciliation.json"
        if page.is_file() and found.is_file() and _time(found) <= _time(page):
            read = json.loads(found.read_text(encoding="utf-8"))
            yield visible(f"{name}: {read['conclusion']['answer']}")
            yield f"  {page.as_posix()}"


def _time(file: Path) -> int:
    return file.stat().st_mtime_ns
