"""reconcile: settle what a paper's numbers mean by building, running and measuring its networks.

    snakemake                  every study in config.yaml: measure, reconcile, render
    snakemake measurements     only measure
    snakemake archive          an archive of each study that anyone can verify

A study: instantiate -> measure -> reconcile -> render_report, render_pdf. Only measure needs torch.
"""

from snakemake.utils import min_version

min_version("9.19")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/fresh.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/reconcile.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/archive.smk"
include: "workflow/rules/run.smk"


rule all:
    """Write the report of every study, and a page that links them."""
    default_target: True
    input:
        expand("results/{study}/report.{format}", study=STUDIES, format=["html", "pdf"]),
        "results/index.html",
    localrule: True


rule measurements:
    """Only measure, for a host with a GPU."""
    input:
        expand("results/{study}/record.json", study=STUDIES),
    localrule: True


rule archive:
    """Write the archive of every study."""
    input:
        expand("results/{study}/{study}-{version}.crate.zip", study=STUDIES, version=__version__),
    localrule: True
