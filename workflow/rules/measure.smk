"""Build, run and measure every interpretation of a study.

Requires: studies/{study}/study.yaml and its network file.
Produces: results/{study}/interpretations.json, settings.json, layers.csv, totals.csv, coverage.csv,
windows.csv, timings.csv, outputs.csv, record.json.

A study with more interpretations than one job takes is measured in batches, then gathered.
"""


rule instantiate:
    """List every interpretation with its arguments, and freeze how they are to be measured."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        outdated=outdated("instantiate"),
    output:
        interpretations="results/{study}/interpretations.json",
        # Jobs read this and not config.yaml, which may be edited while they wait.
        settings="results/{study}/settings.json",
        made="results/{study}/.made/instantiate.json",
    log:
        "logs/{study}/instantiate.log",
    localrule: True
    conda:
        "../envs/measure.yaml"
    params:
        settings=json_text(CONFIG.measure.model_dump()),
    script:
        "../scripts/instantiate.py"


rule measure:
    """Run every network on the GPU, or the CPU, and record what each layer outputs."""
    input:
        interpretations="results/{study}/interpretations.json",
        settings="results/{study}/settings.json",
        network=network_file,
        outdated=outdated("measure"),
    output:
        **written("measure", "results/{study}"),
        made="results/{study}/.made/measure.json",
    log:
        "logs/{study}/measure.log",
    wildcard_constraints:
        study=none_of(LARGER),
    conda:
        "../envs/measure.yaml"
    # What only counts leaves the other cores, and this machine's GPU, to other studies. On a cluster
    # it asks for one all the same: a partition with GPUs may refuse a job without.
    threads: lambda wildcards: 1 if plan_of(wildcards.study).on_meta else CONFIG.measure.threads
    resources:
        gpu=lambda wildcards: 0 if runs_here() and plan_of(wildcards.study).on_meta else 1,
    script:
        "../scripts/measure.py"


use rule measure as measure_batch with:
    """Run the networks of one batch of a larger study."""
    output:
        **written("measure", "results/{study}/batches/{batch}", temp),
        made=temp("results/{study}/batches/{batch}/made.json"),
    log:
        "logs/{study}/measure_batch/{batch}.log",
    wildcard_constraints:
        study=one_of(LARGER),


rule gather_measurements:
    """Put the measurements of a study's batches together."""
    input:
        # What measures the batches: these are gone once they are gathered.
        interpretations="results/{study}/interpretations.json",
        settings="results/{study}/settings.json",
        network=network_file,
        measured_by=ancient(own_file("workflow/scripts/measure.py")),
        batches=lambda wildcards: expand(
            "results/{study}/batches/{batch}/{file}",
            study=wildcards.study,
            batch=range(batches_of(wildcards.study)),
            file=[*MEASUREMENT_FILES, "record.json", "made.json"],
        ),
        outdated=outdated("gather_measurements"),
    output:
        **written("measure", "results/{study}"),
        made="results/{study}/.made/gather_measurements.json",
    log:
        "logs/{study}/gather_measurements.log",
    wildcard_constraints:
        study=one_of(LARGER),
    localrule: True
    conda:
        "../envs/measure.yaml"
    script:
        "../scripts/gather_measurements.py"
