"""The PatchGAN study: patches are receptive fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "patchgan"
# Of each reading and network: the strides of all layers, kernels being 4x4 unless said.
FIELDS = {
    ("program", "d16"): 16,
    ("program", "d70"): 70,
    ("program", "d286"): 286,
    ("program", "d574"): 286,
    ("one-more", "d574"): 574,
    ("program", "d140"): 142,
    ("text", "d16"): 22,
    ("text", "d70"): 94,
    ("text", "d286"): 382,
}


def recurrence(strides: list[int]) -> int:
    """The field of 4x4 kernels: 1 + 3 times the product of the strides before each of them."""
    size, step = 1, 1
    for stride in strides:
        size, step = size + 3 * step, step * stride
    return size


@pytest.mark.parametrize(("reading", "network"), FIELDS)
def test_closed_forms(readings: Readings, reading: str, network: str) -> None:
    """The strides of the layers that are built give the field that the study measures."""
    model: Any = readings.run(reading, network).network
    strides = [layer.stride[0] for layer in (*model.listed, model.scores)]
    assert all(layer.kernel_size == (4, 4) for layer in (*model.listed, model.scores))
    assert recurrence(strides) == FIELDS[reading, network]


@pytest.mark.parametrize(
    ("reading", "network", "field"),
    [("program", "pixel", 1), ("program", "d70", 70), ("halved", "d140", 141)],
)
def test_gradients(readings: Readings, reading: str, network: str, field: int) -> None:
    """One score in the middle has a gradient from so many pixels a side, and no others."""
    given = readings.run(reading, network).arguments
    narrow: dict[str, Any] = given | {"channels": 1, "maps": [1] * len(given["maps"])}
    model = type(readings.run(reading, network).network)(**narrow)
    for parameter in model.parameters():
        torch.nn.init.ones_(parameter)
    image = torch.ones(1, 1, 320, 320, requires_grad=True)
    scores = model(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert image.grad is not None
    rows = image.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == field


BACKBONES = {
    "fcn-alexnet": (355, 32, 56_954_261),
    "fcn-vgg16": (404, 32, 134_346_581),
    "rpn-zf": (171, 16, 4_330_422),
    "rpn-vgg16": (228, 16, 17_102_198),
}


@pytest.mark.parametrize("network", BACKBONES)
def test_controls(readings: Readings, network: str) -> None:
    """Kernels and strides of the controls give the fields, and their layers the parameters."""
    model: Any = readings.run("program", network).network
    size, step, parameters = 1, 1, 0
    for layer in (*model.listed, model.scores):
        sides = (layer.kernel_size, layer.stride)
        kernel, stride = (side if isinstance(side, int) else side[0] for side in sides)
        size, step = size + (kernel - 1) * step, step * stride
        if isinstance(layer, torch.nn.Conv2d):
            inputs = layer.in_channels // layer.groups
            parameters += (kernel**2 * inputs + 1) * layer.out_channels
    assert (size, step, parameters) == BACKBONES[network]
    assert readings.run("program", network).total("parameters") == parameters


def test_counts_of_the_controls(readings: Readings) -> None:
    """8 and 16 convolutions; 27,648 weights of the last, 2,386,944 with those of the one before."""
    for network, layers in (("fcn-alexnet", 8), ("fcn-vgg16", 16)):
        model = readings.run("program", network).network
        assert sum(isinstance(m, torch.nn.Conv2d) for m in model.modules()) == layers
    model = readings.run("program", "rpn-vgg16").network
    weights = [m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert weights[-1] == 512 * (4 + 2) * 9 == 27_648
    assert weights[-1] + weights[-2] == 3 * 3 * 512 * 512 + 512 * 6 * 9 == 2_386_944


def test_the_grid(readings: Readings) -> None:
    """256 pixels give 30x30 scores, and 15x15 with strides of 2 throughout."""
    assert readings.run("program", "d70").shapes["scores"] == (1, 30, 30)
    assert readings.run("text", "d70").shapes["scores"] == (1, 15, 15)


def test_excluded_readings(readings: Readings) -> None:
    """Evidence excludes strides of 2 throughout, and nothing that the conclusion is for."""
    assert readings.excluded() == {"text"}
    assert readings.study.conclusion.interpretation == "one-more"
