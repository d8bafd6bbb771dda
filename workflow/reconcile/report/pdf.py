"""Make the PDF: PDF/A-3a as WeasyPrint produces it, with the result files attached."""

from __future__ import annotations

import logging
import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from reconcile.errors import Fault, InputError
from reconcile.proc import nothing_collected
from reconcile.report.views import DATA_FILES
from reconcile.tables.contract import FILES
from reconcile.words import SECONDS, Report

_PAGE = re.compile(r"Page (\d+)$")
"""How WeasyPrint's progress ends where it lays out a page; one that stays says so behind."""


class OfflineFetcher(URLFetcher):  # type: ignore[misc]  # weasyprint is not typed
    """Refuses everything that is not in the page itself, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> Any:
        """Fetch a ``data:`` address.

        Raises:
            FatalURLFetchingError: any other address; it names the offender and stops the PDF.
        """
        if not url.startswith("data:"):
            self.refused.append(url)
            raise FatalURLFetchingError(f"the report may not refer to {url}")
        return super().fetch(url, headers)


class _Pages(logging.Handler):
    """Tells which page WeasyPrint has come to; how many there will be it knows only at the end."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.INFO)
        self._report = report
        self._begun = self._told = time.monotonic()
        self._done = 0
        self._again = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a line if a page is begun and the last line is some time ago."""
        message = record.getMessage()
        if "Repagination" in message:  # page numbers moved what refers to them
            self._again = " again"
        found = _PAGE.search(message)
        if found is None:
            return
        self._done += 1
        now = time.monotonic()
        if now - self._told >= SECONDS:
            self._told = now
            rate = self._done / (now - self._begun)
            self._report(f"report.pdf: page {found[1]}{self._again} ({rate:.0f} a second)")


@contextmanager
def _pages_told(report: Report) -> Iterator[None]:
    logger, handler = logging.getLogger("weasyprint.progress"), _Pages(report)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _errors_fail(what: Path, fetcher: OfflineFetcher) -> Iterator[None]:
    """Fail on whatever WeasyPrint would leave out; inside an SVG it even swallows a refusal."""
    kept, logger = BufferingHandler(sys.maxsize), logging.getLogger("weasyprint")
    # What it logs as an error it goes on without.
    kept.setLevel(logging.ERROR)
    logger.addHandler(kept)
    try:
        yield
    except FatalURLFetchingError:
        pass
    finally:
        logger.removeHandler(kept)
    refused = [f"the report may not refer to {url}" for url in fetcher.refused]
    if messages := refused or [record.getMessage() for record in kept.buffer]:
        raise InputError(*(Fault(what, 0, "", text) for text in messages))


@cache
def _fonts() -> FontConfiguration:
    """The fonts of every document of this process: unpacked once."""
    return FontConfiguration()


@cache
def _sheet(fonts: str) -> CSS:
    """The style sheet of the bundled fonts: read once, which takes as long as to draw a figure."""
    return CSS(string=fonts, url_fetcher=OfflineFetcher(), font_config=_fonts())


def _written(what: Path, page: str, fetcher: OfflineFetcher, **options: Any) -> bytes:
    # Layout makes objects by the million and drops few: looking for cycles takes a quarter.
    with _errors_fail(what, fetcher), warnings.catch_warnings(), nothing_collected():
        # WeasyPrint leaves the colour profile of PDF/A open for Python to close.
        warnings.simplefilter("ignore", ResourceWarning)
        html = HTML(string=page, url_fetcher=fetcher, media_type="print")
        return bytes(html.write_pdf(font_config=_fonts(), **options))


def pdf_of(page: str, results: Path, date: str, report: Report = lambda _: None) -> bytes:
    """The PDF of a page for paper.

    Args:
        page: the HTML, from ``render_page``.
        results: folder of the files to attach.
        date: when the measured run ended, ISO 8601; the date of the document and its attachments.
        report: is told how far it is.

    Raises:
        InputError: the page refers to something outside itself, or a part of it cannot be drawn.
    """
    when, fetcher = datetime.fromisoformat(date), OfflineFetcher()
    attached = [
        Attachment(
            string=(results / name).read_bytes(),
            name=name,
            description=FILES[name].says + (": record of one run" if FILES[name].record else ""),
            created=when,
            modified=when,
            relationship="Data",
            url_fetcher=fetcher,
        )
        for name in DATA_FILES
        if (results / name).is_file()
    ]
    form: dict[str, Any] = {"pdf_variant": "pdf/a-3a", "attachments": attached}
    with _pages_told(report):
        return _written(results / "report.pdf", page, fetcher, **form)


def figure_pdf(page: str, fonts: str) -> bytes:
    """One figure as a PDF page of its own size.

    Args:
        page: the HTML, from ``svg_page``.
        fonts: the style sheet of the fonts, from ``fonts_css``.

    Raises:
        InputError: as ``pdf_of``.
    """
    return _written(Path("figure.pdf"), page, OfflineFetcher(), stylesheets=[_sheet(fonts)])
