"""Convolution and pooling under the output-size rule of each framework, as real layers.

Frameworks disagree about windows that do not fit: some leave the last pixels out (``floor``: Torch,
Caffe's convolution, PyTorch), some add a last window that reaches beyond the image (``ceil``:
cuda-convnet, Caffe's pooling). Both are layers here that run and are measured, not formulas.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Conv2d", "MaxPool2d", "Rule", "missing_zeros"]

Rule = Literal["floor", "ceil"]
Padding = int | tuple[int, int] | list[int]


def _sides(padding: Padding) -> tuple[int, int]:
    """Padding as (left and top, right and bottom), in pixels."""
    if isinstance(padding, int):
        return padding, padding
    before, after = padding
    return before, after


def missing_zeros(size: int, kernel: int, stride: int) -> int:
    """How many zeros after the last pixel let the windows cover ``size`` pixels.

    With them the rounded-down output size equals ``ceil((size - kernel) / stride) + 1``, the rule
    of cuda-convnet (layer.py, "1 + ceil((2*pad + img - filter) / stride)").
    """
    return (kernel - size) % stride if size > kernel else max(kernel - size, 0)


class Conv2d(nn.Conv2d):
    """A convolution with padding per side and a stated output-size rule.

    Input (N, C_in, H, W), output (N, C_out, H', W'). With ``rule="ceil"`` the windows cover the
    whole padded image: the last one may read implicit zeros beyond its right and bottom edge.

    Args:
        in_channels: channels of the input.
        out_channels: kernels.
        kernel_size: side of the square kernel, in pixels.
        stride: step between windows, in pixels.
        padding: explicit zeros, one number for all sides or (left and top, right and bottom).
        rule: "floor" leaves incomplete windows out, "ceil" covers the image.
        groups: towers that see only their own share of the channels.
        bias: whether each kernel has a bias.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: Padding = 0,
        rule: Rule = "floor",
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride=stride, groups=groups, bias=bias
        )
        _check_rule(rule)
        self.sides = _sides(padding)
        self.rule = rule

    def _after(self, size: int, axis: int) -> int:
        before, after = self.sides
        if self.rule == "floor":
            return after
        return after + missing_zeros(
            size + before + after, self.kernel_size[axis], self.stride[axis]
        )

    def forward(self, images: Tensor) -> Tensor:
        """Pad as the rule asks, then convolve."""
        before = self.sides[0]
        bottom, right = (self._after(images.shape[2 + axis], axis) for axis in (0, 1))
        if before or bottom or right:
            images = functional.pad(images, (before, right, before, bottom))
        return super().forward(images)

    def extra_repr(self) -> str:
        """The arguments, the rule included."""
        return f"{nn.Conv2d.extra_repr(self)}, sides={self.sides}, rule={self.rule}"


class MaxPool2d(nn.MaxPool2d):
    """Max pooling with a stated output-size rule.

    With ``rule="ceil"`` a last window that is only partly inside the image counts: cuda-convnet's
    ``ceil((img - start - size) / stride) + 1`` and the default of Caffe's pooling.
    """

    def __init__(
        self, kernel_size: int, *, stride: int, padding: int = 0, rule: Rule = "floor"
    ) -> None:
        _check_rule(rule)
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=rule == "ceil")


def _check_rule(rule: str) -> None:
    if rule not in ("floor", "ceil"):
        raise ValueError(f"rule is 'floor' or 'ceil', not {rule!r}")
