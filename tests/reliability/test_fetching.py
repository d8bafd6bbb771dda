"""The renderer reads nothing but its templates: a reference to anything else fails the build."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from report_support import html_of, tiny_results

from reconcile.errors import InputError
from reconcile.report.pages import fonts_css, html_templates
from reconcile.report.pdf import figure_pdf, pdf_of

DATE = "2031-02-03T04:05:06+00:00"
REFERENCES = {
    "http://far.invalid/x.png": '<img src="{}" alt="">',
    "https://far.invalid/x.css": '<link rel="stylesheet" href="{}">',
    "http://far.invalid/y.css": "<style>@import url({});</style>",
    "http://far.invalid/z.png": "<style>body{{background:url({})}}</style>",
    "http://far.invalid/f.woff2": "<style>@font-face{{font-family:F;src:url({})}}"
    "body{{font-family:F}}</style>",
    "file:///etc/passwd": '<img src="{}" alt="">',
    "file:///etc/hostname": '<object data="{}"></object>',
    "ftp://far.invalid/x.svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}" '
    'width="9" height="9"/></svg>',
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_to_anything_else_fails_the_build(tmp_path: Path, reference: str) -> None:
    """A page that refers to a file or an address makes no PDF, and the reference is named."""
    element = REFERENCES[reference].format(reference)
    html = f"<!doctype html><html lang='en'><title>x</title><body><p>x</p>{element}</body></html>"
    with pytest.raises(InputError, match=re.escape(reference)) as failed:
        pdf_of(html, tmp_path, DATE)
    assert "\n" not in str(failed.value)


def test_a_figure_may_not_refer_to_anything_either() -> None:
    """Nor does a figure that is made into a PDF of its own."""
    image = '<image href="file:///etc/passwd" width="9" height="9"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{image}</svg>'
    with pytest.raises(InputError, match="file:///etc/passwd"):
        figure_pdf(svg, fonts_css())


@pytest.mark.parametrize("name", ["/etc/passwd", "../config.yaml", "../../etc/passwd"])
def test_templates_come_from_their_folder(name: str) -> None:
    """A template is looked up in templates/ and nowhere else."""
    from jinja2 import TemplateNotFound

    with pytest.raises(TemplateNotFound):
        html_templates().get_template(name)


def test_the_page_names_nothing_to_fetch(tmp_path: Path) -> None:
    """The page for browsers loads nothing: all its sources are data, and its policy says so."""
    html = html_of(tiny_results(tmp_path))
    assert "default-src 'none'" in unescape(html)
    for reference in re.findall(r"(?:src=\"|url\()([^\")]*)", html):
        assert reference.startswith("data:"), reference
