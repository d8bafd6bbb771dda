"""Render what people read, show and cite.

Requires: every file that measuring, reconciling and searching write, templates/, CITATION.cff.
Produces: results/{study}/report.html, report.pdf, figures/, numbers.tex, tables.tex, references.bib,
references.json, CITATION.cff.
"""

from reconcile.columns import TABLES


rule render_report:
    """Write the report as HTML and PDF, its figures, and numbers and references for write-ups."""
    input:
        study="studies/{study}/study.yaml",
        tables=expand("results/{{study}}/{table}", table=TABLES),
        reconciliation="results/{study}/reconciliation.json",
        record="results/{study}/record.json",
        templates=sorted(str(file) for file in Path("templates").rglob("*") if file.is_file()),
        tool="CITATION.cff",
        library=library("report", "cite", "scripting"),
    output:
        html=update("results/{study}/report.html"),
        pdf=update("results/{study}/report.pdf"),
        figures=update(directory("results/{study}/figures")),
        numbers=update("results/{study}/numbers.tex"),
        tables=update("results/{study}/tables.tex"),
        bibtex=update("results/{study}/references.bib"),
        csl=update("results/{study}/references.json"),
        citation=update("results/{study}/CITATION.cff"),
    log:
        "logs/{study}/render_report.log",
    conda:
        "../envs/report.yaml"
    params:
        options=CONFIG.report.model_dump(),
    script:
        "../scripts/render_report.py"
