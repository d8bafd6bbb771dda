"""Which pixels the first layer sees, by gradient, against counting windows by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from reconcile.layers import Conv2d
from reconcile.measure.coverage import Coverage, cover

CPU = torch.device("cpu")


def seen_by_hand(side: int, kernel: int, stride: int, before: int, windows: int) -> set[int]:
    """The pixels of a row that some window holds."""
    return {
        pixel
        for window in range(windows)
        for pixel in range(window * stride - before, window * stride - before + kernel)
        if 0 <= pixel < side
    }


@settings(max_examples=50)
@given(
    side=st.integers(1, 20),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 9),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    rule=st.sampled_from(["floor", "ceil"]),
)
def test_against_counting(
    side: int, kernel: int, stride: int, before: int, after: int, rule: str
) -> None:
    """The gradient reaches exactly the pixels that lie in some window."""
    assume(side + before + after >= kernel or rule == "ceil")
    layer = Conv2d(2, 3, kernel, stride=stride, padding=(before, after), rule=rule)  # type: ignore[arg-type]
    found = cover(layer, (1, 2, side, side), CPU)
    row = seen_by_hand(side, kernel, stride, before, found.windows_in_row)
    assert found.seen == len(row) ** 2
    assert (found.height, found.width) == (side, side)
    for window in found.windows:
        inside = seen_by_hand(side, kernel, stride, before - window.index * stride, 1)
        if inside and len(row) > 0 and window.last >= 0:
            assert (window.first, window.last) == (min(inside), max(inside))
            assert window.zeros == kernel - len(inside)


@pytest.mark.parametrize(
    ("side", "rule", "seen", "windows"),
    [(224, "floor", 49_729, 54), (224, "ceil", 50_176, 55), (227, "floor", 51_529, 55)],
)
def test_known_coverage(side: int, rule: str, seen: int, windows: int) -> None:
    """Windows of 11 every 4 leave out the last row and column of 224 when rounded down."""
    found = cover(Conv2d(3, 4, 11, stride=4, rule=rule), (1, 3, side, side), CPU)  # type: ignore[arg-type]
    assert (found.seen, found.windows_in_row) == (seen, windows)


def test_windows_at_the_edges() -> None:
    """Three windows at each end are recorded, with what lies outside the image."""
    found = cover(Conv2d(1, 1, 11, stride=4, rule="ceil"), (1, 1, 224, 224), CPU)
    assert [w.index for w in found.windows] == [0, 1, 2, 52, 53, 54]
    assert vars(found.windows[-1]) == {
        "index": 54,
        "first": 216,
        "last": 223,
        "size": 11,
        "zeros": 3,
    }
    assert vars(found.windows[0]) == {"index": 0, "first": 0, "last": 10, "size": 11, "zeros": 0}


def test_few_windows() -> None:
    """A row of few windows has each of them once."""
    found = cover(Conv2d(1, 1, 3, stride=2), (1, 1, 7, 7), CPU)
    assert [w.index for w in found.windows] == [0, 1, 2]


def test_dilation() -> None:
    """A dilated kernel spans more than it sees."""
    found = cover(nn.Conv2d(1, 1, 3, dilation=2, stride=5), (1, 1, 10, 10), CPU)
    assert {w.size for w in found.windows} == {5}
    assert found.seen == 36


def test_the_layer_stays_as_it_is() -> None:
    """Weights, gradients and their demands are as before, whatever they are."""
    layer = Conv2d(1, 2, 3).requires_grad_(False)
    before = layer.weight.clone()
    cover(layer, (1, 1, 9, 9), CPU)
    assert torch.equal(layer.weight, before)
    assert layer.weight.grad is None and not layer.weight.requires_grad


def test_weights_do_not_matter() -> None:
    """A layer whose weights cancel or are zero sees what its windows hold."""
    layer = Conv2d(1, 2, 3)
    nn.init.zeros_(layer.weight)
    assert cover(layer, (1, 1, 9, 9), CPU).seen == 81


def test_without_gradients() -> None:
    """Coverage is measured where gradients are switched off too."""
    with torch.no_grad():
        found = cover(Conv2d(1, 1, 3), (1, 1, 5, 5), CPU)
    assert isinstance(found, Coverage) and found.seen == 25
