"""Counts of networks that others wrote, against torch's own sums and published numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import zoo_models
from zoo_models import CPU, Model

from reconcile.tables.contract import COUNTED_KINDS

SUMMED = {"raft_large": 12 * (2 * 9 * 8 * 8) * 16 * 16}
"""What FlopCounterMode does not see: twelve times RAFT weighs nine neighbours of two
flows for each of 8 x 8 points of every pixel of a 16 x 16 map."""
OTHERWISE = (
    *("resnest", "skresnet", "swiftformer", "mobilevitv2", "fnet", "mixtral", "qwen2_moe"),
    *("longt5", "mt5", "t5", "umt5", "sequencer"),
)
"""Where FlopCounterMode differs or fails, or an operator has no formula: docs/zoo.md says why. The
last ones take a minute each."""
SOME = {"timm": 16, "transformers": 12}
"""How many networks are looked at, the same in every run."""
MISSING = [name for name in ("torchvision", *SOME) if zoo_models.imported(name) is None]
PUBLISHED = {
    "alexnet": (61_100_840, 0.714),
    "vgg16": (138_357_544, 15.470),
    "resnet50": (25_557_032, 4.089),
    "densenet121": (7_978_856, 2.834),
    "mobilenet_v2": (3_504_872, 0.301),
    "efficientnet_b0": (5_288_548, 0.386),
    "vit_b_16": (86_567_656, 17.564),
    "swin_t": (28_288_354, 4.491),
    "convnext_tiny": (28_589_128, 4.456),
}
"""Parameters and billions of multiply-adds as torchvision's tables print them."""
TWICE = {
    "vit_b_16": "vit_base_patch16_224",
    "vit_b_32": "vit_base_patch32_224",
    "resnet50": "resnet50",
    "vgg16": "vgg16",
    "densenet121": "densenet121",
    "convnext_tiny": "convnext_tiny",
    "swin_t": "swin_tiny_patch4_window7_224",
    "efficientnet_b0": "efficientnet_b0",
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "mnasnet1_0": "mnasnet_100",
    "resnext50_32x4d": "resnext50_32x4d",
}
"""Networks that torchvision and timm wrote down each in their own way."""


def _some() -> Iterator[Model]:
    """One of each family of torchvision's, and some of the others; `make zoo` counts them all."""
    yield from zoo_models.own()
    families = set()
    for model in zoo_models.torchvision():
        if model.name in PUBLISHED or not (model.family in families or model.values):
            families.add(model.family)
            yield model
    for package in (zoo_models.timm, zoo_models.transformers):
        models = [m for m in package() if not (m.values or m.name.startswith(OTHERWISE))]
        few = min(SOME[package.__name__], len(models))
        yield from random.Random(16).sample(models, few)  # noqa: S311 - the same in every run


def test_all_zoos_are_here() -> None:
    """Without the packages only this project's own networks are counted."""
    if MISSING:
        pytest.skip(f"tools/fetch_zoo.sh could not fetch {', '.join(MISSING)}")
    assert {model.package for model in SOME_MODELS} == {"own", "torchvision", *SOME}


SOME_MODELS = [*_some()]


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize("model", SOME_MODELS, ids=lambda model: f"{model.package}-{model.name}")
def test_counts_are_torchs(model: Model) -> None:
    """Parameters are torch's sum, multiply-adds FlopCounterMode's, and nothing is left out."""
    found = zoo_models.count(model)
    assert found.total("parameters") == found.parameters
    assert found.macs is not None
    assert found.total("macs") - SUMMED.get(model.name, 0) == found.macs > 0
    assert not found.uncounted
    if model.package == "torchvision" and model.name in PUBLISHED:
        parameters, billions = PUBLISHED[model.name]
        assert found.parameters == parameters
        assert round(found.total("macs") / 1e9, 3) == billions


@pytest.mark.parametrize("model", [*zoo_models.own()], ids=lambda model: model.name)
def test_values_change_nothing(model: Model) -> None:
    """The meta device and the CPU give the same rows, in every cell."""
    assert zoo_models.count(model).cells == zoo_models.count(model, CPU).cells


@pytest.mark.skipif(bool(MISSING), reason="torchvision and timm are not both here")
@pytest.mark.parametrize("name", TWICE)
def test_two_authors_of_one_network(name: str) -> None:
    """A network of torchvision and the same of timm have the same neurons and multiply-adds."""
    one, other = zoo_models.named("torchvision", name), zoo_models.named("timm", TWICE[name])
    sums = []
    for model in (one, other):
        found = zoo_models.count(model)
        kinds = [row for row in found.rows if row.kind in COUNTED_KINDS]
        sums.append((sum(row.neurons for row in kinds), found.total("macs")))
    assert sums[0] == sums[1]
