"""Compare what was measured with what was printed, and search for what would explain the rest.

Requires: studies/{study}/study.yaml, results/{study}/layers.csv, totals.csv, coverage.csv.
Produces: results/{study}/consistency.csv, verdicts.csv, countings.csv, evidence.csv,
conflicts.csv, reconciliation.json, and a table for each search.
"""


rule check_paper:
    """Hold the paper's own numbers against each other, before any network is built."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        outdated=outdated("check_paper"),
    output:
        table="results/{study}/consistency.csv",
        made="results/{study}/.made/check_paper.json",
    log:
        "logs/{study}/check_paper.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/check_paper.py"


rule reconcile:
    """Judge every claim under every interpretation, weigh the evidence, rank the readings."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        layers="results/{study}/layers.csv",
        totals="results/{study}/totals.csv",
        coverage="results/{study}/coverage.csv",
        outputs="results/{study}/outputs.csv",
        outdated=outdated("reconcile"),
    output:
        verdicts=report(
            "results/{study}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="{study}",
            labels={"file": "verdicts"},
        ),
        countings="results/{study}/countings.csv",
        evidence="results/{study}/evidence.csv",
        conflicts="results/{study}/conflicts.csv",
        reconciliation="results/{study}/reconciliation.json",
        made="results/{study}/.made/reconcile.json",
    log:
        "logs/{study}/reconcile.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/reconcile.py"


rule search:
    """Search for what would explain a number that no reading reproduces."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        layers="results/{study}/layers.csv",
        totals="results/{study}/totals.csv",
        coverage="results/{study}/coverage.csv",
        outputs="results/{study}/outputs.csv",
        verdicts="results/{study}/verdicts.csv",
        outdated=outdated("search"),
    output:
        **written("search", "results/{study}"),
        made="results/{study}/.made/search.json",
    log:
        "logs/{study}/search.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/search.py"
