"""What the report says about each claim.

First which readings are told in full, and which files are carried along.
"""

from __future__ import annotations

from dataclasses import replace
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
from support import study_data, write_study

from reconcile.errors import InputError
from reconcile.report.pages import render_page
from reconcile.report.render import context_of
from reconcile.report.views import (
    MOST_IN_FULL,
    Results,
    claim_views,
    counted_as,
    folded,
    paper_rows,
)
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study
from reconcile.study.model import SweptInterpretation
from reconcile.words import argument_text


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


def test_paper_tells_a_long_table_once(tmp_path: Path) -> None:
    """Its claims share a row with the table's quote, and each keeps its anchor."""
    data = study_data()
    data["tables"] = [
        {
            "id": "long",
            "where": "Table 2",
            "quote": "Parameters of the layers.",
            "columns": {"parameters": {"of": "conv"}},
            "rows": {f"r{n}": [str(50 + n)] for n in range(MOST_IN_FULL + 1)},
        },
        {
            "id": "short",
            "where": "Table 3",
            "quote": "A short one.",
            "columns": {"parameters": {"of": "conv"}},
            "rows": {"only": ["40"]},
        },
    ]
    results = tiny_results(tmp_path, data)
    rows = paper_rows(results.study, claim_views(results, ["floor"]))
    assert [row.table.id if row.table else row.claims[0].claim.id for row in rows] == [
        *("conv", "map", "parameters", "neurons", "share", "long", "short.only.parameters"),
    ]
    (long,) = (row for row in rows if row.table)
    assert [long.cell(view) for view in long.claims] == [f"r{n}" for n in range(9)]
    assert long.counted == "parameters"
    page = render_page(context_of(results, ReportOptions()), "paper")
    assert page.count("Parameters of the layers.") == 1
    for claim in results.study.claims:
        assert page.count(f'id="claim-{claim.id}"') == 1


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the tiny study."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


def test_paper_leaves_out_layers_that_add_nothing(results: Results) -> None:
    """The page for paper has no row for an activation and says so; the one for screens has it."""
    rows = [dict(row) for row in results.tables["layers.csv"]]
    idle = {"layer": "relu", "kind": "activation", "parameters": "0", "macs": "0"}
    place = next(i for i, row in enumerate(rows) if row["interpretation"] == results.leading) + 2
    rows.insert(place, rows[place - 1] | idle | {"connections": "0"})
    tables = {**results.tables, "layers.csv": rows}
    context = context_of(Results(**{**results.__dict__, "tables": tables}), ReportOptions())
    screen, paper = (render_page(context, medium) for medium in ("screen", "paper"))
    named, told = '<th scope="row">relu</th>', "Left out are activations"
    assert named in screen and told not in screen
    assert named not in paper and told in paper


def test_paper_has_the_layers_of_one_reading(results: Results) -> None:
    """Those of the reading concluded on; the others are attached."""
    paper = render_page(context_of(results, ReportOptions()), "paper")
    assert paper.count("<caption>Layers") == 1
    assert "<caption>Layers of slip for one input" in paper
    assert "Layer tables of all readings are in layers.csv." in paper


def test_a_network_without_arguments_has_none(tmp_path: Path) -> None:
    """No list is left empty: neither of arguments, nor an argument that is an empty text."""
    results = tiny_results(tmp_path)
    assert argument_text("") == '""'
    bare = results.study.model_copy(update={"arguments": {}, "argument_help": {}})
    text = Page(html_of(replace(results, study=bare))).text
    assert "Arguments none" in text


def layer(name: str, neurons: int) -> dict[str, str]:
    """A row of layers.csv."""
    columns = ("kind", "channels", "height", "width", "parameters", "macs", "connections")
    return {"layer": name, "neurons": str(neurons), **dict.fromkeys(columns, "")}


def test_equal_numbered_blocks_are_told_once() -> None:
    """Three or more equal blocks become one, and their number is kept."""
    rows = [layer("embed", 7)]
    rows += [layer(f"h.{i}.{part}", n) for i in range(12) for part, n in (("attn", 3), ("mlp", 4))]
    told = folded([*rows, layer("head", 9)])
    names = [(row.name, row.times) for row in told]
    assert names == [("embed", 1), ("h.0…11.attn", 12), ("h.0…11.mlp", 12), ("head", 1)]
    whole = sum(int(row.row["neurons"]) * row.times for row in told)
    assert whole == sum(int(row["neurons"]) for row in [*rows, layer("head", 9)])


def test_blocks_that_differ_are_told_in_full() -> None:
    """A block of other counts, or a number left out, ends a run."""
    rows = [layer(f"h.{i}.mlp", n) for i, n in ((0, 4), (1, 4), (2, 5), (4, 5), (5, 5))]
    assert [row.name for row in folded(rows)] == [row["layer"] for row in rows]


def test_layers_that_change_nothing_are_idle() -> None:
    """Idle is an activation, dropout or normalisation of the size before that adds to no total."""
    rows = [
        layer("input", 9) | {"kind": "input", "height": "3"},
        layer("conv", 9) | {"kind": "conv", "height": "3"},
        layer("relu", 9) | {"kind": "activation", "height": "3"},
        layer("norm", 9) | {"kind": "norm", "height": "3", "parameters": "2"},
        layer("pool", 4) | {"kind": "pool", "height": "2"},
        layer("dropout", 4) | {"kind": "dropout", "height": "2", "macs": "0"},
        layer("subsample", 4) | {"kind": "other", "height": "2"},
        layer("tanh", 4) | {"kind": "activation", "height": "2", "connections": "5"},
        layer("cut", 2) | {"kind": "activation", "height": "1"},
        layer("solid", 8) | {"kind": "pool"},
        layer("sizeless", 8) | {"kind": "activation"},
    ]
    assert [row.name for row in folded(rows) if row.idle] == ["relu", "dropout"]


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
