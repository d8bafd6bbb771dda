"""Pages are complete in themselves; the index links every study's report with its answer."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from support import PROJECT

from reconcile.errors import InputError
from reconcile.files import write_json
from reconcile.report.pages import render_index, safe_link

TEMPLATES = PROJECT / "templates"
COUNTS = {
    "claims": 4,
    "reproduced": 3,
    "explained": 0,
    "contradicted": 1,
    "interpretations": 1200,
    "excluded": 2,
    "measured": 1200,
}


def _reconciliation(folder: Path, name: str, answer: str = "Yes.") -> Path:
    file = folder / name / "reconciliation.json"
    paper = {"title": "On <digits>", "authors": ["A", "B", "C", "D"], "year": 1998}
    content = {
        "study": name,
        "title": f"Study {name}",
        "paper": paper,
        "question": "Is it?",
        "conclusion": {"answer": answer},
        "counts": COUNTS,
    }
    write_json(file, content)
    return file


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The page of two studies."""
    files = [_reconciliation(tmp_path, name) for name in ("b", "a")]
    render_index(files, TEMPLATES, tmp_path / "index.html")
    return (tmp_path / "index.html").read_text(encoding="utf-8")


def test_studies_in_the_order_of_the_configuration(page: str) -> None:
    """Each study links its report and its PDF, in the order in which they were given."""
    links = re.findall(r'href="([^"]+)"', page)
    assert links == [
        *("b/report.html", "b/report.html", "b/report.pdf"),
        *("a/report.html", "a/report.html", "a/report.pdf"),
    ]


def test_answers_and_counts(page: str) -> None:
    """The one-line answer stands there with the counts, numbers grouped, authors shortened."""
    assert "Yes." in page and "1,200</dd>" in page and "2 excluded by evidence" in page
    assert "A et al., <cite>On &lt;digits&gt;</cite>" in page
    assert "2 studies: 8 printed numbers held against 2,400 interpretations" in page


def test_self_contained_and_light(page: str) -> None:
    """It fetches nothing, runs nothing, and stays small."""
    assert not re.search(r"<(script|img|link|iframe)|url\((?!data:)", page)
    assert "default-src 'none'" in unescape(page)
    assert len(page) < 120_000


def test_same_input_same_bytes(tmp_path: Path) -> None:
    """There is no time in it, and no order but the given one."""
    files = [_reconciliation(tmp_path, "a")]
    for name in ("one.html", "two.html"):
        render_index(files, TEMPLATES, tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2, section 3)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_marks_stand_out_from_what_is_behind_them(scheme: int) -> None:
    """No tool judges glyphs: their colours have a contrast of 4.5 on each ground they stand on."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    palettes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", palettes[scheme]))
    grounds = {
        "paper": ("ink", "muted", "accent", "good", "bad", "slip"),
        "wash": ("ink", "muted", "accent", "good", "bad", "slip"),
        "bad-wash": ("bad",),
        "slip-wash": ("slip",),
    }
    for ground, marks in grounds.items():
        for mark in marks:
            pair = sorted(luminance(colours[name]) for name in (ground, mark))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ground, mark)


@pytest.mark.parametrize("content", ["{}", "nonsense", "[]"])
def test_what_is_no_reconciliation(tmp_path: Path, content: str) -> None:
    """A file that is something else is named in one line."""
    file = tmp_path / "reconciliation.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="is no reconciliation"):
        render_index([file], TEMPLATES, tmp_path / "index.html")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host", "", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    """Whatever a study got past its schema is no link here."""
    assert safe_link(url) == ""
