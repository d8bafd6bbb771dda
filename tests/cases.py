"""Networks whose multiply-adds, parameters and neurons are worked out by hand, beside each.

Every one stands for a kind of thing that counters get wrong: weights used by another module,
operators without a formula, reparametrised layers, outputs in nests.
"""

# ruff: noqa: D101, D102, D103 - the names of the cases say what they are.

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.utils.checkpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize, prune


class By(nn.Module):
    """Named parts, and a function of them and the inputs as forward pass."""

    def __init__(self, run: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = run

    def forward(self, *inputs: Tensor) -> Any:
        """Run the function."""
        return self.run(self, *inputs)


def weight(*shape: int) -> nn.Parameter:
    """A parameter of a shape."""
    return nn.Parameter(torch.ones(*shape))


@dataclasses.dataclass(frozen=True)
class Case:
    """A network and what is right.

    Attributes:
        make: builds it.
        shape: of its input, with the batch.
        macs: multiply-adds in all.
        parameters: trainable elements in all.
        layers: what rows must say, by layer: attributes of ``Row`` or names of sizes.
        uncounted: names of operators that no formula counts.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    macs: int
    parameters: int
    layers: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    uncounted: tuple[str, ...] = ()


CASES: dict[str, Case] = {}


def case(*args: Any, **known: Any) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Keep what the decorated function makes under its name."""

    def keep(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        CASES[make.__name__] = Case(make, *args, **known)
        return make

    return keep


# Under inference mode torch hands composites over; they are taken apart as without it.


@case((1, 2, 9), 5 * 7 * 6 + 35 * 3, 5 * 6 + 5 + 3 * 35 + 3)
def inference_in_one_dimension() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        with torch.inference_mode():
            return m.fc(functional.relu(m.conv(x)).flatten(1))

    return By(run, conv=nn.Conv1d(2, 5, 3), fc=nn.Linear(35, 3))


@case((1, 4, 6), 2 * (4 * 6 * 6) + 2 * 4 * 4 * 6, 72)
def inference_of_functions() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        with torch.inference_mode():
            q, k = x @ m.q, torch.einsum("btd,de->bte", x, m.k)
            return functional.scaled_dot_product_attention(q[:, None], k[:, None], x[:, None])

    return By(run, q=weight(6, 6), k=weight(6, 6))


# Operators in place, into a given tensor, and with vectors.


@case((1, 3, 4), 3 * 4 * 5, 20)
def into_a_tensor() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return torch.mm(x[0], m.w, out=torch.empty(3, 5, device=x.device))[None]

    return By(run, w=weight(4, 5))


@case((1, 3, 4), 3 * 4 * 5, 20)
def batch_in_place() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return torch.zeros(1, 3, 5, device=x.device).baddbmm_(x, m.w[None])

    return By(run, w=weight(4, 5))


@case((1, 3, 4), 3 * 4 * 5, 35)
def batches_added() -> nn.Module:
    return By(lambda m, x: torch.addbmm(m.b, x, m.w[None])[None], w=weight(4, 5), b=weight(3, 5))


@case((1, 6), 4 * 6, 28)
def added_vector() -> nn.Module:
    return By(lambda m, x: torch.addmv(m.b, m.w, x[0])[None], w=weight(4, 6), b=weight(4))


@case((1, 6), 6 * 4, 4)
def outer_product() -> nn.Module:
    return By(lambda m, x: torch.outer(x[0], m.w)[None], w=weight(4))


@case((1, 6), 6 * 4, 4)
def added_outer_product() -> nn.Module:
    return By(lambda m, x: torch.zeros(6, 4, device=x.device).addr_(x[0], m.w)[None], w=weight(4))


@case((1, 2, 3), 6 * 6, 6)
def kronecker() -> nn.Module:
    return By(lambda m, x: torch.kron(x[0], m.w)[None], w=weight(2, 3))


@case((1, 4, 6), 4 * 6, 6)
def inner_products() -> nn.Module:
    return By(lambda m, x: torch.linalg.vecdot(x, m.w), w=weight(6))


@case((1, 9, 4), 5 * 5 * 4 * 6, 5 * 4 * 6 + 6, layers={"root": {"kind": "conv", "neurons": 30}})
def convolution_in_time() -> nn.Module:
    return By(
        lambda m, x: torch.conv_tbc(x.transpose(0, 1), m.w, m.b, 0).transpose(0, 1),
        w=weight(5, 4, 6),
        b=weight(6),
    )


@case((1, 5, 6), 5 * 48, 48, layers={"root": {"neurons": 40, "kind": "fc"}})
def product_then_mean() -> nn.Module:
    return By(lambda m, x: (x[:, :, None] * m.w).mean(-1), w=weight(8, 6))


@case((1, 5, 6), 0, 6)
def product_that_stays() -> nn.Module:
    return By(lambda m, x: torch.relu(x * m.w) + (x * x).sum() + (2 * x).sum(), w=weight(6))


@case((1, 5, 6), 0, 0, uncounted=("aten._fft_r2c",))
def spectrum() -> nn.Module:
    return By(lambda m, x: torch.fft.rfft(x).abs())


# Weights that are not what the class says.


@case((1, 6, 7, 7), 4 * 25 * 3 * 9, 4 * 3 * 9 + 4, layers={"c": {"neurons": 100, "kind": "conv"}})
def fewer_inputs() -> nn.Module:
    conv = nn.Conv2d(6, 4, 3)
    conv.weight = nn.Parameter(conv.weight[:, :3])
    return By(lambda m, x: m.c(x[:, :3]), c=conv)


class _Standardised(nn.Conv2d):
    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = (weight - weight.mean((1, 2, 3), keepdim=True)) * 2
        return super()._conv_forward(torch.cat([input, input], 3), weight, bias)


@case((1, 2, 6, 6), 3 * 4 * 10 * 2 * 9, 57, layers={"0": {"neurons": 120}})
def own_convolution_step() -> nn.Module:
    return nn.Sequential(_Standardised(2, 3, 3))


@case((1, 4), 4 * 5, 20, layers={"l": {"real_parameters": 40}})
def complex_weights() -> nn.Module:
    return By(
        lambda m, x: m.l(x.to(torch.complex64)).real,
        l=nn.Linear(4, 5, bias=False, dtype=torch.complex64),
    )


@case((1, 6), 4 * 6, 24 + 4 + 4, layers={"l": {"parameters": 32, "used_parameters": 32}})
def normalised_weights() -> nn.Module:
    return By(lambda m, x: m.l(x), l=parametrizations.weight_norm(nn.Linear(6, 4)))


@case((1, 6), 4 * 6, 28, layers={"l": {"parameters": 28, "buffers": 10}})
def spectral_weights() -> nn.Module:
    return By(lambda m, x: m.l(x), l=parametrizations.spectral_norm(nn.Linear(6, 4)))


@case((1, 6), 4 * 6, 28, layers={"l": {"parameters": 28, "buffers": 24, "neurons": 4}})
def pruned_weights() -> nn.Module:
    layer = nn.Linear(6, 4)
    prune.l1_unstructured(layer, "weight", amount=0.5)
    return By(lambda m, x: m.l(x), l=layer)


@case((1, 3, 6, 6), 4 * 16 * 27, 4 * 27 + 4, layers={"c": {"buffers": 4 + 27, "neurons": 64}})
def spectral_convolution() -> nn.Module:
    return By(lambda m, x: m.c(x), c=parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)))


