"""The report says what the result files say, escaped, complete and in one file."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from report_support import (
    Page,
    html_of,
    results_in,
    tiny_results,
    write_results,
    write_rows,
)
from support import study_data

from reconcile.cite.numbers import write_citations
from reconcile.report.views import Results
from reconcile.tables.contract import head_of
from reconcile.tables.frames import table, write_table
from reconcile.words import MARKS


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the tiny study."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def html(results: Results) -> str:
    """The report of the tiny study."""
    return html_of(results)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The same, parsed."""
    return Page(html)


def changed(results: Results, name: str, column: str, value: str, row: int = 0) -> Results:
    """The results with one cell of one table changed."""
    rows = [dict(r) for r in results.tables[name]]
    rows[row][column] = value
    return Results(**{**results.__dict__, "tables": {**results.tables, name: rows}})


def test_sections_come_in_the_order_in_which_readers_ask(page: Page) -> None:
    """The argument is first, how it was measured is last, and nothing that has data is missing."""
    sections = [a["id"] for tag, a in page.elements if tag == "section"]
    wanted = (
        "answer picture reasons conflicts undecided matrix ranking layers consistency numbers "
        "searches evidence claims interpretations verify limits cite measuring"
    )
    assert sections == wanted.split()


def test_every_link_within_the_page_leads_somewhere(page: Page) -> None:
    """Anchors are unique, and every one that is linked to exists."""
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    inner = {href[1:] for href in page.all("href") if href.startswith("#")}
    assert inner <= set(ids)


def test_claims_and_interpretations_have_stable_anchors(page: Page, results: Results) -> None:
    """The addresses that people cite are made of the ids alone."""
    wanted = {f"claim-{claim.id}" for claim in results.study.claims}
    wanted |= {f"interpretation-{reading.id}" for reading in results.study.interpretations}
    wanted |= {f"evidence-{item.id}" for item in results.study.evidence}
    assert wanted <= set(page.all("id"))


def test_a_number_that_no_reading_gives_has_its_best_explanation(page: Page) -> None:
    """With the expression, what must be assumed, and the figure of chance, before the searches."""
    assert "explanations" in page.all("id")
    words = "What would give the numbers that no reading gives"
    told = page.text[page.text.index(words) : page.text.index("Slips of arithmetic and typing")]
    for cell in ("conv 48", "3*4*4", "0.0123"):
        assert cell in told


def test_the_answer_stands_before_everything_else(page: Page, results: Results) -> None:
    """Question, answer, counts, device and date open the page."""
    opening = page.text[: page.text.rindex("How the first layer walks")]
    for words in (results.study.question, "64 neurons, not 48", "Test GPU", "3 February 2031"):
        assert words in opening


def test_the_hedge_stands_under_the_answer(page: Page, tmp_path: Path) -> None:
    """It is the author's, and where there is none, it is put together from what was found."""
    composed = (
        "3 of 5 printed numbers are measured as printed; 1 is inferred to be a slip; 1 is "
        "contradicted; 1 question stays open ."
    )
    assert f"64 neurons, not 48. {composed}" in page.text
    data = study_data()
    data["conclusion"]["hedge"] = "That {claim:conv} is a slip is inferred."
    text = Page(html_of(tiny_results(tmp_path, data))).text
    assert "64 neurons, not 48. That 48 is a slip is inferred." in text
    assert composed not in text


def test_reasons_lead_to_what_they_rest_on(tmp_path: Path) -> None:
    """Each is numbered, and evidence, claims, sums, readings and searches can be followed."""
    data = study_data()
    see = {
        "evidence:rounds-up": "#evidence-rounds-up",
        "claim:conv": "#claim-conv",
        "consistency:product": "#consistency-product",
        "reading:ceil": "#interpretation-ceil",
        "search:conv": "#searches",
    }
    data["conclusion"]["reasons"] = [{"text": "So it is.", "see": [*see]}, {"text": "And so."}]
    html = html_of(tiny_results(tmp_path, data))
    reasons = html[html.index('<ol class="reasons">') : html.index('<section id="conflicts"')]
    assert re.findall(r"<li><p>(.*?)</p>", reasons) == ["So it is.", "And so."]
    assert re.findall(r'href="(.*?)"', reasons) == [*see.values()]
    assert "The program rounds up" in reasons and "Rounded up" in reasons
    assert {link[1:] for link in see.values()} <= set(Page(html).all("id"))


