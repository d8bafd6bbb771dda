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


def test_the_grid(readings: Readings) -> None:
    """256 pixels give 30x30 scores, and 15x15 with strides of 2 throughout."""
    assert readings.run("program", "d70").shapes["scores"] == (1, 30, 30)
    assert readings.run("text", "d70").shapes["scores"] == (1, 15, 15)


def test_excluded_readings(readings: Readings) -> None:
    """Evidence excludes strides of 2 throughout, and nothing that the conclusion is for."""
    assert readings.excluded() == {"text"}
    assert readings.study.conclusion.interpretation == "one-more"
