"""Whose work an operator is, in networks with right values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CASES, NESTS, Branches, By, Case, weight
from torch import Tensor, nn
from torch.nn import functional

from reconcile.measure.counting import Row, count_layers
from reconcile.tables.contract import COUNTED_KINDS


def count(case: Case, device: str) -> dict[str, Row]:
    """The rows of a case, by layer."""
    with torch.device(device):
        rows, _ = count_layers(case.make().eval(), (torch.ones(case.shape),))
    return {row.layer: row for row in rows}


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


def test_packed_parameters() -> None:
    """A packed weight counts as what it stands for."""

    class State:
        shape = (8, 6)

    layer = nn.Linear(6, 8, bias=False)
    layer.weight = nn.Parameter(torch.zeros(24, 1, dtype=torch.uint8), requires_grad=False)
    layer.weight.quant_state = State()  # type: ignore[attr-defined]
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
