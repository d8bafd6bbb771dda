"""Build, run and measure every interpretation of a study.

Requires: studies/{study}/study.yaml and its network file.
Produces: results/{study}/interpretations.json, layers.csv, totals.csv, coverage.csv, windows.csv,
timings.csv, record.json.
"""


rule instantiate:
    """List every interpretation with the arguments of its networks."""
    input:
        library=library("files", "scripting"),
    output:
        update("results/{study}/interpretations.json"),
    log:
        "logs/{study}/instantiate.log",
    conda:
        "../envs/measure.yaml"
    params:
        # The slice of the study that measuring needs: editing a claim changes none of it.
        plan=lambda wildcards: json_text(plan_of(STUDIES[wildcards.study], wildcards.study)),
    script:
        "../scripts/instantiate.py"


rule measure:
    """Run every network on the GPU, or the CPU, and record what each layer outputs."""
    input:
        interpretations="results/{study}/interpretations.json",
        network=network_file,
        library=library("measure", "measuring.worker", "scripting"),
    output:
        layers=update("results/{study}/layers.csv"),
        totals=update("results/{study}/totals.csv"),
        coverage=update("results/{study}/coverage.csv"),
        windows=update("results/{study}/windows.csv"),
        timings=update("results/{study}/timings.csv"),
        record=update("results/{study}/record.json"),
    log:
        "logs/{study}/measure.log",
    conda:
        "../envs/measure.yaml"
    threads: CONFIG.measure.threads
    resources:
        gpu=1,
    params:
        settings=CONFIG.measure.model_dump(),
    script:
        "../scripts/measure.py"
