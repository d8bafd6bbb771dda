"""What a layer's row counts, by itself and against two other counters."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
import torch
from counted import macs_of
from fvcore.nn import FlopCountAnalysis
from hypothesis import given
from hypothesis import strategies as st
from networks import NETWORKS
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary

from reconcile.layers import Conv2d
from reconcile.measure.counting import (
    Row,
    cells_of,
    count_layers,
    first_tensor,
    is_layer,
    layer_names,
)
from reconcile.measure.kinds import CrossCheckError, check_row, kind_of
from reconcile.measure.recall import Recalled

aten = torch.ops.aten


def count(model: nn.Module, *shapes: tuple[int, ...]) -> dict[str, Row]:
    """The rows of a model by name, in order; each shape is an input without the batch."""
    inputs = tuple(torch.rand(1, *shape) for shape in shapes)
    rows, _ = count_layers(model.eval(), inputs)
    return {row.layer: row for row in rows}


def totals(rows: dict[str, Row]) -> tuple[int, int]:
    """Parameters and multiply-adds of all rows."""
    return sum(r.parameters for r in rows.values()), sum(r.macs for r in rows.values())


def test_rows_of_a_plain_network() -> None:
    """Every layer has its shape, neurons, parameters and multiply-adds, after the input's row."""
    rows = count(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)), (3, 8, 8)
    )
    assert list(rows) == ["input", "0", "1", "2", "3"]
    image = rows["input"]
    assert (image.kind, image.shape, image.neurons, image.bytes) == ("input", (3, 8, 8), 192, 768)
    assert image.sizes == {"channels": 3, "height": 8, "width": 8}
    conv, fc = rows["0"], rows["3"]
    assert (conv.kind, conv.shape, conv.neurons) == ("conv", (4, 6, 6), 144)
    assert (conv.parameters, conv.macs, conv.connections) == (112, 144 * 27, 144 * 28)
    assert (fc.kind, fc.shape, fc.neurons) == ("fc", (5,), 5)
    assert (fc.parameters, fc.macs, fc.connections) == (725, 720, 725)
    assert (rows["1"].parameters, rows["1"].macs, rows["1"].kind) == (0, 0, "activation")


class Twice(nn.Module):
    """One layer that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to its own output."""
        return self.fc(self.fc(x))


def test_layer_that_runs_twice() -> None:
    """Neurons and multiply-adds sum over the calls, parameters count once."""
    row = count(Twice(), (6,))["fc"]
    assert (row.calls, row.neurons, row.macs, row.parameters) == (2, 12, 72, 42)


class Tied(nn.Module):
    """Two layers with the same weight tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(4, 4)
        self.decode = nn.Linear(4, 4)
        self.decode.weight = self.encode.weight

    def forward(self, x: Tensor) -> Tensor:
        """Encode, then decode."""
        return self.decode(self.encode(x))


def test_shared_parameters() -> None:
    """A shared tensor counts in the layer that ran first and in no other."""
    rows = count(Tied(), (4,))
    assert (rows["encode"].parameters, rows["decode"].parameters) == (20, 4)
    assert (rows["encode"].macs, rows["decode"].macs) == (16, 16)


class Same(nn.Module):
    """One module under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = self.first

    def forward(self, x: Tensor) -> Tensor:
        """Use both names."""
        return self.second(self.first(x))


def test_module_under_two_names() -> None:
    """A module that has two names has one row, under the first."""
    rows = count(Same(), (4,))
    assert list(rows) == ["input", "first"]
    assert (rows["first"].calls, rows["first"].parameters) == (2, 20)


class Functional(nn.Module):
    """A product that no layer computes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the layer's output with itself."""
        y = self.fc(x)
        return y.transpose(1, 2) @ y


def test_functional_product() -> None:
    """A matrix product in a container is counted, in a row of the container."""
    rows = count(Functional(), (3, 5))
    assert (rows["root"].kind, rows["root"].macs) == ("functional", 75)
    assert rows["fc"].macs == 75
    assert rows["root"].shape == (5, 5)


