"""Write the archive of a study's results."""

from pathlib import Path

from reconcile.archive.build import build_archive
from reconcile.run.scripting import job

with job(snakemake) as log:
    out = Path(snakemake.output[0])
    checks = build_archive(Path(), Path(snakemake.input.study).parent, out.parent, out)
    log(f"{out} verifies: {len(checks)} checks hold")
