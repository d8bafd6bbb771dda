"""Where each file lies in an archive, and which of them are the record of one run.

README.md, certificate.md     for people
ro-crate-metadata.json        for machines
SHA256SUMS                    every other file's hash
study/                        study.yaml, network.py and what else the study's folder holds
results/                      what any run of this study and code gives, byte for byte
record/                       what is true of this run only, and what is drawn from it
code/                         the workflow, its configuration and its locked environment
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from reconcile.archiving.manifest import MANIFEST
from reconcile.cite import CITATION_FILES
from reconcile.columns import FIGURES, RECORD_FILES, TABLES

__all__ = [
    "CERTIFICATE",
    "CORE",
    "FIGURE_FILES",
    "METADATA",
    "README",
    "REPRODUCIBLE",
    "REQUIRED",
    "RESULT_FILES",
    "WRITTEN_BY",
    "has_place",
    "member_of",
    "result_name",
]

README = "README.md"
CERTIFICATE = "certificate.md"
METADATA = "ro-crate-metadata.json"

REPRODUCIBLE = ("study/", "results/", "code/")
"""The parts that two runs of one study and code have in common, byte for byte."""

WRITTEN_BY = {
    **dict.fromkeys(("interpretations.json", "settings.json"), "instantiate"),
    **dict.fromkeys(("layers.csv", "totals.csv", "coverage.csv", "windows.csv"), "measure"),
    **dict.fromkeys(RECORD_FILES, "measure"),
    "consistency.csv": "check_paper",
    **dict.fromkeys(("countings.csv", "verdicts.csv", "evidence.csv"), "reconcile"),
    "reconciliation.json": "reconcile",
    **dict.fromkeys(("slips.csv", "geometries.csv"), "search"),
    **dict.fromkeys(("report.html", "figures", *CITATION_FILES), "render_report"),
    "report.pdf": "render_pdf",
}
"""The rule behind each file of ``results/<study>/``; the name may go on (``measure_batch``)."""

RESULT_FILES = tuple(name for name in WRITTEN_BY if name != "figures")
"""What every archive holds of ``results/<study>/``, besides the figures."""
FIGURE_FILES = tuple(f"figures/{name}.{form}" for name in FIGURES for form in ("svg", "pdf"))
"""What it holds of them, where the report has them."""

# A PDF has a date in it; reports and these figures show latencies.
_DRAWN_FROM_RECORD = ("report.html", "report.pdf", "figures/*.pdf", "figures/latency*")


def member_of(result: str) -> str:
    """Where a file of ``results/<study>/`` lies in the archive."""
    drawn = any(fnmatchcase(result, pattern) for pattern in _DRAWN_FROM_RECORD)
    return f"{'record' if drawn or result in RECORD_FILES else 'results'}/{result}"


def result_name(member: str) -> str | None:
    """The inverse of ``member_of``; None for what is no result."""
    part, _, name = member.partition("/")
    return name if part in ("results", "record") and name else None


_ON_TOP = (README, CERTIFICATE, METADATA, MANIFEST)
_FREE = ("study", "code")


def has_place(member: str) -> bool:
    """Whether the layout has a place for a file; an archive of any release holds no other.

    The results of both parts are read from one folder: a file in the wrong part would stand there
    for the one in the right part. A name that a release has written stays known.
    """
    part, _, name = member.partition("/")
    if not name:
        return member in _ON_TOP
    known = name in (*RESULT_FILES, *FIGURE_FILES)
    return part in _FREE or (known and member_of(name) == member)


REQUIRED = (
    README,
    CERTIFICATE,
    METADATA,
    "study/study.yaml",
    *(member_of(name) for name in RESULT_FILES),
)
"""What this release archives."""

CORE = (
    *(README, CERTIFICATE, METADATA, "study/study.yaml"),
    *map(member_of, ("interpretations.json", "layers.csv", "totals.csv", "verdicts.csv")),
    *map(member_of, ("reconciliation.json", "numbers.tex", "record.json")),
)
"""Without these an archive is none, whatever release wrote it."""

assert set(TABLES) <= set(RESULT_FILES)  # noqa: S101 - every table of the contract is archived
