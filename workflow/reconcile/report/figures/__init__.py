"""The figures, drawn as SVG by hand: dark pages, phones and equal bytes ask for it.

A figure is a file here, which says its caption and draws it, and a line in ``drawings``.
"""

from __future__ import annotations

from pathlib import Path

from reconcile.files import keep_only, write_bytes, write_text
from reconcile.report.figures.charts import latency_figures, neurons_figure
from reconcile.report.figures.svg import NARROW, WIDE, Drawing
from reconcile.report.figures.sweep import sweep_figure
from reconcile.report.figures.windows import coverage_figure, windows_figure
from reconcile.report.pages import fonts_css, svg_page
from reconcile.report.read import Results
from reconcile.tables.contract import COLUMN


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


def write_figures(results: Results, templates: Path, most: int) -> list[Path]:
    """Write every figure that the results have data for, and no others into their folder.

    The folder is there afterwards, also where nothing can be drawn: Snakemake looks for it.

    Args:
        results: the study and its results.
        templates: holds the page of a figure and the bundled fonts, which the PDF figures embed.
        most: how many interpretations a chart shows.

    Returns:
        The files written: SVG for screens and PDF for write-ups, as wide as a page and as a column.

    Raises:
        InputError: a file cannot be written, or one of an earlier run not removed.
    """
    from reconcile.report.pdf import figure_pdf  # noqa: PLC0415 - loads WeasyPrint

    folder, fonts = results.folder / "figures", fonts_css(templates / "fonts")
    written: list[Path] = []
    for name, drawing in drawings(results, most).items():
        for svg, width, ending in (
            (drawing.wide(), WIDE, ""),
            (drawing.narrow(), NARROW, COLUMN),
        ):
            size = width, drawing.draw(width)[0]
            page = svg_page(templates, svg, size, results.record["ended"])
            files = [folder / f"{name}{ending}.{form}" for form in ("svg", "pdf")]
            write_text(files[0], f"{svg}\n")
            write_bytes(files[1], figure_pdf(page, fonts))
            written += files
    # What an earlier run drew and this one does not would be archived as if it were of this one.
    keep_only(folder, written, (".svg", ".pdf"))
    return written
