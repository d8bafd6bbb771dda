"""Write the report of a study for browsers, its figures, and what write-ups need."""

import gc
from pathlib import Path

from reconcile.cite.numbers import write_citations
from reconcile.report.render import write_page
from reconcile.run.jobs import job
from reconcile.study.load import load_study

# One report and the process ends: what it drops on the way is not worth looking for.
gc.disable()

with job(snakemake):
    study = load_study(Path(snakemake.input.study).parent)
    results = Path(snakemake.output.html).parent
    write_page(study, results, snakemake.params.options)
    write_citations(study, results)

gc.freeze()
