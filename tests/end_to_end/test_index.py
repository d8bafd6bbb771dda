"""The atlas of 200 studies in a real browser: searched, accessible, and whole without a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from atlas_of import write_reconciliations
from axe import troubles
from browsing import WIDTH, Open, watched
from playwright.sync_api import Browser, Page, expect

from reconcile.report.atlas import write_atlas

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas of 200 studies with 8 claims each, and in it one of a few."""
    folder = tmp_path_factory.mktemp("atlas")
    for out, studies in ((folder, 200), (folder / "few", 8)):
        write_atlas(write_reconciliations(out, studies, 8), out, {}, {})
    return folder


@pytest.fixture
def open_page(browser: Browser, results: Path) -> Iterator[Open]:
    """Open a page of the atlas; console errors and requests for anything else fail the test."""
    atlas = results.as_uri()
    with watched(browser, atlas, viewport={"width": 1280, "height": 800}) as open_it:
        yield lambda page="index.html", **settings: open_it(f"{atlas}/{page}", **settings)


@pytest.mark.parametrize("page", ["few/index.html", "few/claims/1.html"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(open_page: Open, page: str, width: int, scheme: str) -> None:
    """No violation of WCAG 2.2 AA or of best practice, and nothing that stays open."""
    opened = open_page(
        page, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    assert troubles(opened) == []


@pytest.mark.parametrize("page", ["index.html", "claims/1.html"])
@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_nothing_reaches_beyond_the_page(open_page: Open, page: str, width: int) -> None:
    """No horizontal scrolling."""
    opened = open_page(page, viewport={"width": width, "height": 800})
    assert opened.evaluate(WIDTH) <= width


def shown(page: Page) -> int:
    """How many studies are to be seen."""
    return page.locator("table.studies tbody tr:visible").count()


def test_finding_a_study(open_page: Open) -> None:
    """By words of its answer or paper in any order; by outcome, kind of number and year."""
    page = open_page()
    assert shown(page) == 200
    search = page.get_by_role("searchbox")
    search.fill("290400 s017")
    assert shown(page) == 1
    expect(page.get_by_role("status")).to_have_text("1 of 200 studies")
    search.fill("menabrea digits")
    assert shown(page) == 200
    page.get_by_role("combobox", name="Outcome").select_option("explained")
    assert shown(page) == 50
    page.get_by_role("combobox", name="Numbers of").select_option("neurons")
    page.get_by_role("combobox", name="Year").select_option("1990")
    assert 0 < shown(page) < 6
    search.fill("nobody has this word")
    assert shown(page) == 0
    expect(page.get_by_text("No study fits.")).to_be_visible()


def test_the_address_keeps_what_was_chosen(open_page: Open) -> None:
    """Whoever is given the address sees the same studies."""
    page = open_page()
    page.get_by_role("searchbox").fill("s01")
    page.get_by_role("combobox", name="Outcome").select_option("agree")
    before = shown(page)
    other = open_page(page.url.rpartition("/")[2])
    assert 0 < shown(other) == before < 200


def test_finding_a_claim(open_page: Open) -> None:
    """A printed number is found with or without separators; studies without a hit are gone."""
    page = open_page("claims/1.html")
    page.get_by_role("searchbox").fill("s007 2001")
    expect(page.locator("tbody tr:visible")).to_have_count(1)
    assert page.locator(".of-a-study:visible").count() == 1
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Verdict").select_option("contradicts")
    assert page.locator("tbody tr:visible").count() == page.locator(".of-a-study").count()


def test_rows_stay_a_table_on_a_phone(open_page: Open) -> None:
    """Cards are rows of a table to a screen reader."""
    page = open_page(viewport={"width": 390, "height": 800})
    assert page.get_by_role("row").count() == 201
    assert page.get_by_role("rowheader").first.inner_text().startswith("Study s000")


def test_everything_is_there_without_a_script(open_page: Open) -> None:
    """All studies are listed, and nothing is shown that would need one."""
    page = open_page(java_script_enabled=False)
    assert shown(page) == 200
    assert page.get_by_role("searchbox").count() == 0
    page.get_by_role("link", name="All claims").click()
    expect(page.locator("h1")).to_have_text("Claims")
    expect(page.locator("tbody tr")).to_have_count(1000)
