"""The reconciliation report: figures, HTML and PDF from a study and its results.

The report is a function of the results alone: the same files give the same bytes. How it looks is
in ``templates/``. It needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconcile import __version__
from reconcile.cite.bibliography import AUTHORS, bibtex, to_cite
from reconcile.files import keep_only, write_bytes, write_json, write_text
from reconcile.report.calculator import elsewhere, numbers_of
from reconcile.report.figures import WIDTHS, Drawing
from reconcile.report.figures.charts import (
    MOST_LAYERS,
    latency_figures,
    layer_claims,
    neurons_figure,
)
from reconcile.report.figures.sweep import sweep_figure, sweep_view
from reconcile.report.figures.windows import coverage_figure, windows_figure
from reconcile.report.pages import fonts_css, render_page, svg_page
from reconcile.report.views import (
    Results,
    claim_views,
    data_files,
    paper_rows,
    read_results,
    reading_views,
)
from reconcile.search.unexplained import alike, best_explanations
from reconcile.study.config import ReportOptions
from reconcile.study.model import Evidence, Study
from reconcile.tables.contract import COLUMN, FAILS, FILES, NOT_COMPUTED
from reconcile.tables.rows import Row, grouped_by
from reconcile.words import Report

SECTIONS = {
    "answer": "The answer",
    "picture": "The picture",
    "reasons": "The reasons",
    "conflicts": "Claims that exclude each other",
    "undecided": "What could not be decided",
    "corrections": "Corrections of this study",
    "matrix": "Claims and readings",
    "sweep": "The sweep",
    "ranking": "Ranking",
    "layers": "Layer by layer",
    "consistency": "The paper against itself",
    "numbers": "Look up a number",
    "searches": "Searches",
    "evidence": "Evidence",
    "claims": "The claims",
    "interpretations": "The interpretations",
    "verify": "How to verify it",
    "limits": "What this does not certify",
    "cite": "How to cite",
    "measuring": "How it was measured",
}
"""Every section, by anchor, in the order of the page: the argument first, then what it rests on."""
PICTURES = {
    "windows": "How the first layer walks over its input",
    "sweep": "How many claims each combination matches",
    "neurons": "Printed beside measured",
}
"""Figures that can show why the answer is what it is, the best first, each with its title."""
SEARCH = ("claim", "kind", "searched")
"""The columns of a search's table that say which search a row belongs to; of others these:"""
SEARCH_OF = {"terms": ("search", "digits"), "solutions": ("search",)}
PER_PRINTED_PAGE = 12
"""Readings side by side on a page of paper."""


def write_page(study: Study, results: Path, config: Mapping[str, Any]) -> None:
    """Write ``figures/`` and ``report.html``.

    Args:
        study: the study.
        results: the study's result files, read and written to.
        config: the ``report`` part of the configuration.

    Raises:
        InputError: a file is missing or cannot be written, or the report refers to something that
            is not in it.
    """
    read = read_results(study, results)
    options = ReportOptions.model_validate(dict(config))
    write_json(results / "options.json", options.model_dump())
    write_figures(read, options.max_readings)
    page = render_page(context_of(read, options), "screen")
    write_text(results / "report.html", page)


def write_paper(
    study: Study,
    results: Path,
    config: Mapping[str, Any],
    report: Report = lambda _: None,
) -> None:
    """Write ``report.pdf``; arguments and faults are those of ``write_page``.

    ``report`` is told how far it is: a long report takes more than a few seconds.
    """
    # Imported here, because WeasyPrint takes as long to load as the HTML takes to write.
    from reconcile.report.pdf import pdf_of  # noqa: PLC0415

    read = read_results(study, results)
    context = context_of(read, ReportOptions.model_validate(dict(config)))
    # What is looked up by typing has no place on paper.
    context["titles"].pop("numbers", None)
    page = render_page(context, "paper")
    write_bytes(results / "report.pdf", pdf_of(page, results, read.record["ended"], report))


def context_of(results: Results, options: ReportOptions) -> dict[str, Any]:
    """Everything that the templates use."""
    most = options.max_readings
    columns = results.shown(most)
    shown = [entry["interpretation"] for entry in columns]
    evidence, totals = _evidence(results), results.table("totals")
    figures = drawings(results, most)
    readings = reading_views(results, most)
    numbers = numbers_of(results, shown)
    context = {
        "version": __version__,
        "authors": AUTHORS,
        "study": results.study,
        "name": results.name,
        "rec": results.reconciliation,
        "record": results.record,
        "chosen": results.chosen,
        "chosen_entry": next((e for e in columns if e["interpretation"] == results.chosen), None),
        "chosen_swept": any(r.id == results.chosen for r in results.study.swept_readings),
        "connections": any("connections" in claim.expression for claim in results.study.claims),
        "claims": (claims := claim_views(results, shown)),
        "claims_on_paper": paper_rows(results.study, claims),
        "columns": columns,
        "per_page": PER_PRINTED_PAGE,
        "left_out": len(results.study.interpretations) - len(shown),
        "layer_claims": layer_claims(results)[:MOST_LAYERS],
        "readings": readings,
        "leading": results.leading,
        "example": _measured_claim(results),
        "reading_titles": {r.id: r.title for r in results.study.interpretations},
        "reasons": _reasons(results),
        "evidence_titles": {item.id: item.title for item in results.study.evidence},
        "check_titles": {check.id: check.says for check in results.study.consistency},
        "shown": shown,
        "sweep": sweep_view(results),
        "figures": figures,
        "picture": next((name for name in PICTURES if name in figures), ""),
        "evidence": evidence,
        "failing": sum(row["outcome"] == FAILS for _, row in evidence),
        "unmeasured": [row for row in totals if not row["status"].startswith("measured")],
        "self_checks": results.table("consistency"),
        "searched": _searched(results),
        "explained": alike(best_explanations(results.study, results.tables)),
        "unsolved": _unsolved(results),
        "numbers": numbers,
        "elsewhere": elsewhere(results, numbers),
        "data": {file.name: file for file in data_files(results)},
        "bibliography": bibtex(to_cite(results.study, results.name)),
        "on_meta": sum(row["status"] == "measured-on-meta" for row in totals),
        "checked_by": options.checked_by,
        "orcid": options.orcid,
        "most": most,
    }
    return {**context, "titles": _titles(context)}