def test_the_opening_speaks_of_readings_by_their_titles(html: str) -> None:
    """An id says nothing before the readings were introduced."""
    opening = Page(html[html.index('<section id="answer"') : html.index('<section id="reasons"')])
    assert "Counts are of the reading “ Rounded up, 3 for 4 ”" in opening.text
    assert "Rounded down: 3 windows" in opening.text
    assert "floor" not in opening.text


def test_what_every_reading_gives_is_folded(tmp_path: Path) -> None:
    """A claim on which readings differ is in sight, others are below; no row is lost."""
    data = study_data()
    data["claims"][-1]["printed"] = "95%"
    html = html_of(tiny_results(tmp_path, data))
    matrix = html[html.index('<section id="matrix"') : html.index('<section id="ranking"')]
    seen, _, folded = matrix.partition('<details class="fold">')
    rows = re.compile(r'<tr><th scope="row" class="claim"[^>]*><a href="#claim-([\w-]+)"')
    assert rows.findall(seen) == ["conv", "map", "parameters", "neurons"]
    assert rows.findall(folded) == ["share"]


def test_equal_layers_are_told_once(html: str) -> None:
    """Where two readings have the same layers, the later one refers to the earlier one's table."""
    assert html.count("<caption>Layers") == 2
    assert 'Its layer table is that of <a class="id" href="#interpretation-slip">' in html


def test_measured_numbers_come_from_the_tables(results: Results) -> None:
    """Another number in a table is another number in the report, its digits grouped."""
    text = Page(html_of(changed(results, "verdicts.csv", "measured", "1234567"))).text
    assert "1,234,567" in text


def test_a_verdict_is_a_glyph_and_a_word(html: str) -> None:
    """Whoever sees no glyph and no colour still gets the verdict."""
    for mark in MARKS.values():
        assert f"</span> {mark.word}</span>" in html
    assert '×</span><span class="hidden">contradicts</span>' in html


def test_a_failed_check_is_shown_first(results: Results) -> None:
    """A check that fails is red, and the answer says so."""
    html = html_of(changed(results, "evidence.csv", "outcome", "fails"))
    assert "1 check of the evidence fails" in Page(html).text
    assert 'id="evidence-rounds-up" class="item evidence bad"' in html


def test_a_reading_that_could_not_be_measured_is_named(results: Results) -> None:
    """The answer names it with its status."""
    html = html_of(changed(results, "totals.csv", "status", "does-not-build"))
    assert "1 network could not be measured : floor (does-not-build)" in Page(html).text


def test_what_was_not_counted_is_named(results: Results) -> None:
    """A network with an operator that has no formula says so under its layers, and it only."""
    rendered = html_of(changed(results, "totals.csv", "uncounted", "aten::cdist:48"))
    assert rendered.count('<span class="id">aten::cdist:48</span>') == 1


def test_sections_without_data_are_left_out(tmp_path: Path) -> None:
    """No searches, windows or timings: no section, no picture, no empty table."""
    study, out = write_results(tmp_path)
    for name in ("slips", "geometries", "windows", "coverage", "timings"):
        (out / f"{name}.csv").unlink()
    ids = Page(html_of(results_in(study, out))).all("id")
    assert not {"searches", "figure-windows", "latency", "coverage"} & set(ids)


def solved(claim: str, values: str, says: str) -> dict[str, str]:
    """A row of solutions.csv."""
    shared = dict.fromkeys(head_of("solutions.csv"), "")
    own = {"search": "size", "claim": claim, "digits": "rounded", "argument": "size"}
    return shared | own | {"values": values, "says": says}


