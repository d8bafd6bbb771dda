"""The reconciliation report: figures, HTML and PDF from a study and its results.

What is shown is worked out in ``reconcile.reporting``, how it looks is in ``templates/``. The
report is a function of the results alone: the same files give the same bytes. It needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconcile.files import write_bytes, write_json, write_text
from reconcile.report.figures.write import write_figures
from reconcile.report.page import context_of, render_page
from reconcile.report.read import Results, read_results
from reconcile.study.config import ReportOptions

Report = Callable[[str], None]


def render_report(
    study_folder: Path, results: Path, templates: Path, config: Mapping[str, Any]
) -> None:
    """Write ``figures/``, ``report.html`` and ``report.pdf`` into a study's results.

    The arguments are those of ``write_page`` and ``write_paper``, which do a half each.
    """
    write_page(study_folder, results, templates, config)
    write_paper(study_folder, results, templates, config)


def write_page(
    study_folder: Path, results: Path, templates: Path, config: Mapping[str, Any]
) -> None:
    """Write ``figures/`` and ``report.html``.

    Args:
        study_folder: holds study.yaml.
        results: the study's result files, read and written to.
        templates: the project's ``templates/``.
        config: the ``report`` part of the configuration.

    Raises:
        InputError: a file is missing or cannot be written, or the report refers to something that
            is not in it.
    """
    read = read_results(study_folder, results)
    options = ReportOptions.model_validate(dict(config))
    write_json(results / "options.json", options.model_dump())
    write_figures(read, templates, options.max_readings)
    write_text(results / "report.html", render_html(read, templates, options))


def write_paper(
    study_folder: Path,
    results: Path,
    templates: Path,
    config: Mapping[str, Any],
    report: Report | None = None,
) -> None:
    """Write ``report.pdf``; arguments and faults are those of ``write_page``.

    ``report`` is told how far it is: a long report takes more than a few seconds.
    """
    read = read_results(study_folder, results)
    options = ReportOptions.model_validate(dict(config))
    write_bytes(results / "report.pdf", render_pdf(read, templates, options, report))


def render_html(results: Results, templates: Path, options: ReportOptions) -> str:
    """The report for browsers, one file."""
    return render_page(templates, context_of(results, options), "screen")


def render_pdf(
    results: Results, templates: Path, options: ReportOptions, report: Report | None = None
) -> bytes:
    """The report for paper and for archives."""
    # Imported here, because WeasyPrint takes as long to load as the HTML takes to write.
    from reconcile.report.pdf import pdf_of  # noqa: PLC0415

    page = render_page(templates, context_of(results, options), "paper")
    return pdf_of(page, results.folder, results.record["ended"], report)
