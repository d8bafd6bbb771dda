"""Run every network of a study and record what each layer outputs."""

from pathlib import Path

from reconcile.measure import MeasureError, Settings, measure_study
from reconcile.scripting import logged

settings = dict(snakemake.params.settings)
if snakemake.resources.get("gpu", 1) == 0:  # snakemake --resources gpu=0
    settings["device"] = "cpu"

with logged(snakemake.log[0], MeasureError) as log:
    measure_study(
        Path(snakemake.input.interpretations),
        Path(snakemake.input.network).parent,
        Path(snakemake.output.record).parent,
        Settings(**settings),
        report=log,
    )
