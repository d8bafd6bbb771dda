"""The T5 study: one size of five has a second table of the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "t5"
# Blocks, width, all heads together, heads, width of the perceptrons.
NETWORKS = {
    "small": (6, 512, 512, 8, 2048, 60_506_624),
    "base": (12, 768, 768, 12, 3072, 222_903_552),
    "large": (24, 1024, 1024, 16, 4096, 737_668_096),
    "3b": (24, 1024, 4096, 32, 16384, 2_851_598_336),
    "11b": (24, 1024, 16384, 128, 65536, 11_307_321_344),
}
VOCABULARY = 32_128


@pytest.mark.parametrize("network", NETWORKS)
def test_parameters(readings: Readings, network: str) -> None:
    """A pair of blocks has twelve matrices of attention, four of perceptrons and five gains."""
    layers, d, inner, heads, ffn, wanted = NETWORKS[network]
    pair = 12 * d * inner + 4 * d * ffn + 5 * d
    assert VOCABULARY * d + layers * pair + 2 * 32 * heads + 2 * d == wanted
    assert readings.run("shared", network).total("parameters") == wanted


def test_a_second_table(readings: Readings) -> None:
    """Twice the table makes 770 million of the third size and of no other the printed one."""
    twice = {n: sizes[-1] + VOCABULARY * sizes[1] for n, sizes in NETWORKS.items()}
    tens = {name: round(count / 1e7) * 10 for name, count in twice.items()}
    assert (tens["small"], tens["base"], tens["large"]) == (80, 250, 770)
    assert [round(sizes[-1] / 1e7) * 10 for sizes in NETWORKS.values()][:3] == [60, 220, 740]
    assert readings.misjudged() == []
