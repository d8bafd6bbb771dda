"""The GoogLeNet study: the first row's numbers are those of a separable convolution."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "googlenet"
# Input maps, the table's six numbers of maps, side of the map, params (K) and ops (M) as printed.
TABLE = {
    "3a": (192, 64, 96, 128, 16, 32, 32, 28, 159, 128),
    "3b": (256, 128, 128, 192, 32, 96, 64, 28, 380, 304),
    "4a": (480, 192, 96, 208, 16, 48, 64, 14, 364, 73),
    "4b": (512, 160, 112, 224, 24, 64, 64, 14, 437, 88),
    "4c": (512, 128, 128, 256, 24, 64, 64, 14, 463, 100),
    "4d": (512, 112, 144, 288, 32, 64, 64, 14, 580, 119),
    "4e": (528, 256, 160, 320, 32, 128, 128, 14, 840, 170),
    "5a": (832, 256, 160, 320, 32, 128, 128, 7, 1072, 54),
    "5b": (832, 384, 192, 384, 48, 128, 128, 7, 1388, 71),
}
SEPARABLE = 7 * 7 * 3 * 8 + 24 * 64
ORDINARY = 7 * 7 * 3 * 64
CONV2 = 64 * 64 + 3 * 3 * 64 * 192


def weights(row: str, large: int = 5) -> int:
    """Weights of a module: four 1x1 convolutions, one of 3x3 and one of 5x5."""
    inputs, one, reduce3, three, reduce5, five, projection = TABLE[row][:7]
    first = inputs * (one + reduce3 + reduce5 + projection)
    return first + 9 * reduce3 * three + large**2 * reduce5 * five


@pytest.mark.parametrize(
    ("reading", "conv1", "large", "biases"),
    [
        ("ordinary", ORDINARY, 5, 0),
        ("ordinary-biases", ORDINARY, 5, 1),
        ("shipped", ORDINARY, 3, 0),
        ("separable", SEPARABLE, 5, 0),
        ("separable-1024-biases", SEPARABLE, 5, 1),
    ],
)
def test_every_row(readings: Readings, reading: str, conv1: int, large: int, biases: int) -> None:
    """Parameters and multiply-adds of every row are those of closed forms."""
    run = readings.run(reading)
    rows = {row: (weights(row, large), TABLE[row][7], sum(TABLE[row][1:7])) for row in TABLE}
    wanted = {f"inception_{row}.*": found for row, found in rows.items()} | {
        "conv1.*": (conv1, 112, 64),
        "conv2.*": (CONV2, 56, 64 + 192),
        "linear": (1024 * 1000, 1, 1000),
    }
    for layers, (count, side, maps) in wanted.items():
        assert run.value(f"parameters('{layers}')") == count + biases * maps, layers
        assert run.value(f"macs('{layers}')") == count * side**2, layers
    total = sum(count + biases * maps for count, _, maps in wanted.values())
    assert run.total("parameters") == total


def test_the_numbers_of_the_answer(readings: Readings) -> None:
    """2,712 weights and 34,019,328 multiply-adds, and what the whole network has."""
    run = readings.run("separable")
    assert (SEPARABLE, SEPARABLE * 112**2) == (2_712, 34_019_328)
    assert run.value("parameters('conv1.*')") == 2_712
    assert run.value("macs('conv1.*')") == 34_019_328
    assert (run.total("parameters"), run.total("macs")) == (6_983_576, 1_498_677_248)
    assert readings.run("ordinary").total("macs") == 1_582_671_872


def test_printed_sizes_fit_and_only_the_separable_first_row(readings: Readings) -> None:
    """All ops but those of 5a, and of conv1 under an ordinary one, match the printed sizes."""
    fits = {
        reading: {r for r in ("conv1", *TABLE) if readings.verdict(reading, f"rows.{r}.ops")}
        for reading in ("ordinary", "separable")
    }
    assert fits["separable"] == {"conv1", *TABLE} - {"5a"}
    assert fits["ordinary"] == set(TABLE) - {"5a"}
    for row, side in product(TABLE, ("height", "width", "channels")):
        assert readings.verdict("ordinary", f"sizes.{row}.output.{side}") == "matches"


def test_no_k_gives_all_parameters(readings: Readings) -> None:
    """K of 1,024 gives 3a, conv2 and linear; 2.7K then wants biases; 4a to 5b fit nothing."""
    rows = ("conv1", "conv2", *TABLE, "linear")
    fits = {
        reading: {row for row in rows if readings.verdict(reading, f"rows.{row}.params")}
        for reading in ("separable", "separable-1024", "separable-1024-biases")
    }
    assert fits == {
        "separable": {"conv1"},
        "separable-1024": {"conv2", "3a", "linear"},
        "separable-1024-biases": {"conv1", "conv2", "3a", "3b", "linear"},
    }


def test_the_undecided_differences() -> None:
    """What the conclusion says is left over: printed, in units of 1,024, less the weights."""
    left = {row: TABLE[row][8] * 1024 - weights(row) for row in TABLE}
    assert left == {
        **{"3a": -512, "3b": 1_024, "4a": -2_816, "4b": -1_024, "4c": -35_328},
        **{"4d": -10_752, "4e": -7_168, "5a": 55_296, "5b": -21_504},
    }
    assert 53.5e6 < 1072 * 1024 * 49 < 54.5e6


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.study.conclusion.interpretation not in readings.excluded()
