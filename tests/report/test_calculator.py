"""Where a number occurs: every count once, with what is counted, and by which reading of digits."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_support import Page, html_of, tiny_results

from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.report import calculator
from reconcile.report.calculator import (
    CountedNumber,
    LookupTable,
    Place,
    elsewhere,
    looked_up,
    numbers_of,
)
from reconcile.report.views import Results
from reconcile.study.expressions import evaluate
from reconcile.study.model import next_by_id
from reconcile.study.printed import parse_printed
from reconcile.tables.contract import FITS

SHOWN = ("floor", "ceil", "slip")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the tiny study."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def numbers(results: Results) -> LookupTable:
    """All that they count."""
    return numbers_of(results, SHOWN)


def test_each_number_is_what_its_expression_gives(results: Results, numbers: LookupTable) -> None:
    """What can be pasted into a study gives the number under each reading that is named."""
    measured = Measurements.read(results.folder)
    told = 0
    for value, occurrences in numbers.found.items():
        for what, networks in occurrences:
            expression = (what.counted if isinstance(what, Place) else what).expression
            for name in (numbers.networks[i] for i in networks):
                reading = next_by_id(results.study.interpretations, name)
                scope = ReadingScope(results.study, reading, measured)
                given = evaluate(expression, scope)
                assert given == pytest.approx(value, rel=1e-9), expression
                told += 1
    assert told > 20


def test_layers_with_one_number_are_told_once(numbers: LookupTable) -> None:
    """Height and width of a map are two quantities; two readings with equal counts are one line."""
    words = {
        what.counted.says: networks
        for what, networks in numbers.found[Fraction(4)]
        if isinstance(what, Place)
    }
    assert words["height of the map of conv"] == (1, 2)
    assert words["number of maps of conv"] == (0, 1, 2)
    assert Place("neurons", "conv", 2).counted.says == "neurons of conv and 2 more layers"
    assert Place("neurons", "kind:conv").counted == CountedNumber(
        "neurons of all layers of kind conv", "neurons('kind:conv')", 1
    )


def test_digits_are_read_as_a_verdict_reads_them(numbers: LookupTable) -> None:
    """Exact before rounded and cut, and last zeros that may be no digits assume one thing more."""
    best = looked_up(numbers, parse_printed("690"))[0]
    assert (best.counted.expression, best.fit) == ("parameters(network)", "matches")
    fits = {hit.counted.expression: hit.fit for hit in looked_up(numbers, parse_printed("0.7K"))}
    assert fits["parameters(network)"] == "matches-rounded"
    fits = {hit.counted.expression: hit.fit for hit in looked_up(numbers, parse_printed("700"))}
    assert fits["parameters(network)"] == "matches-zeros"
    assert looked_up(numbers, parse_printed("0.0123")) == []


def test_a_unit_is_one_thing_more(numbers: LookupTable) -> None:
    """Twice the weights of conv, and what is counted by a sum stands in brackets."""
    hits = {hit.counted.expression: hit.counted for hit in looked_up(numbers, parse_printed("80"))}
    assert hits["parameters(conv) * 2"].cost == 2
    sums = LookupTable(("a",), {Fraction(5): [(CountedNumber("both", "a(x) + b(y)", 1), (0,))]})
    twice = [h.counted.expression for h in looked_up(sums, parse_printed("10"))]
    assert twice == ["(a(x) + b(y)) * 2"]


@given(st.integers(2, 10**6))
def test_whatever_is_there_is_found(value: int) -> None:
    """Each number is found by its own digits, as it stands and first."""
    known = LookupTable(("a",), {Fraction(value): [(CountedNumber("it", "it(network)", 0), (0,))]})
    best = looked_up(known, parse_printed(f"{value:,}"))[0]
    assert (best.counted.expression, best.fit, best.value) == ("it(network)", "matches", value)


def test_products_that_were_not_all_counted_are_left_out(results: Results) -> None:
    """Of a network with an operator of unknown work no multiply-adds are told, but neurons are."""
    rows = [
        row | ({"uncounted": "aten::odd:7"} if row["layer"] == "conv" else {})
        for row in results.table("layers")
    ]
    some = Results(**{**results.__dict__, "tables": {**results.tables, "layers.csv": rows}})
    told = {
        (what.quantity, what.layer)
        for occurrences in numbers_of(some, SHOWN).found.values()
        for what, _ in occurrences
        if isinstance(what, Place)
    }
    assert ("macs", "fc") in told and ("neurons", "conv") in told
    assert not told & {("macs", "network"), ("macs", "conv"), ("flops", "network")}


def test_the_page_holds_no_more_than_it_can(
    results: Results, numbers: LookupTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond the bound is left out, the last ranked first, and the page says how many."""
    monkeypatch.setattr(calculator, "MOST_BYTES", 900)
    fewer = numbers_of(results, SHOWN)
    assert 0 < len(fewer.networks) < len(numbers.networks)
    assert fewer.networks == numbers.networks[: len(fewer.networks)]
    assert fewer.left_out == len(numbers.networks) - len(fewer.networks)
    assert len(fewer.packed) < len(numbers.packed)


def test_the_data_of_the_page_ends_no_script(results: Results) -> None:
    """Whatever a study calls its layers, it is data: nothing in it closes the element."""
    evil = CountedNumber("</script><b>", "x", 0)
    packed = LookupTable(("a</script>",), {Fraction(1): [(evil, (0,))]}).packed
    assert "<" not in packed
    assert json.loads(packed)["texts"] == [["</script><b>", "x", 0]]
    assert html_of(results) == html_of(results)


def test_printed_numbers_stand_elsewhere_too(results: Results, numbers: LookupTable) -> None:
    """Of each claim that a reading gives; its own counting is no other."""
    found = {one.claim.id: one for one in elsewhere(results, numbers)}
    given = {row["claim"] for row in results.table("verdicts") if row["verdict"] in FITS}
    assert set(found) == given - {"share"}
    others = [place.expression for place in found["map"].places]
    assert "width(conv)" not in others and "height(conv)" in others
    assert len(others) <= 3


def test_the_section_reads_without_a_script(results: Results) -> None:
    """It says what was counted, and the table of printed numbers stands in the page."""
    page = Page(html_of(results))
    assert "Where else" in page.text and "numbers" in page.all("id")
    assert "number" not in page.all("id"), "the field is the script's"
