"""The PDF: archival, tagged, complete, with the data attached, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from report_support import write_results

from reconcile.errors import InputError
from reconcile.report.pdf import pdf_of
from reconcile.report.render import PICTURES, SECTIONS
from reconcile.report.views import DATA_FILES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pdf(rendered: Path) -> Iterator[pikepdf.Pdf]:
    """The PDF of the real study."""
    with pikepdf.open(rendered / "report.pdf") as opened:
        yield opened


def run(*command: object) -> str:
    """What a command prints; it must succeed."""
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    ).stdout


def elements(node: Any) -> Iterator[Any]:
    """Every structure element below a node, and the node."""
    if isinstance(node, pikepdf.Dictionary):
        yield node
        node = node.get("/K", [])
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from elements(child)
    elif isinstance(node, pikepdf.Dictionary):
        yield from elements(node)


def test_every_section_is_there(rendered: Path) -> None:
    """What can be read on the page can be read in the PDF."""
    text = " ".join(run("pdftotext", rendered / "report.pdf", "-").split())
    html = (rendered / "report.html").read_text()
    titles = re.findall(r'<h2 id="[a-z]+-title">(.*?)</h2>', html)
    assert len(titles) > 10
    titles.remove(SECTIONS["numbers"])  # paper says at each claim where else its number occurs
    for title in titles:
        assert title in text
    for words in ("290,400", "253,440", "slip-48-for-55", "contradicts"):
        assert words in text


def test_it_is_short(pdf: pikepdf.Pdf, rendered: Path) -> None:
    """Four pages say what was found, and eight what it rests on; the rest is attached."""
    assert len(pdf.pages) <= 12
    summary = run("pdftotext", "-l", "4", rendered / "report.pdf", "-")
    for name in ("reasons", "conflicts", "undecided", "matrix", "ranking"):
        assert SECTIONS[name] in summary
    assert SECTIONS["evidence"] in run("pdftotext", "-f", "4", rendered / "report.pdf", "-")


def test_fonts_are_bundled_ones(rendered: Path) -> None:
    """No font of the system, and every font embedded as a subset."""
    lines = run("pdffonts", rendered / "report.pdf").splitlines()[2:]
    assert lines
    for line in lines:
        assert re.match(r"[A-Z]{6}\+Reconcile-(Sans|Mono)", line), line
        assert re.search(r"yes yes yes", line), line


def test_attachments_are_the_results(pdf: pikepdf.Pdf, rendered: Path) -> None:
    """Each file that the report is made from is attached, byte for byte, dated by the record."""
    there = [name for name in DATA_FILES if (rendered / name).is_file()]
    attached = {spec.filename: spec.get_file() for spec in pdf.attachments.values()}
    assert sorted(attached) == sorted(there)
    for name, file in attached.items():
        assert file.read_bytes() == (rendered / name).read_bytes()
        assert file.creation_date == file.mod_date


def test_it_is_tagged_and_says_its_language(pdf: pikepdf.Pdf) -> None:
    """Marked content, a structure tree, a language, a title, bookmarks, and PDF/A-3a in the XMP."""
    assert pdf.Root.MarkInfo.Marked
    assert str(pdf.Root.Lang) == "en"
    assert pdf.open_metadata().pdfa_status == "3A"
    with pdf.open_outline() as outline:
        titles = [item.title for item in outline.root[0].children]
    assert titles[0] == PICTURES["windows"]
    assert str(pdf.docinfo["/Title"]) == "AlexNet: reconciliation report"


def test_every_figure_has_an_alternative_text(pdf: pikepdf.Pdf) -> None:
    """Who cannot see a drawing reads what it shows."""
    figures = [e for e in elements(pdf.Root.StructTreeRoot) if e.get("/S") == "/Figure"]
    assert len(figures) == 3
    for figure in figures:
        assert len(str(figure.get("/Alt", ""))) > 20


def test_the_dates_are_those_of_the_record(pdf: pikepdf.Pdf, rendered: Path) -> None:
    """The document is as old as the run that it reports."""
    ended = json.loads((rendered / "record.json").read_text(encoding="utf-8"))["ended"]
    wanted = re.sub(r"\D", "", ended[:19])
    for key in ("/CreationDate", "/ModDate"):
        assert wanted in str(pdf.docinfo[key])


def test_qpdf_finds_nothing(rendered: Path) -> None:
    """The structure of the file is sound."""
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", rendered / "report.pdf")


def test_nothing_reaches_beyond_the_margin(rendered: Path) -> None:
    """Every word lies within the page, clear of its margins."""
    boxes = run("pdftotext", "-bbox", rendered / "report.pdf", "-")
    width = 0.0
    for line in boxes.splitlines():
        if page := re.search(r'<page width="([\d.]+)"', line):
            width = float(page[1])
        elif word := re.search(r'<word xMin="([\d.]+)" .*xMax="([\d.]+)"', line):
            assert float(word[1]) >= 44, line
            assert float(word[2]) <= width - 44, line


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ('<img src="https://example.org/x.png" alt="">', "https://example.org/x.png"),
        ('<img src="file:///etc/hostname" alt="">', "file:///etc/hostname"),
        ("<svg width='9' height='9'><image href='http://example.org/y.png'/></svg>", "y.png"),
    ],
)
def test_references_to_elsewhere_stop_the_build(tmp_path: Path, part: str, named: str) -> None:
    """Nothing is fetched, and the offender is named."""
    page = f"<!doctype html><html lang=en><title>t</title><body><p>x</p>{part}"
    with pytest.raises(InputError, match=re.escape(named)):
        pdf_of(page, tmp_path, "2031-01-01T00:00:00+00:00")


RENDER = """
import sys
from pathlib import Path
from reconcile.report.render import write_page, write_paper
from reconcile.study.load import load_study
what = load_study(Path(sys.argv[1])), Path(sys.argv[2]), {}
write_page(*what)
write_paper(*what)
"""


def rendered_elsewhere(folder: Path, **environment: str) -> dict[str, str]:
    """Digests of everything rendered in a process of its own in another folder."""
    study, out = write_results(folder)
    subprocess.run(
        [sys.executable, "-c", RENDER, study, out],
        cwd=folder,
        env=os.environ | environment,
        check=True,
    )
    files = [out / "report.html", out / "report.pdf", *sorted((out / "figures").iterdir())]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Other folder, time zone, locale and hash seed: the same HTML, PDF and figures."""
    one = rendered_elsewhere(tmp_path / "one", TZ="UTC", LANG="C", PYTHONHASHSEED="1")
    two = rendered_elsewhere(
        tmp_path / "a longer name", TZ="Asia/Tokyo", LANG="de_DE.UTF-8", PYTHONHASHSEED="77"
    )
    assert one == two
