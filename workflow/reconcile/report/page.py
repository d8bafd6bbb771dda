"""Render the report's HTML: for the browser, and for the PDF from the same templates."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reconcile import __version__, words
from reconcile.cite.bibliography import AUTHORS, bibtex, to_cite
from reconcile.report.claims import claim_views
from reconcile.report.figures.drawings import drawings
from reconcile.report.figures.neurons import MOST_LAYERS, layer_claims
from reconcile.report.findings import evidence_views, search_views, self_checks
from reconcile.report.matrix import matrix_of
from reconcile.report.provenance import data_files, facts
from reconcile.report.read import Results
from reconcile.report.readings import reading_views
from reconcile.report.sweep import sweep_view
from reconcile.study.config import ReportOptions

Medium = Literal["screen", "paper"]
FONTS = {
    ("Reconcile Sans", 400, "normal"): "ReconcileSans-Regular.woff2",
    ("Reconcile Sans", 400, "italic"): "ReconcileSans-Italic.woff2",
    ("Reconcile Sans", 600, "normal"): "ReconcileSans-SemiBold.woff2",
    ("Reconcile Mono", 400, "normal"): "ReconcileMono-Regular.woff2",
    ("Reconcile Mono", 600, "normal"): "ReconcileMono-SemiBold.woff2",
}
SECTIONS = {
    "answer": "The answer",
    "picture": "How the first layer walks over its input",
    "matrix": "Claims and readings",
    "conflicts": "Claims that exclude each other",
    "sweep": "The sweep",
    "reasons": "The reasons",
    "layers": "Layer by layer",
    "ranking": "Ranking",
    "evidence": "Evidence",
    "consistency": "The paper against itself",
    "searches": "Searches",
    "undecided": "What could not be decided",
    "claims": "The claims",
    "interpretations": "The interpretations",
    "measuring": "How it was measured",
    "verify": "How to verify it",
    "limits": "What this does not certify",
    "cite": "How to cite",
}
FILTERS = (
    *("count_of", "day", "digits", "listed", "milliseconds"),
    *("moment", "percent", "typeset"),
)
STYLES: dict[Medium, str] = {"screen": "report.css", "paper": "print.css"}


def render_page(templates: Path, context: Mapping[str, Any], medium: Medium) -> str:
    """The report as one HTML document that fetches nothing.

    Args:
        templates: folder of the templates.
        context: what the report says, from ``context_of``.
        medium: "screen" for browsers, "paper" for the PDF.
    """
    style = fonts_css(templates / "fonts") + (templates / STYLES[medium]).read_text(
        encoding="utf-8"
    )
    script = (templates / "report.js").read_text(encoding="utf-8") if medium == "screen" else ""
    page = environment_of(templates).get_template("report.html.jinja")
    # The style and the script are the project's own files, and are named in the policy by digest.
    return page.render(
        context,
        paper=medium == "paper",
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy_of(style, script),
    )


def environment_of(templates: Path) -> Environment:
    """What renders the templates: escaped, and strict about names."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(words, name) for name in FILTERS}
    environment.filters["link"] = safe_link
    environment.globals["MARKS"] = words.MARKS
    return environment


def safe_link(url: str | None) -> str:
    """The address if it is one of the web, else nothing: a study's text is data."""
    return url if url and url.startswith(("https://", "http://")) else ""


def fonts_css(folder: Path, names: Iterable[str] = tuple(FONTS.values())) -> str:
    """The bundled fonts as data, so that no installed font is needed or used."""
    wanted = set(names)
    return "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
        f"src:url(data:font/woff2;base64,{_base64(folder / name)})}}\n"
        for (family, weight, style), name in FONTS.items()
        if name in wanted
    )


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def policy_of(style: str, script: str) -> str:
    """A Content-Security-Policy that allows this style and this script, and nothing else."""
    allowed = {"style-src": style, "script-src": script}
    digests = {
        name: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in allowed.items()
        if text
    }
    rules = [f"{name} {digest}" for name, digest in digests.items()]
    return "; ".join(
        ["default-src 'none'", *rules, "font-src data:", "base-uri 'none'", "form-action 'none'"]
    )


def context_of(results: Results, options: ReportOptions) -> dict[str, Any]:
    """Everything that the templates use."""
    most = options.max_readings
    claims, evidence = claim_views(results, most), evidence_views(results)
    context = {
        "version": __version__,
        "authors": AUTHORS,
        "study": results.study,
        "name": results.name,
        "rec": results.reconciliation,
        "record": results.record,
        "chosen": results.chosen,
        "connections": any("connections" in claim.expression for claim in results.study.claims),
        "claims": claims,
        "matrix": matrix_of(results, claims, most),
        "layer_claims": layer_claims(results)[:MOST_LAYERS],
        "readings": reading_views(results, most),
        "shown": [entry["interpretation"] for entry in results.shown(most)],
        "sweep": sweep_view(results),
        "figures": drawings(results, most),
        "evidence": evidence,
        "failing": sum(view.fails for view in evidence),
        "unjudged": _unjudged(results.reconciliation["counts"]),
        "unmeasured": [
            r for r in results.table("totals") if not r["status"].startswith("measured")
        ],
        "self_checks": self_checks(results),
        "slips": search_views(results, "slips"),
        "geometries": search_views(results, "geometries"),
        "facts": facts(results.record),
        "data": {file.name: file for file in data_files(results)},
        "bibliography": bibtex(to_cite(results.study, results.name)),
        "on_meta": sum(r["status"] == "measured-on-meta" for r in results.table("totals")),
        "checked_by": options.checked_by,
        "orcid": options.orcid,
        "most": most,
    }
    return {**context, "titles": _titles(context)}


def _unjudged(counts: Mapping[str, int]) -> int:
    """Claims about which the reading that ranks first says nothing."""
    judged = ("reproduced", "explained", "contradicted")
    return counts["claims"] - sum(counts[name] for name in judged)


def _titles(context: Mapping[str, Any]) -> dict[str, str]:
    """The sections that have something to say, by anchor."""
    figures = context["figures"]
    there = {
        "picture": "windows" in figures,
        "sweep": context["sweep"] is not None,
        "layers": bool({*figures} - {"windows", "sweep"}),
        "evidence": bool(context["evidence"]),
        "consistency": bool(context["self_checks"]),
        "searches": bool(context["slips"] or context["geometries"]),
        "undecided": bool(context["rec"]["conclusion"]["undecided"]),
    }
    titles = {name: title for name, title in SECTIONS.items() if there.get(name, True)}
    if not there["picture"]:
        # Without a picture to explain the answer, the reasons follow it at once.
        titles = {name: titles.pop(name) for name in ("answer", "reasons")} | titles
    return titles
