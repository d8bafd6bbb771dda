"""Put everything about a study into one file that anyone can verify.

Requires: everything in results/{study}/, studies/{study}/, and the files of this workflow.
Produces: results/{study}/{study}-<version>.crate.zip.
"""

from reconcile import __version__
from reconcile.archive.layout import code_files
from reconcile.archive.layout import RESULT_FILES


rule build_archive:
    """Write the archive of a study: an RO-Crate with report, numbers, code and record."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        files=study_files,
        results=expand("results/{{study}}/{file}", file=RESULT_FILES),
        figures="results/{study}/figures",
        code=ancient([str(file) for file in code_files(Path("."))]),
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
