"""Write the page that links the report of every study."""

from pathlib import Path

from reconcile.project import TEMPLATES
from reconcile.report.pages import render_index
from reconcile.run.scripting import job

with job(snakemake):
    files = [Path(file) for file in snakemake.input.reconciliations]
    render_index(files, TEMPLATES, Path(snakemake.output[0]))
