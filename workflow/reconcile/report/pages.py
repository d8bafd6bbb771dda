"""Make pages from templates: the report's, for browsers and for paper, and a figure's.

A page fetches nothing: fonts, style and script are in it, and its policy allows no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reconcile import __version__, words
from reconcile.files import SCRIPTS, TEMPLATES
from reconcile.tables.contract import COUNTED_KINDS, FITS

Medium = Literal["screen", "paper"]
FONTS = {
    ("Reconcile Sans", 400, "normal"): "ReconcileSans-Regular.woff2",
    ("Reconcile Sans", 400, "italic"): "ReconcileSans-Italic.woff2",
    ("Reconcile Sans", 600, "normal"): "ReconcileSans-SemiBold.woff2",
    ("Reconcile Mono", 400, "normal"): "ReconcileMono-Regular.woff2",
    ("Reconcile Mono", 600, "normal"): "ReconcileMono-SemiBold.woff2",
}
STYLES: dict[Medium, str] = {"screen": "report.css", "paper": "print.css"}
_FILTERS = (
    *("argument_text", "beside", "count_of", "day", "digits", "listed", "mark_of"),
    *("mebibytes", "moment", "percent", "typeset"),
)


def render_page(context: dict[str, Any], medium: Medium) -> str:
    """The report as one HTML document, for browsers or for the PDF; ``context_of`` says what."""
    own = own_parts([STYLES[medium]], SCRIPTS if medium == "screen" else ())
    page = html_templates().get_template("report.html.jinja")
    return page.render(context | own, paper=medium == "paper")


def own_parts(
    styles: Iterable[str],
    scripts: Iterable[str] = (),
    fonts: Iterable[str] = tuple(FONTS.values()),
) -> dict[str, Any]:
    """What a page has in it: release, style, script, and the policy that allows no others.

    Style and script are files of the project, and are named in the policy by their digest.
    """
    style = fonts_css(fonts) + _content_of(styles)
    script = _content_of(scripts)
    return {
        "version": __version__,
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "policy": policy_of(style, script),
    }


def svg_page(svg: Markup, size: tuple[float, float], date: str) -> str:
    """A page of a drawing's own size in pixels, for write-ups, with a date in ISO 8601.

    ``report.pdf.figure_pdf`` gives it its fonts.
    """
    page = html_templates().get_template("figure.html.jinja")
    return page.render(svg=svg, width=f"{size[0]:g}", height=f"{size[1]:g}", date=date)


def render_explanation(context: Mapping[str, Any]) -> str:
    """What ``explain.ranking.page_context`` says, as one HTML document."""
    page = html_templates().get_template("explain.html.jinja")
    return page.render(context, **own_parts([STYLES["screen"]]))


@cache
def html_templates() -> Environment:
    """What renders the templates: escaped, and strict about names; it compiles each once."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(words, name) for name in _FILTERS}
    environment.filters["link"] = safe_link
    environment.globals |= {"MARKS": words.MARKS, "COUNTED_KINDS": COUNTED_KINDS, "FITS": FITS}
    return environment


def safe_link(url: str | None) -> str:
    """The address if it is one of the web, else nothing: a study's text is data."""
    return url if url and url.startswith(("https://", "http://")) else ""


def fonts_css(names: Iterable[str] = tuple(FONTS.values())) -> str:
    """The bundled fonts as data, so that no installed font is needed or used."""
    wanted, folder = set(names), TEMPLATES / "fonts"
    return "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
        f"src:url(data:font/woff2;base64,{base64.b64encode((folder / name).read_bytes()).decode()})"
        "}\n"
        for (family, weight, style), name in FONTS.items()
        if name in wanted
    )


def policy_of(style: str, script: str) -> str:
    """A Content-Security-Policy that allows this style and this script, and nothing else."""
    allowed = {"style-src": style, "script-src": script}
    rules = [
        f"{name} 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in allowed.items()
        if text
    ]
    return "; ".join(
        ["default-src 'none'", *rules, "font-src data:", "base-uri 'none'", "form-action 'none'"]
    )


def _content_of(names: Iterable[str]) -> str:
    return "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
