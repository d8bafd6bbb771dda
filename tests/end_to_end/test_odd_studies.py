"""A stranger's study ends with report, write-up and archive, however odd it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browsing import UNFOLD, WIDTH, watched
from cases import CASES
from odd_studies import (
    ODD,
    every_case,
    generated,
    laid_out_once,
    reported,
    run_study,
    write_odd,
)
from playwright.sync_api import Browser
from projects import archive_of, configure, snakemake, told
from report_support import Page
from support import copy_project, write_study

from reconcile.archive.again import PDF as MADE_AGAIN_PDF
from reconcile.archive.container import unpack
from reconcile.archive.verify import HOLDS, Check, verify_archive
from reconcile.cite.numbers import read_macros
from reconcile.report.render import SECTIONS
from reconcile.study.load import load_study
from reconcile.tables.rows import read_rows

# The browser first: what was started after the measuring process ends with it.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("browser", "shared_zygote")]

WITHOUT_FIGURES = {
    *("tokens-on-meta", "nothing-builds", "nothing-runs", "one-axis", "one-combination"),
}
ONLY_OF_READINGS = ("receptive_field", "effective_", "sees_all")
"""Columns that combinations of a sweep do not have."""
BROKEN = re.compile(
    r"\b(None|nan|NaN|undefined|Undefined)\b|\(\s*\)|“\s*”|, *[,.]|[.:] *\.(?!\w)"
    r"|\b1 (of 1 )?were\b"
)
"""What a value that is not there, or a number of one, makes of a sentence."""
WRITE_UP = r"""
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern,booktabs,url}
\begin{document}\tiny\sloppy
%s
\bibliographystyle{plain}\bibliography{references}
\end{document}
"""
PART = r"""
\begingroup
\input{{{name}/numbers}}
\input{{{name}/tables}}
\rcTableClaims \par \rcTableRanking \par \rcTableLayers \par \rcTableTotals \par
{commands}
\cite{{reconcile-{name}}}
\endgroup
"""
"""A study of a write-up: its commands have the names of every other's, so they hold here alone."""


@dataclass(frozen=True)
class Done:
    """An odd study that was run from start to end."""

    name: str
    out: Path
    checks: list[Check]

    @property
    def page(self) -> Page:
        """The report for browsers."""
        return Page((self.out / "report.html").read_text(encoding="utf-8"))

    def text(self, file: str) -> str:
        """The text of a result file."""
        return (self.out / file).read_text(encoding="utf-8")


Settle = Callable[[str], Done]


@pytest.fixture(scope="module")
def settle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settle]:
    """A function that runs the odd study of a name, each once."""

    @cache
    def settled(name: str) -> Done:
        root = tmp_path_factory.mktemp("odd")
        out = root / "results" / name
        return Done(name, out, run_study(write_odd(root, name), out))

    with laid_out_once():
        yield settled


@pytest.fixture(scope="module", params=ODD)
def done(request: pytest.FixtureRequest, settle: Settle) -> Done:
    """Each odd study in turn."""
    return settle(request.param)


def test_the_archive_verifies(done: Done) -> None:
    """Every byte and every verdict is found in order, by whom the archive is built for."""
    assert {MADE_AGAIN_PDF, "hashes"} <= {check.name for check in done.checks}
    assert [check for check in done.checks if check.outcome != HOLDS] == []


def test_every_case(tmp_path: Path) -> None:
    """Networks of every kind are measured alike run and counted, and their archive verifies."""
    out = tmp_path / "results" / "cases"
    with laid_out_once():
        checks = run_study(write_study(tmp_path / "studies" / "cases", *every_case()), out)
    assert [check for check in checks if check.outcome != HOLDS] == []
    totals = {row["interpretation"]: row for row in read_rows(out / "totals.csv")}
    for name, case in CASES.items():
        counts = str(case.macs), str(case.parameters)
        for row in (totals[name], totals[f"case-{name.replace('_', '-')}"]):
            assert row["status"].startswith("measured"), (name, row["message"])
            assert (row["macs"], row["parameters"]) == counts, name
            assert "no coverage" not in row["message"], name
            assert "no timings" not in row["message"], name
    run, counted = _layers_of(out, ""), _layers_of(out, "case-")
    for name in CASES:
        assert run[name] == counted[name.replace("_", "-")], name


