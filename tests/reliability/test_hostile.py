"""Text from a study is data in every output: nothing of it runs, fetches or writes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest
import yaml
from playwright.sync_api import Browser
from projects import EVERYTHING
from reliability.hostile import (
    accepted,
    cells_of,
    free_places,
    hostile_results,
    hostile_study,
    is_formula,
    measured_results,
)
from reliability.payloads import BY_KIND, PAYLOADS
from report_support import Page

from reconcile.archive.container import unpack
from reconcile.cite.numbers import read_macros
from reconcile.errors import visible
from reconcile.tables.contract import FILES

pytestmark = pytest.mark.slow

# Everything: each payload in each field. The sample: each payload in some field.
STEP = 1 if EVERYTHING else 7
TURNS = range(len(PAYLOADS) if EVERYTHING else STEP)
SAFE = re.compile(r"#[^\s]*|https?://[^\s]*|data:(text/csv|application/json|font/woff2);base64,.*")
SHAPES = {"svg", "title", "desc", "g", "path", "rect", "line", "text", "tspan", "circle", "style"}
ATTACK = "Object.keys(window).includes('owned')"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Results of hostile studies, each payload in another field in each."""
    folders = (tmp_path_factory.mktemp(f"hostile-{turn}") for turn in TURNS)
    return [
        hostile_results(folder, turn, STEP)[1] for turn, folder in zip(TURNS, folders, strict=True)
    ]


def test_there_are_enough_of_them() -> None:
    """At least 100 payloads, all different, of every kind, for every field that takes words."""
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 100
    assert len(BY_KIND) >= 12
    assert len(free_places()) >= 40


def test_every_payload_is_put_somewhere_or_refused() -> None:
    """What no field takes is refused for a control or an invisible character, and nothing else."""
    put = {text for turn in TURNS for _, text in hostile_study(turn, STEP)[1]}
    left = [text for text in PAYLOADS if text.strip() not in put and "{" not in text]
    title = ("title",)
    assert not [text for text in left if accepted(title, text)]
    assert all(any(not c.isprintable() for c in text) for text in left)


def test_pages_hold_no_element_of_a_study(hostile: list[Path]) -> None:
    """One script and data, no handler, nothing that loads; links lead to the web or the page."""
    for out in hostile:
        html = (out / "report.html").read_text("utf-8")
        page = Page(html)
        tags = [tag for tag, _ in page.elements]
        scripts = [attributes for tag, attributes in page.elements if tag == "script"]
        data = {"type": "application/json", "id": "counted-numbers"}
        assert {} in scripts and [one for one in scripts if one] in ([], [data])
        assert len(scripts) <= 2 and html.count("</script") == len(scripts)
        for text in re.findall(r'id="counted-numbers">(.*?)</script>', html, re.DOTALL):
            json.loads(text)
        assert not {"iframe", "object", "embed", "img", "image", "link", "base", "form"} & set(tags)
        attributes = {name for _, attributes in page.elements for name in attributes}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "xlink:href", "formaction", "srcdoc"):
            assert not [value for value in page.all(name) if not SAFE.fullmatch(value)], name


@pytest.mark.parametrize("policy", ["with its policy", "without"])
def test_nothing_runs_in_a_browser(browser: Browser, hostile: list[Path], policy: str) -> None:
    """In a browser no script of a study runs and no request leaves, policy or no policy."""
    context = browser.new_context(bypass_csp=policy == "without")
    troubles: list[str] = []
    for out in hostile:
        page = context.new_page()
        own = (out / "report.html").as_uri()
        page.on("request", lambda r, own=own: None if _of(r.url, own) else troubles.append(r.url))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.goto(own)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        asked = page.get_by_label("A number, as a paper prints it")
        for number in ("64", "74", "690") if asked.count() else ():
            asked.fill(number)
        assert not page.evaluate(ATTACK), out
        page.close()
    context.close()
    assert not troubles


def _of(url: str, own: str) -> bool:
    return url.startswith(("data:", own))


def test_cells_are_no_formulas(hostile: list[Path]) -> None:
    """No cell of a table starts as a formula does, unless it is a number."""
    for out in hostile:
        for file in out.glob("*.csv"):
            assert not [cell for row in cells_of(file) for cell in row if is_formula(cell)], file


