"""The ResNet study: multiply-adds tell v1 from v1.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "resnet"
DEPTHS = (18, 34, 50, 101, 152)
# torchvision's counts of parameters for its five networks, which are v1.5 with projections.
TORCHVISION = (11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808)
GIGA_MACS = {
    "v1-as-trained": (1.795, 3.644, 3.858, 7.570, 11.282),
    "v1-projection": (1.814, 3.664, 3.858, 7.570, 11.282),
    "v1-identity": (1.795, 3.644, 3.498, 7.211, 10.923),
    "v1-all-projections": (1.878, 3.831, 6.324, 13.530, 20.736),
    "v1.5-projection": (1.814, 3.664, 4.089, 7.801, 11.514),
    "v1.5-identity": (1.795, 3.644, 3.730, 7.442, 11.154),
}


@pytest.mark.parametrize("reading", GIGA_MACS)
def test_multiply_adds(readings: Readings, reading: str) -> None:
    """Multiply-adds of the five depths, in thousand millions."""
    measured = [readings.run(reading, f"resnet-{d}").total("macs") / 1e9 for d in DEPTHS]
    assert measured == pytest.approx(GIGA_MACS[reading], abs=5e-4)


def test_parameters_are_those_of_torchvision(readings: Readings) -> None:
    """Where the stride stands changes no parameter."""
    for reading in ("v1-projection", "v1.5-projection"):
        runs = [readings.run(reading, f"resnet-{depth}") for depth in DEPTHS]
        assert tuple(run.total("parameters") for run in runs) == TORCHVISION


def test_no_one_convention_serves_all_five(readings: Readings) -> None:
    """The paper's own networks fit all five numbers, but not by one way of cutting digits."""
    verdicts = [readings.verdict("v1-as-trained", f"flops-{depth}") for depth in DEPTHS]
    assert verdicts == [
        *("matches-rounded", "matches-rounded", "matches-truncated"),
        *("matches-rounded", "matches-rounded"),
    ]
    assert readings.verdict("v1.5-projection", "flops-50") is None


@pytest.mark.parametrize("shortcut", ["identity", "projection", "all-projections"])
@pytest.mark.parametrize("depth", [18, 50])
def test_runs_on_a_real_device(readings: Readings, depth: int, shortcut: str) -> None:
    """The networks compute finite numbers, not only shapes."""
    torch.manual_seed(0)
    network = type(readings.run("v1-projection", "resnet-18").network)
    model = network(depth=depth, shortcut=shortcut, stride_at="1x1").eval()
    with torch.no_grad():
        assert model(torch.rand(1, 3, 32, 32)).isfinite().all()


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.excluded() == set(GIGA_MACS) - {"v1-as-trained", "v1-projection"}
