"""Whose weights a tensor holds, by the memory behind it.

An operator sees tensors, not layers: ``F.linear(x, layer.weight)`` multiplies by a view of memory
that belongs to ``layer``. The memory is what stays the same under views, so each stored block has
its owners here. What is computed from weights alone (a transposed, cast, joined, pruned or
normalised weight) holds weights again, those of its largest part; what is made from nothing (a
table of angles) is constant and nobody's. Everything else is data.

Blocks that are marked are kept alive as long as the marks, because an address is used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, UntypedStorage, nn
from torch.nn.parameter import is_lazy

PARAMETRIZATIONS = "parametrizations"
"""The attribute in which torch.nn.utils.parametrize keeps what a layer's weight is made of."""
_PACKED = "_packed_params"
"""The same of a quantised layer of torch.ao."""


class Part(NamedTuple):
    """Elements of a tensor that belong to one layer, or to several that share them."""

    owners: tuple[nn.Module, ...]
    elements: int


Mark = tuple[Part, ...]
CONSTANT: Mark = ()


@dataclass(slots=True)
class Block:
    """A stretch of stored elements with one meaning.

    Attributes:
        start: where it begins in its storage.
        stop: where the next one may begin.
        mark: whose weights it holds; None once data was written into it.
        parameter: that it is.
        made: during the pass, and not held before it.
    """

    start: int
    stop: int
    mark: Mark | None
    parameter: nn.Parameter | None = None
    made: bool = False


def holders(modules: Iterable[nn.Module]) -> dict[nn.Module, nn.Module]:
    """Modules that are a part of a layer, with that layer.

    What reparametrises or packs a weight belongs to the layer of the weight.
    """
    found: dict[nn.Module, nn.Module] = {}
    for module in modules:
        for name in (PARAMETRIZATIONS, _PACKED):
            # A scripted module keeps its own in a mapping without `get`.
            made = module._modules[name] if name in module._modules else None  # noqa: SIM401
            if made is not None:
                found |= dict.fromkeys(made.modules(), found.get(module, module))
    return found


def packed_in(module: nn.Module) -> list[tuple[int, int]]:
    """Weights that a layer keeps packed: the elements that each stands for, and its bytes.

    A quantised layer of torch.ao keeps them in an object and hands them out as tensors. Others
    (GPTQ, AWQ) keep whole numbers of 32 bits for several weights each, and say how many features
    go in and out.
    """
    if (given := getattr(type(module), "_weight_bias", None)) is not None:
        tensors = [tensor for tensor in given(module) if isinstance(tensor, Tensor)]
        return [(t.numel(), t.numel() * t.element_size()) for t in tensors]
    held = held_by(module)
    whole = [t for t in held if t.ndim > 1 and _is_whole(t)]
    if not whole or any(hasattr(tensor, "quant_state") for tensor in held):
        return []
    elements = _features(module, "in") * _features(module, "out")
    plain = any(tensor.numel() == elements for tensor in held if not _is_whole(tensor))
    stored = sum(tensor.numel() * tensor.element_size() for tensor in whole)
    return [(elements, stored)] if elements and not plain else []


def held_by(module: nn.Module) -> list[Tensor]:
    """The parameters and buffers of a module itself."""
    held = (*module._parameters.values(), *module._buffers.values())
    return [tensor for tensor in held if tensor is not None]


def quant_state(tensor: Tensor) -> Any:
    """What bitsandbytes keeps beside a packed weight; None for any other.

    A tensor of one of torch's classes can have it on itself alone; to ask these classes for what
    they do not have takes longer than all else of a parameter.
    """
    if type(tensor) in _TENSORS:
        return tensor.__dict__.get("quant_state")
    return getattr(tensor, "quant_state", None)


def _is_whole(tensor: Tensor) -> bool:
    return not (is_lazy(tensor) or tensor.is_floating_point() or tensor.is_complex())


def _features(module: nn.Module, side: str) -> int:
    """How many features a layer says go in or out; 0 if it does not."""
    names = (f"{side}_features", f"{side}features")
    found = (module.__dict__.get(name) for name in names)
    return next((number for number in found if type(number) is int), 0)


