"""Search for what would explain a printed number that no reading reproduces."""

from pathlib import Path

from reconcile.judge.measurements import Measurements
from reconcile.run.jobs import job
from reconcile.search.candidates import Given
from reconcile.search.run import search_all
from reconcile.study.load import load_study
from reconcile.tables.frames import write_table

with job(snakemake) as log:
    folder = Path(snakemake.input.study).parent
    results = Path(snakemake.output.slips).parent
    given = Given(load_study(folder), folder, Measurements.read(results), results, log)
    for name, content in search_all(given):
        write_table(results, name, content)
