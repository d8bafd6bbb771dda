"""Networks that others wrote: what this project counts, and what torch's own counter does.

Each is built and run on the meta device; one that looks at values on the CPU, as a reading is. What
is not installed is left out; the tests then have this project's own networks.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import networks
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reconcile.measure.building import build_network
from reconcile.measure.building import imported as declare
from reconcile.measure.counting import Row, cells_of, count_layers, layers_apart

CPU, META = torch.device("cpu"), torch.device("meta")
FOLDER = Path(os.environ.get("ZOO") or Path(__file__).parents[1] / ".zoo").resolve()
"""Where tools/fetch_zoo.sh has put the packages that are not in .venv."""

SIZES: dict[str, tuple[int, ...]] = {
    "inception_v3": (3, 299, 299),
    "quantized_inception_v3": (3, 299, 299),
    **dict.fromkeys(("r3d_18", "mc3_18", "r2plus1d_18"), (3, 16, 112, 112)),
    **dict.fromkeys(("mvit_v1_b", "mvit_v2_s", "s3d"), (3, 16, 224, 224)),
    **dict.fromkeys(("swin3d_t", "swin3d_s", "swin3d_b"), (3, 16, 224, 224)),
    **dict.fromkeys(("raft_large", "raft_small"), (3, 128, 128)),
}
"""Inputs of torchvision's networks that are not 3 x 224 x 224, without the batch."""
DETECTORS = ("rcnn", "fcos", "retinanet", "ssd")
_FEW = {"rpn_pre_nms_top_n_test": 20, "rpn_post_nms_top_n_test": 10}
_SMALL = {"min_size": 96, "max_size": 96}

Given = dict[str, Any]
"""One input, as a study gives it."""


def given(*shape: int, name: str = "", dtype: str = "float32") -> Given:
    """An input with the batch."""
    return {"name": name, "shape": shape, "dtype": dtype, "range": None, "value": None}


@dataclass(frozen=True)
class Model:
    """A network of a zoo.

    Attributes:
        package: where it is from.
        name: what it is called there.
        make: builds it.
        inputs: what it is given; its own ``example_inputs`` where there are none.
        family: what it has in common with others.
        values: whether it looks at values, so that it does not run on the meta device.
    """

    package: str
    name: str
    make: Callable[[], nn.Module]
    inputs: Sequence[Given] = ()
    family: str = ""
    values: bool = False


@dataclass(frozen=True)
class Counted:
    """What was counted, and what torch says of the same network.

    Attributes:
        rows: of the layers.
        parameters: as torch sums them.
        macs: half of what FlopCounterMode says; None where it fails.
    """

    rows: list[Row]
    parameters: int
    macs: int | None
    built: nn.Module = field(repr=False)
    inputs: tuple[Tensor, ...] = field(repr=False, default=())

    def total(self, quantity: str) -> int:
        """The sum of a quantity over the rows."""
        return sum(getattr(row, quantity) for row in self.rows)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """All that the rows say, as layers.csv holds it."""
        return [cells_of(row) for row in self.rows]

    @property
    def uncounted(self) -> set[str]:
        """Operators that are named."""
        return {name for row in self.rows for name in row.uncounted}


def imported(package: str) -> ModuleType | None:
    """A package, or None where it is not installed."""
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if importlib.util.find_spec(package) is None:
        return None
    if package != "torchvision":
        imported("torchvision")
    declare(package, "__name__")
    module = importlib.import_module(package)
    if package == "torchvision" and not (module.extension._has_ops() or _LIBRARIES):
        _write_operators()
    return module


def _write_operators() -> None:
    """Operators of torchvision's compiled part, slower and in Python, for its detectors.

    Where that part does not load, beside a torch for another device, they are only declared.
    """
    library = torch.library.Library("torchvision", "IMPL")
    _LIBRARIES.append(library)
    library.impl("nms", _nms, "CPU")
    library.impl("roi_align", _roi_align, "CPU")
    for name in ("boxes", "roi_align"):
        module: Any = importlib.import_module(f"torchvision.ops.{name}")
        module._has_ops, module._assert_has_ops = (lambda: True), (lambda: None)


_LIBRARIES: list[torch.library.Library] = []


