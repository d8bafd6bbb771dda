"""Write the atlas: a line for every study that has results, and all their claims."""

from pathlib import Path

from reconcile.report.atlas import write_atlas
from reconcile.run.fresh import standings
from reconcile.run.jobs import job

with job(snakemake):
    files = [Path(file) for file in snakemake.input.reconciliations]
    told, unlisted = standings(snakemake.params.others)
    write_atlas(files, Path(snakemake.output.page).parent, told, unlisted)