def test_claims_without_a_common_value_are_a_conflict(results: Results) -> None:
    """The sentence stands among the conflicts where no value satisfies all, and only there."""
    none = "no size from 1 to 9 satisfies conv and map together: <b>"
    rows = [solved("conv", "2", "48 for size 4 to 5"), solved("", "0", none)]
    for found, there in ((rows, True), ([rows[0], solved("", "1", "at 4")], False)):
        text = html_of(replace(results, tables={**results.tables, "solutions.csv": found}))
        conflicts = text[text.index('id="conflicts"') :]
        conflicts = conflicts[: conflicts.index("</section>")]
        assert ("No size from 1 to 9 satisfies conv and map together: &lt;b&gt;" in conflicts) is (
            there
        )
        assert "48 for size 4 to 5." in text


def searched(part: str, name: str, says: str, **more: str) -> dict[str, str]:
    """A row of terms.csv."""
    shared = dict.fromkeys(head_of("terms.csv"), "")
    own = {"search": "sizes", "digits": "rounded", "part": part, "name": name, "says": says}
    return shared | own | more


def test_what_is_determined_is_told_before_solutions(results: Results) -> None:
    """Terms with their ranges come first, then solutions, then what all of it is worth."""
    rows = [
        searched("found", "", "2 of 9 combinations bring all out", claims="conv"),
        searched("coefficient", "matrix", "determined: exactly 1 in every solution"),
        searched("together", "conv", "what is free adds 1 to 2"),
        searched("solution", "1", "matrix + 2 × bias", of="2"),
        searched("box", "0 to 4", "1 solution with terms 0 to 4 times"),
        searched("smooth", "small", "if all were real numbers, 188 of 200 would have one"),
    ]
    text = html_of(replace(results, tables={**results.tables, "terms.csv": rows}))
    places = [
        text.index(told)
        for told in (
            "2 of 9 combinations bring all out",
            "determined: exactly 1",
            "What is free adds",
            "matrix + 2 × bias",
            "1 solution with terms",
            "188 of 200",
        )
    ]
    assert places == sorted(places)


def counting(results: Results, **changed: int) -> str:
    """The text of a page with other counts."""
    counts = results.reconciliation["counts"] | changed
    changed_results = replace(results, reconciliation={**results.reconciliation, "counts": counts})
    return Page(html_of(changed_results)).text


def test_one_is_not_many(results: Results) -> None:
    """What there is one of is spoken of as one."""
    text = counting(results, interpretations=1, readings=1, readings_measured=1)
    assert "the only interpretation. 1 of 1 reading was built" in text


def test_what_was_measured_is_told_apart(results: Results) -> None:
    """Readings measured in part are no readings measured, and combinations are no readings."""
    assert "3 of 3 readings were built, run and measured on" in counting(results)
    part = counting(results, readings_measured=1, readings_partly_measured=2)
    assert "1 of 3 readings (and 2 in part) was built" in part
    swept = counting(results, combinations=9, combinations_measured=8, excluded=4)
    assert "3 of 3 readings and 8 of 9 combinations of the sweep were built" in swept
    assert "4 are excluded by evidence" in swept
    assert "0 of 3 readings were built" in counting(results, readings_measured=0)


def test_claims_that_were_not_judged_are_counted(results: Results) -> None:
    """What was not measured has a tile, so that the tiles add up; it is not contradicted."""
    assert "not measured 2" not in tiles(counting(results))
    assert "not measured 2" in tiles(counting(results, reproduced=1, not_measured=2))


def tiles(text: str) -> str:
    """The counts at the head of a page, without their marks."""
    return re.sub(r"[✓†×–] ?", "", text.partition("checked")[2][:200])


def test_a_reading_by_another_counting_is_told_apart(results: Results) -> None:
    """A claim that is reproduced by another counting than its own does not look like the others."""
    assert "by another counting than" not in tiles(counting(results, reproduced_otherwise=0))
    assert "1 by another counting than its own" in tiles(counting(results, reproduced_otherwise=1))


def test_latencies_are_drawn_without_those_of_the_conclusion(tmp_path: Path) -> None:
    """Where the reading concluded on was not timed, the latencies of the others are shown."""
    study, out = write_results(tmp_path)
    write_rows(out / "timings.csv", [("floor", "main", "network", "cpu", 9, 7, 7, 8, "")])
    ids = Page(html_of(results_in(study, out))).all("id")
    assert {"latency", "figure-latency-networks"} <= set(ids)
    assert "figure-latency-layers" not in ids


