"""Put the measurements of a study's batches together."""

from pathlib import Path

from reconcile.measure.run import gather_batches
from reconcile.run.jobs import job

with job(snakemake):
    batches = dict.fromkeys(Path(file).parent for file in snakemake.input.batches)
    gather_batches(list(batches), Path(snakemake.output.record).parent)
