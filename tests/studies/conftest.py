"""Build the networks of the studies in this repository, and count them independently.

The counts here come from forward hooks on the meta device and share no code with
``reconcile.measure.run``, so that they check it as well as the studies.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from copy import deepcopy
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reconcile.study.expressions import evaluate
from reconcile.study.load import load_study
from reconcile.study.model import Claim, Interpretation, Study, claims_named, next_by_id
from reconcile.study.plan import networks_of
from reconcile.study.printed import reading_of_digits

STUDIES = Path(__file__).parents[2] / "studies"
COUNTED = (nn.Conv2d, nn.Linear)


@cache
def network_class(folder: Path, network: str) -> type[nn.Module]:
    """The class that a study's `network` names."""
    file, _, name = network.partition(":")
    spec = importlib.util.spec_from_file_location(f"{folder.name}_network", folder / file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


class Run:
    """What one network put out, layer by layer; a scope for expressions."""

    def __init__(self, study: Study, network: nn.Module, arguments: dict[str, Any]) -> None:
        self.study, self.network, self.arguments = study, network, arguments
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.modules = {n: m for n, m in network.named_modules() if not list(m.children())}
        hooks = [m.register_forward_hook(self._hook(n)) for n, m in self.modules.items()]
        with torch.no_grad():
            inputs = network.example_inputs()  # type: ignore[operator]
            self.shapes["input"] = tuple(inputs[0].shape[1:])
            network(*inputs)
        for hook in hooks:
            hook.remove()

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def note(_: nn.Module, __: Any, output: Tensor) -> None:
            assert name not in self.shapes, f"{name} is called twice"
            self.shapes[name] = tuple(output.shape[1:])

        return note

    def macs(self, layer: str) -> int:
        """Closed form: every output of a convolution or full connection takes its kernel once."""
        module = self.modules.get(layer)
        if not isinstance(module, COUNTED):
            return 0
        return prod(self.shapes[layer]) * prod(module.weight.shape[1:])

    def connections(self, layer: str) -> int:
        """Links into the outputs, a bias counted as one."""
        module, outputs = self.modules.get(layer), prod(self.shapes[layer])
        if isinstance(module, COUNTED):
            return self.macs(layer) + outputs * (module.bias is not None)
        return outputs * getattr(module, "connections_per_output", 0)

    def parameters(self, layer: str) -> int:
        """Trainable elements of one layer."""
        module = self.modules.get(layer)
        own = module.parameters() if module is not None else iter(())
        return sum(p.numel() for p in own if p.requires_grad)

    def total(self, quantity: str) -> int:
        """The quantity of the whole network."""
        if quantity == "parameters":
            return sum(p.numel() for p in self.network.parameters() if p.requires_grad)
        layers = list(self.shapes)
        if quantity == "neurons":
            layers = [n for n in layers if isinstance(self.modules.get(n), COUNTED)]
        return sum(self.one(quantity, name) for name in layers)

    def one(self, quantity: str, layer: str) -> int:
        """The quantity of one layer."""
        shape = self.shapes[layer]
        match quantity:
            case "neurons":
                return prod(shape)
            case "channels":
                return shape[0]
            case "height" | "width":
                return shape[-2] if quantity == "height" else shape[-1]
            case "parameters" | "macs" | "connections":
                return int(getattr(self, quantity)(layer))
            case "flops":
                return 2 * self.macs(layer)
            case "layers":
                return 1
        raise AssertionError(f"no {quantity} here")

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """Part of the scope protocol of ``reconcile.study.expressions``."""
        if name == "positions":
            return [Fraction(prod(self.shapes["input"][-2:]))]
        if name == "seen":
            return [Fraction(self.seen())]
        if selector == "network":
            return [Fraction(self.total(name))]
        layers = [layer for layer in self.shapes if fnmatchcase(layer, selector)]
        assert layers, f"no layer {selector}"
        return [Fraction(self.one(name, layer)) for layer in layers]

    def seen(self) -> int:
        """Input positions with a gradient from the first layer, run on the CPU."""
        first = deepcopy(next(iter(self.modules.values()))).to_empty(device="cpu")
        nn.init.ones_(first.weight)
        image = torch.ones(1, *self.shapes["input"], requires_grad=True)
        first(image).sum().backward()
        assert image.grad is not None
        return int((image.grad[0].sum(0) != 0).sum())

    def lookup(self, function: str, name: str) -> Any:
        """Part of the scope protocol of ``reconcile.study.expressions``."""
        if function == "printed":
            return sum(claim.number.value for claim in claims_named(self.study, [name]))
        if function == "stated":
            return next_by_id(self.study.statements, name).value
        return self.arguments[name]

    def errors(self, claims: list[str]) -> list[Fraction]:
        """Part of the scope protocol: no closed form of a study needs it."""
        raise NotImplementedError(claims)

    def value(self, expression: str) -> Any:
        """The value of an expression about this network."""
        return evaluate(expression, self)


class Readings:
    """A study and the runs of its readings, each made once."""

    def __init__(self, name: str) -> None:
        self.folder = STUDIES / name
        self.study = load_study(self.folder)
        self._runs: dict[tuple[str, str], Run] = {}

    def reading(self, interpretation: str) -> Interpretation:
        """The interpretation with this id."""
        found: Interpretation = next_by_id(self.study.interpretations, interpretation)
        return found

    def build(self, interpretation: str, network: str = "main") -> nn.Module:
        """The network of a reading on the current default device, ready to be run."""
        arguments = networks_of(self.study, self.reading(interpretation))[network]
        return network_class(self.folder, self.study.network)(**arguments).eval()

    def run(self, interpretation: str, network: str = "main") -> Run:
        """The run of a reading on the meta device."""
        key = interpretation, network
        if key not in self._runs:
            arguments = networks_of(self.study, self.reading(interpretation))[network]
            with torch.device("meta"):
                self._runs[key] = Run(self.study, self.build(*key), arguments)
        return self._runs[key]

    def measured(self, interpretation: str, claim_id: str) -> Fraction:
        """What a reading gives for a claim."""
        claim: Claim = self.study.claim(claim_id)
        value = self.run(interpretation, claim.network).value(claim.expression)
        assert isinstance(value, Fraction)
        return value

    def misjudged(self) -> list[tuple[str, str]]:
        """Pairs of evidence and reading where the check does not say what the lists say."""
        first = self.study.interpretations[0].id
        return [
            (item.id, reading)
            for item in self.study.evidence
            if item.check is not None
            for reading, expected in [
                *((r, True) for r in item.supports or ([] if item.excludes else [first])),
                *((r, False) for r in item.excludes),
            ]
            if self.holds(reading, item.check) is not expected
        ]

    def holds(self, reading: str, check: str) -> bool:
        """Whether a check is true of every network of a reading."""
        networks = networks_of(self.study, self.reading(reading))
        return all(bool(self.run(reading, network).value(check)) for network in networks)

    def verdict(self, interpretation: str, claim_id: str) -> str | None:
        """By which reading of the digits a claim holds under its own counting, or None."""
        claim: Claim = self.study.claim(claim_id)
        return reading_of_digits(self.measured(interpretation, claim_id), claim.number)

    def excluded(self) -> set[str]:
        """Readings that some evidence excludes."""
        return {reading for item in self.study.evidence for reading in item.excludes}


@pytest.fixture(scope="module")
def readings(request: pytest.FixtureRequest) -> Readings:
    """The study that the test module names in ``STUDY``."""
    return Readings(request.module.STUDY)