@case((1, 3, 6, 6), 4 * 16 * 27, 4 * 27 + 4, layers={"c": {"buffers": 4 * 27, "neurons": 64}})
def pruned_convolution() -> nn.Module:
    conv = nn.Conv2d(3, 4, 3)
    prune.random_unstructured(conv, "weight", amount=0.5)
    return By(lambda m, x: m.c(x), c=conv)


@case((1, 3, 5), 5 * 3 * 4 * 2, 3 * 4 * 2 + 3 + 4, layers={"c": {"channels": 4, "length": 6}})
def normalised_transposed_convolution() -> nn.Module:
    return By(lambda m, x: m.c(x), c=parametrizations.weight_norm(nn.ConvTranspose1d(3, 4, 2)))


@case((1, 3, 5), 5 * 9 * 2 + 6 * 9 * 2, 18 + 6, layers={"b": {"parameters": 3, "length": 7}})
def transposed_convolutions_of_one_weight() -> nn.Module:
    made = By(lambda m, x: m.b(m.a(x)), a=nn.ConvTranspose1d(3, 3, 2))
    made.b = nn.ConvTranspose1d(3, 3, 2)
    made.b.weight = made.a.weight
    return made


class _LowRank(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = weight(2, 6), weight(4, 2)

    def forward(self, full: Tensor) -> Tensor:
        return full + self.up @ self.down


@case((1, 6), 4 * 6, 24 + 12 + 8, layers={"l": {"parameters": 44, "neurons": 4}})
def low_rank_parametrisation() -> nn.Module:
    layer = nn.Linear(6, 4, bias=False)
    parametrize.register_parametrization(layer, "weight", _LowRank())
    return By(lambda m, x: m.l(x), l=layer)


# Weights that another module uses.


@case((1, 3, 4), 3 * 4 * 5, 25, layers={"l": {"macs": 60, "neurons": 15, "calls": 1}})
def function_of_a_layers_weight() -> nn.Module:
    return By(lambda m, x: functional.linear(x, m.l.weight, m.l.bias), l=nn.Linear(4, 5))


@case((1, 2, 8), 3 * 6 * 6, 21, layers={"c": {"macs": 108, "channels": 3, "length": 6}})
def layer_called_past_its_hooks() -> nn.Module:
    return By(lambda m, x: m.c.forward(x), c=nn.Conv1d(2, 3, 3))


@case((1, 3, 4), 3 * 4 * 5 + 3 * 4 * 7, 48, layers={"q": {"macs": 60}, "k": {"macs": 84}})
def joined_weights() -> nn.Module:
    return By(
        lambda m, x: x @ torch.cat([m.q.weight, m.k.weight]).T,
        q=nn.Linear(4, 5, bias=False),
        k=nn.Linear(4, 7, bias=False),
    )


@case(
    (1, 3, 4), 2 * 3 * 3 * 4 + 4 * 3 * 16, 80,
    layers={
        "a": {"neurons": 36, "macs": 2 * 36 + 3 * 48, "kind": "attention"},
        "a.out_proj": {"neurons": 12, "macs": 48, "kind": "fc"},
    },
)  # fmt: skip
def attention_as_one_module() -> nn.Module:
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    return By(lambda m, x: m.a(x, x, x, need_weights=False)[0], a=attention)


@case((1, 3, 4), 3 * 4 * 4 + 3 * 4 * 3, 12 + 16, layers={"p": {"macs": 48}})
def product_of_weights_alone() -> nn.Module:
    # The weights of one layer go through another in every pass: work like any other.
    return By(lambda m, x: x @ m.p(m.table).T, table=weight(3, 4), p=nn.Linear(4, 4, bias=False))


@case((1, 3, 4), 3 * 4 * 6, 24, layers={"table": {"macs": 72, "kind": "embedding", "neurons": 18}})
def tied_to_nothing() -> nn.Module:
    return By(lambda m, x: x @ m.table.weight.T, table=nn.Embedding(6, 4))


@case((1, 3, 4), 3 * 4 * 6, 24, layers={"head": {"macs": 72}, "table": {"macs": 0}})
def tied_and_used_by_neither() -> nn.Module:
    made = By(lambda m, x: x @ m.table.weight.T, table=nn.Embedding(6, 4))
    made.head = nn.Linear(4, 6, bias=False)
    made.head.weight = made.table.weight
    return made


# Outputs in nests, and several.


class _Pair(NamedTuple):
    wide: Tensor
    narrow: Tensor


@dataclasses.dataclass
class _Found:
    maps: dict[str, Tensor]
    rest: list[Any]


class Branches(nn.Module):
    kind = "conv"

    def __init__(self, nest: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.a, self.b = weight(2, 3, 3, 3), weight(4, 3, 1, 1)
        self.nest = nest

    def forward(self, x: Tensor) -> Any:
        return self.nest(functional.conv2d(x, self.a), functional.conv2d(x, self.b, stride=2))


NESTS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "tuple": lambda a, b: (a, (b, None)),
    "named tuple": _Pair,
    "dictionary": lambda a, b: {"a": a, "more": [b, b]},
    "dataclass": lambda a, b: _Found({"a": a}, [1, "x", b, a]),
}


@case(
    (1, 3, 8, 8), 4 * 36 * 27 + 4 * 16 * 27, 112,
    layers={
        "c": {"shapes": [(4, 6, 6), (4, 4, 4)], "neurons": 208, "channels": 4, "height": None},
    },
)  # fmt: skip
def two_sizes_of_input() -> nn.Module:
    return By(lambda m, x: (m.c(x), m.c(x[..., :6, :6])), c=nn.Conv2d(3, 4, 3))


# Axes.


@case(
    (1, 7, 10),
    7 * 3 * 20 * (10 + 20),
    3 * 20 * 30 + 2 * 60,
    layers={"r": {"features": 20, "length": 7, "neurons": 140, "kind": "recurrent"}},
)
def batch_in_second_place() -> nn.Module:
    return By(lambda m, x: m.r(x.transpose(0, 1))[0], r=nn.GRU(10, 20))


@case(
    (1, 4, 6, 9, 9),
    5 * 27 * 4 * 4 * 7 * 7,
    5 * 4 * 27 + 5,
    layers={
        "c": {"channels": 5, "depth": 4, "height": 7, "width": 7, "length": None},
        "a": {"channels": 5, "depth": 4},
    },
)
def three_dimensions() -> nn.Module:
    return By(lambda m, x: m.a(m.c(x)), c=nn.Conv3d(4, 5, 3), a=nn.ReLU())


@case(
    (1, 3, 2, 8, 8),
    3 * 4 * 36 * 18,
    76,
    layers={
        "c": {"channels": 4, "height": 6, "width": 6, "neurons": 3 * 144},
        "b": {"channels": 4, "height": 6},
    },
)
def frames_in_the_batch() -> nn.Module:
    return By(
        lambda m, x: m.b(m.c(x.flatten(0, 1))),
        c=nn.Conv2d(2, 4, 3),
        b=nn.BatchNorm2d(4).requires_grad_(False),
    )


@case((1, 4, 4, 6), 16 * 6 * 5, 35, layers={"l": {"features": 5, "length": 16, "depth": None}})
def features_last_in_a_map() -> nn.Module:
    return By(lambda m, x: m.l(x), l=nn.Linear(6, 5))


@case((1, 3, 5), 0, 0, layers={"m": {"channels": None, "height": None, "length": None}})
def nobody_knows() -> nn.Module:
    return By(lambda m, x: m.m(x.cumsum(1)), m=nn.Identity())


@case((1, 4, 6), 0, 6)
def similarity() -> nn.Module:
    return By(lambda m, x: functional.cosine_similarity(x, m.w, dim=-1), w=weight(6))


@case((1, 5, 6), 0, 6)
def gain_before_a_mean() -> nn.Module:
    return By(lambda m, x: (x * m.w).mean(1), w=weight(6))


@case((1, 5, 6), 5 + 30, 1)
def weighted_mean() -> nn.Module:
    return By(lambda m, x: (x * (x[..., :1] @ m.w)).sum(1), w=weight(1, 1))


# Products that take apart into others, or that only a sum makes one.


@case((1, 5), 6 * 5 * 4, 6 * 5 * 4 + 6, layers={"b": {"kind": "fc", "neurons": 6}})
def two_inputs_at_once() -> nn.Module:
    return By(lambda m, x: m.b(x, x[:, :4]), b=nn.Bilinear(5, 4, 6))


@case((1, 3, 8), 4 * 6 * 9, 36, layers={"c": {"real_parameters": 72, "neurons": 24}})
def complex_convolution() -> nn.Module:
    conv = nn.Conv1d(3, 4, 3, bias=False, dtype=torch.complex64)
    return By(lambda m, x: m.c(x.to(torch.complex64)).abs(), c=conv)


@case((1, 3, 5), 5 * 3 * 4 * 2, 24)
def complex_transposed_convolution() -> nn.Module:
    conv = nn.ConvTranspose1d(3, 4, 2, bias=False, dtype=torch.complex64)
    return By(lambda m, x: m.c(input=x.to(torch.complex64)).abs(), c=conv)


@case((1, 6), 6, 6)
def inner_product_of_vectors() -> nn.Module:
    return By(lambda m, x: torch.linalg.vecdot(x[0], m.w)[None], w=weight(6))


@case((1, 6), 36, 36, layers={"root": {"neurons": 6, "kind": "fc"}})
def product_summed_through_a_view() -> nn.Module:
    return By(lambda m, x: (m.w * x).t().sum(0)[None], w=weight(6, 6))


@case((1, 6), 36, 36, layers={"root": {"neurons": 6, "kind": "fc"}})
def scaled_product_then_sum() -> nn.Module:
    return By(lambda m, x: (2 * (m.w * x).t().contiguous()).sum(0)[None], w=weight(6, 6))


BEFORE_A_SUM: dict[str, tuple[int, Callable[[Any, Tensor], Tensor]]] = {
    "divided": (24, lambda m, x: (x * m.w / 2.5).sum(-1)),
    "divided_in_place": (24, lambda m, x: (x * m.w).div_(2).sum(-1)),
    "masked": (24, lambda m, x: (x * m.w).masked_fill(x > 2, 0.0).sum(-1)),
    "chosen": (24, lambda m, x: torch.where(x > 2, x * m.w, 0.0).sum(-1)),
    "padded": (24, lambda m, x: functional.pad(x * m.w, (1, 2)).sum(-1)),
    "picked": (8, lambda m, x: (x * m.w)[..., torch.tensor([0, 3], device=x.device)].sum(-1)),
    "in_halves": (24, lambda m, x: torch.stack([h.sum(-1) for h in (x * m.w).chunk(2, -1)])),
    "in_part": (12, lambda m, x: (x * m.w)[..., :3].sum(-1)),
    "twice": (24, lambda m, x: _twice((x * m.w).sum, x)),
    "added": (48, lambda m, x: (x * m.w + x * m.v).sum(-1)),
    "subtracted": (48, lambda m, x: (x * m.w - x * m.v).sum(-1)),
    "joined": (48, lambda m, x: torch.cat([x * m.w, x * m.v], -1).sum(-1)),
    "stacked": (48, lambda m, x: torch.stack([x * m.w, x * m.v]).sum(0)),
    "stacked_last": (48, lambda m, x: torch.stack([x * m.w, x * m.v], -1).sum(-1)),
    "joined_tokens": (48, lambda m, x: torch.cat([x * m.w, x * m.v], 1).sum(-1)),
    "times_another": (24, lambda m, x: (x * m.w * m.v).sum(-1)),
    "added_to": (0, lambda m, x: (x + x * m.w).mean(-1)),
    "joined_to": (0, lambda m, x: torch.cat([x, x * m.w], -1).mean(-1)),
    "activated": (0, lambda m, x: (x * m.w).relu().sum(-1)),
    "of_gains_joined": (0, lambda m, x: torch.cat([x * m.w, x * m.v], -1).sum(1)),
}
"""Multiply-adds of a product of 4 x 6 with one or two weights of 6, by what is between it and a
sum: what scales, masks or picks its elements leaves it one, what is added to or activates does not.
"""


def _twice(summed: Callable[[int], Tensor], x: Tensor) -> Tensor:
    return summed(-1) + summed(1).sum() + x[..., 0]


def _weighted(run: Callable[..., Any]) -> nn.Module:
    return By(run, w=weight(6), v=weight(6))


for _name, (_macs, _run) in BEFORE_A_SUM.items():
    CASES[f"product_{_name}_before_a_sum"] = Case(partial(_weighted, _run), (1, 4, 6), _macs, 12)


@case((1, 4, 5, 5), 0, 4)
def gain_before_a_mean_of_maps() -> nn.Module:
    return By(lambda m, x: (x * m.w[:, None, None]).flatten(2).mean(-1), w=weight(4))


@case((1, 4, 6), 24, 24)
def messages_gathered() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        to = torch.tensor([0, 1, 0, 1], device=x.device)
        return torch.zeros(2, 6, device=x.device).index_add(0, to, x[0] * m.w)[None]

    return By(run, w=weight(4, 6))


# Networks in other forms than a plain module.


class _Two(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(6, 4), nn.Linear(4, 2))


@case((1, 6), 24 + 8, 28 + 10, layers={"s.0": {"macs": 24, "kind": "fc", "neurons": 4}})
def scripted() -> nn.Module:
    return By(lambda m, x: m.s(x), s=torch.jit.script(_Two()))


@case((1, 6), 24 + 8, 28 + 10, layers={"0": {"macs": 24, "neurons": 4}, "1": {"macs": 8}})
def traced() -> nn.Module:
    traced: nn.Module = torch.jit.trace(_Two(), torch.ones(1, 6))
    return traced


@case((1, 6), 24 + 8, 28 + 10, layers={"e.0": {"macs": 24, "kind": "fc", "neurons": 4}})
def exported() -> nn.Module:
    program = torch.export.export(_Two(), (torch.ones(1, 6),))
    return By(lambda m, x: m.e(x), e=program.module())


@case((1, 6), 24 + 8, 28 + 10, layers={"_orig_mod.0": {"macs": 24, "neurons": 4}})
def compiled() -> nn.Module:
    made: nn.Module = torch.compile(_Two())  # type: ignore[assignment]
    return made


@case((1, 3, 8, 8), 4 * 36 * 27 + 10 * 144, 112 + 8 + 1450, layers={"n": {"parameters": 8}})
def lazy() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return m.l(m.n(m.c(x)).flatten(1))

    return By(run, c=nn.LazyConv2d(4, 3), n=nn.LazyBatchNorm2d(), l=nn.LazyLinear(10))


@case((1, 6), 24, 28, layers={"l": {"macs": 24, "neurons": 4, "kind": "fc"}})
def called_as_a_function() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return torch.func.functional_call(m.l, dict(m.l.named_parameters()), (x,))

    return By(run, l=nn.Linear(6, 4))


@case((1, 6), 3 * 24, 3 * 28, layers={"many.1": {"macs": 24, "neurons": 4}})
def ensemble_under_vmap() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        held, _ = torch.func.stack_module_state(list(m.many))
        one = m.many[0]
        each = torch.vmap(lambda p, x: torch.func.functional_call(one, p, (x,)), (0, None))
        return each(held, x).transpose(0, 1)

    return By(run, many=nn.ModuleList([nn.Linear(6, 4) for _ in range(3)]))


@case((1, 6), 24, 28, layers={"l": {"macs": 24, "neurons": 4}})
def checkpointed() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(m.l, x, use_reentrant=False)

    return By(run, l=nn.Linear(6, 4))


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        return x @ w


@case((1, 6), 24, 24, layers={"root": {"kind": "fc", "neurons": 4}})
def function_with_its_own_gradient() -> nn.Module:
    return By(lambda m, x: _Product.apply(x, m.w), w=weight(6, 4))


@case((1, 6), 24 + 16, 40, layers={"p": {"parameters": 40, "neurons": 8, "kind": "fc"}})
def list_of_parameters() -> nn.Module:
    return By(lambda m, x: x @ m.p[0] @ m.p[1], p=nn.ParameterList([weight(6, 4), weight(4, 4)]))


# Recurrent layers, attention and maps with more than the usual settings.


@case((1, 7, 10), 7 * (4 * 6 * 13 + 3 * 6), 4 * 6 * 13 + 48 + 18, layers={"r": {"features": 3}})
def projected_recurrence() -> nn.Module:
    return By(lambda m, x: m.r(x)[0], r=nn.LSTM(10, 6, proj_size=3, batch_first=True))


@case((1, 7, 10), 7 * 2 * 18 * 16, 2 * (18 * 16 + 36), layers={"r": {"neurons": 7 * 12}})
def recurrence_both_ways() -> nn.Module:
    return By(lambda m, x: m.r(x)[0], r=nn.GRU(10, 6, bidirectional=True, batch_first=True))


@case(
    (1, 5, 8), 5 * 8 * (8 + 6 + 7) + 2 * 25 * 8 + 5 * 64, 8 * (8 + 6 + 7) + 24 + 72,
    layers={"a": {"neurons": 3 * 40}, "a.out_proj": {"neurons": 40}},
)  # fmt: skip
def keys_and_values_of_other_sizes() -> nn.Module:
    attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=7, batch_first=True)
    return By(lambda m, x: m.a(x, x[..., :6], x[..., :7])[0], a=attention)


