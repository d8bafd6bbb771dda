"""Write the report of a study as PDF."""

import gc
from pathlib import Path

from reconcile.report.render import write_paper
from reconcile.run.jobs import job
from reconcile.study.load import load_study

# One report and the process ends: what it drops on the way is not worth looking for.
gc.disable()

with job(snakemake) as log:
    study = load_study(Path(snakemake.input.study).parent)
    results = Path(snakemake.output[0]).parent
    write_paper(study, results, snakemake.params.options, log)

gc.freeze()
