"""What tools say, against the tools themselves on twenty networks; conventions by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from warnings import catch_warnings

import pytest
import torch
from counted import Counted, Images, images
from fvcore.nn import FlopCountAnalysis
from networks import NETWORKS
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary

from reconcile.measure.counting import layers_apart
from reconcile.search import conventions
from reconcile.search.candidates import NetworkFacts
from reconcile.search.conventions import (
    COUNTERS,
    MOST_CONVENTIONS,
    TOOLS,
    convention_candidates,
    worth,
)
from reconcile.study.expressions import evaluate


class Attending(nn.Module):
    """Patches of an image that attend to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.act, self.head = nn.GELU(), nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Its classes."""
        tokens = self.norm(self.patches(image).flatten(2).transpose(1, 2))
        tokens = tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return self.head(self.act(tokens).mean(1))


class Recurrent(nn.Module):
    """A long short-term memory over ten steps."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.head = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 4)

    def forward(self, steps: Tensor) -> Tensor:
        """The last step."""
        return self.head(self.memory(steps)[0][:, -1])


def of(*layers: nn.Module) -> nn.Module:
    """Layers one after the other."""
    return nn.Sequential(*layers)


IMAGE = (3, 16, 16)
OWN: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "shortcut": (Images, IMAGE),
    "attention": (Attending, IMAGE),
    "recurrent": (Recurrent, (10, 6)),
    "groups": (
        lambda: of(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, groups=4)),
        IMAGE,
    ),
    "no-gains": (
        lambda: of(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False), nn.LeakyReLU()),
        IMAGE,
    ),
    "mixed-gains": (
        lambda: of(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False)),
        IMAGE,
    ),
    "instances": (lambda: of(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.PReLU()), IMAGE),
    "transposed": (
        lambda: of(nn.ConvTranspose2d(3, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 2, 1)),
        IMAGE,
    ),
    "tokens": (lambda: of(nn.Linear(6, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 6)), (10, 6)),
}
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    **{network.__name__: (network, network.shape) for network in NETWORKS},  # type: ignore[attr-defined]
    **OWN,
}


def by_fvcore(model: nn.Module, given: Tensor) -> int:
    """Its total, without what it says of operators that it does not know."""
    found = FlopCountAnalysis(model, given)
    found.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(found.total())


def by_torchinfo(model: nn.Module, given: Tensor) -> int:
    """Its multiply-adds."""
    return int(summary(model, input_data=given, verbose=0).total_mult_adds)


def by_flop_counter(model: nn.Module, given: Tensor) -> int:
    """What torch counts, layers apart."""
    with torch.no_grad(), layers_apart(), FlopCounterMode(display=False) as counter:
        model(given)
    return int(counter.get_total_flops())


def by_thop(model: nn.Module, given: Tensor) -> int:
    """Its operations, which are multiply-adds of convolutions and linear layers."""
    with catch_warnings(action="ignore"):  # it asks for modules that Python is about to drop
        tool = pytest.importorskip("thop")
        return int(tool.profile(model, inputs=(given,), verbose=False)[0])


def by_ptflops(model: nn.Module, given: Tensor, backend: str = "pytorch") -> int:
    """Its multiply-adds, by modules or by operators."""
    tool = pytest.importorskip("ptflops")
    found, _ = tool.get_model_complexity_info(
        model,
        tuple(given.shape[1:]),
        as_strings=False,
        print_per_layer_stat=False,
        backend=backend,
    )
    return int(found)


def by_ptflops_aten(model: nn.Module, given: Tensor) -> int:
    """The same by operators."""
    return by_ptflops(model, given, "aten")


def by_calflops(model: nn.Module, given: Tensor) -> int:
    """Its operations; what it imports only for language models is played by empty modules."""
    for name in ("transformers", "accelerate", "accelerate.utils", "huggingface_hub", "timm"):
        if name not in sys.modules:
            sys.modules[name] = Anything(name)
    sys.modules.setdefault("huggingface_hub.utils", Anything("huggingface_hub.utils"))
    tool = pytest.importorskip("calflops")
    found = tool.calculate_flops(
        model,
        args=[given],
        output_as_string=False,
        print_results=False,
        print_detailed=False,
    )
    return int(found[0])


