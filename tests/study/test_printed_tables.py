"""A whole table of a paper in one block: its cells are claims, its rows may be networks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import measure, study_data, write_study

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.study.load import fault_in, load_study
from reconcile.study.model import Claim, Study
from reconcile.study.plan import measured_slice, networks_of, plan_of

Change = Callable[[dict[str, Any]], object]

SIZES = """
id: sizes
quote: Parameters (thousands) and multiply-adds of the tiny networks.
where: Table 1
rows_are: networks
columns:
  parameters: {scale: thousand, label: "#params"}
  macs: {}
rows:
  small: {cells: ["0.34", "504"], arguments: {kernels: 2}}
  large: {cells: ["1.5", "–"], arguments: {kernels: 9}}
"""
LAYERS = """
id: layers
quote: Output sizes.
where: Table 2
rows_are: layers
network: small
columns:
  size: {quantity: [height, width], label: output size}
  maps: {quantity: channels}
rows:
  input: ["8x8", ""]
  conv: {cells: ["3 × 3", "2"], version: v2}
"""


def with_tables(*tables: str, change: Change = lambda data: None) -> dict[str, Any]:
    """The tiny study whose numbers all stand in tables."""
    data = study_data()
    data["claims"] = []
    for key in ("evidence", "consistency", "slips", "geometries"):
        data[key] = []
    data["interpretations"].pop()
    data["conclusion"] = {"interpretation": "floor", "answer": "None.", "text": "None."}
    data["tables"] = [yaml.safe_load(table) for table in tables]
    change(data)
    return data


def loaded(folder: Path, *tables: str) -> Study:
    """That study, loaded."""
    return load_study(write_study(folder / "tiny", with_tables(*tables)))


def refused(tmp_path: Path, *tables: str, change: Change = lambda data: None) -> list[str]:
    """The lines that refuse it, without the file."""
    with pytest.raises(InputError) as caught:
        load_study(write_study(tmp_path / "tiny", with_tables(*tables, change=change)))
    return [str(f).partition("study.yaml:")[2].partition(": ")[2] for f in caught.value.faults]


def test_every_cell_is_a_claim(tmp_path: Path) -> None:
    """A cell has an id, a place, a quote and what row, column and table say; a dash is none."""
    study = loaded(tmp_path, SIZES)
    assert [claim.id for claim in study.claims] == [
        "sizes.small.parameters", "sizes.small.macs", "sizes.large.parameters",
    ]  # fmt: skip
    first = study.claims[0]
    assert (first.expression, first.network) == ("parameters('network')", "small")
    assert first.quote == (
        "Parameters (thousands) and multiply-adds of the tiny networks. [small, #params: 0.34]"
    )
    assert (first.where, first.printed, first.number.value) == ("Table 1", "0.34", 340)


def test_rows_define_networks(tmp_path: Path) -> None:
    """A row's arguments are those of its network, in every reading, and are what is measured."""
    study = loaded(tmp_path, SIZES)
    for reading in study.interpretations:
        networks = networks_of(study, reading)
        assert {name: own["kernels"] for name, own in networks.items()} == {"small": 2, "large": 9}
    assert plan_of(study, "tiny")["interpretations"][0]["networks"]["large"]["kernels"] == 9
    assert "large" in str(measured_slice(study))


def test_a_readings_own_arguments_come_first(tmp_path: Path) -> None:
    """A reading may take a network of the table otherwise, and have networks of its own."""

    def change(data: dict[str, Any]) -> None:
        data["interpretations"][1]["networks"] = {"large": {"kernels": 8}, "huge": {"kernels": 99}}

    study = load_study(write_study(tmp_path / "tiny", with_tables(SIZES, change=change)))
    networks = networks_of(study, study.interpretations[1])
    assert {name: own["kernels"] for name, own in networks.items()} == {
        "small": 2, "large": 8, "huge": 99,
    }  # fmt: skip


def test_a_sweep_has_the_networks_too(tmp_path: Path) -> None:
    """Every combination of a sweep has the networks that a table defines."""

    def change(data: dict[str, Any]) -> None:
        data["sweep"] = {
            "title": "sizes",
            "axes": {"size": [8, 16]},
            "proposed_by": [{"name": "this study"}],
        }

    study = load_study(write_study(tmp_path / "tiny", with_tables(SIZES, change=change)))
    assert all(set(networks_of(study, r)) == {"small", "large"} for r in study.interpretations)


