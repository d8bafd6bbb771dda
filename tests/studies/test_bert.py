"""The BERT study: round numbers whose last zeros are no digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "bert"
# Layers, width, vocabulary, and what encoder and pooler have.
NETWORKS = {
    ("released", "base"): (12, 768, 30522, 109_482_240),
    ("released", "large"): (24, 1024, 30522, 335_141_888),
    ("rounded-vocabulary", "base"): (12, 768, 30000, 109_081_344),
    ("rounded-vocabulary", "large"): (24, 1024, 30000, 334_607_360),
    ("released", "multilingual"): (12, 768, 119547, 177_853_440),
}


@pytest.mark.parametrize("key", NETWORKS)
def test_parameters(readings: Readings, key: tuple[str, str]) -> None:
    """12 d^2 + 13 d a block, V + 512 + 2 vectors and a norm before, a pooler after, and heads."""
    layers, d, vocabulary, wanted = NETWORKS[key]
    encoder = (vocabulary + 512 + 2) * d + 2 * d + layers * (12 * d * d + 13 * d)
    pooler = d * d + d
    heads = d * d + d + 2 * d + vocabulary + 2 * d + 2
    assert encoder + pooler == wanted
    assert readings.run(*key).total("parameters") == wanted + heads


def test_with_heads(readings: Readings) -> None:
    """With both heads the smaller network rounds to 110 million, and the larger not to 340."""
    base, large = (readings.run("released", n).total("parameters") for n in ("base", "large"))
    assert (base, large) == (110_106_428, 336_226_108)
    assert (round(base / 1e6), round(large / 1e6)) == (110, 336)


def test_zeros(readings: Readings) -> None:
    """To the nearest ten million the released vocabulary gives both, the printed one does not."""
    rounded = {key: round(wanted / 1e7) * 10 for key, (_, _, _, wanted) in NETWORKS.items()}
    assert rounded["released", "large"] == 340
    assert rounded["rounded-vocabulary", "large"] == 330
    assert rounded["released", "base"] == rounded["rounded-vocabulary", "base"] == 110
    for claim in readings.study.claims[:2]:
        assert claim.zeros == "open" and claim.number.open_unit == 10_000_000


def test_conclusion(readings: Readings) -> None:
    """30,522 is about 30,000 tokens; with heads these too come to 340 million in ten millions."""
    assert not readings.study.statements[0].denied_by(30522)
    assert readings.excluded() == {"rounded-vocabulary"}
    assert readings.run("rounded-vocabulary", "large").total("parameters") == 335_691_058
