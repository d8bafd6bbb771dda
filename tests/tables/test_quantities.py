"""A quantity is added in one place: what is registered is measured, claimed, shown and cited."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import measure, study_data, text_table, write_study

from reconcile.cite.numbers import read_macros, write_citations
from reconcile.errors import InputError
from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure.process import MeasureError
from reconcile.report.render import write_page
from reconcile.study.load import load_study
from reconcile.tables import contract
from reconcile.tables.contract import Quantity, register_quantity
from reconcile.tables.frames import write_table

COUNTER = """
def sides(module, row):
    kernel = getattr(module, "kernel_size", (0, 0))
    return sum(kernel)
"""
SIDES = Quantity(
    "kernel_sides",
    "sides of the kernels, added up",
    words="sides of the kernels",
    heading="Sides",
    total="sum",
    counted_by="counter_from_outside:sides",
)


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quantity]:
    """A quantity from outside, counted by a module that the library does not know."""
    (tmp_path / "counter_from_outside.py").write_text(COUNTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    before = copy.copy(contract.QUANTITIES), copy.copy(contract.FILES)
    register_quantity(SIDES)
    yield SIDES
    for now, then in zip((contract.QUANTITIES, contract.FILES), before, strict=True):
        now.clear()
        now.update(then)


def claiming(printed: str) -> dict[str, Any]:
    """The tiny study with a claim on the new quantity of a layer, and one on the network's."""
    data = study_data()
    for name, of in (("sides", "conv"), ("all-sides", "network")):
        data["claims"].append(
            {"id": name, "quote": printed, "where": "p. 4", "printed": printed}
            | {"quantity": "kernel_sides", "of": of}
        )
    return data


def test_a_quantity_from_outside(tmp_path: Path, registered: Quantity) -> None:
    """It is in the tables, can be claimed, stands in the report and has its LaTeX commands."""
    folder = write_study(tmp_path / "tiny", claiming("6"))
    out, study = measure(folder, tmp_path / "out"), load_study(folder)
    layers, totals = (text_table(out / name) for name in ("layers.csv", "totals.csv"))
    assert set(layers[layers["layer"] == "conv"][registered.name]) == {"6"}
    assert set(totals[registered.name]) == {"6"}
    done = reconcile_study(study, folder, Measurements.read(out))
    for name, table in (
        done.tables | {"consistency.csv": consistency_table(study, folder)}
    ).items():
        write_table(out, name, table)
    write_json(out / "reconciliation.json", done.summary)
    verdicts = text_table(out / "verdicts.csv")
    own = verdicts[verdicts["claim"].isin(["sides", "all-sides"])]
    assert len(own) == 6 and set(own["verdict"]) == {"matches"}
    write_page(study, out, {})
    assert "sides of the kernels of conv" in (out / "report.html").read_text(encoding="utf-8")
    write_citations(study, out)
    macros = read_macros((out / "numbers.tex").read_text(encoding="utf-8"))
    assert macros["rcConvKernelSides"] == macros["rcNetworkKernelSides"] == r"\rcnum{6}{6}"
    assert " & Sides" in (out / "tables.tex").read_text(encoding="utf-8")


def test_a_name_that_is_taken(registered: Quantity) -> None:
    """Two quantities of one name would be read as one: the second is refused."""
    with pytest.raises(ValueError, match="there is a quantity 'kernel_sides' already"):
        register_quantity(SIDES)


def test_unregistered(tmp_path: Path) -> None:
    """What nobody registered is no quantity: the claim is refused and names those there are."""
    with pytest.raises(InputError, match="must be a quantity, not 'kernel_sides'"):
        load_study(write_study(tmp_path / "tiny", claiming("6")))


def test_a_counter_that_is_not_there(tmp_path: Path, registered: Quantity) -> None:
    """A counter that cannot be imported ends the run in one line that names it."""
    (tmp_path / "counter_from_outside.py").unlink()
    with pytest.raises(MeasureError, match="No module named 'counter_from_outside'"):
        measure(write_study(tmp_path / "tiny"), tmp_path / "out")
