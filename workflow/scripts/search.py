"""Search for slips and geometries that would give a printed number."""

from pathlib import Path

from reconcile.judge.measurements import Measurements
from reconcile.run.scripting import job
from reconcile.search.run import search_geometries, search_slips
from reconcile.study.load import load_study
from reconcile.tables.frames import write_table

with job(snakemake) as log:
    folder = Path(snakemake.input.study).parent
    results = Path(snakemake.output.slips).parent
    study = load_study(folder)
    measured = Measurements.read(results)
    write_table(results, "slips.csv", search_slips(study, folder, measured, log))
    write_table(results, "geometries.csv", search_geometries(study, folder, log))
