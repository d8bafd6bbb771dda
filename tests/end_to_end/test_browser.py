"""The report in a real browser: accessible, within its width, and working."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import troubles
from browsing import UNFOLD, WIDTH, Open, watched
from playwright.sync_api import Browser, expect
from projects import snakemake, told
from support import PROJECT

from reconcile.report.calculator import LookupTable, looked_up, numbers_of
from reconcile.report.views import read_results
from reconcile.study.load import load_study
from reconcile.study.printed import parse_printed

pytestmark = pytest.mark.slow

MODULES = PROJECT / "tools" / "node_modules"
DIGITS = {
    "matches": "exact",
    "matches-rounded": "rounded",
    "matches-truncated": "cut",
    "matches-zeros": "if its last zeros are no digits",
}
CLIPBOARD = """
Object.defineProperty(navigator, "clipboard", {value: {
  writeText: async (text) => { window.copied = text; },
}});
"""


@pytest.fixture
def open_report(browser: Browser, rendered: Path) -> Iterator[Open]:
    """Open the report; console errors and requests for anything else fail the test."""
    report = (rendered / "report.html").as_uri()
    usual = {"viewport": {"width": 1100, "height": 800}, "reduced_motion": "reduce"}
    with watched(browser, report, **usual) as open_page:
        yield lambda anchor="", **settings: open_page(f"{report}{anchor}", CLIPBOARD, **settings)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390])
def test_axe_finds_nothing(open_report: Open, width: int, scheme: str) -> None:
    """No violation of WCAG 2.2 AA or of best practice, and no contrast that stays open."""
    page = open_report(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    page.evaluate(UNFOLD)
    assert troubles(page) == []


@pytest.mark.parametrize("width", [1440, 1280, 1100, 768, 390, 320])
def test_nothing_reaches_beyond_the_page(open_report: Open, width: int) -> None:
    """No horizontal scrolling of the page, whatever is open."""
    page = open_report(viewport={"width": width, "height": 800})
    page.evaluate(UNFOLD)
    assert page.evaluate(WIDTH) <= width


@pytest.mark.parametrize("width", [1280, 1100])
def test_the_matrix_needs_no_scrolling_on_a_desktop(open_report: Open, width: int) -> None:
    """All readings of all claims are in view at once."""
    page = open_report(viewport={"width": width, "height": 800})
    scroll = page.locator("#matrix > .scroll")
    assert scroll.evaluate("e => e.scrollWidth - e.clientWidth") <= 1


def test_a_phone_shows_every_cell_of_the_matrix(open_report: Open, rendered: Path) -> None:
    """A row is a claim and its marks, each of which leads on and can be hit with a thumb."""
    page = open_report(viewport={"width": 390, "height": 800})
    page.evaluate("document.querySelectorAll('#matrix details').forEach(d => { d.open = true; })")
    cells = page.locator("table.matrix td[data-label] a")
    counts = json.loads((rendered / "reconciliation.json").read_text())["counts"]
    assert cells.count() == counts["claims"] * counts["interpretations"]
    boxes = cells.evaluate_all("all => all.map(e => e.getBoundingClientRect())")
    assert max(box["right"] for box in boxes) <= 390
    assert min(min(box["width"], box["height"]) for box in boxes) >= 24
    assert page.locator("table.matrix").first.get_attribute("role") == "table"


def test_sorting(open_report: Open) -> None:
    """A button in the header sorts, says so, and turns the order when pressed again."""
    page = open_report()
    header = page.locator("table.ranking th", has_text="Interpretation")
    names = page.locator("table.ranking tbody th")
    before = names.all_inner_texts()
    by_name = sorted(before, key=lambda text: text.splitlines()[0])
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert names.all_inner_texts() == by_name
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    expect(page.locator("#status")).to_contain_text("descending")
    number = page.locator("table.ranking th", has_text="Rank")
    number.get_by_role("button").click()
    assert names.all_inner_texts() == before


@pytest.mark.parametrize(("width", "screens"), [(1280, 14), (390, 24)])
def test_the_page_is_short(open_report: Open, width: int, screens: int) -> None:
    """With nothing unfolded it can be read through, on a desk and on a phone."""
    page = open_report(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollHeight") <= screens * 800


def test_the_first_screen_answers(open_report: Open) -> None:
    """Question, answer and hedge are in view at once, and the picture has begun."""
    page = open_report(viewport={"width": 1280, "height": 800})
    for part in (".question", ".verdict-line", ".hedge", "#picture-title"):
        box = page.locator(part).bounding_box()
        assert box is not None and box["y"] + box["height"] < 800, part


def test_a_phone_shows_a_claim_in_two_lines(open_report: Open) -> None:
    """The claim with its number, and a mark for each reading."""
    page = open_report(viewport={"width": 390, "height": 800})
    rows = page.locator("#matrix > .scroll table.matrix tbody tr")
    heights = rows.evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
    assert len(heights) > 3 and max(heights) < 75


def test_a_cell_says_how_it_was_counted(open_report: Open) -> None:
    """Following a cell opens its verdict, with the digits and the counting of the claim."""
    page = open_report()
    page.locator("a[data-claim='conv1'][data-reading='ceil']").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("conv1 under ceil")
    expect(dialog).to_contain_text("Measured 290,400, printed 253,440")
    expect(dialog).to_contain_text("neurons of conv1")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


LOOKED_UP = ("290,400", "253,440", "60M", "650,000", "0.7 G", "1%", "~61 million", "2^12", "43264")


@pytest.fixture(scope="module")
def numbers(rendered: Path) -> LookupTable:
    """What the library counts in the readings that the report shows."""
    results = read_results(load_study(PROJECT / "studies" / "alexnet"), rendered)
    return numbers_of(results, [e["interpretation"] for e in results.shown(24)])


@pytest.mark.parametrize("typed", LOOKED_UP)
def test_the_calculator_says_what_the_library_says(
    open_report: Open, numbers: LookupTable, typed: str
) -> None:
    """What is counted, its expression, its digits and how many there are: in the order of both."""
    hits = looked_up(numbers, parse_printed(typed))
    page = open_report()
    page.get_by_label("A number, as a paper prints it").fill(typed)
    outcome = page.locator("#numbers .outcome")
    if not hits:
        expect(outcome).to_contain_text(f"Nothing that was counted gives {typed}. Nearest: ")
        assert page.locator("table.found").count() == 0
        return
    expect(outcome).to_contain_text(f"{len(hits):,} way{'s' if len(hits) > 1 else ''} give")
    rows = page.locator("table.found tbody tr").evaluate_all(
        "all => all.map(row => [...row.cells].slice(0, 4).map(cell => cell.textContent))"
    )
    wanted = [[h.counted.says, h.counted.expression, h.value, DIGITS[h.fit]] for h in hits[:25]]
    assert [[*row[:2], row[3]] for row in rows] == [[*row[:2], row[3]] for row in wanted]
    for row, (_, _, value, _) in zip(rows, wanted, strict=True):
        assert float(row[2].replace(",", "")) == pytest.approx(float(value), rel=1e-5)


def test_the_calculator_by_keyboard(open_report: Open) -> None:
    """The field has its name, what is found is told without leaving it, and the table has one."""
    page = open_report()
    field = page.get_by_role("textbox", name="A number, as a paper prints it")
    field.focus()
    page.keyboard.type("4096")
    page.keyboard.press("Enter")
    outcome = page.locator("#numbers").get_by_role("status")
    expect(outcome).to_contain_text("ways give 4096")
    assert field.evaluate("e => e === document.activeElement")
    expect(page.get_by_role("table", name="What gives 4096")).to_be_visible()
    field.fill("290,400")
    expect(page.get_by_role("table", name="What gives 290,400")).to_be_visible()
    link = page.locator("table.found a.id").first
    target = str(link.get_attribute("href"))
    link.click()
    expect(page.locator(target)).to_be_in_viewport()
    field.fill("many")
    expect(outcome).to_have_text("“many” is no number as papers print them.")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("4.096")
    expect(outcome).to_contain_text("may be 4,096 too")
    field.fill("")
    expect(outcome).to_have_text("")
    assert field.get_attribute("aria-invalid") == "false"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390])
def test_what_was_looked_up_is_accessible(open_report: Open, width: int, scheme: str) -> None:
    """As the rest of the page is, and within its width."""
    page = open_report(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    page.get_by_label("A number, as a paper prints it").fill("650,000")
    expect(page.locator("table.found")).to_be_visible()
    assert page.evaluate(WIDTH) <= width
    assert troubles(page, "#numbers") == []


def test_copying_a_link(open_report: Open) -> None:
    """The button at a claim copies its address, and the reference can be copied too."""
    page = open_report("#claim-conv1")
    page.get_by_role("button", name="Copy link to claim conv1", exact=True).click()
    assert str(page.evaluate("window.copied")).endswith("report.html#claim-conv1")
    expect(page.locator("#status")).to_have_text("Link to claim-conv1 copied")
    page.get_by_role("button", name="Copy reference").click()
    assert "@misc{reconcile-alexnet" in page.evaluate("window.copied")


def test_links_unfold_what_they_lead_to(open_report: Open) -> None:
    """On load, when followed, when followed again after it was folded, and for what lies within."""
    page = open_report("#interpretation-ceil")
    article = page.locator("#interpretation-ceil")
    expect(article).to_be_in_viewport()
    assert article.locator("details").first.evaluate("e => e.open")
    page.goto(page.url.replace("interpretation-ceil", "claim-conv1"))
    folded = page.locator("#claim-conv1 > details")
    expect(page.locator("#claim-conv1 blockquote")).to_be_in_viewport()
    folded.evaluate("e => { e.open = false; }")
    page.locator("#conflicts a", has_text="conv1").first.click()
    expect(page.locator("#claim-conv1 blockquote")).to_be_in_viewport()
    page.goto(page.url.replace("claim-conv1", "verdict-conv2-1"))
    expect(page.locator("[id='verdict-conv2-1']")).to_be_in_viewport()


def test_paper_folds_nothing(open_report: Open) -> None:
    """What the browser prints has everything, and the page is as it was afterwards."""
    page = open_report()
    closed = "document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(closed)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert before > 0 and page.evaluate(closed) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(closed) == before


def test_downloads(open_report: Open, rendered: Path) -> None:
    """The data behind a table is saved from the page itself."""
    page = open_report()
    with page.expect_download() as saved:
        page.locator("#matrix .data a", has_text="verdicts.csv").click()
    assert saved.value.suggested_filename == "verdicts.csv"
    assert saved.value.path().read_bytes() == (rendered / "verdicts.csv").read_bytes()


def test_an_address_is_unfolded_without_a_script(open_report: Open) -> None:
    """Whoever opens the address of a claim reads it at once."""
    page = open_report("#claim-conv1", java_script_enabled=False)
    expect(page.locator("#claim-conv1 blockquote")).to_be_visible()
    expect(page.locator("#claim-conv2 blockquote")).to_be_hidden()


def test_citing_a_number(open_report: Open) -> None:
    """A line says what is printed and measured, and where; a button copies it."""
    page = open_report("#claim-conv1")
    page.locator("#claim-conv1 .cited button").click()
    copied = "253,440 printed, 290,400 measured (explained by a slip): "
    address = "reconcile-alexnet, alexnet/report.html#claim-conv1"
    assert page.evaluate("window.copied") == copied + address


def test_everything_is_there_without_a_script(open_report: Open) -> None:
    """A cell then leads to its row, and nothing is hidden that a script would show."""
    page = open_report(java_script_enabled=False)
    link = page.locator("a[data-claim='conv1'][data-reading='ceil']")
    target = str(link.get_attribute("href"))
    link.click()
    expect(page.locator(f"[id='{target[1:]}']")).to_be_in_viewport()
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("textbox").count() == 0
    page.get_by_text("Where else 13 printed numbers occur").click()
    expect(page.locator("table.elsewhere")).to_be_visible()


OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    const box = svg.getBoundingClientRect();
    const boxed = (t) => [t.textContent, t.getBoundingClientRect()];
    const texts = [...svg.querySelectorAll("text")].map(boxed);
    for (const [i, [text, r]] of texts.entries()) {
      const cut = r.left < box.left - 1 || r.right > box.right + 1;
      if (r.width && cut) found.push(`${text} is cut`);
      for (const [other, q] of texts.slice(i + 1)) {
        const across = Math.min(r.right, q.right) - Math.max(r.left, q.left);
        const down = Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top);
        if (across > 1 && down > 3) found.push(`${text} and ${other}`);
      }
    }
  }
  return found;
}"""


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_no_text_of_a_figure_overlaps(open_report: Open, width: int) -> None:
    """Labels stand clear of each other and within their drawing, whichever is shown."""
    page = open_report(viewport={"width": width, "height": 800})
    page.evaluate(UNFOLD)
    assert page.evaluate(OVERLAPS) == []