class Container(nn.Module):
    """A module with a parameter of its own and a child."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(7))
        self.fc = nn.Linear(7, 7)

    def forward(self, x: Tensor) -> Tensor:
        """Scale what the child gives."""
        return self.fc(x) * self.scale


def test_parameters_of_a_container() -> None:
    """A module with parameters and children has a row with its own parameters only."""
    rows = count(nn.Sequential(Container()), (7,))
    assert (rows["0"].parameters, rows["0.fc"].parameters) == (7, 56)
    assert is_layer(Container()) and not is_layer(nn.Sequential(nn.ReLU()))


class Unused(nn.Module):
    """A layer that is built and never called."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(3, 3)
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Leave one layer out."""
        return self.fc(x)


def test_layer_that_never_runs() -> None:
    """A layer that never ran comes last, with its parameters and nothing else."""
    rows = count(Unused(), (3,))
    assert list(rows) == ["input", "fc", "spare"]
    spare = rows["spare"]
    assert (spare.calls, spare.shape, spare.neurons, spare.macs) == (0, (), 0, 0)
    assert spare.parameters == 12


def test_frozen_parameters() -> None:
    """Parameters are trainable tensors: a frozen layer is run and checked but counts none."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3).requires_grad_(False), nn.Flatten(), nn.Linear(8, 2))
    rows = count(model, (1, 4, 4))
    assert (rows["0"].parameters, rows["0"].macs) == (0, 72)
    assert totals(rows)[0] == 18


def test_weight_normalisation() -> None:
    """A weight that is computed from others counts as these others."""
    model = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 4)))
    rows = count(model, (6,))
    assert totals(rows) == (4 + 24 + 4, 24)


