"""The zip-code network of 1989: the control whose every count agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "lecun1989"
# Biases of H1 and H2, and maps of H1 that a map of H2 sees.
READINGS = {
    "paper": (768, 192, 8),
    "shared-biases": (12, 12, 8),
    "full-h2": (768, 192, 12),
    "library": (12, 12, 12),
}


@pytest.mark.parametrize("reading", READINGS)
def test_counts(readings: Readings, reading: str) -> None:
    """Closed forms: units times input lines, kernels times maps, a bias a unit or a map."""
    h1, h2, seen = READINGS[reading]
    run = readings.run(reading)
    macs = 768 * 25 + 192 * 25 * seen + 192 * 30 + 30 * 10
    kernels = 12 * 25 + 12 * 25 * seen
    assert run.value("macs(network)") == macs
    assert run.value("parameters(network)") == kernels + h1 + h2 + 193 * 30 + 31 * 10
    assert run.value("connections(network)") == macs + 768 + 192 + 30 + 10
    assert run.value("neurons(network)") == 768 + 192 + 30 + 10


def test_every_number_is_reproduced(readings: Readings) -> None:
    """All eleven claims match in full under the paper's reading and no other."""
    claims = [claim.id for claim in readings.study.claims]
    assert len(claims) == 11
    matched = {r: [readings.verdict(r, c) for c in claims].count("matches") for r in READINGS}
    assert matched == {"paper": 11, "shared-biases": 8, "full-h2": 7, "library": 6}


def test_the_reproduction(readings: Readings) -> None:
    """63,660 multiply-adds and 1,000 units are 64,660 and 1256 without biases and inputs."""
    run = readings.run("paper")
    assert run.value("macs(network)") == 64_660 - 1_000 == 63_660
    assert run.value("neurons(input)") == 1_256 - 1_000 == 256


def test_which_maps_are_seen_matters_to_no_count(readings: Readings) -> None:
    """Each map of H2 sees eight maps of H1, and each map of H1 is seen by eight."""
    network = readings.run("paper").network
    seen = torch.tensor(network.h2_kernels.chosen)  # type: ignore[union-attr, arg-type]
    assert seen.shape == (12, 8)
    assert seen.flatten().bincount().tolist() == [8] * 12


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