def test_sides(tmp_path: Path) -> None:
    """A cell like 8x8 is a claim for each side; a row's own key wins over its table's."""
    study = loaded(tmp_path, SIZES, LAYERS)
    claims = {claim.id: claim for claim in study.claims}
    assert [name for name in claims if name.startswith("layers")] == [
        "layers.input.size.height", "layers.input.size.width",
        "layers.conv.size.height", "layers.conv.size.width", "layers.conv.maps",
    ]  # fmt: skip
    height = claims["layers.conv.size.height"]
    assert (height.expression, height.printed, height.network) == ("height('conv')", "3", "small")
    assert height.place == "Table 2 (v2)"
    assert claims["layers.input.size.width"].version is None


def test_expressions_of_a_rows_layer(tmp_path: Path) -> None:
    """An expression says {of} where the layer or pattern of its row goes, the network without."""
    table = """
id: ops
quote: Operations.
where: Table 3
network: small
columns:
  ops: {quantity: "2 * macs({of}) + neurons({of})"}
  all: {quantity: 2 * macs(network)}
rows:
  conv: {cells: ["1", ""], of: conv*}
  total: ["2", "3"]
"""
    study = loaded(tmp_path, SIZES, table)
    assert {c.id: (c.of, c.expression) for c in study.claims if c.id.startswith("ops")} == {
        "ops.conv.ops": (None, "2 * macs('conv*') + neurons('conv*')"),
        "ops.total.ops": (None, "2 * macs('network') + neurons('network')"),
        "ops.total.all": (None, "2 * macs(network)"),
    }
    told = refused(tmp_path, SIZES, table.replace("{quantity: 2", "{of: fc, quantity: 2"))
    assert told[0].startswith("tables.1.rows.total.1: with `of` this must be a quantity, not ")
    assert told[0].endswith("in a table an expression with {of} in it as well")


def test_countings_of_a_table(tmp_path: Path) -> None:
    """A table's countings are those of each cell, of the row's layer; a row's own come first."""
    table = """
id: counted
quote: Counted in ways.
where: Table 3
network: small
countings: [{id: twice, title: twice, count: "2 * neurons({of})"}]
columns:
  neurons: {}
rows:
  conv: {cells: ["1"], of: conv}
  total: ["2"]
  fc: {cells: ["3"], of: fc, countings: [{id: own, title: own, count: neurons(fc)}]}
"""
    study = loaded(tmp_path, SIZES, table)
    found = {c.id: [k.count for k in c.countings] for c in study.claims if c.countings}
    assert found == {
        "counted.conv.neurons": ["2 * neurons('conv')"],
        "counted.total.neurons": ["2 * neurons('network')"],
        "counted.fc.neurons": ["neurons(fc)"],
    }


def test_columns_may_be_networks(tmp_path: Path) -> None:
    """A table may stand the other way round."""
    table = """
id: t
quote: Of the networks.
where: Table 3
columns_are: networks
columns:
  small: {arguments: {kernels: 2}}
  large: {arguments: {kernels: 9}}
rows:
  parameters: ["200", "1460"]
  ratio: {quantity: "parameters(fc, large) / parameters(fc)", cells: ["4.4", ""]}
"""
    study = loaded(tmp_path, table)
    assert [(c.id, c.network, c.expression) for c in study.claims] == [
        ("t.parameters.small", "small", "parameters('network')"),
        ("t.parameters.large", "large", "parameters('network')"),
        ("t.ratio.small", "small", "parameters(fc, large) / parameters(fc)"),
    ]


def test_measured_and_judged(tmp_path: Path) -> None:
    """The claims of a table are judged like any other, each of its own network."""
    folder = write_study(tmp_path / "tiny", with_tables(SIZES, LAYERS))
    study = load_study(folder)
    done = reconcile_study(study, folder, Measurements.read(measure(folder, tmp_path / "out")))
    rows = done.tables["verdicts.csv"].to_dict("records")
    found = {r["claim"]: (Fraction(r["measured"]), r["verdict"]) for r in rows
             if r["interpretation"] == "floor"}  # fmt: skip
    # 2 kernels of 3 x 3 and a bias, 3 x 3 outputs each, into 10 classes; and the same of 9.
    small, large = 2 * 10 + 10 * (2 * 9) + 10, 9 * 10 + 10 * (9 * 9) + 10
    assert found["sizes.small.parameters"] == (small, "contradicts")
    assert found["sizes.large.parameters"] == (large, "contradicts")
    assert found["sizes.small.macs"] == (2 * 9 * 9 + 10 * 18, "contradicts")
    assert found["layers.conv.size.width"] == (3, "matches")
    assert found["layers.input.size.height"] == (8, "matches")
    assert found["layers.conv.maps"] == (2, "matches")


