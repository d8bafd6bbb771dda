"""The output-size rules as layers, against torch itself and against closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from reconcile.layers import Conv2d, MaxPool2d, missing_zeros
from reconcile.measure.kinds import output_size

SIDES = st.integers(1, 40)
KERNELS = st.integers(1, 9)
STRIDES = st.integers(1, 6)
PADDINGS = st.tuples(st.integers(0, 4), st.integers(0, 4))


def convolution(kernel: int, stride: int, **keys: object) -> Conv2d:
    """A convolution of one channel whose weights are all different."""
    layer = Conv2d(1, 1, kernel, stride=stride, **keys)  # type: ignore[arg-type]
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, kernel * kernel + 1).reshape(layer.weight.shape))
        layer.bias.fill_(0.5)  # type: ignore[union-attr]
    return layer.requires_grad_(False)


def image(side: int) -> torch.Tensor:
    """Pixels that are all different and none of them zero."""
    return torch.arange(1.0, side * side + 1).reshape(1, 1, side, side)


@given(side=SIDES, kernel=KERNELS, stride=STRIDES, padding=PADDINGS)
def test_floor_is_torch(side: int, kernel: int, stride: int, padding: tuple[int, int]) -> None:
    """Under "floor" the layer is torch's own convolution of the padded image."""
    before, after = padding
    assume(side + before + after >= kernel)
    layer = convolution(kernel, stride, padding=padding)
    padded = functional.pad(image(side), (before, after, before, after))
    expected = functional.conv2d(padded, layer.weight, layer.bias, stride)
    assert torch.equal(layer(image(side)), expected)
    assert expected.shape[3] == output_size(side, kernel, stride, before, after, "floor")


@given(side=SIDES, kernel=KERNELS, stride=STRIDES, padding=PADDINGS)
def test_ceil_is_explicit_zeros(
    side: int, kernel: int, stride: int, padding: tuple[int, int]
) -> None:
    """Under "ceil" the layer is torch's own convolution with zeros at the right and bottom."""
    before, after = padding
    layer = convolution(kernel, stride, padding=padding, rule="ceil")
    extra = missing_zeros(side + before + after, kernel, stride)
    padded = functional.pad(image(side), (before, after + extra, before, after + extra))
    expected = functional.conv2d(padded, layer.weight, layer.bias, stride)
    assert torch.equal(layer(image(side)), expected)
    same = convolution(kernel, stride, padding=(before, after + extra))
    assert torch.equal(same(image(side)), expected)


@given(side=SIDES, kernel=KERNELS, stride=STRIDES, padding=PADDINGS)
def test_ceil_covers_the_image(
    side: int, kernel: int, stride: int, padding: tuple[int, int]
) -> None:
    """Under "ceil" the last window reaches the end of the padded image, and one fewer does not."""
    padded = side + sum(padding)
    windows = convolution(kernel, stride, padding=padding, rule="ceil")(image(side)).shape[3]
    assert (windows - 1) * stride + kernel >= padded
    assert windows == 1 or (windows - 2) * stride + kernel < padded
    assert windows == output_size(side, kernel, stride, *padding, "ceil")


@given(side=SIDES, kernel=KERNELS, stride=STRIDES)
def test_missing_zeros(side: int, kernel: int, stride: int) -> None:
    """The zeros that are missing are the fewest with which the windows end where the image ends."""
    zeros = missing_zeros(side, kernel, stride)
    fits = (
        n
        for n in range(kernel + stride)
        if side + n >= kernel and (side + n - kernel) % stride == 0
    )
    assert zeros == next(fits)


@given(side=SIDES, kernel=KERNELS, stride=STRIDES)
def test_rules_agree_where_windows_fit(side: int, kernel: int, stride: int) -> None:
    """Where the windows fit exactly, both rules give the same output."""
    assume(side >= kernel and (side - kernel) % stride == 0)
    floor, ceil = (
        convolution(kernel, stride, rule=rule)(image(side)) for rule in ("floor", "ceil")
    )
    assert torch.equal(floor, ceil)


@given(side=st.integers(2, 40), kernel=st.integers(1, 9), stride=STRIDES)
def test_pooling_is_torch(side: int, kernel: int, stride: int) -> None:
    """Pooling is torch's, with its ceil_mode for "ceil"."""
    assume(side >= kernel)
    for rule in ("floor", "ceil"):
        pooled = MaxPool2d(kernel, stride=stride, rule=rule)(image(side))
        expected = functional.max_pool2d(image(side), kernel, stride, ceil_mode=rule == "ceil")
        assert torch.equal(pooled, expected)


@given(side=st.integers(2, 60), kernel=st.integers(2, 6), stride=st.integers(1, 5))
def test_pooling_rounded_up(side: int, kernel: int, stride: int) -> None:
    """Overlapping or touching pools have ceil((side - kernel) / stride) + 1 windows."""
    assume(side >= kernel >= stride)
    pooled = MaxPool2d(kernel, stride=stride, rule="ceil")(image(side))
    assert pooled.shape[3] == output_size(side, kernel, stride, 0, 0, "ceil")


@pytest.mark.parametrize(
    ("side", "padding", "rule", "windows"),
    [
        (224, (0, 0), "floor", 54),
        (224, (0, 0), "ceil", 55),
        (227, (0, 0), "floor", 55),
        (224, (3, 3), "floor", 55),
        (224, (1, 2), "floor", 55),
        (224, (2, 2), "floor", 55),
        (224, (3, 3), "ceil", 56),
        (224, (3, 4), "floor", 56),
    ],
)
def test_known_sizes(side: int, padding: tuple[int, int], rule: str, windows: int) -> None:
    """Windows of 11 every 4 come out as the frameworks' own documents say."""
    layer = convolution(11, 4, padding=padding, rule=rule)
    assert layer(torch.zeros(1, 1, side, side)).shape[2:] == (windows, windows)


@given(height=SIDES, width=SIDES, kernel=KERNELS, stride=STRIDES)
def test_axes_are_separate(height: int, width: int, kernel: int, stride: int) -> None:
    """Height and width are each padded as they need."""
    output = convolution(kernel, stride, rule="ceil")(torch.zeros(1, 1, height, width))
    sizes = [output_size(side, kernel, stride, 0, 0, "ceil") for side in (height, width)]
    assert list(output.shape[2:]) == sizes


@pytest.mark.parametrize("layer", [Conv2d, MaxPool2d])
def test_unknown_rule(layer: type[nn.Module]) -> None:
    """Any other rule is refused with the two there are."""
    arguments = (1, 1, 3) if layer is Conv2d else (3,)
    with pytest.raises(ValueError, match="rule is 'floor' or 'ceil', not 'round'"):
        layer(*arguments, stride=2, rule="round")


def test_groups_and_bias() -> None:
    """Groups and a missing bias mean what they mean to torch."""
    layer = Conv2d(4, 6, 3, groups=2, bias=False)
    assert layer.weight.shape == (6, 2, 3, 3)
    assert layer.bias is None


def test_layers_say_their_rule() -> None:
    """Printed, a layer shows its padding per side and its rule."""
    assert "sides=(1, 2), rule=ceil" in repr(Conv2d(1, 1, 3, padding=(1, 2), rule="ceil"))