class Adapter(nn.Linear):
    """A fully connected layer with a forward of its own (low-rank adaptation)."""

    def __init__(self) -> None:
        super().__init__(8, 8)
        self.down = nn.Parameter(torch.ones(2, 8))
        self.up = nn.Parameter(torch.ones(8, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Add what two thin matrices give."""
        return super().forward(x) + x @ self.down.T @ self.up.T


def test_subclass_with_its_own_forward() -> None:
    """The closed form of a layer is not asked of a subclass that does something else."""
    assert totals(count(nn.Sequential(Adapter()), (8,))) == (72 + 32, 64 + 32)


def test_vector_products() -> None:
    """Products with a vector are multiply-adds like those with a matrix."""

    class Scores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Parameter(torch.ones(5))

        def forward(self, x: Tensor) -> Tensor:
            scores = x[0] @ self.query
            return scores @ scores + scores.sum()

    assert totals(count(Scores(), (3, 5))) == (5, 15 + 3)


def test_attention() -> None:
    """Attention has the products of its four matrices and the two of queries, keys and values."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    rows = count(nn.Sequential(layer), (6, 8))
    projections = 4 * 6 * 8 * 8
    products = 2 * 6 * 6 * 8
    feedforward = 2 * 6 * 8 * 16
    assert totals(rows)[1] == projections + products + feedforward
    assert totals(rows)[0] == sum(p.numel() for p in layer.parameters())


def test_fused_attention() -> None:
    """The fused operator counts what its two products are."""

    class Attend(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            heads = x.reshape(1, 6, 2, 4).transpose(1, 2)
            return nn.functional.scaled_dot_product_attention(heads, heads, heads)

    assert totals(count(Attend(), (6, 8))) == (0, 2 * 6 * 6 * 8)


@pytest.mark.parametrize(
    ("operator", "more"),
    [
        (aten._scaled_dot_product_flash_attention, ()),
        (aten._scaled_dot_product_efficient_attention, (None, False)),
        (aten._scaled_dot_product_cudnn_attention, (None, False)),
    ],
)
def test_attention_on_a_gpu(operator: Any, more: tuple[Any, ...]) -> None:
    """What takes the place of the CPU's fused operator on a GPU counts the same."""
    queries, keys = torch.empty(1, 2, 6, 8, device="meta"), torch.empty(1, 2, 5, 8, device="meta")
    arguments = (queries, keys, keys, *more)
    result = operator.default(*arguments)
    fused = aten._scaled_dot_product_flash_attention_for_cpu.default
    expected = macs_of(fused, (queries, keys, keys), {}, None)
    assert macs_of(operator.default, arguments, {}, result) == expected == 2 * 6 * 5 * (8 + 8)


def test_recurrent_layer_on_a_gpu() -> None:
    """The operator of cuDNN gets all weights at once and counts what the layer counts elsewhere."""
    layer = nn.LSTM(5, 7, num_layers=2, batch_first=True)
    rows = count(nn.Sequential(layer), (4, 5))
    sequence = torch.empty(4, 1, 5)
    arguments = (sequence, list(layer.parameters()), 4)
    assert macs_of(aten._cudnn_rnn.default, arguments, {}, None) == rows["0"].macs > 0


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers(kind: type[nn.Module], gates: int) -> None:
    """A recurrent layer has, at each step, the products of its input and of its state."""
    rows = count(nn.Sequential(kind(5, 7, batch_first=True)), (4, 5))
    assert rows["0"].macs == 4 * gates * 7 * (5 + 7)


def test_several_inputs() -> None:
    """The input's row has the elements of all inputs and the shape of the first."""

    class Pair(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y.sum()

    row = count(Pair(), (2, 3), (5,))["input"]
    assert (row.shape, row.neurons) == ((2, 3), 11)


@pytest.mark.parametrize("output", [{"a": None, "b": 1}, (None, []), "text", None])
def test_no_tensor(output: object) -> None:
    """A model that returns no tensor is refused."""

    class Nothing(nn.Module):
        def forward(self, x: Tensor) -> object:
            return output

    with pytest.raises(TypeError, match="the network returned no tensor"):
        count(Nothing(), (2,))


def test_first_tensor() -> None:
    """The first tensor is found in tuples, lists and dictionaries."""
    one = torch.ones(1)
    assert first_tensor(({"a": None, "b": [None, (one, torch.zeros(1))]},)) is one
    assert first_tensor([]) is None


def test_hooks_are_gone() -> None:
    """Counting leaves the model as it was, also when a forward pass fails."""
    model = nn.Sequential(nn.Linear(3, 3))
    weight = model[0].weight.detach().clone()
    count(model, (3,))
    with pytest.raises(RuntimeError):
        count(model, (4,))
    assert not model._forward_hooks and not model[0]._forward_pre_hooks
    assert torch.equal(model[0].weight, weight)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.Conv1d(1, 1, 1), "conv"),
        (nn.ConvTranspose2d(1, 1, 1), "conv"),
        (nn.Linear(1, 1), "fc"),
        (nn.Embedding(2, 2), "embedding"),
        (nn.Dropout(), "dropout"),
        (nn.AdaptiveAvgPool2d(1), "pool"),
        (nn.BatchNorm2d(1), "norm"),
        (nn.GELU(), "activation"),
        (nn.GRU(1, 1), "recurrent"),
        (nn.MultiheadAttention(2, 1), "attention"),
        (nn.Identity(), "other"),
        (nn.Sequential(nn.ReLU()), "functional"),
    ],
)
def test_kinds(module: nn.Module, kind: str) -> None:
    """A layer's kind follows from its class."""
    assert kind_of(module) == kind


def test_declared_kind() -> None:
    """A layer of the study's own says its kind itself, in the words there are."""
    module = nn.Identity()
    module.kind = "pool"  # type: ignore[assignment]
    assert kind_of(module) == "pool"
    module.kind = "magic"  # type: ignore[assignment]
    assert kind_of(module) == "other"


def test_declared_connections() -> None:
    """A layer that multiplies nothing says how many links each of its outputs has."""
    module = nn.AvgPool2d(2)
    module.connections_per_output = 5  # type: ignore[assignment]
    assert count(nn.Sequential(module), (1, 4, 4))["0"].connections == 20


def test_what_no_formula_counts() -> None:
    """An operator that multiplies without a formula is named in the row of its module."""

    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft(x).abs() + torch.cdist(x[None], x[None])[0].sum()

    row = count(Spectrum(), (30, 30))["root"]
    assert row.uncounted.keys() == {"aten._fft_r2c", "aten._euclidean_dist"}
    assert row.uncounted["aten._fft_r2c"] == 900
    assert row.macs == 0


RIGHT: dict[str, Any] = {
    "input_shape": (1, 1, 10, 10), "output_shape": (1, 2, 8, 8), "macs": 2 * 64 * 9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("executed", "message"),
    [
        ({"macs": 1151}, "1,151 multiply-adds were executed, the closed form gives 1,152"),
        (
            {"output_shape": (1, 2, 9, 8), "macs": 2 * 72 * 9},
            "conv: 9 height were executed, the closed form gives 8",
        ),
        (
            {"output_shape": (1, 2, 8, 7), "macs": 2 * 56 * 9},
            "conv: 7 width were executed, the closed form gives 8",
        ),
    ],
)
def test_disagreement_with_the_closed_form(executed: dict[str, Any], message: str) -> None:
    """A count that is not its closed form stops the run."""
    layer = Conv2d(1, 2, 3)
    check_row(layer, "conv", **RIGHT)
    with pytest.raises(CrossCheckError, match=message):
        check_row(layer, "conv", **(RIGHT | executed))


def test_the_closed_form_is_of_the_weight_that_was_used() -> None:
    """A weight of another size than the class says has the closed form of its own size."""
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.ones(2, 4))
    with pytest.raises(CrossCheckError, match="6 multiply-adds were executed, the closed"):
        check_row(layer, "fc", (1, 3), (1, 2), 6)


