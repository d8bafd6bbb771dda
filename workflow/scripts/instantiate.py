"""List every interpretation of a study, and how to measure them."""

from pathlib import Path

from reconcile.files import write_json, write_text
from reconcile.run.jobs import job
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of

with job(snakemake):
    name = snakemake.wildcards.study
    study = load_study(Path("studies") / name)
    write_json(Path(snakemake.output.interpretations), plan_of(study, name))
    write_text(Path(snakemake.output.settings), snakemake.params.settings)
