"""Closed forms that every executed count is checked against.

Sources: convolution arithmetic as in Dumoulin and Visin, "A guide to convolution arithmetic for
deep learning" (2016), relationship 6; the ceiling form from cuda-convnet's layer.py.
"""

from __future__ import annotations

from torch import nn

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

    Raises:
        CrossCheckError: sizes, multiply-adds or parameters differ.
    """
    if type(module).forward not in _KNOWN:
        return
    if isinstance(module, nn.Conv2d):
        expected_macs, expected_parameters = _convolution(module, output_shape)
        _check_size(module, name, input_shape, output_shape)
    elif isinstance(module, nn.Linear):
        expected_macs = _product(output_shape) * module.in_features
        expected_parameters = (module.in_features + (module.bias is not None)) * module.out_features
    else:
        return
    _compare(name, "multiply-adds", macs, expected_macs)
    # A weight that is computed from other tensors (weight normalisation) is no parameter itself.
    if isinstance(module._parameters.get("weight"), nn.Parameter):
        held = sum(p.numel() for p in (module.weight, module.bias) if p is not None)
        _compare(name, "parameters", held, expected_parameters)


def _convolution(module: nn.Conv2d, output_shape: tuple[int, ...]) -> tuple[int, int]:
    window = module.in_channels // module.groups * _product(module.kernel_size)
    parameters = (window + (module.bias is not None)) * module.out_channels
    return _product(output_shape) * window, parameters


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