def test_rows_that_miss_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows whose parameters do not sum to the network's stop the run."""
    monkeypatch.setattr("reconcile.measure.counting.is_layer", lambda module: False)
    with pytest.raises(CrossCheckError, match="rows sum to 0 parameters, the network has 2"):
        count(nn.Sequential(nn.BatchNorm1d(1)), (1,))


class Growing(nn.Module):
    """Makes a layer when it runs."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by a matrix that was not there before."""
        self.fc = nn.Linear(x.shape[-1], 2)
        return self.fc(x)


def test_a_layer_made_on_the_way_is_missed_with_a_word() -> None:
    """Parameters that come into being during the pass have no row, and stop the run."""
    with pytest.raises(CrossCheckError, match="rows sum to 0 parameters, the network has 8"):
        count(Growing(), (3,))


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda network: network.__name__)
def counted(request: pytest.FixtureRequest) -> Iterator[tuple[nn.Module, Tensor, dict[str, Row]]]:
    """A network, its input and its rows."""
    torch.manual_seed(0)
    model = request.param().eval()
    image = torch.rand(1, *model.shape)
    rows, _ = count_layers(model, (image,))
    yield model, image, {row.layer: row for row in rows}


Counted = tuple[nn.Module, Tensor, dict[str, Row]]


def test_rows_sum_to_torchs_parameters(counted: Counted) -> None:
    """The rows' parameters sum to those that torch lists."""
    model, _, rows = counted
    assert totals(rows)[0] == sum(p.numel() for p in model.parameters())


def test_meta_counts_the_same(counted: Counted) -> None:
    """A run on the meta device gives the same rows as a run on values."""
    model, image, rows = counted
    model_on_meta = type(model)().to("meta").eval()
    on_meta, _ = count_layers(model_on_meta, (image.to("meta"),))
    assert {row.layer: row for row in on_meta} == rows


def test_recalled_layers_count_the_same(counted: Counted) -> None:
    """A network whose layers are remembered from an earlier run has the same rows."""
    model, image, rows = counted
    memory = Recalled()
    for _turn in range(2):
        again = type(model)().to("meta").eval()
        recalled, _ = count_layers(again, (image.to("meta"),), memory.run)
        assert {row.layer: row for row in recalled} == rows


def test_against_torchs_flop_counter(counted: Counted) -> None:
    """The counter that comes with torch counts a multiply and an addition as two."""
    model, image, rows = counted
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    assert counter.get_total_flops() == 2 * totals(rows)[1]


