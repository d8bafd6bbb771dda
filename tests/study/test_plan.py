"""Sweeps: every combination is an interpretation, measured fast and summed up in the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from geometry import AXES, NETWORK, geometry_study
from support import measure, study_data, tables_of, write_study

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.study.load import load_study
from reconcile.study.plan import axes_by_effect, cells_of, networks_of


def test_a_combination_that_fails_is_a_result(tmp_path: Path) -> None:
    """What cannot be built has its status, and the combinations after it are measured."""
    axes = {"odd": ["nothing", "fails", "tied"], "size": [31]}
    data = geometry_study(axes)
    data["arguments"] = {"kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    out = measure(write_study(tmp_path / "geometry", data, NETWORK), tmp_path / "out")
    totals = tables_of(out)["totals.csv"]
    assert [row["status"] for row in totals] == [
        "measured-on-meta",
        "does-not-build",
        "measured-on-meta",
    ]
    assert totals[1]["message"] == "ValueError: this combination cannot be"


def test_own_readings_are_cells_of_the_sweep(tmp_path: Path) -> None:
    """A combination that the study names itself is that reading, not a second one."""
    data = study_data()
    data["sweep"] = {
        "title": "t",
        "axes": {"rule": ["floor", "ceil"], "kernels": [4, 5]},
        "proposed_by": [{"name": "n"}],
    }
    study = load_study(write_study(tmp_path / "tiny", data))
    assert [r.id for r in study.interpretations][3:] == [
        "rule-floor_kernels-5",
        "rule-ceil_kernels-5",
    ]
    cells = cells_of(study, {"floor": 2, "rule-ceil_kernels-5": 1})
    assert [(c.reading, c.matched) for c in cells] == [
        ("floor", 2),
        ("rule-floor_kernels-5", 0),
        ("slip", 0),
        ("rule-ceil_kernels-5", 1),
    ]


def test_an_axis_of_one_network(tmp_path: Path) -> None:
    """An axis like small.kernels gives its values to that network and to no other."""
    data = study_data()
    data["claims"] = [claim | {"network": "small"} for claim in data["claims"]]
    own = {"small": {"kernels": 4}, "large": {"kernels": 6}}
    data["interpretations"] = [reading | {"networks": own} for reading in data["interpretations"]]
    data["sweep"] = {
        "title": "t",
        "axes": {"rule": ["floor", "ceil"], "small.kernels": [4, 5]},
        "networks": own,
        "proposed_by": [{"name": "n"}],
    }
    study = load_study(write_study(tmp_path / "tiny", data))
    swept = study.swept_readings
    assert [r.id for r in swept] == ["rule-floor_small.kernels-5", "rule-ceil_small.kernels-5"]
    assert swept[0].title == "rule floor, kernels of small 5"
    given = networks_of(study, swept[0])
    assert {name: a["kernels"] for name, a in given.items()} == {"small": 5, "large": 6}
    assert {name: a["rule"] for name, a in given.items()} == {"small": "floor", "large": "floor"}
    cells = cells_of(study, {})
    assert [(c.reading, c.arguments["small.kernels"]) for c in cells] == [
        ("floor", 4),
        ("rule-floor_small.kernels-5", 5),
        ("slip", 4),
        ("rule-ceil_small.kernels-5", 5),
    ]
    data["sweep"]["axes"]["smal.kernels"] = [4]
    with pytest.raises(InputError, match=r"sweep.axes.smal.kernels: there is no network 'smal'"):
        load_study(write_study(tmp_path / "misspelt", data))


def test_axes_that_decide_come_first(tmp_path: Path) -> None:
    """The picture shows the axes by whose values the number of matched claims differs most."""
    axes = {"stride": [1, 2], "size": [28, 30, 32], "kernel": [3, 5], "rule": ["floor"]}
    data = geometry_study(axes)
    data["arguments"] = {"padding": 0, "odd": "nothing"}
    study = load_study(write_study(tmp_path / "g", data, NETWORK))
    readings = [r.id for r in study.interpretations]
    matched = {r: 2 * ("size-30" in r) + ("kernel-3" in r) for r in readings}
    assert axes_by_effect(study, cells_of(study, matched)) == ["size", "kernel", "stride"]


def test_picture_names_axes_that_there_are(tmp_path: Path) -> None:
    """An axis that is none is a fault of the study, with the axes there are."""
    data = geometry_study({"size": [28, 30], "kernel": [3, 5]})
    data["sweep"]["picture"] = ["size", "kernels"]
    with pytest.raises(InputError, match="there is no axis 'kernels', did you mean 'kernel'"):
        load_study(write_study(tmp_path / "g", data, NETWORK))


@pytest.mark.slow
def test_thousands_of_combinations(tmp_path: Path) -> None:
    """A sweep of 1,200 is measured and judged; the summary stays short, the tables are whole."""
    data = geometry_study(AXES | {"size": {"first": 30, "last": 32}})
    data["conclusion"]["interpretation"] = "none"
    folder = write_study(tmp_path / "geometry", data, NETWORK)
    study = load_study(folder)
    assert len(study.interpretations) == 1_200
    out = measure(folder, tmp_path / "out")
    done = reconcile_study(study, folder, Measurements.read(out))
    assert len(done.tables["verdicts.csv"]) == 2_400
    assert done.summary["sweep"]["combinations"] == 1_200
    assert sum(number for _, number in done.summary["sweep"]["matched"]) == 1_200
    assert len(done.summary["ranking"]) <= 201
    # (32 + 2 x 0 - 5) / 2 rounded down, plus one: 14 windows of 8 kernels have 1,568 neurons.
    best = done.summary["ranking"][0]["interpretation"]
    assert done.summary["counts"]["reproduced"] == 2 and "odd" in best
