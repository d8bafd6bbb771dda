"""What a search of geometries looks for, and the windows it moves over an input.

Along one axis a window of k pixels that moves by s over n pixels, with l and r pixels of
padding, stops at floor((n + l + r - k) / s) + 1 places (V. Dumoulin and F. Visin, "A guide to
convolution arithmetic for deep learning", 2016, relationship 6), or at ceil(...) + 1 of them
where a last, partial window counts: the frameworks differ in that rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reconcile.search.combinations import BLOCK, Integers

Rule = Literal["floor", "ceil"]
Flags = NDArray[np.bool_]


class Window(NamedTuple):
    """A window along one axis, in pixels, but for its stride."""

    kernel: int
    left: int
    right: int


class KernelAndStride(NamedTuple):
    """The kernel and stride that a paper states, in pixels."""

    kernel: int
    stride: int


class AxisGeometry(NamedTuple):
    """One axis of a geometry, in pixels; `left` is also the top."""

    input: int
    window: Window
    stride: int

    def size(self, rule: Rule) -> int:
        """Return how many places the window stops at."""
        kernel, left, right = self.window
        span = self.input + left + right - kernel
        return (span if rule == "floor" else span + self.stride - 1) // self.stride + 1

    def keeps(self, stated: KernelAndStride | None) -> bool:
        """Tell whether kernel and stride are the stated ones."""
        return (self.window.kernel, self.stride) == stated

    def __str__(self) -> str:
        kernel, left, right = self.window
        return f"input {self.input}, kernel {kernel}, stride {self.stride}, padding {left}+{right}"


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a window moves over both axes of an input, and how its last place is rounded."""

    rows: AxisGeometry
    columns: AxisGeometry
    rule: Rule

    def __str__(self) -> str:
        if self.rows == self.columns:
            return f"{self.rows}, {self.rule}"
        return f"rows: {self.rows}; columns: {self.columns}; {self.rule}"


@dataclass(frozen=True, slots=True)
class Space:
    """The ranges of a search, all in pixels and ascending.

    Attributes:
        inputs: Sides of the input.
        kernels: Sides of the window.
        strides: Steps of the window.
        paddings: Zeros before the first pixel, and after the last one. Only those narrower than
            the window are taken: a window that sees nothing but zeros computes nothing.
        free_sides: Whether the two ends may differ; then every pair of them is taken.
        rules: How a last, partial window is rounded.
    """

    inputs: Sequence[int]
    kernels: Sequence[int]
    strides: Sequence[int]
    paddings: Sequence[int] = (0,)
    free_sides: bool = False
    rules: Sequence[Rule] = ("floor", "ceil")

    def __post_init__(self) -> None:
        for name, least in (("inputs", 1), ("kernels", 1), ("strides", 1), ("paddings", 0)):
            values = getattr(self, name)
            if not values or min(values) < least or list(values) != sorted(set(values)):
                message = f"{name} of a search must ascend from {least} or more, not {values}"
                raise ValueError(message)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every kernel with every padding that is narrower than it, the least padding first."""
        windows = (
            Window(kernel, left, right)
            for kernel in self.kernels
            for left in self.paddings
            for right in (self.paddings if self.free_sides else (left,))
            if max(left, right) < kernel
        )
        return tuple(sorted(windows, key=lambda w: (w.left + w.right, w.left, w.kernel)))

    @property
    def largest_map(self) -> int:
        """No map of this space has more places along one side."""
        return max(self.inputs) + 2 * max(self.paddings) + 1

    def __str__(self) -> str:
        ends = "at each end" if self.free_sides else "at both ends alike"
        padding = f"padding {_range(self.paddings)} {ends}, narrower than the kernel"
        return (
            f"inputs {_range(self.inputs)}, kernels {_range(self.kernels)}, strides "
            f"{_range(self.strides)}, {padding if any(self.paddings) else 'no padding'}, "
            f"{' and '.join(self.rules)}"
        )


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search looks for.

    Attributes:
        neurons: Elements of the layer's output for one input.
        channels: The channel counts that may be; any that divides the neurons if there is none.
        stated: The kernel and stride of the paper: hits that keep them are counted apart.
    """

    neurons: int
    channels: tuple[int, ...] = ()
    stated: KernelAndStride | None = None

    def __post_init__(self) -> None:
        if min(self.neurons, *self.channels, 1) < 1:
            message = f"neurons and channels must be positive, not {self.neurons}, {self.channels}"
            raise ValueError(message)

    def areas(self, largest: int) -> Flags:
        """Return, for every area of a map up to `largest`, whether it gives the neurons."""
        low = np.arange(1, isqrt(self.neurons) + 1)
        low = low[self.neurons % low == 0]
        areas = np.concatenate([low, self.neurons // low])
        if self.channels:
            areas = areas[np.isin(self.neurons // areas, self.channels)]
        table = np.zeros(largest + 1, dtype=np.bool_)
        table[areas[areas <= largest]] = True
        return table

    def square(self, channels: int) -> bool:
        """Tell whether that many channels of any square map have the neurons."""
        area, rest = divmod(self.neurons, channels)
        return not rest and isqrt(area) ** 2 == area

    def __str__(self) -> str:
        some = " or ".join(map(str, self.channels)) or "any number of"
        return f"{self.neurons:,} neurons in {some} channels"


def _range(values: Sequence[int]) -> str:
    """Write ascending numbers as a range where they are one."""
    if len(values) > 1 and values[-1] - values[0] == len(values) - 1:
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))


def blocks(number: int, each: int) -> Iterator[slice]:
    """Cut `number` items, with `each` combinations apiece, into runs that fit a core's cache."""
    step = max(1, BLOCK // max(1, each))
    return (slice(at, at + step) for at in range(0, number, step))


def spans(inputs: Sequence[int], windows: Sequence[Window]) -> Integers:
    """Return how far each window can move over each input: negative where it does not fit.

    The shape is (windows, inputs).
    """
    reach = np.array([left + right - kernel for kernel, left, right in windows], dtype=np.int64)
    return reach[:, None] + np.array(inputs, dtype=np.int64)


def map_sizes(spans: Integers, strides: Sequence[int], rule: Rule) -> Integers:
    """Return how many places the windows stop at: none where a window does not fit.

    The shape is (strides, *shape of the spans).
    """
    sizes = np.empty((len(strides), *spans.shape), dtype=np.int64)
    for row, stride in zip(sizes, strides, strict=True):
        np.floor_divide(spans if rule == "floor" else spans + (stride - 1), stride, out=row)
    sizes += 1
    misfits = spans < 0
    if misfits.any():
        sizes[:, misfits] = 0
    return sizes
