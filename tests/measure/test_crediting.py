"""Whose work an operator is, in networks with right values worked out by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.attention.flex_attention
from cases import CASES, NESTS, Branches, By, Case, weight
from torch import Tensor, nn
from torch.nn import functional

from reconcile.measure.building import evaluated
from reconcile.measure.counting import Row, count_layers
from reconcile.tables.contract import COUNTED_KINDS


def count(case: Case, device: str) -> dict[str, Row]:
    """The rows of a case, by layer."""
    with torch.device(device):
        rows, _ = count_layers(evaluated(case.make()), (torch.ones(case.shape),))
    return {row.layer: row for row in rows}


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("name", CASES)
def test_right_values(name: str, device: str) -> None:
    """Multiply-adds, parameters and what rows say are what was worked out, on each device."""
    case = CASES[name]
    rows = count(case, device)
    assert sum(row.macs for row in rows.values()) == case.macs
    assert sum(row.parameters for row in rows.values()) == case.parameters
    assert {name for row in rows.values() for name in row.uncounted} == set(case.uncounted)
    for layer, expected in case.layers.items():
        row = rows[layer]
        found = {k: getattr(row, k) if hasattr(row, k) else row.sizes.get(k) for k in expected}
        assert found == expected, layer


@pytest.mark.parametrize("nest", NESTS)
def test_all_outputs(nest: str) -> None:
    """A layer's neurons are all that it returns, each tensor once, in whatever nest."""
    model = By(lambda m, x: m.b(x), b=Branches(NESTS[nest]))
    rows, _ = count_layers(model, (torch.ones(1, 3, 8, 8),))
    row = next(row for row in rows if row.layer == "b")
    assert (row.neurons, row.shapes) == (2 * 36 + 4 * 16, [(2, 6, 6), (4, 4, 4)])


def test_names_of_one_layer() -> None:
    """A layer that stands in two places has one row, with both names."""
    shared = nn.Linear(4, 4)
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared))
    rows, _ = count_layers(model, (torch.ones(1, 4),))
    assert [(row.layer, row.also) for row in rows[1:]] == [("0.0", ("1.0",))]


def neurons(model: nn.Module, *shape: int) -> int:
    """A network's neurons, as totals.csv sums them."""
    rows, _ = count_layers(model.eval(), (torch.ones(1, *shape),))
    return sum(row.neurons for row in rows if row.kind in COUNTED_KINDS)


def _attend(m: Any, x: Tensor) -> Tensor:
    return m.o(functional.scaled_dot_product_attention(m.q(x), m.k(x), m.v(x)))


def _four_layers() -> nn.Module:
    return By(_attend, **{name: nn.Linear(8, 8) for name in "qkvo"})


def _one_matrix() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        q, k, v = functional.linear(x, m.qkv).chunk(3, dim=-1)
        return functional.linear(functional.scaled_dot_product_attention(q, k, v), m.o)

    return By(run, qkv=weight(24, 8), o=weight(8, 8))


def _one_module() -> nn.Module:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    return By(lambda m, x: m.a(x, x, x)[0], a=attention)


class _Transposed(nn.Module):
    """A fully connected layer with its matrix the other way round, as in GPT-2."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = weight(8, 6), weight(6)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the tokens in a row."""
        flat = torch.addmm(self.bias, x.view(-1, 8), self.weight)
        return flat.view(*x.shape[:-1], 6)


def _step_by_step(cell: nn.Module) -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        state = None
        for step in range(x.shape[1]):
            state = m.cell(x[:, step], state)
        return state[0] if isinstance(state, tuple) else state

    return By(run, cell=cell)


