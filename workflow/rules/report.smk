"""Render what people read, show and cite.

Requires: every file that measuring, reconciling and searching write, templates/, CITATION.cff.
Produces: results/{study}/report.html, report.pdf, figures/, numbers.tex, tables.tex, references.bib,
references.json, CITATION.cff, and results/index.html for all studies.
"""

from reconcile.tables.contract import tables


rule render_report:
    """Write the report as HTML, its figures, and numbers and references for write-ups."""
    input:
        study="studies/{study}/study.yaml",
        tables=expand("results/{{study}}/{table}", table=tables()),
        reconciliation="results/{study}/reconciliation.json",
        record="results/{study}/record.json",
        templates=templates_without(ONLY_PAPER),
        tool="CITATION.cff",
        library=library("report.render", "cite.numbers", "run.scripting"),
    output:
        html=update(
            report(
                "results/{study}/report.html",
                caption="../report/report.rst",
                category="{study}",
                labels={"file": "report"},
            )
        ),
        figures=update(
            report(
                directory("results/{study}/figures"),
                patterns=["{figure}.svg"],
                caption="../report/figure.rst",
                category="{study}",
                labels={"file": "{figure}"},
            )
        ),
        numbers=update("results/{study}/numbers.tex"),
        tables=update("results/{study}/tables.tex"),
        bibtex=update("results/{study}/references.bib"),
        csl=update("results/{study}/references.json"),
        citation=update("results/{study}/CITATION.cff"),
        options=update("results/{study}/options.json"),
    log:
        "logs/{study}/render_report.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        options=CONFIG.report.model_dump(),
    script:
        "../scripts/render_report.py"


rule render_pdf:
    """Write the report as PDF, in a job of its own because it takes longest."""
    input:
        study="studies/{study}/study.yaml",
        tables=expand("results/{{study}}/{table}", table=tables()),
        reconciliation="results/{study}/reconciliation.json",
        record="results/{study}/record.json",
        templates=templates_without(ONLY_SCREEN),
        library=library("report.render", "run.scripting"),
    output:
        update("results/{study}/report.pdf"),
    log:
        "logs/{study}/render_pdf.log",
    # Longest first: the others then end while it runs.
    priority: 1
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        options=CONFIG.report.model_dump(),
    script:
        "../scripts/render_pdf.py"


rule render_index:
    """Write the page that links the report of every study with its one-line answer."""
    input:
        reconciliations=expand("results/{study}/reconciliation.json", study=STUDIES),
        templates=[str(file) for file in INDEX_TEMPLATES + LOOK],
        library=library("report.index", "run.scripting"),
    output:
        update("results/index.html"),
    log:
        "logs/render_index.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/render_index.py"
