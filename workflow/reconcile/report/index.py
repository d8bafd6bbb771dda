"""The index: one page that links the report of every study with its one-line answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reconcile import __version__
from reconcile.errors import Fault, InputError
from reconcile.files import write_text
from reconcile.report.page import environment_of, fonts_css, policy_of

FONTS = ("ReconcileSans-Regular.woff2", "ReconcileSans-SemiBold.woff2")
STYLES = ("report.css", "index.css")


@dataclass(frozen=True)
class StudyLine:
    """What the index says about one study.

    Attributes:
        name: its folder under the results; the report is ``<name>/report.html``.
        title: its short name.
        paper: title, authors and year of the paper.
        question: what it settles.
        answer: the conclusion in one sentence, with its numbers.
        counts: claims, reproduced, explained, contradicted, interpretations, excluded, measured.
    """

    name: str
    title: str
    paper: dict[str, Any]
    question: str
    answer: str
    counts: dict[str, int]


def study_lines(reconciliations: Sequence[Path]) -> list[StudyLine]:
    """A line for each reconciliation, in the order given.

    Raises:
        InputError: a file is missing or is no reconciliation.
    """
    return [_line(file) for file in reconciliations]


def _line(file: Path) -> StudyLine:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        return StudyLine(
            name=read["study"],
            title=read["title"],
            paper=read["paper"],
            question=read["question"],
            answer=read["conclusion"]["answer"],
            counts=read["counts"],
        )
    except OSError as error:
        raise InputError(Fault(file, 0, "", f"cannot be read: {error.strerror}")) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(Fault(file, 0, "", "is no reconciliation; run `snakemake`")) from None


def render_index(reconciliations: Sequence[Path], templates: Path, out: Path) -> None:
    """Write the index page; the same reconciliations give the same bytes.

    Args:
        reconciliations: ``reconciliation.json`` of every study, in the order of the page.
        templates: the project's ``templates/``.
        out: the page; the reports lie beside it, in a folder a study.

    Raises:
        InputError: a reconciliation cannot be read, or the page cannot be written.
    """
    style = fonts_css(templates / "fonts", FONTS)
    style += "".join((templates / name).read_text(encoding="utf-8") for name in STYLES)
    page = environment_of(templates).get_template("index.html.jinja")
    studies = study_lines(reconciliations)
    text = page.render(
        version=__version__,
        studies=studies,
        claims=sum(study.counts["claims"] for study in studies),
        readings=sum(study.counts["interpretations"] for study in studies),
        # The style is the project's own file, and is named in the policy by digest.
        style=Markup(style),  # noqa: S704 - our own file
        policy=policy_of(style, ""),
    )
    write_text(out, text)
