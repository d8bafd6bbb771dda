"""Every study of this repository, through one run of Snakemake with `studies: all`."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pikepdf
import pytest
from browsing import UNFOLD, WIDTH, watched
from playwright.sync_api import Browser
from projects import Ran
from support import PROJECT

pytestmark = pytest.mark.slow
MOST_PAGES, MOST_BYTES = 14, 1_000_000
CARDS = ".scroll:has(.stack)"
"""Tables whose rows are cards where they would be too wide."""
SCROLLS = """(selector) => [...document.querySelectorAll(selector)]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute("aria-label"))"""
STUDIES = sorted(file.parent.name for file in (PROJECT / "studies").glob("*/study.yaml"))


@pytest.fixture(scope="module")
def results(all_studies: Ran) -> Path:
    """The results of all studies."""
    return all_studies.project / "results"


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_concludes(results: Path, study: str) -> None:
    """All is measured, no check fails, the conclusion ranks first, and there is a report."""
    folder = results / study
    read = json.loads((folder / "reconciliation.json").read_text(encoding="utf-8"))
    assert read["ranking"][0]["interpretation"] == read["conclusion"]["interpretation"]
    assert read["counts"]["measured"] == read["counts"]["interpretations"]
    assert ",fails," not in (folder / "evidence.csv").read_text(encoding="utf-8")
    with pikepdf.open(folder / "report.pdf") as pdf:
        assert len(pdf.pages) <= MOST_PAGES
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < MOST_BYTES
    assert not re.search(r"</caption>\s*</table>", page), "a table without rows"
    index = unescape((results / "index.html").read_text(encoding="utf-8"))
    assert read["conclusion"]["answer"] in index


def test_the_readme_and_the_index_name_the_same_studies(results: Path) -> None:
    """Each study of the one table is in the other, under the same title."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    index = unescape((results / "index.html").read_text(encoding="utf-8"))
    told = re.findall(r"^\| \[(.+?)\]\(studies/(\w+)\) \|", readme, re.MULTILINE)
    shown = re.findall(r'<a href="(\w+)/report.html">(.+?)</a>', index)
    assert sorted(told) == sorted((title, name) for name, title in shown)


@pytest.mark.parametrize("study", STUDIES)
def test_the_readme_tells_the_outcome_that_was_derived(results: Path, study: str) -> None:
    """In its table the outcome is that of the verdicts, with how many numbers are contradicted."""
    read = json.loads((results / study / "reconciliation.json").read_text(encoding="utf-8"))
    wanted = read["outcome"]
    if wanted == "contradicted":
        wanted += f" ({read['counts']['contradicted']} of {read['counts']['claims']})"
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| \[.+\]\(studies/{study}\) \|.*$", readme, re.MULTILINE)
    assert row.split(" | ")[-1] == f"{wanted} |"


@pytest.mark.parametrize("study", STUDIES)
def test_every_page_fits_its_window(browser: Browser, results: Path, study: str) -> None:
    """With all unfolded no page scrolls sideways, nor any table of searches or combinations.

    On a desktop no table does. A matrix, and tables of layers, may on what is narrower.
    """
    report = (results / study / "report.html").as_uri()
    with watched(browser, report, reduced_motion="reduce") as open_page:
        page = open_page(report)
        page.evaluate(UNFOLD)
        for width in (1280, 1100, 768, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(WIDTH) <= width
            assert page.evaluate(SCROLLS, ".scroll" if width >= 1100 else CARDS) == []


def test_a_job_is_looked_for_when_another_ends(all_studies: Ran) -> None:
    """And not by the clock: looking as often as every job that ended would have it takes a core."""
    ended = len(re.findall(r"^Finished jobid", all_studies.told, re.MULTILINE))
    assert ended > 7 * len(STUDIES)
    assert all_studies.told.count("Ready jobs: ") <= ended


def test_the_control_is_reproduced(results: Path) -> None:
    """Every number that LeNet-5's paper prints is reproduced by one reading."""
    read = json.loads((results / "lenet5" / "reconciliation.json").read_text(encoding="utf-8"))
    assert read["counts"]["reproduced"] == read["counts"]["claims"] == 18


def test_one_cell_of_gpt2_matches_all(results: Path) -> None:
    """Of every documented combination exactly one gives all four counts, and the report says so."""
    read = json.loads((results / "gpt2" / "reconciliation.json").read_text(encoding="utf-8"))
    assert read["sweep"]["combinations"] == 48
    assert read["sweep"]["matched"][0] == [4, 1]
    report = (results / "gpt2" / "report.html").read_text(encoding="utf-8")
    assert "1 combination matches every claim" in report
    assert "in one cell only: context 1,024 and vocabulary 40,478" in report
    assert "every vocabulary from 40,468 to 40,812" in report.replace("\n", " ")
