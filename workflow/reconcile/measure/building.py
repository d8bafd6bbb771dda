"""Build a study's network and give it ordinary weights.

Where only sizes and times are wanted, weights drawn by each layer's own initialisation would cost
ten times the forward pass. They are filled instead with seeded normal values of the usual scale:
never left uninitialised, because denormal values make a CPU several times slower.
"""

from __future__ import annotations

import importlib.util
import math
import os
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

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


class _SkipRandomFills(TorchFunctionMode):
    """Leaves parameters as they are where a layer would draw random ones."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        target = args[0] if args else (kwargs or {}).get("tensor")
        if func in _RANDOM_FILLS and isinstance(target, nn.Parameter):
            return target
        return func(*args, **(kwargs or {}))


def load_class(file: Path, name: str) -> type[nn.Module]:
    """Import a study's network file and return its class.

    Raises:
        BuildError: the file is missing, fails to import, or has no such nn.Module.
    """
    spec = importlib.util.spec_from_file_location("reconcile_study_network", file)
    if spec is None or spec.loader is None:
        raise BuildError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BuildError(f"{file.name} cannot be imported: {first_line(error)}") from error
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise BuildError(f"{file.name} has no torch.nn.Module named {name}")
    return found


def build_network(
    network: type[nn.Module], arguments: dict[str, Any], device: torch.device, seed: int
) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Build a network in evaluation mode, fill its weights, and make its inputs.

    Returns:
        The network and its example inputs (batch of one), both on the device.

    Raises:
        BuildError: the constructor or ``example_inputs`` failed, or gave no tensors.
    """
    try:
        with torch.device(device), _SkipRandomFills():
            model = network(**arguments)
        _fill(model, seed)
        with torch.device(device):
            inputs = model.example_inputs()  # type: ignore[operator]
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise
        raise BuildError(first_line(error)) from error
    return model.eval(), checked_inputs(inputs)


def checked_inputs(inputs: Any) -> tuple[Tensor, ...]:
    """The inputs as a tuple; BuildError unless each is a tensor with a batch of one."""
    given: tuple[Any, ...] = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
    if not given or not all(isinstance(t, Tensor) and t.ndim and t.shape[0] == 1 for t in given):
        raise BuildError("example_inputs() must return tensors with a batch of one")
    return given


def _fill(model: nn.Module, seed: int) -> None:
    """Seeded normal weights with the variance of He et al. (2015), biases zero, gains one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_meta or not parameter.is_floating_point():
                continue
            if parameter.ndim <= 1:  # a bias, or a gain that is set below
                parameter.fill_(0.0 if parameter.ndim else 1.0)
                continue
            scale = math.sqrt(2 / max(parameter[0].numel(), 1))
            block = torch.randn(min(BLOCK, parameter.numel()), generator=generator) * scale
            _tile(parameter, block.to(parameter))
    _restore_gains(model)


def _tile(parameter: nn.Parameter, block: Tensor) -> None:
    flat = parameter.view(-1) if parameter.is_contiguous() else parameter.reshape(-1)
    whole = flat.numel() // block.numel() * block.numel()
    flat[:whole].view(-1, block.numel()).copy_(block)
    flat[whole:].copy_(block[: flat.numel() - whole])


def _restore_gains(model: nn.Module) -> None:
    """A normalisation's gain of zero would silence everything after it."""
    with torch.no_grad():
        for module in model.modules():
            gain = getattr(module, "weight", None)
            if isinstance(gain, nn.Parameter) and gain.ndim == 1 and not gain.is_meta:
                gain.fill_(1.0)


def seeded_values(inputs: tuple[Tensor, ...], seed: int) -> tuple[Tensor, ...]:
    """Inputs of the same shapes with seeded normal values; token numbers stay as they are.

    Readings of equal shapes then run on equal weights and inputs, so their outputs can be compared.
    """
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(given.shape, generator=generator).to(given)
        if given.is_floating_point()
        else given
        for given in inputs
    )


# The bytes behind os.environ, which decodes every variable whenever it is copied.
_ENVIRONMENT: dict[Any, Any] = getattr(os.environ, "_data", {})


@contextmanager
def preserved_state(seed: int | None = None) -> Iterator[None]:
    """Put the process's global state back afterwards, whatever a network does to it.

    One that sets a seed, a default dtype or device, the gradient mode, the number of threads, the
    folder, the path or the environment must not change what is measured after it. What is asked
    each time is cheap enough for the thousands of readings of a sweep.

    Args:
        seed: of every generator, where values are drawn at all.
    """
    before = _process_state()
    if seed is not None:
        random.seed(seed)
        torch.manual_seed(seed)
    try:
        yield
    finally:
        if _process_state() != before:
            _put_back(before)


def _process_state() -> tuple[Any, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_default_device(),
        list(sys.path),
        os.getcwd(),  # noqa: PTH109 - a path object takes longer than a layer
        dict(_ENVIRONMENT),
    )


def _put_back(before: tuple[Any, ...]) -> None:
    dtype, threads, grad, deterministic, _, path, folder, environment = before
    torch.set_default_dtype(dtype)
    torch.set_default_device(None)
    torch.set_num_threads(threads)
    torch.set_grad_enabled(grad)
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    sys.path[:] = path
    os.chdir(folder)
    for name in {*_ENVIRONMENT} - {*environment}:
        del os.environ[os.fsdecode(name)]
    os.environ.update({os.fsdecode(k): os.fsdecode(v) for k, v in environment.items()})


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: on a CPU torch says so in a RuntimeError like any other."""
    kinds = (torch.OutOfMemoryError, MemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)


def first_line(error: BaseException) -> str:
    """The error in one line, without addresses in memory, which differ from run to run."""
    text = re.sub(r" at 0x[0-9a-f]+", "", str(error).strip()).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
