"""Write the report of a study as PDF."""

from pathlib import Path

from reconcile.report import write_paper
from reconcile.scripting import logged

with logged(snakemake.log[0]):
    study = Path(snakemake.input.study).parent
    results = Path(snakemake.output[0]).parent
    write_paper(study, results, Path("templates"), snakemake.params.options)