@case((1, 8, 4, 6), 2 * 8 * 4 * 4 * 6, 0)
def shared_keys_and_values() -> nn.Module:
    attend = functional.scaled_dot_product_attention
    return By(lambda m, x: attend(x, x[:, :2], x[:, :2], enable_gqa=True))


@case(
    (1, 4, 7, 7), 4 * 49 * 6 * 9, 4 * 6 * 9 + 6,
    layers={"c": {"channels": 6, "height": 14, "width": 14}},
)  # fmt: skip
def transposed_with_more_output() -> nn.Module:
    return By(lambda m, x: m.c(x), c=nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1))


@case(
    (1, 1, 8, 8), 16 * 4 * 9 * 2, 72,
    layers={"input": {"channels": 1, "height": 8}, "c": {"channels": 2, "height": 4}},
)  # fmt: skip
def space_to_depth() -> nn.Module:
    def run(m: Any, x: Tensor) -> Tensor:
        return m.c(torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1))

    return By(run, c=nn.Conv2d(4, 2, 3, padding=1, bias=False))


@case((1, 2, 4, 4), 16 * 36, 36, layers={"u": {"channels": 2, "height": 8, "width": 8}})
def interpolated() -> nn.Module:
    made = By(lambda m, x: m.a(m.u(m.c(x))), c=nn.Conv2d(2, 2, 3, padding=1, bias=False))
    made.u, made.a = nn.UpsamplingBilinear2d(scale_factor=2), nn.ReLU()
    return made


@case((1, 8, 4, 4), 0, 0, layers={"p": {"channels": 2, "height": 8, "width": 8}})
def channels_into_pixels() -> nn.Module:
    return By(lambda m, x: m.p(x), p=nn.PixelShuffle(2))