def _nms(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    kept, left = [], scores.argsort(descending=True)
    overlaps = importlib.import_module("torchvision.ops").box_iou(boxes, boxes)
    while left.numel():
        kept.append(left[0])
        left = left[1:][overlaps[left[0], left[1:]] <= overlap]
    return torch.stack(kept) if kept else left


def _roi_align(*args: Any) -> Tensor:
    made: Tensor = importlib.import_module("torchvision.ops.roi_align")._roi_align(*args)
    return made


def own() -> Iterator[Model]:
    """The networks of tests/networks.py."""
    for network in networks.NETWORKS:
        yield Model("own", network.__name__, network)


def torchvision() -> Iterator[Model]:
    """Every network of torchvision."""
    if imported("torchvision") is None:
        return
    models: Any = importlib.import_module("torchvision.models")
    for name in models.list_models():
        detects, packed = any(word in name for word in DETECTORS), name.startswith("quantized")
        known: dict[str, Any] = {}
        if detects or any(word in name for word in ("fcn", "deeplab", "lraspp")):
            known["weights_backbone"] = None
        if detects:
            known |= _FEW if "rcnn" in name else {"topk_candidates": 20}
            known |= {} if "ssd" in name else _SMALL
        if packed:
            known["quantize"] = True
        shape = (3, 96, 96) if detects else SIZES.get(name, (3, 224, 224))
        yield Model(
            "torchvision",
            name,
            partial(models.get_model, name, **known),
            [given(1, *shape)] * (2 if "raft" in name else 1),
            models.get_model_builder(name).__module__,
            values=detects or packed or "regnet" in name,
        )


def timm(number: int = 200) -> Iterator[Model]:
    """Networks of timm: the first of every family, then the second, up to a number."""
    package: Any = imported("timm")
    if package is None:
        return
    families: dict[str, list[str]] = {}
    for name in package.list_models():
        families.setdefault(package.models.model_entrypoint(name).__module__, []).append(name)
    places = range(max(map(len, families.values())))
    names = [names[i] for i in places for names in families.values() if i < len(names)]
    for name in names[:number]:
        size = package.models.get_pretrained_cfg(name, allow_unregistered=True).input_size
        yield Model("timm", name, partial(package.create_model, name), [given(1, *size)])


def named(package: str, name: str) -> Model:
    """A network of torchvision or timm by its name, for an image of the usual size."""
    source: Any = imported(package)
    make = source.create_model if package == "timm" else source.models.get_model
    return Model(package, name, partial(make, name), [given(1, 3, 224, 224)])


_WORDS = """
    albert bert bloom camembert codegen ctrl data2vec-text distilbert electra ernie falcon fnet
    gemma gemma2 gpt2 gpt_neo gpt_neox gptj granite llama mistral mixtral mobilebert modernbert
    mpnet mpt olmo openai-gpt opt persimmon phi phi3 qwen2 qwen2_moe qwen3 roberta smollm3 stablelm
    starcoder2 xglm xlm-roberta
"""
_TRANSLATORS = "longt5 mt5 t5 umt5"
_IMAGES = """
    beit bit convnext convnextv2 cvt deit dinov2 dpt efficientnet focalnet glpn hiera levit
    mobilenet_v1 mobilenet_v2 mobilevit mobilevitv2 poolformer pvt pvt_v2 regnet resnet segformer
    siglip_vision_model swin swinv2 vit yolos
"""
_SOUNDS = "hubert sew unispeech wav2vec2"
_LOOKING = ("bart", "canine", "convbert", "deberta", "layoutlm", "roformer", "squeezebert")
"""Those that look at values."""


def transformers() -> Iterator[Model]:
    """Networks of transformers, of the usual size: what their configurations say by themselves."""
    package: Any = imported("transformers")
    if package is None:
        return

    def make(kind: str) -> nn.Module:
        network: nn.Module = package.AutoModel.from_config(package.CONFIG_MAPPING[kind]())
        return network

    words = given(1, 64, name="input_ids", dtype="int64")
    more = given(1, 32, name="decoder_input_ids", dtype="int64")
    image = given(1, 3, 224, 224, name="pixel_values")
    sound = given(1, 16000, name="input_values")
    inputs = {
        **{kind: [words] for kind in (*_WORDS.split(), *_LOOKING)},
        **{kind: [words, more] for kind in (*_TRANSLATORS.split(), "bart")},
        **{kind: [image] for kind in _IMAGES.split()},
        **{kind: [sound] for kind in _SOUNDS.split()},
    }
    for kind, taken in sorted(inputs.items()):
        values = kind in _LOOKING
        yield Model("transformers", kind, partial(make, kind), taken, values=values)


def build(model: Model, device: torch.device) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A network and its inputs, built as a reading is."""
    return build_network(model.make, {}, device, 0, model.inputs)


def count(model: Model, device: torch.device | None = None) -> Counted:
    """Count a network here and with torch, where it runs unless told."""
    network, inputs = build(model, device or (CPU if model.values else META))
    rows, _ = count_layers(network, inputs)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    # FlopCounterMode wants gradients where a parameter goes into a module.
    network.requires_grad_(False)
    return Counted(rows, parameters, _flop_counter(network, inputs), network, inputs)


def _flop_counter(network: nn.Module, inputs: tuple[Tensor, ...]) -> int | None:
    """What torch's counter says; groups of matrices are of one type only on the meta device."""
    for dtype in (torch.float32, torch.bfloat16):
        with (
            suppress(Exception),
            torch.no_grad(),
            layers_apart(),
            FlopCounterMode(display=False) as counter,
        ):
            if dtype != torch.float32:
                network.to(dtype)
            network(*inputs)
            return counter.get_total_flops() // 2
    return None
