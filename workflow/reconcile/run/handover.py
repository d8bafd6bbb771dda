"""What a run settled before its first job, handed to the jobs that start later and elsewhere.

On a cluster every job starts a Snakemake of its own that reads the Snakefile anew, perhaps hours
later. It takes from here what the configuration and the studies said when the run began, so editing
their files in the meantime changes nothing for it and cannot break it.
"""

from __future__ import annotations

import os

from pydantic import BaseModel, ConfigDict

from reconcile.study.config import Config
from reconcile.study.model import Study
from reconcile.study.plan import network_file_of, stays_on_meta

PLAN_VARIABLE = "RECONCILE_PLAN"
"""The environment reaches every job of a run, on this machine and on others."""


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