def test_references_say_what_the_study_says(hostile: list[Path]) -> None:
    """CSL-JSON and CITATION.cff hold the title as it is, and are what they should be."""
    for turn, out in zip(TURNS, hostile, strict=True):
        done = dict(hostile_study(turn, STEP)[1])
        title = done.get(("paper", "title"), "A tiny paper")
        assert json.loads((out / "references.json").read_text("utf-8"))[0]["title"] == title
        cff = yaml.safe_load((out / "CITATION.cff").read_text("utf-8"))
        assert cff["references"][0]["title"] == title


def test_latex_writes_and_runs_nothing(hostile: list[Path], tmp_path: Path) -> None:
    """A write-up of every macro, table and reference compiles, even where TeX may run commands."""
    for out in hostile[::4]:
        document = tmp_path / out.parents[1].name
        document.mkdir()
        macros = read_macros((out / "numbers.tex").read_text("utf-8"))
        body = "\n\n".join(f"\\{name}" for name in macros)
        (document / "paper.tex").write_text(WRITE_UP.format(out=out, body=body), "utf-8")
        command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-latexoption=-shell-escape"]
        done = subprocess.run(
            [*command, "paper.tex"],
            cwd=document,
            capture_output=True,
            timeout=120,
            check=False,
        )
        log = (document / "paper.log").read_text("utf-8", errors="replace")
        assert done.returncode == 0, log[-3000:]
        assert "/etc/passwd" not in (document / "paper.fls").read_text("utf-8")
        assert {f.suffix for f in document.iterdir()} <= TEX_FILES, list(document.iterdir())
        assert not list(document.glob("owned*"))


TEX_FILES = {".tex", ".aux", ".log", ".pdf", ".fls", ".fdb_latexmk", ".bbl", ".blg", ".out"}
WRITE_UP = r"""
\documentclass{{article}}
\usepackage[T1]{{fontenc}}\usepackage{{lmodern}}\usepackage{{booktabs}}\usepackage{{url}}
\input{{{out}/numbers}}
\input{{{out}/tables}}
\begin{{document}}\tiny\sloppy
\rcTableClaims \par \rcTableRanking \par \rcTableLayers \par \rcTableTotals \par
{body}
\nocite{{*}}\bibliographystyle{{plain}}\bibliography{{{out}/references}}
\end{{document}}
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same measured, with figures, PDF and archive, which takes longer; the sample is one."""
    chosen = list(TURNS)[:: len(PAYLOADS) // 12] if EVERYTHING else [0]
    folders = [(turn, tmp_path_factory.mktemp(f"drawn-{turn}")) for turn in chosen]
    return [measured_results(folder, turn, STEP) for turn, folder in folders]


def test_figures_hold_no_element_of_a_study(drawn: list[Path]) -> None:
    """A figure is made of shapes and text alone, and is well-formed."""
    for out in drawn:
        figures = list((out / "figures").glob("*.svg"))
        assert figures
        for file in figures:
            for element in ElementTree.parse(file).iter():  # noqa: S314 - written a moment ago
                tag = element.tag.rpartition("}")[2]
                assert tag in SHAPES, (file, tag)
                assert not [name for name in element.attrib if name.startswith("on")]
                assert not [name for name in element.attrib if name.endswith("href")]


def test_the_pdf_has_no_actions(drawn: list[Path]) -> None:
    """The PDF runs nothing, opens nothing by itself, and links to the web only."""
    for out in drawn:
        with pikepdf.open(out / "report.pdf") as pdf:
            assert "/OpenAction" not in pdf.Root
            assert "/AA" not in pdf.Root
            for link in (a for page in pdf.pages for a in page.get("/Annots", [])):
                action = link.get("/A", {})
                assert action.get("/S", "/URI") in ("/URI", "/GoTo")
                assert str(action.get("/URI", "https:")).startswith(("https:", "http:"))
            names = {str(name) for name in pdf.attachments}
        assert names <= {*FILES}


def test_the_archive_is_unharmed(drawn: list[Path]) -> None:
    """An archive of a hostile study verifies; its pages for people hold no element and no link."""
    for out in drawn:
        members = unpack((out / "archive.crate.zip").read_bytes())
        assert all(re.fullmatch(r"[A-Za-z0-9._/-]+", name) for name in members)
        for name in ("README.md", "certificate.md"):
            text = members[name].decode()
            assert not re.search(r"(?<!\\)(<[a-zA-Z!/]|\]\()", text), name
            assert not [c for c in text if c != "\n" and visible(c) != c], name
        json.loads(members["ro-crate-metadata.json"])
