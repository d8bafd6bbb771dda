"""Judge every claim of a study under every interpretation and rank the interpretations."""

from pathlib import Path

from reconcile.files import write_json
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.run.jobs import job
from reconcile.study.load import load_study
from reconcile.tables.frames import write_table

with job(snakemake):
    folder = Path(snakemake.input.study).parent
    results = Path(snakemake.output.reconciliation).parent
    done = reconcile_study(load_study(folder), folder, Measurements.read(results))
    for name, content in done.tables.items():
        write_table(results, name, content)
    write_json(results / "reconciliation.json", done.summary)