class Weights:
    """The marks of one forward pass."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[Block]] = {}
        self._held: dict[int, Block] = {}
        self._alive: list[Any] = []
        self.used: set[int] = set()

    def own(self, module: nn.Module, tensors: Iterable[Tensor]) -> None:
        """Let a layer own its parameters, buffers or other tensors."""
        for tensor in tensors:
            storage = _storage(tensor)
            if storage is not None:
                self._put(tensor, storage, module)

    def _put(self, tensor: Tensor, storage: UntypedStorage, module: nn.Module) -> None:
        start = int(tensor.storage_offset())
        stop = start + _extent(tensor)
        parameter = tensor if is_parameter(tensor) else None
        address = storage._cdata
        known = self._blocks.get(address)
        blocks = self._blocks[address] = [b for b in known if not b.made] if known else []
        self._alive.append((tensor, storage))
        for block in blocks:
            if (block.start, block.stop) == (start, stop) and block.mark:
                owners = dict.fromkeys((*block.mark[0].owners, module))
                block.mark = (Part(tuple(owners), block.mark[0].elements),)
                self._held[id(tensor)] = block
                return
        block = Block(start, stop, (Part((module,), tensor.numel()),), parameter)
        self._held[id(tensor)] = block
        blocks.append(block)

    def of(self, tensor: Tensor) -> Mark | None:
        """Whose weights a tensor holds; None for data."""
        block = self.block(tensor)
        return None if block is None else block.mark

    def block(self, tensor: Tensor) -> Block | None:
        """The marked memory that a tensor holds or looks at; None for data."""
        held = self._held.get(id(tensor)) or self._stored(tensor)
        return held if held is not None and held.mark is not None else None

    def _stored(self, tensor: Tensor) -> Block | None:
        storage = _storage(tensor)
        blocks = self._blocks.get(storage._cdata) if storage is not None else None
        if blocks is None:
            return None
        if len(blocks) == 1:
            return blocks[0]
        offset = tensor.storage_offset()
        return next((b for b in blocks if b.start <= offset < b.stop), None)

    def mark(self, tensor: Tensor, mark: Mark) -> None:
        """Say whose weights a new tensor holds; one that looks at marked memory stays as it is."""
        storage = _storage(tensor)
        if storage is None:  # stored sparse, so it is known by itself
            self._held[id(tensor)] = Block(0, 0, mark, made=True)
            self._alive.append(tensor)
        elif storage._cdata not in self._blocks:
            self._blocks[storage._cdata] = [Block(0, _extent(tensor), mark, made=True)]
            self._alive.append(storage)

    def release(self, tensor: Tensor) -> None:
        """What a layer made of weights alone is no weight of anybody's once the layer is done."""
        block = self.block(tensor)
        if block is not None and block.made:
            block.mark = CONSTANT

    def overwrite(self, tensor: Tensor) -> None:
        """Data was written into a tensor: it holds no weights any more."""
        storage = _storage(tensor)
        for block in self._blocks.get(storage._cdata, ()) if storage is not None else ():
            block.mark = None

    def joined(
        self, marks: Sequence[Mark], tensors: Sequence[Tensor], *, side_by_side: bool
    ) -> Mark:
        """The mark of what is computed from weights alone."""
        if side_by_side:
            return tuple(part for mark in marks for part in mark)
        sized = zip(marks, (tensor.numel() for tensor in tensors), strict=True)
        owned = [(size, mark) for mark, size in sized if mark]
        return max(owned, key=lambda pair: pair[0])[1] if owned else CONSTANT


def is_parameter(tensor: Tensor) -> TypeGuard[nn.Parameter]:
    """Whether a tensor is a parameter; its class asks in Python, so the exact type comes first."""
    return type(tensor) is nn.Parameter or isinstance(tensor, nn.Parameter)


def _storage(tensor: Tensor) -> UntypedStorage | None:
    """What stores a tensor; None for one without a single storage (sparse, say)."""
    try:
        return tensor.untyped_storage()
    except (RuntimeError, NotImplementedError, TypeError):
        return None


def _extent(tensor: Tensor) -> int:
    """How far a tensor reaches in its storage, in elements."""
    if tensor.layout == torch.strided and tensor.is_contiguous():
        return tensor.numel()
    if not tensor.numel():
        return 0
    return 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))


_SCALARS = frozenset((int, float, bool, str, type(None), torch.dtype, torch.device, torch.layout))
_TENSORS = (Tensor, nn.Parameter)


def tensors_in(values: Iterable[Any]) -> list[Tensor]:
    """The tensors among an operator's arguments, also those in lists.

    Asking for the exact type first saves most of the time: a tensor's class asks in Python.
    """
    found: list[Tensor] = []
    for value in values:
        kind = type(value)
        if kind in _TENSORS:
            found.append(value)
        elif kind in (list, tuple):
            found += (v for v in value if isinstance(v, Tensor))
        elif kind not in _SCALARS and isinstance(value, Tensor):
            found.append(value)
    return found
