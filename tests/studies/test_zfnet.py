"""The ZFNet study: one rule gives every map size of Figure 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "zfnet"
LAYERS = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
MAPS = {
    "floor": (109, 54, 25, 12, 12, 12, 12, 5),
    "floor-ceilpool": (109, 54, 25, 12, 12, 12, 12, 6),
    "ceil": (110, 55, 26, 13, 13, 13, 13, 6),
    "pad-1-ceilpool": (110, 55, 26, 13, 13, 13, 13, 6),
    "pad-1-padded-pools": (110, 55, 26, 13, 13, 13, 13, 6),
    "pad-1-ceil": (111, 55, 26, 13, 13, 13, 13, 6),
    "faster-rcnn": (112, 57, 29, 15, 15, 15, 15, 7),
}


def test_every_reading_has_its_maps(readings: Readings) -> None:
    """The readings listed here are those of the study."""
    assert [r.id for r in readings.study.interpretations] == list(MAPS)


@pytest.mark.parametrize("reading", MAPS)
def test_map_sizes(readings: Readings, reading: str) -> None:
    """Convolution and pooling follow the reading's rules down to fc6."""
    run = readings.run(reading)
    assert tuple(run.one("width", layer) for layer in LAYERS) == MAPS[reading]
    assert run.network.fc6.in_features == run.one("neurons", "pool5")


def test_rounding_up_gives_every_printed_number(readings: Readings) -> None:
    """Every claim matches under `ceil`, and under two padded readings of equal counts."""
    claims = [claim.id for claim in readings.study.claims]
    for reading in ("ceil", "pad-1-ceilpool", "pad-1-padded-pools"):
        assert [c for c in claims if readings.verdict(reading, c) != "matches"] == []
    assert readings.verdict("floor", "conv1-map") is None


def test_coverage_of_the_input(readings: Readings) -> None:
    """As in AlexNet, rounding down leaves the last row and column unseen."""
    assert readings.run("floor").seen() == 223**2
    assert readings.run("ceil").seen() == 224**2


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.study.conclusion.interpretation not in readings.excluded()
