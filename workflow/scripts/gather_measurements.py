"""Put the measurements of a study's batches together."""

from pathlib import Path

from reconcile.measure.run import gather_batches
from reconcile.run.scripting import logged

with logged(snakemake.log[0]):
    batches = [Path(record).parent for record in snakemake.input.records]
    gather_batches(batches, Path(snakemake.output.record).parent)