def _evidence(results: Results) -> list[tuple[Evidence, Row]]:
    """Every item of evidence in the study's order, with its row of evidence.csv."""
    none = {"outcome": NOT_COMPUTED, "detail": ""}
    rows = {row["evidence"]: row for row in results.table("evidence")}
    return [(item, rows.get(item.id, none)) for item in results.study.evidence]


def _searched(results: Results) -> dict[str, list[list[Row]]]:
    """The rows of each search that a table holds, by the name of the table, where it has any."""
    tables = (name.removesuffix(".csv") for name, file in FILES.items() if file.rule == "search")
    rows = ((name, results.table(name)) for name in tables)
    return {
        name: list(grouped_by(found, *SEARCH_OF.get(name, SEARCH)).values())
        for name, found in rows
        if found
    }


def _unsolved(results: Results) -> list[Row]:
    """Where claims have no common value of an argument, under neither reading of the digits."""
    together = grouped_by((r for r in results.table("solutions") if not r["claim"]), "search")
    none = (rows for rows in together.values() if all(row["values"] == "0" for row in rows))
    return [row for rows in none for row in rows[:1]]


def _measured_claim(results: Results) -> str:
    """The first claim that was measured under the leading reading; empty where none was."""
    rows = (row for row in results.table("verdicts") if row["measured"])
    return next((row["claim"] for row in rows if row["interpretation"] == results.leading), "")


def _reasons(results: Results) -> list[dict[str, Any]]:
    """The reasons, each with what it rests on by kind: evidence, claim and so on."""
    found = []
    for reason in results.reconciliation["conclusion"].get("reasons", []):
        see: dict[str, list[str]] = {}
        for kind, _, name in (target.partition(":") for target in reason["see"]):
            see.setdefault(kind, []).append(name)
        found.append({"text": reason["text"], "see": see})
    return found


def _titles(context: Mapping[str, Any]) -> dict[str, str]:
    """The sections that have something to say, by anchor."""
    picture, drawn = context["picture"], {*context["figures"]}
    there = {
        "picture": picture,
        "sweep": context["sweep"],
        "layers": drawn & {"neurons", "coverage"},
        "evidence": context["evidence"],
        "consistency": context["self_checks"],
        "numbers": context["numbers"].found,
        "searches": context["searched"],
        "undecided": context["rec"]["conclusion"]["undecided"],
        "corrections": context["study"].corrections,
    }
    titles = {name: title for name, title in SECTIONS.items() if there.get(name, True)}
    return titles | ({"picture": PICTURES[picture]} if picture else {})


# The figures.


def drawings(results: Results, most: int) -> dict[str, Drawing]:
    """Every figure that the results have data for, by name; charts of ``most`` readings."""
    found = (
        windows_figure(results),
        sweep_figure(results),
        neurons_figure(results),
        *latency_figures(results, most),
        coverage_figure(results),
    )
    return {drawing.name: drawing for drawing in found if drawing is not None}


def write_figures(results: Results, most: int) -> list[Path]:
    """Write every figure that the results have data for, and no others into their folder.

    The folder is there afterwards, also where nothing can be drawn: Snakemake looks for it.

    Args:
        results: the study and its results.
        most: how many interpretations a chart shows.

    Returns:
        The files written: SVG for screens and PDF for write-ups, as wide as a page and as a column.

    Raises:
        InputError: a file cannot be written, or one of an earlier run not removed.
    """
    from reconcile.report.pdf import figure_pdf  # noqa: PLC0415 - loads WeasyPrint

    folder, fonts = results.folder / "figures", fonts_css()
    written: list[Path] = []
    for name, drawing in drawings(results, most).items():
        for size, ending in (("wide", ""), ("narrow", COLUMN)):
            svg, width = drawing.drawn(size), WIDTHS[size]
            page = svg_page(svg, (width, drawing.draw(width)[0]), results.record["ended"])
            files = [folder / f"{name}{ending}.{form}" for form in ("svg", "pdf")]
            write_text(files[0], f"{svg}\n")
            write_bytes(files[1], figure_pdf(page, fonts))
            written += files
    # What an earlier run drew and this one does not would be archived as if it were of this one.
    keep_only(folder, written, (".svg", ".pdf"))
    return written