def test_fonts_are_those_of_the_page(open_report: Open) -> None:
    """Every bundled face loads from the page itself."""
    page = open_report()
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].map(f => f.load().then(() => f.family, () => 'failed'))"
        ".reduce(async (all, one) => [...await all, await one], [])"
    )
    assert {re.sub('"', "", name) for name in loaded} == {"Reconcile Sans", "Reconcile Mono"}


def test_the_report_of_snakemake(browser: Browser, project: Path, tmp_path: Path) -> None:
    """`snakemake --report` has verdicts, figures and report with captions, and opens offline."""
    page_file = tmp_path / "page.html"
    done = snakemake(project, "--report", str(page_file))
    assert done.returncode == 0, told(done)
    assert {"report.html", "verdicts.csv", "windows.svg"} <= set(
        re.findall(r"^Adding ([\w.-]+) ", told(done), re.MULTILINE)
    )
    text = page_file.read_text(encoding="utf-8")
    assert "The reconciliation report of the study" in text
    assert "How every interpretation of" in text and "A figure of the study" in text
    troubles: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: troubles.append(r.url) if r.url.startswith("http") else None)
    page.goto(page_file.as_uri())
    expect(page.get_by_text("Every candidate reading of a paper")).to_be_visible()
    context.close()
    assert troubles == []


def test_the_page_is_small(rendered: Path) -> None:
    """Under a megabyte, with fonts and data."""
    assert (rendered / "report.html").stat().st_size < 1_000_000


@pytest.mark.skipif(shutil.which("java") is None, reason="the Nu checker needs Java")
def test_the_html_is_valid(rendered: Path) -> None:
    """The Nu HTML checker finds no error."""
    jar = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = ["java", "-jar", str(jar), "--errors-only", "--format", "json"]
    done = subprocess.run(
        [*command, str(rendered / "report.html")], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stderr)["messages"] == []
