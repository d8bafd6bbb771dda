"""Networks that others wrote, on the meta device: what this project counts, and what torch does.

Packages that are not installed are left out; the tests then have this project's own networks.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import networks
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reconcile.measure.counting import Row, count_layers, layers_apart

META = torch.device("meta")
NOT_ON_META = ("rcnn", "fcos", "retinanet", "ssd", "quantized", "regnet")
"""Detectors look at values, quantised models are built from values, and RegNet's sizes are too."""
SIZES: dict[str, tuple[int, ...]] = {
    "inception_v3": (3, 299, 299),
    **dict.fromkeys(("r3d_18", "mc3_18", "r2plus1d_18"), (3, 16, 112, 112)),
    **dict.fromkeys(("mvit_v1_b", "mvit_v2_s", "s3d"), (3, 16, 224, 224)),
    **dict.fromkeys(("swin3d_t", "swin3d_s", "swin3d_b"), (3, 16, 224, 224)),
    **dict.fromkeys(("raft_large", "raft_small"), (3, 128, 128)),
}
"""Inputs that are not 3 x 224 x 224, without the batch."""


@dataclass(frozen=True)
class Model:
    """A network of a zoo: where it is from, its name there, how it is built, its inputs."""

    package: str
    name: str
    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    family: str = ""


@dataclass(frozen=True)
class Counted:
    """What was counted, and what torch says of the same network.

    Attributes:
        rows: of the layers.
        parameters: as torch sums them.
        macs: half of what FlopCounterMode says.
    """

    rows: list[Row]
    parameters: int
    macs: int

    def total(self, quantity: str) -> int:
        """The sum of a quantity over the rows."""
        return sum(getattr(row, quantity) for row in self.rows)

    @property
    def uncounted(self) -> set[str]:
        """Operators that are named."""
        return {name for row in self.rows for name in row.uncounted}


def imported(package: str) -> ModuleType | None:
    """A package, or None where it is not installed.

    torchvision declares the meta kernels of operators that its compiled part brings; that part does
    not load beside a torch for another device, and no network here needs it.
    """
    if package == "torchvision":
        detections = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library = torch.library.Library(package, "FRAGMENT")
        for name in ("nms", "qnms"):
            with suppress(RuntimeError):
                library.define(f"{name}{detections}")
        _LIBRARIES.append(library)
    try:
        return importlib.import_module(package)
    except ImportError:
        return None


_LIBRARIES: list[torch.library.Library] = []


def own() -> Iterator[Model]:
    """The networks of tests/networks.py."""
    for network in networks.NETWORKS:
        yield Model("own", network.__name__, network, (network.shape,))


def torchvision() -> Iterator[Model]:
    """Every network of torchvision that is built and runs without values."""
    package = imported("torchvision")
    if package is None:
        return
    models: Any = importlib.import_module("torchvision.models")
    for name in models.list_models():
        if any(word in name for word in NOT_ON_META):
            continue
        segments = any(word in name for word in ("fcn", "deeplab", "lraspp"))
        known = {"weights_backbone": None} if segments else {}
        shape = SIZES.get(name, (3, 224, 224))
        shapes = (shape,) * (2 if "raft" in name else 1)
        family = models.get_model_builder(name).__module__
        yield Model("torchvision", name, _maker(models.get_model, name, known), shapes, family)


def timm() -> Iterator[Model]:
    """The first network of every family of timm."""
    package: Any = imported("timm")
    if package is None:
        return
    families: dict[str, str] = {}
    for name in package.list_models():
        families.setdefault(package.models.model_entrypoint(name).__module__, name)
    for name in families.values():
        shape = package.models.get_pretrained_cfg(name, allow_unregistered=True).input_size
        yield Model("timm", name, _maker(package.create_model, name, {}), (tuple(shape),))


def _maker(make: Callable[..., nn.Module], name: str, known: dict[str, Any]) -> Callable[..., Any]:
    return lambda: make(name, **known)


def build(model: Model) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A network and its inputs on the meta device."""
    with META:
        return model.make().eval(), tuple(torch.empty(1, *shape) for shape in model.shapes)


def count(model: Model) -> Counted:
    """Count a network here and with torch."""
    network, inputs = build(model)
    rows, _ = count_layers(network, inputs)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    # FlopCounterMode wants gradients where a parameter goes into a module.
    network.requires_grad_(False)
    with torch.no_grad(), layers_apart(), FlopCounterMode(display=False) as counter:
        network(*inputs)
    return Counted(rows, parameters, counter.get_total_flops() // 2)