def _layers_of(out: Path, before: str) -> dict[str, list[dict[str, str]]]:
    """The layers of each case in readings whose name begins so, without what only some have."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(out / "layers.csv"):
        reading = row.pop("interpretation")
        if before == reading[: len(before)]:
            cells = {k: v for k, v in row.items() if not k.startswith(ONLY_OF_READINGS)}
            found.setdefault(reading[len(before) :], []).append(cells)
    return found


def test_the_figures_are_those_of_the_report(done: Done) -> None:
    """Every drawing of the page is a file, and where there is none the folder is empty."""
    drawn = {i.removeprefix("figure-") for i in done.page.all("id") if i.startswith("figure-")}
    drawn = {name for name in drawn if not name.endswith(("-title", "-wide", "-narrow"))}
    files = {file.stem for file in (done.out / "figures").iterdir()}
    assert files == drawn | {f"{name}-column" for name in drawn}
    assert (not drawn) == (done.name in WITHOUT_FIGURES)


def test_the_page_reads_sensibly(done: Done) -> None:
    """No section is empty, no sentence lacks a part, and every link leads somewhere."""
    page = done.page
    assert not BROKEN.search(page.text), BROKEN.search(page.text)
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.all("href") if href.startswith("#")} <= set(ids)
    html = re.sub(r"<(script|style)\b.*?</\1>", "", done.text("report.html"), flags=re.DOTALL)
    for name, inside in re.findall(r'<section id="(\w+)"(.*?)</section>', html, re.DOTALL):
        said = re.sub(r"<h2.*?</h2>|<[^>]+>", "", f"<{inside}", flags=re.DOTALL)
        assert len(said.split()) > 1, name
    for part in ("tbody", "dd", "figcaption", "ul", "p"):
        assert not re.search(rf"<{part}>\s*</{part}>", html), part


def test_the_page_opens_in_a_browser(done: Done, browser: Browser) -> None:
    """It says nothing on the console, asks for nothing, and fits the window, whatever is open."""
    address = (done.out / "report.html").as_uri()
    with watched(browser, address) as open_page:
        page = open_page(address)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(UNFOLD)
            assert page.locator("#answer").is_visible()
            assert page.evaluate(WIDTH) <= width


def test_the_pdf_says_the_same(done: Done) -> None:
    """The PDF has the sections of the page, and its sentences are whole."""
    command = ["pdftotext", str(done.out / "report.pdf"), "-"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = " ".join(shown.split())
    for title in re.findall(r"<h2[^>]*>([^<]+)</h2>", done.text("report.html")):
        assert title in text or title == SECTIONS["numbers"]  # paper says it at each claim
    assert not BROKEN.search(text), BROKEN.search(text)


def test_what_is_cited_can_be_cited(done: Done) -> None:
    """Each entry that the report prints is one of references.bib, which no key is missing from."""
    bib = done.text("references.bib")
    printed = re.search(r'<pre id="bibtex"[^>]*><code>(.*?)</code>', done.text("report.html"), re.S)
    assert printed is not None
    assert printed[1].replace("&#34;", '"').replace("&amp;", "&").strip() in bib
    keys = set(re.findall(r"^@\w+\{([^,]+),$", bib, re.MULTILINE))
    assert f"reconcile-{done.name}" in keys
    assert keys == {item["id"] for item in json.loads(done.text("references.json"))}
    written = done.text("report.html") + done.text("tables.tex") + done.text("numbers.tex")
    assert set(re.findall(r"\\cite\{([^}]+)\}", written)) <= keys


def test_write_ups_compile(settle: Settle, tmp_path: Path) -> None:
    """Every command, table and the reference of each reconciliation can be typeset."""
    references: dict[str, str] = {}
    for name in ODD:
        (tmp_path / name).mkdir()
        for file in ("numbers.tex", "tables.tex"):
            shutil.copy(settle(name).out / file, tmp_path / name)
        for key, entry in entries(settle(name).text("references.bib")):
            assert references.setdefault(key, entry) == entry
    (tmp_path / "references.bib").write_text("\n\n".join(references.values()), encoding="utf-8")
    parts = "".join(PART.format(name=name, commands=commands(settle(name))) for name in ODD)
    (tmp_path / "paper.tex").write_text(WRITE_UP % parts, encoding="utf-8")
    options = ["-pdf", "-halt-on-error", "-file-line-error", "-interaction=nonstopmode"]
    command = ["latexmk", *options, "paper.tex"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "undefined" not in (tmp_path / "paper.log").read_text("utf-8", errors="replace")


def entries(references: str) -> list[tuple[str, str]]:
    """The entries of references.bib, each with its key."""
    found = re.findall(r"^@\w+\{([^,]+),$.*?^\}$", references, re.MULTILINE | re.DOTALL)
    texts = re.findall(r"^@\w+\{.*?^\}$", references, re.MULTILINE | re.DOTALL)
    return list(zip(found, texts, strict=True))


def commands(done: Done) -> str:
    """The first commands of a study, each in a paragraph of its own."""
    return "\n\n".join(f"\\{name}" for name in list(read_macros(done.text("numbers.tex")))[:400])


@pytest.mark.parametrize("seed", range(16))
def test_a_study_that_nobody_thought_of(seed: int, tmp_path: Path) -> None:
    """Claims, readings, networks and sweeps as chance has it: the report's counts are true."""
    out = tmp_path / "results" / "any"
    page = Page(reported(write_study(tmp_path / "studies" / "any", *generated(seed)), out))
    summary = json.loads((out / "reconciliation.json").read_text(encoding="utf-8"))
    counts = summary["counts"]
    told = ("reproduced", "reproduced_weakly", "explained", "contradicted", "not_measured")
    assert sum(counts[name] for name in told) == counts["claims"]
    assert not BROKEN.search(page.text), BROKEN.search(page.text)
    shown = {i.removeprefix("interpretation-") for i in page.all("id") if i.startswith("interpr")}
    study = load_study(tmp_path / "studies" / "any")
    assert {reading.id for reading in study.own_readings} <= shown
    for scope in summary["conflicts"]:
        assert scope["says"] in page.text
        check_conflicts(out / "verdicts.csv", scope, {r.id for r in study.own_readings})


