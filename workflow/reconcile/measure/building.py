"""Build a study's network and give it ordinary weights.

Where only sizes and times are wanted, weights drawn by each layer's own initialisation would cost
ten times the forward pass. They are filled instead with seeded normal values of the usual scale:
never left uninitialised, because denormal values make a CPU several times slower.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import random
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from reconcile.measure.answers import NO_INPUTS

CPU = torch.device("cpu")
BLOCK = 1 << 16
"""Random values drawn once a parameter and repeated; what they are does not change any count."""

_RANDOM_FILLS = {
    Tensor.uniform_,
    Tensor.normal_,
    Tensor.random_,
    Tensor.bernoulli_,
    Tensor.exponential_,
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.trunc_normal_,
    nn.init.kaiming_uniform_,
    nn.init.kaiming_normal_,
    nn.init.xavier_uniform_,
    nn.init.xavier_normal_,
}


class BuildError(Exception):
    """The study's network cannot be built; the message says why."""


class Inputs(tuple[Any, ...]):
    """What a network is given.

    Attributes:
        names: of the last ones, which are given by name.
    """

    names: tuple[str, ...] = ()


def called(model: nn.Module, inputs: tuple[Any, ...]) -> Any:
    """What a network returns for its inputs; without names they are given in order."""
    names = inputs.names if isinstance(inputs, Inputs) else ()
    first = len(inputs) - len(names)
    return model(*inputs[:first], **dict(zip(names, inputs[first:], strict=True)))


class _SkipRandomFills(TorchFunctionMode):
    """Leaves parameters as they are where a layer would draw random ones."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _RANDOM_FILLS:
            target = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(target, nn.Parameter):
                return target
        return func(*args, **(kwargs or {}))


def load_class(file: Path, name: str) -> Callable[..., Any]:
    """Import a network file and return its class, or its function that makes a network.

    Raises:
        BuildError: the file is missing, fails to import, or has neither of the name.
    """
    spec = importlib.util.spec_from_file_location("reconcile_study_network", file)
    if spec is None or spec.loader is None:
        raise BuildError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        exec(_compiled(file, file.read_bytes()), module.__dict__)  # noqa: S102 - as an import does
    except (Exception, SystemExit) as error:
        if _stands_in(error):
            return load_class(file, name)
        raise BuildError(f"{file.name} cannot be imported: {first_line(error)}") from error
    found = getattr(module, name, None)
    if inspect.isfunction(found) or (isinstance(found, type) and issubclass(found, nn.Module)):
        makes: Callable[..., Any] = found
        return _with_settings(makes)
    raise BuildError(f"{file.name} has no torch.nn.Module named {name}, and no function")


@cache
def _compiled(file: Path, source: bytes) -> CodeType:
    """The code of a file, which is run anew for each reading."""
    code: CodeType = compile(source, str(file), "exec", dont_inherit=True)
    return code


def load_factory(module: str, name: str) -> Callable[..., Any]:
    """Import an installed package's class or function that makes a network.

    Raises:
        BuildError: the package is not there, does not import, or has no such thing.
    """
    try:
        found = imported(module, name)
    except (Exception, SystemExit) as error:
        raise BuildError(f"{module} cannot be imported: {first_line(error)}") from error
    if not callable(found):
        raise BuildError(f"{module} has no class or function {name}")
    made: Callable[..., Any] = found
    return _with_settings(made)


def _with_settings(network: Callable[..., Any]) -> Callable[..., Any]:
    """The same, or what takes the settings themselves of which a network takes one object."""
    config = getattr(network, "config_class", None)
    return partial(_configured, network, config) if isinstance(config, type) else network


def _configured(
    network: Callable[..., Any], config_class: Callable[..., Any], **arguments: Any
) -> Any:
    """What takes one object of settings, as in transformers, made from the settings themselves."""
    if "config" in arguments:
        return network(**arguments)
    return network(config_class(**arguments))


def imported(module: str, name: str) -> Any:
    """What a module has by a name, or None."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except Exception as error:
        if not _stands_in(error):
            raise
        return getattr(importlib.import_module(module), name, None)


def _stands_in(error: BaseException) -> bool:
    """Declare operators of torchvision where it misses them; whether to try again.

    Its compiled part fits one build of torch. Beside another it does not load, and the package then
    looks for operators of it, which classifiers never call.
    """
    if _DECLARED or not _misses_operators(error):
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        library.define(operator)
    _DECLARED.append(library)
    return True


def _misses_operators(error: BaseException | None) -> bool:
    """Whether an operator of torchvision is what is missing, or what led to the error."""
    while error is not None:
        if "operator torchvision::" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = (
    f"nms{_BOXES}",
    f"qnms{_BOXES}",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
)
_DECLARED: list[torch.library.Library] = []
"""What is declared lasts as long as its library."""


