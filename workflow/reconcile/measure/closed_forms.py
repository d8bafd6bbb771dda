"""Closed forms that every executed count is checked against.

Sources: convolution arithmetic as in Dumoulin and Visin, "A guide to convolution arithmetic for
deep learning" (2016), relationship 6; the ceiling form from cuda-convnet's layer.py.
"""

from __future__ import annotations

from torch import Tensor, nn

from reconcile.layers import Conv2d

_KNOWN = (nn.Conv2d.forward, Conv2d.forward, nn.Linear.forward)
"""A subclass with a forward of its own does something else than its class says."""


class CrossCheckError(Exception):
    """What was executed disagrees with the closed form; one of the two is wrong."""


def output_size(size: int, kernel: int, stride: int, before: int, after: int, rule: str) -> int:
    """Number of windows along one axis, in windows.

    floor or ceil of (size + before + after - kernel) / stride, plus one; never below one window
    under "ceil", where zeros make up what is missing.
    """
    room = size + before + after - kernel
    if rule == "ceil":
        return max(-(-room // stride), 0) + 1
    return room // stride + 1


def check_row(
    module: nn.Module,
    name: str,
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
    macs: int,
) -> None:
    """Compare one executed call of a convolution or linear layer with its closed form.

    Args:
        module: the layer.
        name: its name, for the message.
        input_shape: shape of what went in, with the batch.
        output_shape: shape of what came out, with the batch.
        macs: multiply-adds that were executed.

    The weight is the one that the layer has, however it came about: cut, pruned, replaced by one of
    another size, or computed from others.

    Raises:
        CrossCheckError: sizes or multiply-adds differ.
    """
    if not _does_as_its_class(module) or not isinstance(weight := module.weight, Tensor):
        return
    if isinstance(module, nn.Conv2d):
        expected = _product(output_shape) * _product(tuple(weight.shape[1:]))
        _check_size(module, name, input_shape, output_shape)
    else:
        expected = _product(output_shape[:-1]) * weight.numel()
    _compare(name, "multiply-adds", macs, expected)


def _does_as_its_class(module: nn.Module) -> bool:
    """Whether nothing but the forward pass of torch's own class ran, or that of ``layers``."""
    if not isinstance(module, nn.Conv2d | nn.Linear):
        return False
    changed = type(module).forward not in _KNOWN or "forward" in module.__dict__
    hooked = module._forward_hooks or module._forward_pre_hooks
    if isinstance(module, nn.Conv2d):
        changed |= type(module)._conv_forward is not nn.Conv2d._conv_forward
    return not (changed or hooked)


def _check_size(
    module: nn.Conv2d, name: str, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
) -> None:
    # Subclasses other than ours may pad in their own way, and padding may be a word ("same").
    if not isinstance(module, Conv2d) or module.dilation != (1, 1):
        return
    before, after = module.sides
    for axis, label in ((0, "height"), (1, "width")):
        expected = output_size(
            input_shape[2 + axis],
            module.kernel_size[axis],
            module.stride[axis],
            before,
            after,
            module.rule,
        )
        _compare(name, label, output_shape[2 + axis], expected)


def _compare(name: str, what: str, executed: int, expected: int) -> None:
    if executed != expected:
        raise CrossCheckError(
            f"{name}: {executed:,} {what} were executed, the closed form gives {expected:,}"
        )


def _product(numbers: tuple[int, ...]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result
