"""The atlas: every study that has results in one table, and all their claims.

``index.html`` has a line for each study, ``claims.csv`` and the pages of ``claims/`` a row for each
claim. They are made of the studies' reconciliations alone: the same results give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reconcile.cite.bibliography import family_of
from reconcile.errors import InputError
from reconcile.files import keep_only, staged, write_text
from reconcile.report.pages import html_templates, own_parts
from reconcile.tables.contract import FAMILIES, OF_ALL, OTHER_FAMILY, STUDY_OUTCOMES, head_of
from reconcile.tables.rows import Csv, Row
from reconcile.words import beside

INDEX, CLAIMS, PAGES = OF_ALL
FONTS = (
    *("ReconcileSans-Regular.woff2", "ReconcileSans-SemiBold.woff2"),
    "ReconcileMono-Regular.woff2",
)
STYLES = ("report.css", "index.css")
CLAIMS_A_PAGE = 1000
"""A page ends with the study that reaches them; a larger study has pages of its own."""
_OF_A_STUDY = ("study", "title", "paper", "question", "counts", "outcome")
_OF_A_CLAIM = {"id", "printed", "said", "value", "verdict", "interpretation", "measured"}
_FAMILY_OF = {quantity: family for family, names in FAMILIES.items() for quantity in names}
_CALLED = re.compile(r"\b([a-z_]+)\(")


@dataclass(frozen=True)
class Entry:
    """A study as the atlas tells it.

    Attributes:
        name: of its folder.
        title: its short name.
        paper: the bibliography.
        question: what it settles.
        answer: what it concludes, in a sentence.
        outcome: one of ``STUDY_OUTCOMES``.
        counts: how many claims and readings it has, and what became of them.
        claims: its claims, each with the verdict that tells of it.
        note: what should be known of these results; empty of those that are up to date.
    """

    name: str
    title: str
    paper: Mapping[str, Any]
    question: str
    answer: str
    outcome: str
    counts: Mapping[str, int]
    claims: tuple[Mapping[str, Any], ...]
    note: str = ""

    @property
    def authors(self) -> str:
        """The authors as a list of references calls them: by family names, two at most."""
        families = [family_of(name) for name in self.paper["authors"]]
        return " and ".join(families) if len(families) < 3 else f"{families[0]} et al."  # noqa: PLR2004

    @property
    def families(self) -> list[str]:
        """The kinds of its numbers, in the order of the contract."""
        counts = (claim["countings"][0]["count"] for claim in self.claims)
        found = {family for count in counts for family in _families(count)}
        return [family for family in (*FAMILIES, OTHER_FAMILY) if family in found]


def _families(count: str) -> set[str]:
    asked = {_FAMILY_OF[name] for name in _CALLED.findall(count) if name in _FAMILY_OF}
    return asked or {OTHER_FAMILY}


def entry_of(reconciliation: Path, note: str = "") -> Entry:
    """The study of a reconciliation.

    Raises:
        InputError: the file cannot be read, or is no reconciliation of this release.
    """
    try:
        read = json.loads(reconciliation.read_text(encoding="utf-8"))
        name, title, paper, question, counts, outcome = (read[key] for key in _OF_A_STUDY)
        answer = read["conclusion"]["answer"]
        claims = tuple(read["claims"])
        if outcome not in STUDY_OUTCOMES or any(
            key not in c for c in claims for key in _OF_A_CLAIM
        ):
            raise ValueError
        return Entry(name, title, paper, question, answer, outcome, counts, claims, note)
    except OSError as error:
        raise InputError.of(reconciliation, f"cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        message = "is no reconciliation of this release; run `snakemake`"
        raise InputError.of(reconciliation, message) from None


def write_atlas(
    reconciliations: Iterable[Path],
    out: Path,
    others: Mapping[str, str],
    unlisted: Mapping[str, str],
) -> None:
    """Write ``index.html``, ``claims.csv`` and ``claims/``.

    Args:
        reconciliations: of the studies that were run, in any order.
        out: the folder of results; the reports lie in it, in a folder a study.
        others: further studies with results, each with a note on them or none.
        unlisted: studies that have something there and cannot be told of, each with why not.

    Raises:
        InputError: a reconciliation cannot be read, or something cannot be written.
    """
    entries, left_out = [entry_of(file) for file in reconciliations], dict(unlisted)
    for name, note in others.items():
        try:
            entries.append(entry_of(out / name / "reconciliation.json", note))
        except InputError:
            left_out[name] = "of another release"
    studies = sorted(entries, key=lambda entry: (entry.title.casefold(), entry.name))
    _write_claims(studies, out / CLAIMS)
    write = partial(_write_page, own_parts(STYLES, ["index.js"], FONTS))
    pages = claims_pages(studies)
    written = [
        write("claims.html.jinja", out / PAGES / page.name, page=page, pages=pages, beside=beside)
        for page in pages
    ]
    keep_only(out / PAGES, written, (".html",))
    families = [*FAMILIES, OTHER_FAMILY]
    told = {"studies": studies, "families": families, "pages": pages, "unlisted": left_out}
    write("index.html.jinja", out / INDEX, **told)


def _write_claims(studies: Iterable[Entry], out: Path) -> None:
    with staged(out) as part:
        table = Csv(part, head_of(CLAIMS), out)
        for entry in studies:
            table.add(claim_rows(entry))
        table.close()


def claim_rows(entry: Entry) -> list[Row]:
    """The rows of claims.csv of a study."""
    return [
        {
            "study": entry.name,
            "claim": claim["id"],
            "printed": claim["printed"],
            "value": claim["value"],
            "verdict": claim["verdict"],
            "reading": claim["interpretation"],
            "measured": claim["measured"],
            "address": f"{entry.name}/report.html#claim-{claim['id']}",
        }
        for claim in entry.claims
    ]


@dataclass(frozen=True)
class ClaimsPage:
    """Claims that stand on one page.

    Attributes:
        name: of its file.
        parts: studies with those of their claims that stand here.
    """

    name: str
    parts: tuple[tuple[Entry, tuple[Mapping[str, Any], ...]], ...]

    @property
    def title(self) -> str:
        """Which studies it holds."""
        first, last = (self.parts[i][0].title for i in (0, -1))
        return first if first == last else f"{first} … {last}"


def claims_pages(studies: Sequence[Entry]) -> list[ClaimsPage]:
    """The claims of studies, split by size: whole studies share a page as long as there is room."""
    pages: list[list[tuple[Entry, tuple[Mapping[str, Any], ...]]]] = []
    room = 0
    for study in studies:
        for first in range(0, len(study.claims), CLAIMS_A_PAGE):
            some = study.claims[first : first + CLAIMS_A_PAGE]
            if len(some) > room:
                pages.append([])
                room = CLAIMS_A_PAGE
            pages[-1].append((study, some))
            room -= len(some)
    return [ClaimsPage(f"{n}.html", tuple(parts)) for n, parts in enumerate(pages, start=1)]


def _write_page(shared: Mapping[str, Any], template: str, out: Path, **context: Any) -> Path:
    """Write a page from its template, with the style and script that all share."""
    write_text(out, html_templates().get_template(template).render(shared, **context))
    return out