def test_fifty_rows_are_fifty_lines(tmp_path: Path) -> None:
    """A table costs a line a row, and every claim has the line of its row."""
    row = '  n{i}: {{cells: ["{i}"], arguments: {{kernels: {i}}}}}'
    rows = "\n".join(row.format(i=i) for i in range(1, 51))
    head = "id: t\nquote: q\nwhere: Table 1\nrows_are: networks\ncolumns:\n  parameters: {}\nrows:"
    folder = write_study(tmp_path / "tiny", with_tables())
    text = (folder / "study.yaml").read_text().replace("tables: []\n", "")
    block = "\n".join(f"  {line}" for line in f"{head}\n{rows}".splitlines())
    (folder / "study.yaml").write_text(f"{text}tables:\n- {block.strip()}\n")
    study = load_study(folder)
    assert len(study.claims) == 50 and isinstance(study.claims[0], Claim)
    lines = (folder / "study.yaml").read_text().splitlines()
    assert len(block.splitlines()) == 57
    fault = fault_in(folder, ("claims", 29), "there is no layer")
    assert lines[fault.line - 1].strip().startswith("n30:")
    assert fault.key == "tables.0.rows.n30.cells.0"


FAULTS: dict[str, tuple[Change, str]] = {
    "cells": (
        lambda t: t["rows"]["small"]["cells"].pop(),
        "tables.0.rows.small: has 1 cells, and the table 2 columns",
    ),
    "no digits in quotes": (
        lambda t: t["rows"]["small"].update(cells=[0.34, "1"]),
        'tables.0.rows.small.cells.0: must be the printed digits in quotes ("0.34"): YAML drops',
    ),
    "no number": (
        lambda t: t["rows"]["small"].update(cells=["many", "1"]),
        'tables.0.rows.small.cells.0: "many" is no printed number; accepted are forms like',
    ),
    "no row": (
        lambda t: t["rows"].update(small="0.34"),
        "tables.0.rows.small: must be a list or `key: value` pairs, not '0.34'",
    ),
    "no rows": (
        lambda t: t.update(rows={}),
        "tables.0.rows: must be a list of at least 1, not {}",
    ),
    "unknown key of a row": (
        lambda t: t["rows"]["small"].update(argumens={}),
        "tables.0.rows.small.argumens: unknown key, did you mean 'arguments'?",
    ),
    "unknown key of a column": (
        lambda t: t["columns"]["macs"].update(scales="million"),
        "tables.0.columns.macs.scales: unknown key, did you mean 'scale'?",
    ),
    "no quantity": (
        lambda t: t.update(columns={"a": {}, "b": {"quantity": "macs"}}),
        "tables.0.rows.small.cells.0: no `quantity`: give one, or name the row or column after one",
    ),
    "no such quantity": (
        lambda t: t["columns"]["macs"].update(quantity="mcas", of="conv"),
        "tables.0.rows.small.cells.1: with `of` this must be a quantity, not 'mcas'",
    ),
    "sides": (
        lambda t: t["columns"]["macs"].update(quantity=["height", "width"], of="conv"),
        'tables.0.rows.small.cells.1: "504" is no nxn; this cell states height and width',
    ),
    "arguments of no network": (
        lambda t: t.pop("rows_are"),
        "tables.0.rows.small: `arguments` are of a network; say `rows_are: networks`",
    ),
    "network of no reading": (
        lambda t: t["rows"].update(huge=["1", "2"]),
        "tables.0.rows.huge.0: there is no network 'huge'. There are: large, small",
    ),
    "unit without a reason": (
        lambda t: t["columns"]["macs"].update(unit=10),
        "tables.0.rows.small.cells.1: `unit` and `unit_reason` stand together or not at all",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(tmp_path: Path, name: str) -> None:
    """What is wrong in a table is told at its cell, row or column, and once for all its cells."""
    change, message = FAULTS[name]
    found = refused(tmp_path, SIZES, change=lambda data: change(data["tables"][0]))
    assert found[0].startswith(message), found
    assert len(found) == 1, found


def test_faults_of_several_tables(tmp_path: Path) -> None:
    """Ids are of one table, networks have one set of arguments, a study has a claim."""
    assert refused(tmp_path / "a", SIZES, SIZES) == ["tables.1.id: the id 'sizes' is used twice"]
    other = SIZES.replace("id: sizes", "id: other").replace("kernels: 9", "kernels: 8")
    assert refused(tmp_path / "b", SIZES, other) == [
        "tables.1.rows.large: another row or column has other arguments for 'large'"
    ]
    assert refused(tmp_path / "c")[0] == (
        "claims: a study has at least one claim, here or in `tables`"
    )
