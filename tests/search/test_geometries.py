"""Geometries: each search against loops over all of it, and what AlexNet must give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.search import geometries
from reconcile.search.geometries import (
    AxisGeometry,
    GeometryFindings,
    KernelAndStride,
    Rule,
    Sought,
    Space,
    Window,
    rectangular_maps,
    separate_axes,
    square_maps,
)

ALEXNET = Sought(253_440, (96,), KernelAndStride(11, 4))

Ascending = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(sorted)
SPACES = st.builds(
    Space,
    inputs=st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True).map(sorted),
    kernels=Ascending,
    strides=Ascending,
    paddings=st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True)
    .map(sorted)
    .filter(lambda paddings: paddings[0] == 0),
    free_sides=st.booleans(),
)
SOUGHT = st.builds(
    Sought,
    neurons=st.sampled_from([16, 24, 36, 60, 96, 100, 144]),
    channels=st.sampled_from([(), (1,), (4,), (2, 6)]),
    stated=st.sampled_from([None, KernelAndStride(3, 2)]),
)


def places(axis: AxisGeometry, rule: Rule) -> int:
    """Compute a map's side as the formula is written: none where the window does not fit."""
    span = axis.input + axis.window.left + axis.window.right - axis.window.kernel
    rounded = {"floor": floor, "ceil": ceil}[rule]
    return rounded(span / axis.stride) + 1 if span >= 0 else 0


def axes(space: Space, side: int) -> Iterator[AxisGeometry]:
    """Yield every axis of a space over one input side."""
    for kernel, stride, left, right in product(
        space.kernels, space.strides, space.paddings, space.paddings
    ):
        if (space.free_sides or left == right) and max(left, right) < kernel:
            yield AxisGeometry(side, Window(kernel, left, right), stride)


def squares(space: Space) -> Iterator[tuple[AxisGeometry, AxisGeometry]]:
    """Yield every square geometry."""
    return ((axis, axis) for side in space.inputs for axis in axes(space, side))


def rectangles(space: Space) -> Iterator[tuple[AxisGeometry, AxisGeometry]]:
    """Yield every geometry with one window on two input sides."""
    for height, width in product(space.inputs, space.inputs):
        yield from zip(axes(space, height), axes(space, width), strict=True)


def pairs(space: Space) -> Iterator[tuple[AxisGeometry, AxisGeometry]]:
    """Yield every geometry with a window of its own on each axis."""
    return (pair for side in space.inputs for pair in product(axes(space, side), axes(space, side)))


KINDS = [(square_maps, squares), (rectangular_maps, rectangles), (separate_axes, pairs)]


@pytest.mark.parametrize(("search", "geometries"), KINDS)
@settings(max_examples=30, deadline=None)
@given(sought=SOUGHT, space=SPACES)
def test_search_agrees_with_trying_all(search, geometries, sought: Sought, space: Space) -> None:  # noqa: ANN001
    """The search computes every geometry once, and finds exactly those that give the number."""
    tried, found, square, keeping = 0, Counter(), Counter(), Counter()
    for (rows, columns), rule in product(geometries(space), space.rules):
        sides = tuple(sorted((places(rows, rule), places(columns, rule))))
        tried += sides[0] > 0
        channels, rest = divmod(sought.neurons, sides[0] * sides[1] or 10**9)
        if not rest and channels in (sought.channels or (channels,)):
            found[sides] += 1
            square[sides] += rows.input == columns.input
            keeping[sides] += rows.keeps(sought.stated) or columns.keeps(sought.stated)
    result: GeometryFindings = search(sought, space)
    assert result.tried == tried
    assert result.total == found.total()
    for maps in result.maps:
        sides = maps.height, maps.width
        counts = maps.geometries, maps.square_inputs, maps.keeping
        assert counts == (found[sides], square[sides], keeping[sides])
        rule = maps.example.rule
        assert sides == tuple(
            sorted(a.size(rule) for a in (maps.example.rows, maps.example.columns))
        )
        assert maps.height * maps.width * maps.channels == sought.neurons
    assert len(result.maps) == len(found)


@pytest.mark.parametrize("search", [square_maps, rectangular_maps, separate_axes])
def test_block_size_changes_nothing(search, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    """Results do not depend on how the search is cut into blocks."""
    space = Space(range(5, 20), range(1, 6), range(1, 4), range(3), free_sides=True)
    whole = search(Sought(96), space)
    monkeypatch.setattr(geometries, "BLOCK", 17)
    assert search(Sought(96), space) == whole


def test_alexnet_has_no_square_map_with_96_channels() -> None:
    """None of 8,383,104 square geometries has 253,440 neurons in 96 channels."""
    space = Space(range(16, 513), range(1, 33), range(1, 17), range(32))
    result = square_maps(ALEXNET, space)
    assert (result.tried, result.total) == (8_383_104, 0)
    assert "253,440 / 96 is no square number" in result.found


def test_alexnet_right_number_is_found() -> None:
    """290,400 is found at kernel 11 and stride 4, so that a search that finds nothing could."""
    space = Space(range(200, 257), range(1, 17), range(1, 9), range(4))
    result = square_maps(Sought(290_400, (96,), KernelAndStride(11, 4)), space)
    assert [str(maps) for maps in result.maps] == ["55x55x96"]
    assert str(result.maps[0].example) == "input 227, kernel 11, stride 4, padding 0+0, floor"


def test_alexnet_other_channel_counts_hit() -> None:
    """48 x 48 maps of 110 channels do have 253,440 neurons, and are listed as what they are."""
    space = Space(range(190, 257), range(3, 17), range(1, 9), range(4))
    result = square_maps(Sought(253_440, (), KernelAndStride(11, 4)), space)
    best = result.maps[0]
    assert (str(best), best.keeping > 0) == ("48x48x110", True)


def test_alexnet_rectangles_need_inputs_that_are_not_square() -> None:
    """With one kernel and stride, 48 x 55 is reached, but never from a square input."""
    space = Space(range(190, 260), range(3, 17), range(1, 9), range(4))
    result = rectangular_maps(ALEXNET, space)
    found = {str(maps): maps.geometries for maps in result.maps}
    assert found == {"48x55x96": 2 * 1480, "44x60x96": 2 * 12}
    assert sum(maps.square_inputs for maps in result.maps) == 0


def test_alexnet_separate_axes_do_not_keep_the_stated_window() -> None:
    """Without padding, separate axes reach the number 650 times, never at kernel 11, stride 4."""
    space = Space((224, 226, 227, 256), range(1, 33), range(1, 17))
    result = separate_axes(ALEXNET, space)
    assert (result.tried, result.total) == (2_097_152, 650)
    assert "48x55x96" not in map(str, result.maps)
    assert sum(maps.keeping for maps in result.maps) == 0


@pytest.mark.parametrize("inputs", [(), (5, 4), (0, 1), (3, 3)])
def test_ranges_out_of_order_are_refused(inputs: tuple[int, ...]) -> None:
    """Ranges that are empty, not positive or not ascending are an error that names them."""
    with pytest.raises(ValueError, match="inputs of a search must ascend"):
        Space(inputs, (3,), (1,))


def test_counts_that_are_not_positive_are_refused() -> None:
    """No layer has no neurons or no channels."""
    with pytest.raises(ValueError, match="must be positive"):
        Sought(0, (96,))
