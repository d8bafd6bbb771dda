"""Run every network of a study, or of one batch of it, and record what each layer outputs."""

import json
from pathlib import Path

from reconcile.measure.process import MeasureError
from reconcile.measure.run import measure_study
from reconcile.run.jobs import job
from reconcile.study.settings import Measuring

settings = json.loads(Path(snakemake.input.settings).read_text(encoding="utf-8"))
if snakemake.resources.get("gpu", 1) == 0:  # snakemake --resources gpu=0
    settings["device"] = "cpu"
batch = snakemake.wildcards.get("batch")

with job(snakemake, MeasureError) as log:
    measure_study(
        Path(snakemake.input.interpretations),
        Path("studies", snakemake.wildcards.study),
        Path(snakemake.output.record).parent,
        Measuring(**settings),
        batch=None if batch is None else int(batch),
        report=log,
    )
