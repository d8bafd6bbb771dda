"""The figures of a report as files: SVG for screens, PDF for write-ups."""

from __future__ import annotations

import re
from pathlib import Path

from reconcile.files import keep_only, write_bytes, write_text
from reconcile.report.figures.drawings import WIDE, drawings
from reconcile.report.page import fonts_css
from reconcile.report.read import Results

_HEIGHT = re.compile(r' height="([0-9.]+)"')


def write_figures(results: Results, templates: Path, most: int) -> list[Path]:
    """Write every figure that the results have data for, and no others into their folder.

    The folder is there afterwards, also where nothing can be drawn: Snakemake looks for it.

    Args:
        results: the study and its results.
        templates: holds the bundled fonts, which the PDF figures embed.
        most: how many interpretations a chart shows.

    Returns:
        The files written, ``figures/<name>.svg`` and ``figures/<name>.pdf``.

    Raises:
        InputError: a file cannot be written, or one of an earlier run not removed.
    """
    from reconcile.report.pdf import svg_to_pdf  # noqa: PLC0415 - loads WeasyPrint

    folder = results.folder / "figures"
    written: list[Path] = []
    style = fonts_css(templates / "fonts")
    for name, drawing in drawings(results, most).items():
        svg = str(drawing.wide())
        found = _HEIGHT.search(svg)
        size = (WIDE, float(found[1]) if found else WIDE)
        pdf = svg_to_pdf(svg, style, size, results.record["ended"])
        write_text(folder / f"{name}.svg", f"{svg}\n")
        write_bytes(folder / f"{name}.pdf", pdf)
        written += [folder / f"{name}.svg", folder / f"{name}.pdf"]
    # What an earlier run drew and this one does not would be archived as if it were of this one.
    keep_only(folder, written, (".svg", ".pdf"))
    return written
