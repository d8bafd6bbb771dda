"""Cells come back as they were written, and none is a formula to a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.tables.frames import read_table, table, write_table
from reconcile.tables.rows import Csv, read_cell, written_cell

TEXTS = st.one_of(st.text(max_size=12), st.text("'=+-@ \t\n,\"0123456789.e\r", max_size=8))

SEEN = st.text(
    st.one_of(st.characters(exclude_categories=["Cc", "Cs"]), st.sampled_from("\t\n'=,\""))
)
"""What studies and networks can put into a table; other control characters never get there."""


@given(text=TEXTS)
def test_what_is_written_is_read(text: str) -> None:
    """Reading takes away what writing added, and nothing else."""
    assert read_cell(written_cell(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-a", "@x", " =1", "\t=1", "'=1", "\r=1"])
def test_formulas_are_text(text: str) -> None:
    """What a spreadsheet would compute has an apostrophe in front."""
    assert written_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-5", "-0.25", "1e-05", "conv1", "'quoted'", "", 7, None, 2.5])
def test_the_rest_is_as_it_is(value: object) -> None:
    """Numbers, negative ones too, ids and empty cells are written as they are."""
    assert written_cell(value) == value


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(SEEN, min_size=1, max_size=4))
def test_tables(tmp_path: Path, texts: list[str]) -> None:
    """A table of any text is read as it was written, through pandas and row by row alike."""
    rows = [{"interpretation": "x", "network": str(i), "layer": t} for i, t in enumerate(texts)]
    write_table(tmp_path, "coverage.csv", table("coverage.csv", rows))
    by_row = Csv(tmp_path / "rows.csv", tuple(read_table(tmp_path / "coverage.csv").columns))
    by_row.add(rows)
    by_row.close()
    assert read_table(tmp_path / "coverage.csv")["layer"].tolist() == texts
    (tmp_path / "again").mkdir(exist_ok=True)
    (tmp_path / "again" / "coverage.csv").write_bytes((tmp_path / "rows.csv").read_bytes())
    assert read_table(tmp_path / "again" / "coverage.csv")["layer"].tolist() == texts
    with (tmp_path / "coverage.csv").open(newline="", encoding="utf-8") as stream:
        assert [read_cell(row["layer"]) for row in csv.DictReader(stream)] == texts
