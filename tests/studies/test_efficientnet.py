"""The EfficientNet study: strides change multiply-adds and no parameter."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import pytest
import torch

from reconcile.study.plan import networks_of

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "efficientnet"
ROWS = [(1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3), (6, 5, 112, 3)]
ROWS += [(6, 5, 192, 4), (6, 3, 320, 1)]
STRIDES = {"first": (1, 2, 2, 1, 2, 2, 1), "later": (1, 2, 2, 2, 1, 2, 1)}
B = ("b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7")


def maps_of(maps: int, width: float) -> int:
    """The nearest multiple of 8, or the next where more than a tenth would be lost."""
    near = int(maps * width + 4) // 8 * 8
    return near + 8 * (near < 0.9 * maps * width)


def efficientnet(width: float, depth: float, size: int, strides: str) -> tuple[int, int]:
    """Closed form: trainable parameters and multiply-adds."""
    side, inputs = ceil(size / 2), maps_of(32, width)
    parameters, macs = 27 * inputs + 2 * inputs, 27 * inputs * side**2
    for (expansion, kernel, maps, layers), stride in zip(ROWS, STRIDES[strides], strict=True):
        for place in range(ceil(layers * depth)):
            out, inner = maps_of(maps, width), inputs * expansion
            if expansion > 1:
                parameters += inputs * inner + 2 * inner
                macs += inputs * inner * side**2
            side = ceil(side / (1 if place else stride))
            parameters += (kernel**2 + 2) * inner + (inner + 2) * out
            macs += (kernel**2 + out) * inner * side**2
            squeezed = 2 * inner * (inputs // 4)
            parameters += squeezed + inner + inputs // 4
            macs, inputs = macs + squeezed, out
    last = maps_of(1280, width)
    parameters += inputs * last + 2 * last + last * 1000 + 1000
    return parameters, macs + inputs * last * side**2 + last * 1000


@pytest.mark.parametrize("reading", ["program", "first-version"])
def test_networks(readings: Readings, reading: str) -> None:
    """Small and large networks have the parameters and multiply-adds of closed forms."""
    for network in ("b0", "b1", "b4", "w2"):
        run = readings.run(reading, network)
        assert (run.total("parameters"), run.total("macs")) == efficientnet(**run.arguments)


def test_numbers_of_the_answer(readings: Readings) -> None:
    """385.8 million multiply-adds with the program's strides, 516.4 with the first version's."""
    assert efficientnet(1, 1, 224, "later") == (5_288_548, 385_814_752)
    assert efficientnet(1, 1, 224, "first") == (5_288_548, 516_350_752)
    every = networks_of(readings.study, readings.reading("program"))
    counts = {name: efficientnet(**every[name]) for name in B}
    assert [round(macs / 10**9, 2) for _, macs in counts.values()] == [
        0.39, 0.69, 0.99, 1.83, 4.39, 10.27, 19.07, 37.75,
    ]  # fmt: skip
    assert [round(parameters / 10**6, 2) for parameters, _ in counts.values()] == [
        5.29, 7.79, 9.11, 12.23, 19.34, 30.39, 43.04, 66.35,
    ]  # fmt: skip
    first = {name: efficientnet(**every[name] | {"strides": "first"})[1] for name in B}
    printed = (0.39, 0.70, 1.0, 1.8, 4.2, 9.9, 19, 37)
    more = [first[name] / 10**9 / p for name, p in zip(B, printed, strict=True)]
    assert 1.27 < min(more) < 1.28 and 1.41 < max(more) < 1.42
    assert [efficientnet(1.4, 1.8, size, "later")[1] // 10**7 for size in (360, 361, 368, 369)] == [
        413, 416, 418, 434,
    ]  # fmt: skip


def test_resolutions(readings: Readings) -> None:
    """Each version's resolutions are those of its strides; both agree but for stage 6."""
    for reading, other in (("program", "first"), ("first-version", "later")):
        missed = {
            claim.id
            for claim in readings.study.claims
            if claim.id.startswith("stages.") and readings.verdict(reading, claim.id) is None
        }
        assert missed == {f"stages.stage6.{other}"}


def test_what_stays_open(readings: Readings) -> None:
    """Three scaled networks and three of the eight have other multiply-adds than printed."""
    claims = [claim.id for claim in readings.study.claims if claim.id.endswith(".macs")]
    missed = {claim for claim in claims if readings.verdict("program", claim) is None}
    assert missed == {
        "results.b1.macs", "results.b4.macs", "results.b5.macs",
        "scaled.d4.macs", "scaled.w2.macs", "scaled.r2.macs",
    }  # fmt: skip
    assert readings.verdict("program", "results.b7.macs") == "matches-truncated"
    assert readings.verdict("program", "results.b2.parameters") is None


def test_blocks_add_and_squeeze(readings: Readings) -> None:
    """A block that keeps its size adds its input, and each map is multiplied with a share."""
    torch.manual_seed(0)
    network = type(readings.run("program", "b0").network)
    model = network(width=1, depth=1, size=32, strides="later").eval()
    block = model.blocks.get_submodule("stage3-2")
    x = torch.randn(1, 24, 8, 8)
    with torch.no_grad():
        block.project.conv.weight.zero_()
        torch.testing.assert_close(block(x), x)
        squeezed = block.squeeze(torch.ones(1, 144, 2, 2))
    assert bool(((squeezed > 0) & (squeezed < 1)).all())


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.excluded() == {"first-version"}
