"""Counts of networks that others wrote, against torch's own sums, on the meta device."""

from __future__ import annotations

import pytest
import zoo_models
from zoo_models import Model

NAMED = {"raft_large": {"aten.mul+sum"}}
"""What is named as not counted: RAFT weighs neighbours of the flow and sums them."""
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

_FAMILIES = {model.family: model.name for model in reversed([*zoo_models.torchvision()])}
MODELS = [
    *zoo_models.own(),
    *(m for m in zoo_models.torchvision() if m.name in {*_FAMILIES.values(), *PUBLISHED}),
]
"""One of each family here; `make zoo` counts them all."""


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.package}-{model.name}")
def test_counts_are_torchs(model: Model) -> None:
    """Parameters are torch's sum, multiply-adds FlopCounterMode's, and nothing is left out."""
    found = zoo_models.count(model)
    assert found.total("parameters") == found.parameters
    assert found.total("macs") == found.macs > 0
    assert found.uncounted == NAMED.get(model.name, set())
    if model.package == "torchvision" and model.name in PUBLISHED:
        parameters, billions = PUBLISHED[model.name]
        assert found.parameters == parameters
        assert round(found.total("macs") / 1e9, 3) == billions
