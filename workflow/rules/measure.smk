"""Build, run and measure every interpretation of a study.

Requires: studies/{study}/study.yaml and its network file.
Produces: results/{study}/interpretations.json, settings.json, layers.csv, totals.csv, coverage.csv,
windows.csv, timings.csv, outputs.csv, record.json.

A study with more interpretations than one job takes is measured in batches, then gathered.
"""


rule instantiate:
    """List every interpretation with its arguments, and freeze how they are to be measured."""
    input:
        library=library("study.plan", "run.scripting"),
    output:
        interpretations=update("results/{study}/interpretations.json"),
        # Jobs read this and not config.yaml, which may be edited while they wait.
        settings=update("results/{study}/settings.json"),
    log:
        "logs/{study}/instantiate.log",
    localrule: True
    conda:
        "../envs/measure.yaml"
    params:
        # Only the slice of the study that is measured, not its file: editing a claim reruns nothing.
        measured=lambda wildcards: json_text(measured_slice(study_of(wildcards))),
        settings=json_text(CONFIG.measure.model_dump()),
    script:
        "../scripts/instantiate.py"


rule measure:
    """Run every network on the GPU, or the CPU, and record what each layer outputs."""
    input:
        interpretations="results/{study}/interpretations.json",
        settings="results/{study}/settings.json",
        network=network_file,
        library=library("measure.run", "measure.worker", "run.scripting"),
    output:
        **measured("results/{study}", update),
    log:
        "logs/{study}/measure.log",
    wildcard_constraints:
        study=one_of(name for name in STUDIES if batches_of(name) == 1),
    conda:
        "../envs/measure.yaml"
    threads: CONFIG.measure.threads
    resources:
        gpu=1,
    script:
        "../scripts/measure.py"


use rule measure as measure_batch with:
    """Run the networks of one batch of a larger study."""
    output:
        **measured("results/{study}/batches/{batch}", temp),
    log:
        "logs/{study}/measure_batch/{batch}.log",
    wildcard_constraints:
        study=one_of(name for name in STUDIES if batches_of(name) > 1),


rule gather_measurements:
    """Put the measurements of a study's batches together."""
    input:
        records=lambda wildcards: expand(
            "results/{study}/batches/{batch}/record.json",
            study=wildcards.study,
            batch=range(batches_of(wildcards.study)),
        ),
        tables=lambda wildcards: expand(
            "results/{study}/batches/{batch}/{table}",
            study=wildcards.study,
            batch=range(batches_of(wildcards.study)),
            table=MEASUREMENT_FILES,
        ),
        library=library("measure.run", "run.scripting"),
    output:
        **measured("results/{study}", update),
    log:
        "logs/{study}/gather_measurements.log",
    wildcard_constraints:
        study=one_of(name for name in STUDIES if batches_of(name) > 1),
    localrule: True
    conda:
        "../envs/measure.yaml"
    script:
        "../scripts/gather_measurements.py"
