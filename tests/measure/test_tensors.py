"""The part that each tensor belongs to, on networks whose parts are known by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reconcile.measure.counting import count_layers
from reconcile.measure.tensors import tensor_rows

META = torch.device("meta")


class Vision(nn.Module):
    """A transformer of one block over four patches of an image, with a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.zeros(1, 5, 8))
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Its classes."""
        tokens = self.patches(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token, tokens], 1) + self.pos_embed
        tokens = self.norm(tokens)
        mixed, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return self.head(mixed[:, 0])


class Words(nn.Module):
    """Two embeddings, one frozen norm, an output tied to the embedding, a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(100, 8)
        self.wpe = nn.Embedding(16, 8)
        self.mix = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8).requires_grad_(False)
        self.lm_head = nn.Linear(8, 100, bias=False)
        self.lm_head.weight = self.wte.weight
        self.pooler = nn.Linear(8, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        """A number for each word."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self.lm_head(self.norm(self.mix(self.wte(tokens) + self.wpe(places))))


class Residual(nn.Module):
    """A block whose shortcut projects, an auxiliary head, statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.body = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)
        self.downsample = nn.Sequential(nn.Conv2d(4, 8, 1, stride=2), nn.BatchNorm2d(8))
        self.aux1 = nn.Linear(8, 10)
        self.fc = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Its classes."""
        maps = self.stem(image)
        return self.fc((self.body(maps) + self.downsample(maps)).mean((2, 3)))


def parts(network: nn.Module, *inputs: Tensor) -> dict[str, dict[str, Any]]:
    """The rows of a network by layer and tensor."""
    network = network.eval()
    rows, _ = count_layers(network, inputs)
    return {f"{row['layer']}.{row['tensor']}": row for row in tensor_rows(network, rows)}


IMAGE = torch.zeros(1, 3, 8, 8)
TOKENS = torch.zeros(1, 5, dtype=torch.int64)
EXPECTED = {
    Vision: {
        "root.cls_token": "tokens",
        "root.pos_embed": "positions",
        "patches.weight": "first",
        "patches.bias": "biases first",
        "norm.weight": "norms",
        "norm.bias": "norms shifts",
        "attention.in_proj_weight": "",
        "attention.in_proj_bias": "biases",
        "attention.out_proj.weight": "fully-connected",
        "attention.out_proj.bias": "biases fully-connected",
        "head.weight": "fully-connected classifier",
        "head.bias": "biases fully-connected classifier",
    },
    Words: {
        "wte.weight": "embeddings shared",
        "wpe.weight": "positions",
        "mix.weight": "fully-connected first",
        "mix.bias": "biases fully-connected first",
        "norm.weight": "norms frozen",
        "norm.bias": "norms shifts frozen",
        "pooler.weight": "fully-connected unused",
        "pooler.bias": "biases fully-connected unused",
    },
    Residual: {
        "stem.weight": "first",
        "stem.bias": "biases first",
        "body.weight": "",
        "downsample.0.weight": "shortcuts",
        "downsample.0.bias": "biases shortcuts",
        "downsample.1.weight": "norms shortcuts",
        "downsample.1.bias": "norms shifts shortcuts",
        "downsample.1.running_mean": "statistics",
        "downsample.1.running_var": "statistics",
        "downsample.1.num_batches_tracked": "counters",
        "fc.weight": "fully-connected classifier",
        "fc.bias": "biases fully-connected classifier",
        "aux1.weight": "fully-connected auxiliary unused",
        "aux1.bias": "biases fully-connected auxiliary unused",
    },
}


@pytest.mark.parametrize("network", EXPECTED, ids=lambda network: network.__name__)
def test_parts(network: type[nn.Module]) -> None:
    """Each tensor once, with the parts that a reader would name."""
    given = TOKENS if network is Words else IMAGE
    found = parts(network(), given)
    assert {name: row["parts"] for name, row in found.items()} == EXPECTED[network]


def test_what_is_held_read_and_shared() -> None:
    """A frozen norm, a layer that never ran, a table that two layers hold."""
    found = parts(Words(), TOKENS)
    assert {n for n, row in found.items() if row["held"] == "frozen"} == {
        "norm.weight",
        "norm.bias",
    }
    unread = {name for name, row in found.items() if row["used"] == "no"}
    assert unread == {"pooler.weight", "pooler.bias"}
    assert {name: row["layers"] for name, row in found.items() if row["layers"] > 1} == {
        "wte.weight": 2
    }
    assert found["wte.weight"]["elements"] == 800


@pytest.mark.parametrize("network", EXPECTED, ids=lambda network: network.__name__)
def test_tensors_add_up_to_their_layers(network: type[nn.Module]) -> None:
    """What layers.csv says of a layer is the sum over its tensors."""
    model = network().eval()
    rows, _ = count_layers(model, (TOKENS if network is Words else IMAGE,))
    found = tensor_rows(model, rows)
    for row in rows:
        own = [tensor for tensor in found if tensor["layer"] == row.layer]
        trained = [tensor for tensor in own if tensor["held"] == "trainable"]
        assert sum(tensor["elements"] for tensor in trained) == row.parameters, row.layer
        read = [tensor for tensor in trained if tensor["used"] == "yes"]
        assert sum(tensor["elements"] for tensor in read) == row.used_parameters, row.layer


def test_a_reparametrised_weight_is_its_layer_s() -> None:
    """What a parametrisation holds stands in the layer's rows, under its own name."""
    layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3))
    found = parts(nn.Sequential(layer, nn.Conv1d(4, 2, 1)), torch.zeros(1, 3, 8))
    own = {name for name in found if name.startswith("0.")}
    assert own == {
        "0.bias",
        "0.parametrizations.weight.original0",
        "0.parametrizations.weight.original1",
    }
