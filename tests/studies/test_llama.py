"""The LLaMA study: sizes that are cut, and a table that was corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "llama"
# Layers, width, widths of keys and perceptron, vocabulary.
NETWORKS = {
    "7b": (32, 4096, 4096, 11008, 32000, 6_738_415_616),
    "13b": (40, 5120, 5120, 13824, 32000, 13_015_864_320),
    "33b": (60, 6656, 6656, 17920, 32000, 32_528_943_616),
    "65b": (80, 8192, 8192, 22016, 32000, 65_285_660_672),
    "8b": (32, 4096, 1024, 14336, 128256, 8_030_261_248),
    "70b": (80, 8192, 1024, 28672, 128256, 70_553_706_496),
    "405b": (126, 16384, 1024, 53248, 128256, 405_853_388_800),
}
FIRST = {
    ("8b", 6144): 4_809_035_776,
    ("70b", 12288): 38_341_451_776,
    ("405b", 20480): 202_916_184_064,
}
"""With the feed-forward widths of Llama 3's first version."""


@pytest.mark.parametrize("network", NETWORKS)
def test_parameters(readings: Readings, network: str) -> None:
    """2 V d, and 2 d^2 + 2 d k + 3 d f + 2 d a block, and d for the last normalisation."""
    layers, d, keys, ffn, vocabulary, wanted = NETWORKS[network]
    block = 2 * d * d + 2 * d * keys + 3 * d * ffn + 2 * d
    assert 2 * vocabulary * d + layers * block + d == wanted
    assert readings.run("program", network).total("parameters") == wanted


def test_the_first_version(readings: Readings) -> None:
    """With the first feed-forward widths none of the three sizes comes near its name."""
    for (network, ffn), wanted in FIRST.items():
        layers, d, keys, _, vocabulary, _ = NETWORKS[network]
        block = 2 * d * d + 2 * d * keys + 3 * d * ffn + 2 * d
        total = 2 * vocabulary * d + layers * block + d
        assert readings.measured("program", f"first.parameters.{network}") == total == wanted


def test_only_cut(readings: Readings) -> None:
    """The digits of 65.2B and of Llama 3's larger sizes are cut; no rounding gives them."""
    verdicts = {claim.id: readings.verdict("program", claim.id) for claim in readings.study.claims}
    cut = {claim for claim, verdict in verdicts.items() if verdict == "matches-truncated"}
    assert cut == {"sizes.65b.parameters", "later.parameters.70b", "later.parameters.405b"}
    assert {c for c, v in verdicts.items() if v is None} == {
        f"first.parameters.{n}" for n in ("8b", "70b", "405b")
    }


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