PAIRS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = {
    "attention as one module": (_one_module, _four_layers, (5, 8)),
    "attention with one matrix": (_one_matrix, _four_layers, (5, 8)),
    "matrix the other way round": (_Transposed, lambda: nn.Linear(8, 6), (5, 8)),
    "convolution as a function": (
        lambda: By(lambda m, x: functional.conv2d(x, m.w, stride=2), w=weight(4, 3, 3, 3)),
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2)),
        (3, 9, 9),
    ),
    "product as an expression": (
        lambda: By(lambda m, x: x @ m.w + m.b, w=weight(8, 6), b=weight(6)),
        lambda: nn.Linear(8, 6),
        (5, 8),
    ),
    "product as einsum": (
        lambda: By(lambda m, x: torch.einsum("btd,ed->bte", x, m.w), w=weight(6, 8)),
        lambda: nn.Linear(8, 6),
        (5, 8),
    ),
    "another layer's weight": (
        lambda: By(lambda m, x: functional.linear(x, m.l.weight), l=nn.Linear(8, 6)),
        lambda: nn.Linear(8, 6),
        (5, 8),
    ),
    "recurrent layer or its cell": (
        lambda: By(lambda m, x: m.r(x)[0], r=nn.LSTM(8, 6, batch_first=True)),
        lambda: _step_by_step(nn.LSTMCell(8, 6)),
        (5, 8),
    ),
    "two recurrent layers in one": (
        lambda: By(lambda m, x: m.r(x)[0], r=nn.GRU(8, 6, 2, batch_first=True)),
        lambda: By(
            lambda m, x: m.b(m.a(x)[0])[0],
            a=nn.GRU(8, 6, batch_first=True),
            b=nn.GRU(6, 6, batch_first=True),
        ),
        (5, 8),
    ),
    "transformer layer or its parts": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        lambda: By(
            lambda m, x: m.down(functional.relu(m.up(m.attend(x)))),
            attend=_four_layers(),
            up=nn.Linear(8, 16),
            down=nn.Linear(16, 8),
        ),
        (5, 8),
    ),
    "reparametrised or plain": (
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(8, 6)),
        lambda: nn.Linear(8, 6),
        (5, 8),
    ),
    "pointwise convolution or linear": (
        lambda: By(lambda m, x: m.c(x.transpose(1, 2)), c=nn.Conv1d(8, 6, 1)),
        lambda: nn.Linear(8, 6),
        (5, 8),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_neurons_do_not_depend_on_spelling(pair: str) -> None:
    """The same network has the same neurons however it is written down."""
    one, other, shape = PAIRS[pair]
    assert neurons(one(), *shape) == neurons(other(), *shape) > 0


def test_old_hooks_prepare_a_weight() -> None:
    """What a hook computes from weights alone before a layer runs is no work of the pass."""
    layer = nn.utils.spectral_norm(nn.Linear(6, 4))
    rows, _ = count_layers(nn.Sequential(layer).eval(), (torch.ones(1, 6),))
    assert [(row.layer, row.macs) for row in rows[1:]] == [("0", 24)]


def test_an_ambiguous_weight_is_noted() -> None:
    """Where a shared weight is used by neither of its layers, the row says so."""
    rows = count(CASES["tied_and_used_by_neither"], "cpu")
    assert rows["head"].notes and not rows["table"].notes


def test_a_cache_that_is_written_holds_data() -> None:
    """A buffer into which data is written is no weight of the layer that holds it."""

    class Cache(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("keys", torch.zeros(1, 4, 6))

        def forward(self, x: Tensor) -> Tensor:
            keys: Any = self.keys
            keys[:, :3] = x
            return keys

    model = By(lambda m, x: x @ m.cache(x).transpose(1, 2), cache=Cache())
    rows = {row.layer: row for row in count_layers(model, (torch.ones(1, 3, 6),))[0]}
    assert (rows["root"].macs, rows["cache"].macs) == (3 * 6 * 4, 0)


class State:
    """The shape that bitsandbytes keeps of a weight."""

    shape = (8, 6)


class OfItsClass(nn.Parameter):
    """A packed weight whose class tells its state."""

    quant_state = State()


def on_itself(packed: Tensor) -> nn.Parameter:
    """A packed weight that keeps its state itself."""
    weight = nn.Parameter(packed, requires_grad=False)
    weight.quant_state = State()  # type: ignore[attr-defined]
    return weight


@pytest.mark.parametrize("kept", [on_itself, lambda packed: OfItsClass(packed, False)])
def test_packed_parameters(kept: Callable[[Tensor], nn.Parameter]) -> None:
    """A packed weight counts as what it stands for, wherever that is kept."""
    layer = nn.Linear(6, 8, bias=False)
    layer.weight = kept(torch.zeros(24, 1, dtype=torch.uint8))
    layer.forward = lambda x: x @ torch.ones(6, 8)  # type: ignore[method-assign, assignment]
    rows, _ = count_layers(nn.Sequential(layer), (torch.ones(1, 6),))
    assert (rows[1].parameters, rows[1].all_parameters, rows[1].weight_bytes) == (0, 48, 24)


def test_parameters_of_each_sort() -> None:
    """Trainable, frozen and used parameters and buffers are told apart; counters are none."""
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4).requires_grad_(False))
    model.spare = nn.Linear(3, 2)
    made = By(lambda m, x: m.s[1](m.s[0](x)), s=model)
    rows = {row.layer: row for row in count_layers(made, (torch.ones(1, 2, 5, 5),))[0]}
    conv, norm, spare = rows["s.0"], rows["s.1"], rows["s.spare"]
    assert (conv.parameters, conv.used_parameters, conv.weight_bytes) == (76, 76, 304)
    assert (norm.parameters, norm.all_parameters, norm.buffers) == (0, 8, 8)
    assert (spare.parameters, spare.used_parameters) == (8, 0)


