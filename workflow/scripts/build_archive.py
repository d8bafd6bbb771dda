"""Write the archive of a study's results."""

from pathlib import Path

from reconcile.archive.verify import build_archive
from reconcile.files import ROOT
from reconcile.run.jobs import job

with job(snakemake) as log:
    out = Path(snakemake.output[0])
    config = next(map(Path, snakemake.input.config), None)
    checks = build_archive(ROOT, Path(snakemake.input.study).parent, out.parent, out, config)
    log(f"{out} verifies: {len(checks)} checks hold")
