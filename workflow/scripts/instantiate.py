"""List every interpretation of a study with the arguments of its networks."""

from pathlib import Path

from reconcile.files import write_text
from reconcile.scripting import logged

with logged(snakemake.log[0]):
    write_text(Path(snakemake.output[0]), snakemake.params.plan)