def test_quantised_layers() -> None:
    """A layer whose weights torch packs into an object has the row that its weights would give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(6, 4)), {nn.Linear})
    rows, _ = count_layers(model, (torch.ones(1, 6),))
    assert [(row.layer, row.kind, row.neurons, row.macs) for row in rows[1:]] == [
        ("0", "fc", 4, 24)
    ]
    assert (rows[1].all_parameters, rows[1].parameters, rows[1].weight_bytes) == (28, 0, 24 + 16)


class _FourBits(nn.Module):
    """Eight weights of four bits in each whole number, as GPTQ keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self.in_features, self.out_features = 16, 4
        self.register_buffer("qweight", torch.zeros(2, 4, dtype=torch.int32))
        self.register_buffer("scales", torch.ones(1, 4))

    def forward(self, x: Tensor) -> Tensor:
        """Unpack the weights and multiply."""
        shifts = torch.arange(0, 32, 4, device=x.device)
        whole: Any = self.qweight
        weights = ((whole[:, None] >> shifts[:, None]) & 15).view(16, 4) - 8
        return x @ (weights * self.scales)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_weights_of_four_bits(device: str) -> None:
    """Packed buffers count as what they stand for, and their products as the layer's."""
    with torch.device(device):
        rows, _ = count_layers(nn.Sequential(_FourBits()), (torch.ones(1, 3, 16),))
    assert (rows[1].kind, rows[1].neurons, rows[1].macs) == ("fc", 12, 3 * 16 * 4)
    assert (rows[1].all_parameters, rows[1].buffers, rows[1].weight_bytes) == (64, 4, 32)


def test_what_is_stored_sparse_is_a_weight() -> None:
    """A weight that is made sparse is its layer's."""
    model = By(lambda m, x: torch.sparse.mm(m.w.to_sparse(), x.t()).t(), w=weight(4, 6))
    rows, _ = count_layers(model, (torch.ones(1, 6),))
    assert [(row.layer, row.macs, row.neurons) for row in rows[1:]] == [("root", 24, 4)]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_sequences_of_different_lengths() -> None:
    """A nested tensor is counted by its elements; one without a shape is refused in one line."""

    def run(m: Any, x: Tensor) -> Tensor:
        parts = [x[0, :2], x[0, 2:]]
        return torch.cat(list(m.l(torch.nested.nested_tensor(parts, layout=layout)).unbind()))

    layout = torch.jagged
    model = By(run, l=nn.Linear(6, 4))
    rows = {row.layer: row for row in count_layers(model, (torch.ones(1, 5, 6),))[0]}
    assert (rows["l"].macs, rows["l"].neurons, rows["l"].shapes) == (5 * 24, 20, [(5, 4)])
    layout = torch.strided
    with pytest.raises(TypeError, match="only if its layout is jagged"):
        count_layers(model, (torch.ones(1, 5, 6),))


@pytest.mark.filterwarnings("ignore:flex_attention called without:UserWarning")
def test_attention_with_a_function_for_scores() -> None:
    """flex_attention and branches on values are counted on a CPU."""
    attention: Any = torch.nn.attention.flex_attention
    model = By(lambda m, x: attention.flex_attention(x, x, x, score_mod=lambda s, *_: s + 1))
    rows, _ = count_layers(model, (torch.ones(1, 2, 4, 6),))
    assert sum(row.macs for row in rows) == 2 * 4 * 4 * (6 + 6)
    model = By(
        lambda m, x: torch.cond(x.sum() > 0, m.a, m.b, (x,)),
        a=nn.Linear(6, 4),
        b=nn.Linear(6, 5),
    )
    rows, _ = count_layers(model, (torch.ones(1, 6),))
    assert {row.layer: (row.macs, row.calls) for row in rows[1:]} == {"a": (24, 1), "b": (0, 0)}


def test_experts_on_the_meta_device() -> None:
    """Groups of matrices of any type are multiplied on the meta device."""
    ends = torch.tensor([2, 3, 7], dtype=torch.int32)
    run: Any = torch._grouped_mm
    model = By(lambda m, x: run(x[0], m.w, offs=ends.to(x.device))[None], w=weight(3, 8, 16))
    rows, output = count_layers(model.to("meta"), (torch.ones(1, 7, 8, device="meta"),))
    assert (rows[1].macs, rows[1].neurons, output.dtype) == (7 * 8 * 16, 7 * 16, torch.float32)
