"""Render what people read, show and cite.

Requires: every file that measuring, reconciling and searching write, templates/, CITATION.cff.
Produces: results/{study}/report.html, report.pdf, figures/, numbers.tex, tables.tex, numbers.csv,
numbers.json, references.bib, references.json, CITATION.cff, and for all studies results/index.html,
claims.csv and claims/.
"""

from reconcile.tables.contract import tables


rule render_report:
    """Write the report as HTML, its figures, and numbers and references for write-ups."""
    input:
        study=ancient("studies/{study}/study.yaml"),
        tables=expand("results/{{study}}/{table}", table=tables()),
        reconciliation="results/{study}/reconciliation.json",
        record="results/{study}/record.json",
        templates=ancient(
            templates(*PAGE, *SCRIPTS, "figure.html.jinja", "*.tex.jinja", "report.css")
        ),
        tool=ancient(own_file("CITATION.cff")),
        outdated=outdated("render_report"),
    output:
        html=report(
            "results/{study}/report.html",
            caption="../report/report.rst",
            category="{study}",
            labels={"file": "report"},
        ),
        figures=report(
            directory("results/{study}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/figure.rst",
            category="{study}",
            labels={"file": "{figure}"},
        ),
        numbers="results/{study}/numbers.tex",
        tables="results/{study}/tables.tex",
        bibtex="results/{study}/references.bib",
        index="results/{study}/numbers.csv",
        json="results/{study}/numbers.json",
        csl="results/{study}/references.json",
        citation="results/{study}/CITATION.cff",
        options="results/{study}/options.json",
        made="results/{study}/.made/render_report.json",
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
        study=ancient("studies/{study}/study.yaml"),
        tables=expand("results/{{study}}/{table}", table=tables()),
        reconciliation="results/{study}/reconciliation.json",
        record="results/{study}/record.json",
        templates=ancient(templates(*PAGE, "print.css")),
        outdated=outdated("render_pdf"),
    output:
        report="results/{study}/report.pdf",
        made="results/{study}/.made/render_pdf.json",
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
    """Write the atlas: a line for every study that has results, and all their claims."""
    input:
        reconciliations=expand("results/{study}/reconciliation.json", study=STUDIES),
        templates=ancient(templates("index.*", "claims.html.jinja", "fonts/*", "report.css")),
        outdated=outdated("render_index"),
    output:
        page="results/index.html",
        claims="results/claims.csv",
        pages=directory("results/claims"),
        made="results/.made/render_index.json",
    log:
        "logs/render_index.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        # Of runs before this one: were they inputs, Snakemake would make them again.
        others=PLAN.others,
    script:
        "../scripts/render_index.py"
