"""The atlas tells of every study that has results, in a line, and lists all their claims."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from atlas_of import reconciliation, write_reconciliations
from support import PROJECT

from reconcile.errors import InputError
from reconcile.files import write_json
from reconcile.report.atlas import CLAIMS_A_PAGE, Entry, claims_pages, entry_of, write_atlas
from reconcile.tables.contract import FAMILIES, OF_ALL, QUANTITIES
from reconcile.tables.rows import read_rows

TEMPLATES = PROJECT / "templates"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The folder of two studies' results, with their atlas."""
    write_atlas(write_reconciliations(tmp_path, 2), tmp_path, {}, {})
    return tmp_path


def index_of(results: Path) -> str:
    """The page of all studies."""
    return (results / "index.html").read_text(encoding="utf-8")


def entry(name: str, claims: int) -> Entry:
    """A study with so many claims."""
    read = reconciliation(name, claims=claims)
    rest = (read[key] for key in ("title", "paper", "question"))
    return Entry(name, *rest, "Yes.", "agree", read["counts"], tuple(read["claims"]))


def test_a_line_for_each_study(results: Path) -> None:
    """It has the answer, the outcome in words, what is printed and measured, and its report."""
    page = index_of(results)
    row = re.search(r'<tr id="study-s001".*?</tr>', page, re.DOTALL)
    assert row is not None
    assert "Study s001 agrees with its paper but for one number" in row[0]
    assert 'href="s001/report.html"' in row[0] and "Lovelace et al., 1990" in row[0]
    assert "†</span> explained" in row[0] and "3 of 4" in row[0]
    assert 'data-families="parameters|multiply-adds|neurons|other"' in row[0]
    assert "On &lt;digits&gt;" in row[0]


def test_studies_stand_by_title(tmp_path: Path) -> None:
    """Their order is the same whatever was run, and in whatever order."""
    files = write_reconciliations(tmp_path, 3)
    write_atlas(reversed(files), tmp_path, {}, {})
    page = index_of(tmp_path)
    assert re.findall(r'<tr id="study-(\w+)"', page) == ["s000", "s001", "s002"]
    write_atlas(files[1:2], tmp_path, {"s002": "", "s000": ""}, {})
    assert index_of(tmp_path) == page


def test_what_is_not_up_to_date_is_said(tmp_path: Path) -> None:
    """A note stands at a study, and what cannot be told of is named with the reason."""
    files = write_reconciliations(tmp_path, 2)
    write_json(tmp_path / "older" / "reconciliation.json", {"study": "older"})
    others = {"s001": "of an earlier version of its study", "older": ""}
    write_atlas(files[:1], tmp_path, others, {"cut": "its last run did not end"})
    page = " ".join(index_of(tmp_path).split())
    assert page.count("of an earlier version of its study") == 1
    assert "cut</span> (its last run did not end)" in page
    assert "older</span> (of another release)" in page


def test_every_claim_has_a_row(results: Path) -> None:
    """The table has each claim of each study once, with its address."""
    rows = read_rows(results / "claims.csv")
    assert tuple(rows[0]) == OF_ALL["claims.csv"].head()
    assert [(r["study"], r["claim"]) for r in rows[3:5]] == [
        ("s000", "claim-3"),
        ("s001", "claim-0"),
    ]
    assert rows[1] == {
        "study": "s000",
        "claim": "claim-1",
        "printed": "2,000",
        "value": "2000",
        "verdict": "contradicts",
        "reading": "paper",
        "measured": "2001",
        "address": "s000/report.html#claim-claim-1",
    }


def test_claims_lead_to_their_place(results: Path) -> None:
    """The page of claims shows the same numbers, and each leads to its address."""
    page = (results / "claims" / "1.html").read_text(encoding="utf-8")
    found = re.findall(r'href="\.\./(s\d+/report\.html#claim-[^"]+)"', page)
    assert found == [row["address"] for row in read_rows(results / "claims.csv")]
    assert "2,001</td>" in page and 'href="claims/1.html"' in index_of(results)


def test_pages_are_split_by_size() -> None:
    """Studies share a page as long as there is room; a larger one has pages of its own."""
    large = 2 * CLAIMS_A_PAGE + 1
    sizes = {"a": 400, "b": 500, "c": 200, "d": large, "e": 10}
    pages = claims_pages([entry(name, size) for name, size in sizes.items()])
    found = [[(study.name, len(claims)) for study, claims in page.parts] for page in pages]
    assert found == [
        [("a", 400), ("b", 500)],
        [("c", 200)],
        [("d", CLAIMS_A_PAGE)],
        [("d", CLAIMS_A_PAGE)],
        [("d", 1), ("e", 10)],
    ]
    assert [page.name for page in pages] == [f"{n}.html" for n in range(1, 6)]


def test_no_page_of_an_earlier_run_stays(results: Path) -> None:
    """What held claims that are gone is gone."""
    (results / "claims" / "7.html").write_text("old")
    write_atlas(write_reconciliations(results, 1), results, {}, {})
    assert [file.name for file in (results / "claims").iterdir()] == ["1.html"]


def test_two_hundred_studies_are_light(tmp_path: Path) -> None:
    """The index of 200 studies is under a megabyte, and fetches nothing."""
    write_atlas(write_reconciliations(tmp_path, 200), tmp_path, {}, {})
    page = index_of(tmp_path)
    assert len(page.encode()) < 1_000_000
    assert page.count("<tr id=") == 200
    assert not re.search(r"<(img|link|iframe)|<script src|url\((?!data:)", page)
    assert "default-src 'none'" in unescape(page)


def test_every_kind_of_number_is_of_quantities() -> None:
    """A kind names quantities that there are, each in one kind, and leaves none out."""
    named = [quantity for names in FAMILIES.values() for quantity in names]
    assert len(named) == len(set(named)) and set(named) == set(QUANTITIES)


NO_RECONCILIATIONS = [
    {},
    [],
    reconciliation("a", outcome="other"),
    reconciliation("a") | {"claims": [{}]},
]


@pytest.mark.parametrize("content", NO_RECONCILIATIONS)
def test_what_is_no_reconciliation(tmp_path: Path, content: object) -> None:
    """A file that is something else, or of another release, is named in one line."""
    file = tmp_path / "reconciliation.json"
    write_json(file, content)
    with pytest.raises(InputError, match="is no reconciliation of this release"):
        entry_of(file)
