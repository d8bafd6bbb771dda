"""Hold a paper's own numbers against each other."""

from pathlib import Path

from reconcile.judge.evidence import consistency_table
from reconcile.run.jobs import job
from reconcile.study.load import load_study
from reconcile.tables.frames import write_table

with job(snakemake):
    folder = Path(snakemake.input.study).parent
    output = Path(snakemake.output[0])
    write_table(output.parent, output.name, consistency_table(load_study(folder), folder))