def test_against_fvcore(counted: Counted) -> None:
    """The counter fvcore counts the same multiply-adds once its extra operators are taken away.

    It adds batch and layer normalisation and adaptive pooling, which are no multiply-adds here.
    """
    model, image, rows = counted
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    analysis = FlopCountAnalysis(model, image).unsupported_ops_warnings(False)
    by_operator = analysis.by_operator()
    convention = ("batch_norm", "layer_norm", "adaptive_avg_pool2d", "upsample")
    products = sum(n for name, n in by_operator.items() if name not in convention)
    assert products == totals(rows)[1]


def test_against_torchinfo(counted: Counted) -> None:
    """Parameters are those of torchinfo; multiply-adds differ by its convention of biases.

    It multiplies the elements of weight and bias by the positions of the output, so that a
    convolution with a bias has one more for every output; a layer without positions (fully
    connected, normalisation) has its parameters. Normalisation multiplies nothing here.
    """
    model, image, rows = counted
    found = summary(model, input_data=image, verbose=0)
    assert found.total_params == totals(rows)[0]
    modules = dict(model.named_modules())
    expected = 0
    for row in rows.values():
        module = modules.get(row.layer)
        if row.kind in ("conv", "fc") and module is not None:
            expected += torchinfo_macs(module, row)
        elif row.kind == "norm":
            expected += row.parameters
    assert found.total_mult_adds == expected


def torchinfo_macs(module: nn.Module, row: Row) -> int:
    """What torchinfo's convention makes of a layer."""
    held = sum(p.numel() for p in module.parameters())
    return held if row.kind == "fc" else held * math.prod(row.shape[1:])


class Rooted(nn.Module):
    """Holds a parameter and multiplies itself, and has modules of the reserved names."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.rand(6))
        for name in names:
            self.add_module(name, nn.Linear(6, 6))

    def forward(self, x: Tensor) -> Tensor:
        """Each module in turn, then the token and a product of its own."""
        for module in self.children():
            x = module(x)
        return (x + self.token) @ x.transpose(0, 1)


RESERVED = ["network", "root", "input"]


@pytest.mark.parametrize("number", range(len(RESERVED) + 1))
def test_reserved_names(number: int) -> None:
    """The whole network, the root's own row and the input never share a name with a layer."""
    for names in permutations(RESERVED, number):
        rows, _ = count_layers(Rooted(list(names)), (torch.rand(1, 6),))
        assert [row.layer for row in rows] == ["input", "root", *(f"root.{n}" for n in names)]
        own = next(row for row in rows if row.layer == "root")
        assert (own.parameters, own.macs) == (6, 6)


@given(st.lists(st.text("abinoprtuwek.", min_size=1, max_size=9), max_size=5))
def test_names_are_unique(paths: list[str]) -> None:
    """Every module of a network has a name of its own, and none is that of the whole."""
    model = nn.Module()
    for path in [*paths, "root.network", "root.root", "network.input", "root"]:
        place = model
        for part in path.split("."):
            if part and part not in place._modules and not hasattr(place, part):
                place.add_module(part, nn.Module())
            place = place._modules.get(part) or place
    names = list(layer_names(model).values())
    assert len(set(names)) == len(names)
    assert not {"network", "input"} & set(names)


def test_names_are_shown_whole() -> None:
    """What steers a terminal or is no XML is spelled, wherever a layer's name is written."""
    model = nn.Module()
    model.add_module("\x1b[31mred", nn.Identity())
    assert list(layer_names(model).values()) == ["root", "\\x1b[31mred"]


def test_what_goes_in_and_what_data_multiplies() -> None:
    """What a layer is given, its class where that is torch's, products of data with data."""
    attention = nn.MultiheadAttention(8, 2, batch_first=True)

    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.act = attention, nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.attention(x, x, x, need_weights=False)[0])

    rows, _ = count_layers(Attending().eval(), (torch.zeros(1, 5, 8),))
    found = {row.layer: cells_of(row) for row in rows}
    assert (found["act"]["class"], found["act"]["inputs"]) == ("ReLU", 40)
    # Five queries meet five keys of 8 numbers, and as many values are weighed.
    assert found["attention"]["data_macs"] == 2 * 5 * 5 * 8
    assert found["attention.out_proj"]["class"] == ""
    assert found["attention.out_proj"]["data_macs"] == 0
