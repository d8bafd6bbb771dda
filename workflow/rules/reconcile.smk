"""Compare what was measured with what was printed, and search for what would explain the rest.

Requires: studies/{study}/study.yaml, results/{study}/layers.csv, totals.csv, coverage.csv.
Produces: results/{study}/consistency.csv, verdicts.csv, countings.csv, evidence.csv,
reconciliation.json, slips.csv, geometries.csv.
"""


rule check_paper:
    """Hold the paper's own numbers against each other, before any network is built."""
    input:
        study="studies/{study}/study.yaml",
        library=library("judge.reconciliation", "run.scripting"),
    output:
        update("results/{study}/consistency.csv"),
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
        study="studies/{study}/study.yaml",
        layers="results/{study}/layers.csv",
        totals="results/{study}/totals.csv",
        coverage="results/{study}/coverage.csv",
        outputs="results/{study}/outputs.csv",
        library=library("judge.reconciliation", "run.scripting"),
    output:
        verdicts=update(
            report(
                "results/{study}/verdicts.csv",
                caption="../report/verdicts.rst",
                category="{study}",
                labels={"file": "verdicts"},
            )
        ),
        countings=update("results/{study}/countings.csv"),
        evidence=update("results/{study}/evidence.csv"),
        reconciliation=update("results/{study}/reconciliation.json"),
    log:
        "logs/{study}/reconcile.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/reconcile.py"


rule search:
    """Search for slips and geometries that would give a number no reading reproduces."""
    input:
        study="studies/{study}/study.yaml",
        layers="results/{study}/layers.csv",
        totals="results/{study}/totals.csv",
        coverage="results/{study}/coverage.csv",
        outputs="results/{study}/outputs.csv",
        library=library("search.run", "run.scripting"),
    output:
        slips=update("results/{study}/slips.csv"),
        geometries=update("results/{study}/geometries.csv"),
    log:
        "logs/{study}/search.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/search.py"