def build_network(
    network: Callable[..., Any],
    arguments: dict[str, Any],
    device: torch.device,
    seed: int,
    given: Sequence[dict[str, Any]] = (),
    built_on: torch.device | None = None,
) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Build a network in evaluation mode, fill its weights, and make its inputs.

    Args:
        network: what makes it.
        arguments: of that.
        device: where it is to be.
        seed: of weights and generators.
        given: inputs as a study describes them; none where the network says them itself.
        built_on: where its constructor runs, if that looks at values and the device has none.

    Returns:
        The network and its example inputs as they are given (batch of one), both on the device.

    Raises:
        BuildError: the constructor or ``example_inputs`` failed, or gave no tensors.
    """
    try:
        with torch.device(built_on or device):
            model = _constructed(network, arguments, built_on or device, seed)
        if not isinstance(model, nn.Module):
            raise BuildError(f"{getattr(network, '__name__', network)} gives no torch.nn.Module")
        model = model if built_on is None else model.to(device)
        _fill(model, seed)
        # Readings of equal shapes have equal inputs, whatever was drawn for their weights.
        _draw_from(seed, device)
        with torch.device(device):
            inputs = _made_inputs(model, given) if given else _example_inputs(model)
        model = evaluated(model)
        if device.type != "meta" and any(map(is_unsized, model.parameters())):
            _settle(model, inputs, seed)
    except BuildError:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        if is_out_of_memory(error):
            raise
        if _stands_in(error):
            return build_network(network, arguments, device, seed, given, built_on)
        raise BuildError(first_line(error)) from error
    return model, inputs


def _constructed(
    network: Callable[..., Any], arguments: dict[str, Any], device: torch.device, seed: int
) -> Any:
    """What the constructor makes; only one that looks at its weights waits for them to be drawn.

    It fails on what was left as it is, packs it into quantised layers, which are never filled, or
    makes a buffer of it (the vectors of a spectral normalisation).
    """
    _draw_from(seed, device)
    with suppress(Exception), _SkipRandomFills():
        model = network(**arguments)
        if not (isinstance(model, nn.Module) and _looked_at_weights(model)):
            return model
    _draw_from(seed, device)
    return network(**arguments)


def _looked_at_weights(model: nn.Module) -> bool:
    """Whether what was left as it is shows in what a network keeps; its memory is no number."""
    if any(hasattr(type(module), "_weight_bias") for module in model.modules()):
        return True
    made = (b for b in model.buffers() if not (b.is_meta or is_unsized(b)))
    return any(_is_continuous(b) and bool(b.isnan().any()) for b in made)


def evaluated(model: nn.Module) -> nn.Module:
    """The network in evaluation mode; one that was exported has no other, and refuses to switch."""
    try:
        return model.eval()
    except NotImplementedError:
        for module in model.modules():
            module.training = False
        return model


def _draw_from(seed: int, device: torch.device) -> None:
    random.seed(seed)
    if device.type == "cuda":
        torch.manual_seed(seed)
    else:  # the same, without a note for every kind of device there might be, which takes longer
        torch.default_generator.manual_seed(seed)


def _settle(model: nn.Module, inputs: tuple[Tensor, ...], seed: int) -> None:
    """Let lazy layers learn their sizes, and fill them too; one that fails shows when it is run."""
    with suppress(Exception), torch.no_grad():
        called(model, inputs)
    _fill(model, seed)


def _made_inputs(model: nn.Module, given: Sequence[dict[str, Any]]) -> Inputs:
    """The inputs that a study describes, one of each batch, as ``forward`` takes them."""
    made = [_made(one, shape) for one, shape in zip(given, _shapes(model, given), strict=True)]
    named = {one["name"]: tensor for one, tensor in zip(given, made, strict=True) if one["name"]}
    rest = [tensor for one, tensor in zip(given, made, strict=True) if not one["name"]]
    if not named:
        return Inputs(rest)
    bound = inspect.signature(model.forward).bind(*rest, **named)
    inputs = Inputs((*bound.args, *bound.kwargs.values()))
    inputs.names = tuple(bound.kwargs)
    return inputs


def _shapes(model: nn.Module, given: Sequence[dict[str, Any]]) -> list[list[int]]:
    """The shapes of one of each batch; BuildError where nothing says which axis the batch is."""
    untold = [one["shape"] for one in given if not one.get("batch")]
    if any(shape[0] == 1 for shape in untold):
        default = "none"
    else:
        _check_batch(model, untold)
        default = "first"
    return [_one_of(one["shape"], one.get("batch") or default) for one in given]


def _check_batch(model: nn.Module, untold: list[list[int]]) -> None:
    """That the first axis of inputs that do not say so is one batch, of these and of the layers."""
    say = "say of each input which axis is its batch (batch: first, second or none)"
    first = sorted({shape[0] for shape in untold})
    if len(first) > 1:
        raise BuildError(f"inputs begin with {' and '.join(map(str, first))}: {say}")
    # A map has its batch first everywhere; of sequences both orders are in use.
    if untold and min(map(len, untold)) < len(("batch", "channels", "height", "width")):
        for name, module in model.named_modules():
            if getattr(module, "batch_first", True) is False:
                raise BuildError(f"the layer {name or 'itself'} takes its batch second: {say}")


def _one_of(shape: list[int], batch: str) -> list[int]:
    axis = {"first": 0, "second": 1}.get(batch)
    return shape if axis is None else [1 if i == axis else size for i, size in enumerate(shape)]


def _made(one: dict[str, Any], shape: list[int]) -> Tensor:
    dtype = getattr(torch, one["dtype"])
    if one["value"] is not None:
        return torch.full(shape, one["value"], dtype=dtype)
    low, high = one["range"] or (0, 1)
    if dtype.is_floating_point or dtype.is_complex:
        return low + (high - low) * torch.rand(shape, dtype=dtype)
    return torch.randint(int(low), int(high) + 1, shape).to(dtype)


def _example_inputs(model: nn.Module) -> tuple[Tensor, ...]:
    """The inputs that a network says itself; BuildError unless tensors with a batch of one.

    The batch is first, in one of them at least, or second in all of them.
    """
    if not hasattr(model, "example_inputs"):
        raise BuildError(NO_INPUTS)
    inputs: Any = model.example_inputs()  # type: ignore[operator]
    given: tuple[Any, ...] = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
    tensors = bool(given) and all(isinstance(t, Tensor) and t.ndim for t in given)
    if not tensors or not (
        any(t.shape[0] == 1 for t in given) or all(1 in t.shape[1:2] for t in given)
    ):
        raise BuildError("example_inputs() must return tensors with a batch of one")
    return given


def _fill(model: nn.Module, seed: int) -> None:
    """Seeded normal weights with the variance of He et al. (2015), biases zero, gains one.

    Whole numbers stay as they are: they stand for something. A lazy layer has nothing to fill yet.
    """
    if all(parameter.is_meta for parameter in model.parameters()):
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_meta or is_unsized(parameter) or not _is_continuous(parameter):
                continue
            if parameter.ndim <= 1:  # a bias, or a gain that is set below
                parameter.fill_(0.0 if parameter.ndim else 1.0)
            elif parameter.numel():
                _tile(parameter, _block(parameter, generator))
    _restore_gains(model)


def is_unsized(tensor: Any) -> bool:
    """Whether a tensor is one of a lazy layer that has not seen its input yet."""
    return is_lazy(tensor)


def _is_continuous(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _block(parameter: nn.Parameter, generator: torch.Generator) -> Tensor:
    """Values to fill a parameter with; the two parts of a complex one have half the variance."""
    drawn = torch.complex64 if parameter.is_complex() else torch.float32
    number = min(BLOCK, parameter.numel())
    scale = math.sqrt(2 / max(parameter[0].numel(), 1))
    block = torch.randn(number, generator=generator, dtype=drawn, device=CPU) * scale
    return block.to(parameter.device, parameter.dtype)


def _tile(parameter: nn.Parameter, block: Tensor) -> None:
    """Repeat values over a parameter, in the order of its elements and not of its memory."""
    if not parameter.is_contiguous():
        copies = -(-parameter.numel() // block.numel())
        parameter.copy_(block.repeat(copies)[: parameter.numel()].view(parameter.shape))
        return
    flat = parameter.view(-1)
    whole = flat.numel() // block.numel() * block.numel()
    flat[:whole].view(-1, block.numel()).copy_(block)
    flat[whole:].copy_(block[: flat.numel() - whole])


def _restore_gains(model: nn.Module) -> None:
    """A normalisation's gain of zero would silence everything after it."""
    with torch.no_grad():
        for module in model.modules():
            gain = getattr(module, "weight", None)
            if not isinstance(gain, nn.Parameter) or is_unsized(gain) or gain.is_meta:
                continue
            if gain.ndim == 1 and _is_continuous(gain):
                gain.fill_(1.0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: on a CPU torch says so in a RuntimeError like any other."""
    kinds = (torch.OutOfMemoryError, MemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)


def first_line(error: BaseException) -> str:
    """The error in one line, without addresses in memory, which differ from run to run."""
    text = re.sub(r" at 0x[0-9a-f]+", "", str(error).strip()).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
