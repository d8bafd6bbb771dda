"""What the report says about each claim."""

from __future__ import annotations

from pathlib import Path

from report_support import TEMPLATES, tiny_results
from support import study_data, write_study

from reconcile.report.claims import MOST_IN_FULL, claim_views, counted_as, paper_rows
from reconcile.report.pages import render_page
from reconcile.report.render import context_of
from reconcile.study.config import ReportOptions
from reconcile.study.load import load_study


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
    page = render_page(TEMPLATES, context_of(results, ReportOptions()), "paper")
    assert page.count("Parameters of the layers.") == 1
    for claim in results.study.claims:
        assert page.count(f'id="claim-{claim.id}"') == 1