def check_conflicts(verdicts: Path, scope: dict[str, Any], own: set[str]) -> None:
    """Every reading fails a claim of each conflict, and some fails none of its claims but one."""
    fails: dict[str, set[str]] = {}
    for row in read_rows(verdicts):
        if row["verdict"] != "not-measured":
            found = fails.setdefault(row["interpretation"], set())
            if not row["verdict"].startswith("matches"):
                found.add(row["claim"])
    if scope["scope"] == "combinations":
        return
    readings = [failed for reading, failed in fails.items() if reading in own]
    for conflict in (set(one["claims"]) for one in scope["found"]):
        assert all(conflict & failed for failed in readings)
        for claim in conflict:
            assert any(not (conflict - {claim}) & failed for failed in readings)


PIPED = ("nothing-builds", "names_1.5-a.b")


@pytest.fixture(scope="module")
def piped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Studies that once had no report, through Snakemake, over figures of an earlier run."""
    project = copy_project(tmp_path_factory.mktemp("piped") / "project")
    shutil.rmtree(project / "studies")
    for name in PIPED:
        write_odd(project, name)
        (project / "results" / name / "figures").mkdir(parents=True)
        for stale in ("stale.svg", "stale.pdf"):
            (project / "results" / name / "figures" / stale).write_text("of an earlier run\n")
    configure(project, "studies: [alexnet]", "studies: all")
    configure(project, "repeats: 10", "repeats: 1")
    ended = snakemake(project, "all", "archive")
    assert ended.returncode == 0, ended.stderr
    yield project
    shutil.rmtree(project)


@pytest.mark.parametrize("name", PIPED)
def test_snakemake_ends_with_an_archive(piped: Path, name: str) -> None:
    """One command gives report, PDF and an archive that verifies.

    That its PDF is made again byte for byte is what every archive is held to as it is written.
    """
    out = piped / "results" / name
    for file in ("report.html", "report.pdf", "numbers.tex", "references.bib"):
        assert (out / file).stat().st_size, file
    found = verify_archive(archive_of(piped, name), pdf=False)
    assert (found.holds, found.not_compared) == (True, ["report.pdf: left out on request"])


def test_the_command_line_accepts_what_snakemake_wrote(piped: Path) -> None:
    """All of it, in a process of its own."""
    command = [sys.executable, "-m", "reconcile", "verify", archive_of(piped, PIPED[-1])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", PIPED)
def test_figures_of_an_earlier_run_are_gone(piped: Path, name: str) -> None:
    """Neither the folder nor the archive has a figure that this run did not draw."""
    out = piped / "results" / name
    assert (out / "figures").is_dir()
    members = unpack(archive_of(piped, name).read_bytes())
    assert not [file for file in (*members, *(out / "figures").iterdir()) if "stale" in str(file)]


def test_nothing_is_left_to_do(piped: Path) -> None:
    """A second run finds every file, the empty folder too, and does nothing."""
    ended = snakemake(piped, "all", "archive", "--dry-run")
    assert ended.returncode == 0
    assert "Nothing to be done" in told(ended)
