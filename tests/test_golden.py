"""The AlexNet study's reproducible tables, cell by cell, and their arithmetic.

``pytest tests/test_golden.py --refresh-golden`` rewrites them; the diff then says what changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PROJECT

from reconcile.tables.frames import read_table

GOLDEN = PROJECT / "tests" / "golden" / "alexnet"
MEASURED = ("layers.csv", "totals.csv", "tensors.csv", "coverage.csv", "windows.csv")
TABLES = (*MEASURED, "verdicts.csv", "countings.csv", "consistency.csv")
COUNTED = ("conv", "fc")

Rows = list[dict[str, str]]


def rows(folder: Path, name: str) -> Rows:
    """The rows of a table."""
    found: Rows = read_table(folder / name).to_dict("records")
    return found


@pytest.mark.parametrize("name", TABLES)
def test_golden(alexnet_results: Path, name: str, request: pytest.FixtureRequest) -> None:
    """What is measured and judged today is what was measured and judged before."""
    if request.config.getoption("--refresh-golden"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_bytes((alexnet_results / name).read_bytes())
    assert rows(alexnet_results, name) == rows(GOLDEN, name)
    assert (alexnet_results / name).read_bytes() == (GOLDEN / name).read_bytes()


def test_rows_sum_to_totals() -> None:
    """In the golden tables the layers' columns sum to each reading's totals."""
    layers = rows(GOLDEN, "layers.csv")
    totals = rows(GOLDEN, "totals.csv")
    assert len(totals) == 12
    for total in totals:
        own = [row for row in layers if row["interpretation"] == total["interpretation"]]
        counted = [row for row in own if row["kind"] in COUNTED]
        conv = [row for row in own if row["kind"] == "conv"]
        assert sum(int(row["neurons"]) for row in counted) == int(total["neurons"])
        assert sum(int(row["neurons"]) for row in conv) == int(total["conv_neurons"])
        for column in ("parameters", "macs", "connections"):
            assert sum(int(row[column]) for row in own) == int(total[column])


def test_neurons_are_channels_times_map() -> None:
    """In every golden row the neurons are channels times height times width."""
    for row in rows(GOLDEN, "layers.csv"):
        product = int(row["channels"]) * int(row["height"]) * int(row["width"])
        assert product == int(row["neurons"]), row


def test_verdicts_come_from_countings() -> None:
    """Every golden verdict's number is that of one of the claim's countings."""
    countings = {
        (c["interpretation"], c["claim"], c["measured"]) for c in rows(GOLDEN, "countings.csv")
    }
    verdicts = rows(GOLDEN, "verdicts.csv")
    assert len(verdicts) == 180
    for verdict in verdicts:
        assert (verdict["interpretation"], verdict["claim"], verdict["measured"]) in countings