class Anything(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        """An empty class of that name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})


ASKED: dict[str, Callable[[nn.Module, Tensor], int]] = {
    "thop": by_thop,
    "fvcore": by_fvcore,
    "ptflops": by_ptflops,
    "ptflops by operators": by_ptflops_aten,
    "torchinfo": by_torchinfo,
    "calflops": by_calflops,
    "torch's FlopCounterMode (on a CPU)": by_flop_counter,
}
NOT_OFFERED = {
    "thop": {"recurrent"},
    "ptflops": {"attention", "recurrent", "Grouped"},
    "ptflops by operators": {"attention", "recurrent"},
    "torchinfo": {"attention", "recurrent", "transposed", "Autoencoder"},
    "calflops": {"attention", "recurrent", "Grouped", "transposed", "Autoencoder"},
}
"""The networks of which a rule says nothing, because the tables do not tell it."""
CALLED = {
    "ptflops": {"Resnet", "Mixer", "Densenet", "Squeeze"},
    "calflops": {"Resnet", "Mixer", "Densenet", "Squeeze"},
    "ptflops by operators": {"Mixer"},
}
"""Where a tool sees functions that are in no row of ours: activations and sums that are called, and
a linear layer that torch takes apart because its input is transposed."""


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_rule_says_what_its_tool_says(tool: str, model: str) -> None:
    """To the last multiply-add; or it says nothing, and is known to."""
    make, shape = MODELS[model]
    torch.manual_seed(0)
    given = torch.rand(1, *shape)
    facts = Counted(make(), given).facts
    terms = TOOLS[tool](facts)
    if terms is None:
        assert model in NOT_OFFERED.get(tool, set())
        return
    says, asked = sum(worth(facts, term) for term in terms), ASKED[tool](make().eval(), given)
    if model in CALLED.get(tool, set()):
        assert says != asked
        assert says == pytest.approx(asked, rel=0.06)
    else:
        assert says == asked


@pytest.mark.parametrize("model", MODELS)
def test_without_tensors(model: str) -> None:
    """Of a network of which layers alone are known, the rules say the same or nothing."""
    make, shape = MODELS[model]
    facts = Counted(make(), torch.rand(1, *shape)).facts
    for quantity in ("macs", "flops", "parameters", "all_parameters"):
        known = convention_candidates(facts, quantity)
        told = convention_candidates(NetworkFacts(facts.layers), quantity)
        assert {(c.says, c.value) for c in told} <= {(c.says, c.value) for c in known}


TRANSPOSED_BY_OTHERS: dict[str, Callable[[nn.ConvTranspose2d], nn.Module]] = {
    "normalised": parametrizations.weight_norm,
    "normalised by a hook": nn.utils.weight_norm,
    "spectral": parametrizations.spectral_norm,
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", amount=0.5),
}


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", TRANSPOSED_BY_OTHERS)
def test_transposed_without_a_weight_of_its_own(name: str) -> None:
    """Where a tensor of the layer does not tell its window, the rule that asks for it is silent."""
    layer = TRANSPOSED_BY_OTHERS[name](nn.ConvTranspose2d(3, 4, 2))
    facts = Counted(of(layer), torch.rand(1, *IMAGE)).facts
    assert not TOOLS["thop"](facts)
    assert convention_candidates(facts, "macs")


def test_transposed_with_the_weight_of_another() -> None:
    """The same of a layer that shares its weight with one before."""
    network = of(nn.ConvTranspose2d(3, 3, 2), nn.ConvTranspose2d(3, 3, 2))
    network[1].weight = network[0].weight
    assert TOOLS["thop"](Counted(network, torch.rand(1, *IMAGE)).facts) is None


def test_there_are_twenty_networks() -> None:
    """And every tool is asked about each."""
    assert len(MODELS) >= 20
    assert ASKED.keys() == TOOLS.keys()


def test_keras_by_hand() -> None:
    """A batch normalisation of four channels has four parameters of each kind to Keras."""
    counted = Counted(of(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), torch.rand(1, 3, 8, 8))
    found = {c.says: c.value for c in convention_candidates(counted.facts, "parameters")}
    assert found == {
        "as Keras (total) says": 3 * 9 * 4 + 4 + 16,
        "as Keras (not trained) says": 8,
    }


def test_conventions_by_hand() -> None:
    """Operations, biases and normalisations of a network that fits on a card."""
    facts = images().facts
    found = {c.says: c for c in convention_candidates(facts, "macs")}
    macs = 64 * 4 * 27 + 16 * 8 * 36 + 16 * 8 * 4 + 80
    assert found["a multiply-add as two"].value == 2 * macs
    biases = 64 * 4 + 16 * 8 + 10
    assert found["a multiply-add as one, with biases"].value == macs + biases
    assert found["a multiply-add as two, with biases and pooling"].value == 2 * macs + biases + 128
    assert found["a multiply-add as two, with biases"].cost == 2
    assert "a multiply-add as one" not in found
    operations = {c.says: c for c in convention_candidates(facts, "flops")}
    assert "a multiply-add as two" not in operations


@pytest.mark.parametrize("quantity", ["macs", "flops", "parameters", "all_parameters"])
def test_each_expression_gives_its_number(quantity: str, tmp_path: Path) -> None:
    """Pasted into a study, the expression is worth what the search says."""
    counted = images()
    scope = counted.scope(tmp_path)
    found = convention_candidates(counted.facts, quantity)
    assert 0 < len(found) <= MOST_CONVENTIONS
    for candidate in found:
        assert evaluate(candidate.expression, scope) == candidate.value, candidate


def test_layers_have_no_conventions() -> None:
    """Tools speak of networks."""
    assert convention_candidates(images().facts, "macs", "body") == []
    assert convention_candidates(images().facts, "neurons") == []


def test_each_rule_says_of_which_release() -> None:
    """A rule of a tool names it and its release."""
    for name, rule in {**TOOLS, **COUNTERS}.items():
        assert rule.__doc__ and name.split()[0] in rule.__doc__, name
    assert conventions.__doc__
