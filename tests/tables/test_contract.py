"""docs/results.md, columns.py and what is written say the same."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from support import PROJECT, text_table

from reconcile.errors import InputError
from reconcile.measure.run import MEASUREMENT_FILES
from reconcile.tables.contract import FILES, head_of
from reconcile.tables.frames import read_table, table, write_table
from reconcile.tables.rows import number_text

DOCS = (PROJECT / "docs" / "results.md").read_text(encoding="utf-8")
WRITTEN_BY_TESTS = set(MEASUREMENT_FILES) | {
    "verdicts.csv", "countings.csv", "evidence.csv", "conflicts.csv", "consistency.csv",
}  # fmt: skip


def test_the_page_is_the_contract() -> None:
    """The document's tables of files and columns are what the contract makes of them."""
    found = importlib.util.spec_from_file_location(
        "describe", PROJECT / "tools/describe_results.py"
    )
    assert found is not None and found.loader is not None
    describe = importlib.util.module_from_spec(found)
    found.loader.exec_module(describe)
    assert describe.described(DOCS) == DOCS


def test_every_column_is_explained() -> None:
    """Every file and column says in one line what it is, and every table names its rows."""
    for file in FILES.values():
        assert file.says and "\n" not in file.says
        assert all(c.says and "\n" not in c.says for c in file.columns), file.name
        assert not file.columns or file.keys
    assert all(c.words for file in FILES.values() for c in file.columns if c.type == "word")


def test_files_are_documented() -> None:
    """Every table, and every file that a rule writes, stands in the document."""
    rules = "".join(
        f.read_text(encoding="utf-8") for f in (PROJECT / "workflow/rules").glob("*.smk")
    )
    for name in re.findall(r'"results/\{study\}/([\w.]+\.\w+)"', rules):
        assert f"`{name}`" in DOCS, name


def test_writers_are_rules() -> None:
    """What the document says a file is written by is a rule of the workflow."""
    rules = "".join(
        f.read_text(encoding="utf-8") for f in (PROJECT / "workflow/rules").glob("*.smk")
    )
    writers = set(re.findall(r"^\| `.* \| `(\w+)` \|", DOCS, re.MULTILINE))
    assert len(writers) > 4
    assert writers <= set(re.findall(r"^rule (\w+):", rules, re.MULTILINE))


def test_record_files_are_documented() -> None:
    """The document names the files that differ between two runs."""
    line = DOCS.partition("The **record** (")[2].partition(")")[0]
    assert set(re.findall(r"`([^`]+)`", line)) == {
        name for name, file in FILES.items() if file.record
    }


@pytest.mark.parametrize("name", sorted(WRITTEN_BY_TESTS))
def test_written_columns(alexnet_results: Path, name: str) -> None:
    """A table that is written has its columns in order, and Unix line ends."""
    content = (alexnet_results / name).read_bytes()
    assert b"\r" not in content
    header = next(csv.reader(content.decode().splitlines()))
    assert tuple(header) == head_of(name)


def test_plain_numbers(alexnet_results: Path) -> None:
    """Columns of counts hold digits only, never separators or floats."""
    for name in ("layers.csv", "totals.csv", "coverage.csv"):
        found = text_table(alexnet_results / name)
        for column in set(found.columns) & {"neurons", "parameters", "macs", "width", "seen"}:
            assert all(re.fullmatch(r"\d+", cell) for cell in found[column]), (name, column)


def test_keys_of_the_summary(alexnet_results: Path) -> None:
    """reconciliation.json has the keys of the document."""
    block = DOCS.partition("## `reconciliation.json`")[2].partition("```")[2].partition("```")[0]
    summary = json.loads((alexnet_results / "reconciliation.json").read_text())
    for key in summary:
        assert re.search(rf"\b{key}\b", block), key
    for key in (*summary["ranking"][0], *summary["claims"][0], *summary["counts"]):
        assert re.search(rf"\b{key}\b", block), key


def test_keys_of_the_record(alexnet_results: Path) -> None:
    """record.json has the keys of the document, and times that are UTC."""
    block = DOCS.partition("## `record.json`")[2].partition("```")[2].partition("```")[0]
    record = json.loads((alexnet_results / "record.json").read_text())
    for key in record:
        assert re.search(rf"\b{key}\b", block), key
    assert record["started"].endswith("+00:00") and record["ended"].endswith("+00:00")
    assert record["device"]["type"] == "cpu"


def test_reading_other_columns(tmp_path: Path) -> None:
    """A table with other columns than the contract's is refused with the wanted ones."""
    (tmp_path / "coverage.csv").write_text("interpretation,layer\n")
    with pytest.raises(InputError, match="must have the columns interpretation, network, layer,"):
        read_table(tmp_path / "coverage.csv")


@pytest.mark.parametrize("content", [None, b"", b"a\x00b", b'a,b\n"x', b"\xff\xfe"])
def test_reading_what_is_no_table(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or broken file is one line."""
    if content is not None:
        (tmp_path / "coverage.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "coverage.csv")
    assert len(str(caught.value).splitlines()) == 1


def test_cells_stay_text(tmp_path: Path) -> None:
    """What looks like a number, a date or nothing is read as the text it is."""
    rows = [{"interpretation": "007", "network": "NA", "layer": "1e5", "height": 9**30}]
    write_table(tmp_path, "coverage.csv", table("coverage.csv", rows))
    (row,) = read_table(tmp_path / "coverage.csv").to_dict("records")
    assert (row["interpretation"], row["network"], row["layer"]) == ("007", "NA", "1e5")
    assert (row["height"], row["seen"]) == (9**30, None)


def test_numbers_for_machines() -> None:
    """Whole numbers are written in full, others to ten significant digits."""
    assert number_text(Fraction(10**25 + 1)) == "10000000000000000000000001"
    assert number_text(Fraction(1, 3)) == "0.3333333333"
    assert number_text(Fraction(-7)) == "-7"
