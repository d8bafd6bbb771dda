"""The report says what the result files say, escaped, complete and in one file."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from report_support import (
    TEMPLATES,
    Page,
    html_of,
    results_in,
    tiny_results,
    write_results,
    write_rows,
)
from support import study_data, write_study

from reconcile.errors import InputError
from reconcile.report.claims import counted_as
from reconcile.report.pages import render_page, safe_link
from reconcile.report.read import Results
from reconcile.report.render import context_of
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.study.model import SweptInterpretation
from reconcile.words import MARKS, argument_text


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
    """The answer is first, how to cite is last, and nothing that has data is missing."""
    sections = [a["id"] for tag, a in page.elements if tag == "section"]
    wanted = (
        "answer picture matrix conflicts reasons layers ranking evidence consistency searches "
        "undecided claims interpretations measuring verify limits cite"
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


def test_the_answer_stands_before_everything_else(page: Page, results: Results) -> None:
    """Question, answer, counts, device and date open the page."""
    opening = page.text[: page.text.rindex("How the first layer walks")]
    for words in (results.study.question, "64 neurons, not 48", "Test GPU", "3 February 2031"):
        assert words in opening


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


def test_sections_without_data_are_left_out(tmp_path: Path) -> None:
    """No searches, windows or timings: no section, no picture, no empty table."""
    study, out = write_results(tmp_path)
    for name in ("slips", "geometries", "windows", "coverage", "timings"):
        (out / f"{name}.csv").unlink()
    ids = Page(html_of(results_in(study, out))).all("id")
    assert not {"searches", "picture", "latency", "coverage"} & set(ids)


def test_paper_leaves_out_layers_that_add_nothing(results: Results) -> None:
    """The page for paper has no row for an activation and says so; the one for screens has it."""
    rows = [dict(row) for row in results.tables["layers.csv"]]
    idle = {"layer": "relu", "kind": "activation", "parameters": "0", "macs": "0"}
    rows.insert(2, rows[1] | idle | {"connections": "0"})
    tables = {**results.tables, "layers.csv": rows}
    context = context_of(Results(**{**results.__dict__, "tables": tables}), ReportOptions())
    screen, paper = (render_page(TEMPLATES, context, medium) for medium in ("screen", "paper"))
    named, told = '<th scope="row">relu</th>', "Left out are activations"
    assert named in screen and told not in screen
    assert named not in paper and told in paper


def test_the_own_readings_are_always_shown(results: Results) -> None:
    """However few may be shown of a sweep: what the study names has its column."""
    page = Page(html_of(results, max_readings=1))
    shown = [i for i in page.all("id") if i.startswith("interpretation-")]
    assert len(shown) == 3
    assert "Shown are" not in page.text


def test_only_the_best_combinations_are_shown_and_the_page_says_so(results: Results) -> None:
    """A sweep has thousands; the page shows as many as the configuration allows."""
    generated = [
        SweptInterpretation.model_construct(**dict(reading))
        for reading in results.study.interpretations
    ]
    study = results.study.model_copy(update={"interpretations": generated})
    page = Page(html_of(replace(results, study=study), max_readings=2))
    assert "Shown are 2 of 3 combinations" in page.text
    shown = [i for i in page.all("id") if i.startswith("interpretation-")]
    assert len(shown) == 2


def swept(folder: Path, concludes_on: str) -> Results:
    """The tiny study as one whose reading ``floor`` alone is not generated by a sweep."""
    results = tiny_results(folder)
    own, *others = results.study.interpretations
    generated = [SweptInterpretation.model_construct(**dict(reading)) for reading in others]
    study = results.study.model_copy(update={"interpretations": [own, *generated]})
    conclusion = results.reconciliation["conclusion"] | {"interpretation": concludes_on}
    ranking = results.reconciliation["ranking"]
    reconciliation = {
        **results.reconciliation,
        "conclusion": conclusion,
        "ranking": [entry for entry in ranking if entry["interpretation"] == own.id],
        "combinations": [entry for entry in ranking if entry["interpretation"] != own.id],
    }
    rows = [row | {"verdict": "contradicts"} for row in results.table("verdicts")]
    tables = {**results.tables, "verdicts.csv": rows}
    return replace(results, study=study, reconciliation=reconciliation, tables=tables)


@pytest.mark.parametrize("concludes_on", ["floor", "ceil", "slip"])
@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_conclusion_is_always_shown(tmp_path: Path, concludes_on: str, most: int) -> None:
    """Also a combination of a sweep that matches nothing, which displaces no other."""
    shown = [entry["interpretation"] for entry in swept(tmp_path, concludes_on).shown(most)]
    wanted = {"floor", concludes_on}
    assert set(shown) == wanted
    assert len(shown) == len(wanted)


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
    assert "None of 3 readings were built" in counting(results, readings_measured=0)


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


def test_a_network_without_arguments_has_none(tmp_path: Path) -> None:
    """No list is left empty: neither of arguments, nor an argument that is an empty text."""
    results = tiny_results(tmp_path)
    assert argument_text("") == '""'
    bare = results.study.model_copy(update={"arguments": {}, "argument_help": {}})
    text = Page(html_of(replace(results, study=bare))).text
    assert "Arguments none" in text


def test_latencies_are_drawn_without_those_of_the_conclusion(tmp_path: Path) -> None:
    """Where the reading concluded on was not timed, the latencies of the others are shown."""
    study, out = write_results(tmp_path)
    write_rows(out / "timings.csv", [("floor", "main", "network", "cpu", 9, 7, 7, 8, "")])
    ids = Page(html_of(results_in(study, out))).all("id")
    assert {"latency", "figure-latency-networks"} <= set(ids)
    assert "figure-latency-layers" not in ids


def test_claims_name_the_network_they_are_of(tmp_path: Path) -> None:
    """A claim about one of several networks says of which."""
    data = study_data()
    data["claims"][0]["network"] = data["claims"][2]["network"] = "large"
    for reading in data["interpretations"]:
        reading.pop("slip", None)
        reading["networks"] = {"main": {}, "large": {}}
    study = load_study(write_study(tmp_path, data))
    assert counted_as(study.claims[0]) == "neurons of conv in large"
    assert counted_as(study.claims[1]) == "width of the map of conv"
    assert counted_as(study.claims[2]) == "parameters of large"


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


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host", "", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    """Whatever a study got past its schema is no link here."""
    assert safe_link(url) == ""


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


def test_downloads_hold_the_files_byte_for_byte(page: Page, results: Results) -> None:
    """The data behind each table can be had without a network."""
    for name in ("verdicts.csv", "record.json"):
        href = next(str(a["href"]) for _, a in page.elements if a.get("download") == name)
        assert base64.b64decode(href.partition(",")[2]) == (results.folder / name).read_bytes()


def test_a_large_table_is_linked_instead(tmp_path: Path) -> None:
    """The page stays under a megabyte, however long a table is."""
    study, out = write_results(tmp_path)
    rows = [("floor", f"other-{i}", "conv", 8, 8, 64, 64) for i in range(30_000)]
    write_rows(out / "coverage.csv", rows)
    html = html_of(results_in(study, out))
    assert 'href="coverage.csv" download="coverage.csv"' in html
    assert len(html) < 1_000_000


def test_missing_results_are_one_clear_error(tmp_path: Path) -> None:
    """Whoever renders before measuring is told what is missing."""
    study, out = write_results(tmp_path)
    (out / "verdicts.csv").unlink()
    with pytest.raises(InputError, match=r"verdicts\.csv: is missing"):
        results_in(study, out)


def test_rendering_loads_no_torch() -> None:
    """An edit of the template never waits for torch."""
    code = (
        "import sys, reconcile.report.render, reconcile.report.pdf; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