def test_text_of_a_study_is_data(tmp_path: Path) -> None:
    """Markup in a study is shown, never obeyed."""
    data = study_data()
    hostile = '<script>alert("x")</script><b onclick=x>{{ 7 * 7 }}'
    data["title"] = data["question"] = data["claims"][0]["quote"] = hostile
    data["interpretations"][0]["assumes"] = [hostile]
    data["evidence"][1]["source"] = [{"name": hostile}]
    html = html_of(tiny_results(tmp_path, data))
    assert "<script>alert" not in html
    assert "<b onclick" not in html
    assert "{{ 7 * 7 }}" in Page(html).text


def test_the_policy_names_the_style_and_the_script(html: str, page: Page) -> None:
    """The page runs its own style and script by digest, and there is no inline style or handler."""
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]  # type: ignore[index]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in str(policy)
    names = {name for _, attrs in page.elements for name in attrs}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]


def test_the_page_is_complete_in_itself(page: Page) -> None:
    """Nothing is fetched: no source, no stylesheet, no import from elsewhere."""
    assert not page.all("src")
    assert "link" not in [tag for tag, _ in page.elements]


def test_every_table_has_a_caption(html: str) -> None:
    """Who hears a table hears first what it is about."""
    tables = re.findall(r"<table[^>]*>\s*<(\w+)", html)
    assert len(tables) > 10
    assert set(tables) == {"caption"}


def test_downloads_hold_the_files_byte_for_byte(page: Page, results: Results) -> None:
    """The data behind each table can be had without a network."""
    for name in ("verdicts.csv", "record.json"):
        href = next(str(a["href"]) for _, a in page.elements if a.get("download") == name)
        assert base64.b64decode(href.partition(",")[2]) == (results.folder / name).read_bytes()


def test_what_is_printed_for_citing_resolves(results: Results, html: str) -> None:
    """Keys are in references.bib, and the names of a number are in numbers.csv."""
    write_citations(results.study, results.folder)
    reference = (results.folder / "references.bib").read_text(encoding="utf-8")
    block = unescape(html[html.index('<pre id="bibtex"') :].partition("</pre>")[0])
    keys = re.findall(r"@\w+\{([^,]+),", block)
    assert len(keys) == 2
    assert all(f"{{{key},\n" in reference for key in keys)
    cited = re.findall(r"\\cite\[claim [\w.-]+\]\{([\w-]+)\}", html)
    assert len(cited) == len(results.study.claims) and set(cited) <= set(keys)
    calls = re.findall(r"\\reconcile((?:\{[^{}]+\}){4})", html)
    index = (results.folder / "numbers.csv").read_text(encoding="utf-8")
    assert len(calls) == len(cited) + 1
    assert all(f"\n{call[1:-1].replace('}{', ',')}," in index for call in calls)


def test_rendering_loads_no_torch() -> None:
    """An edit of the template never waits for torch."""
    code = (
        "import sys, reconcile.report.render, reconcile.report.pdf; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_candidates_are_shown_with_their_expressions(tmp_path: Path) -> None:
    """A search that nobody asked for: what it tried, what fits, and how many would by chance."""
    study, out = write_results(tmp_path)
    row = {
        "claim": "conv",
        "kind": "parts",
        "searched": "neurons: parts; under floor and ceil",
        "tried": 1234,
        "found": "neurons without the classifier: 48.",
        "hit": "neurons without the classifier",
        "interpretations": "floor ceil",
        "expression": "neurons(network) - neurons('part:classifier')",
        "value": 48,
        "fit": "matches",
        "cost": 1,
        "by_chance": "0.0123",
    }
    write_table(out, "parts.csv", table("parts.csv", [row]))
    page = html_of(results_in(study, out))
    section = page.partition('<h3 id="parts">')[2].partition("<h3")[0]
    assert "<code>neurons(network) - neurons(&#39;part:classifier&#39;)</code>" in section
    assert all(text in section for text in ("1,234", "0.0123", "neurons without the classifier"))
