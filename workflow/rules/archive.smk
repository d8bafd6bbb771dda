"""Put everything about a study into one file that anyone can verify.

Requires: everything in results/{study}/, studies/{study}/, the configuration, and the files of
this workflow.
Produces: results/{study}/{study}-<version>.crate.zip.
"""

from reconcile.archive.container import RESULT_FILES


rule build_archive:
    """Write the archive of a study: an RO-Crate with report, numbers, code and record."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        files=study_files,
        results=expand("results/{{study}}/{file}", file=RESULT_FILES),
        figures="results/{study}/figures",
        config=ancient(CONFIG_FILES),
        code=ancient([own_file(name) for name in code_files() if name != CONFIG_NAME]),
        outdated=outdated("build_archive"),
    output:
        archive=f"results/{{study}}/{{study}}-{__version__}.crate.zip",
        made="results/{study}/.made/build_archive.json",
    log:
        "logs/{study}/build_archive.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/build_archive.py"
