"""Charts say what was measured, against round numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_support import results_in, write_results, write_rows

from reconcile.report.figures.charts import (
    LayerClaim,
    Scale,
    chart_in_words,
    draw_neurons,
    layer_latencies,
)


def test_layers_of_several_networks_are_told_apart(tmp_path: Path) -> None:
    """Where a reading has several networks, a layer is drawn with the name of its own."""
    study, out = write_results(tmp_path)
    rows = [("slip", name, "conv", "cpu", 9, 7, 7, 8, "") for name in ("main", "large")]
    write_rows(out / "timings.csv", rows)
    bars = layer_latencies(results_in(study, out))
    assert [bar.name for bar in bars] == ["conv", "large/conv"]


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({"floor": 48}, "The reading ceil was not measured."),
        ({"floor": 36, "ceil": 48}, "The reading ceil gives every printed number."),
        ({"ceil": 64}, "Under the reading ceil, conv is printed as 48, measured 64."),
    ],
)
def test_the_chart_of_neurons_says_what_was_measured(measured: dict[str, int], told: str) -> None:
    """Its words claim nothing of a reading that was not measured, nor of layers that are not."""
    claim = LayerClaim("conv", "48", 48, measured, 0)
    assert told in chart_in_words([claim], "ceil")
    _, parts = draw_neurons([claim], "ceil", 720)
    assert any(">ceil</text>" in part for part in parts) == ("ceil" in measured)


def test_ticks_are_round_numbers() -> None:
    """An axis has few, round ticks within its range."""
    assert Scale(0, 301_056, 0, 500).ticks(5) == [0, 100_000, 200_000, 300_000]
    assert Scale(0, 6.1, 0, 500).ticks(4) == [0, 2, 4, 6]
