"""The MobileNet study: multiply-adds tell the strides, parameters cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "mobilenet"
BLOCKS = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
BLOCKS += [*[(512, 512, 1)] * 5, (512, 1024, 2)]
ROWS = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
STRIDES = {"corrected": (1, 2, 2, 2, 1, 2, 1), "printed": (1, 2, 2, 1, 2, 2, 1)}


def mobilenet(last: int, width: float = 1, size: int = 224) -> tuple[int, int]:
    """Closed form: weights and multiply-adds of MobileNet."""
    side, first = size // 2, int(32 * width)
    weights = 27 * first
    macs = weights * side**2
    for inputs, maps, stride in [*BLOCKS, (1024, 1024, last)]:
        side = -(-side // stride)
        own = 9 * int(inputs * width) + int(inputs * width) * int(maps * width)
        weights, macs = weights + own, macs + own * side**2
    return weights + int(1024 * width) * 1000, macs + int(1024 * width) * 1000


def mobilenet_v2(strides: str) -> tuple[int, int]:
    """Closed form: weights and multiply-adds of MobileNetV2 of width 1."""
    side, inputs, weights = 112, 32, 27 * 32
    macs = weights * side**2
    for (expansion, maps, count), stride in zip(ROWS, STRIDES[strides], strict=True):
        for place in range(count):
            inner = inputs * expansion
            if expansion > 1:
                weights, macs = weights + inputs * inner, macs + inputs * inner * side**2
            side = -(-side // (1 if place else stride))
            own = 9 * inner + inner * maps
            weights, macs, inputs = weights + own, macs + own * side**2, maps
    end = 320 * 1280
    return weights + end + 1280 * 1000, macs + end * side**2 + 1280 * 1000


@pytest.mark.parametrize(("reading", "last"), [("corrected", 1), ("printed", 2)])
def test_networks(readings: Readings, reading: str, last: int) -> None:
    """Every size has the counts of closed forms, and strides change no weight."""
    sizes = {"v1": (1, 224), "w0.75": (0.75, 224), "w0.25": (0.25, 224), "r160": (1, 160)}
    for network, (width, size) in sizes.items():
        run = readings.run(reading, network)
        assert (run.total("parameters"), run.total("macs")) == mobilenet(last, width, size)
    run = readings.run(reading, "v2")
    assert (run.total("parameters"), run.total("macs")) == mobilenet_v2(reading)


def test_numbers_of_the_answer(readings: Readings) -> None:
    """569 and 301 million with the strides of the sizes, 534 and 416 million as printed."""
    assert mobilenet(1) == (4_209_088, 568_740_352)
    assert mobilenet(2) == (4_209_088, 533_833_216)
    assert mobilenet_v2("corrected") == (3_469_760, 300_774_272)
    assert mobilenet_v2("printed") == (3_469_760, 416_266_880)
    assert readings.run("corrected-extras", "v1").total("parameters") == 4_231_976
    assert readings.run("corrected-extras", "v2").total("parameters") == 3_504_872
    assert readings.run("corrected", "v2-1.4").total("macs") == 582_195_824


def test_what_stays_open(readings: Readings) -> None:
    """Every other number of both papers is reproduced by one reading as the table states it."""
    claims = [claim.id for claim in readings.study.claims]
    missed = {claim for claim in claims if readings.verdict("corrected", claim) is None}
    assert missed == {
        "bottlenecks", "types.conv-3x3.macs", "full.full.macs", "v2.v1.macs",
        "v2.v2-1.4.parameters", "v2.v2-1.4.macs",
    }  # fmt: skip
    full = readings.run("corrected", "full")
    assert full.total("macs") == 4_867_293_184
    assert 4_865_500_000 <= full.total("macs") - 1024 * 1000 < 4_866_500_000
    cut = {c for c in claims if readings.verdict("corrected", c) == "matches-truncated"}
    assert cut == {"resolution.r160.macs", "v2.v2.parameters", "v2.v2.macs"}


def test_the_swapped_share(readings: Readings) -> None:
    """The first convolution has 1.91% of the multiply-adds, with the digits of 1.19%."""
    share = readings.measured("corrected", "types.conv-3x3.macs")
    assert share.numerator * mobilenet(1)[1] == 27 * 32 * 112**2 * share.denominator
    assert round(float(share) * 100, 2) == 1.91


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.study.conclusion.interpretation not in readings.excluded()
