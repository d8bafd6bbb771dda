"""Building networks: every weight is filled, inputs are used as given, packages are found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support import measure, study_data, tables_of, write_study
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from reconcile.measure.building import BuildError, build_network, load_class
from reconcile.measure.counting import count_layers
from reconcile.measure.device import time_layers
from reconcile.measure.process import MeasureError
from reconcile.measure.provenance import package_facts

CPU = torch.device("cpu")
GIVEN = [{"name": "", "shape": (1, 4), "dtype": "float32", "range": None, "value": None}]


class Layouts(nn.Module):
    """Weights of every layout and type that a study may have."""

    def __init__(self, layout: torch.memory_format = torch.channels_last) -> None:
        super().__init__()
        self.last = nn.Conv2d(4, 8, 3).to(memory_format=layout)
        self.turned = nn.Parameter(torch.full((300, 400), torch.nan).t())
        self.complex = nn.Parameter(torch.full((40, 50), torch.nan, dtype=torch.complex64))
        self.short = nn.Parameter(torch.full((40, 50), torch.nan, dtype=torch.bfloat16))
        self.vector = nn.Parameter(torch.full((5,), torch.nan))
        self.index = nn.Parameter(torch.arange(6), requires_grad=False)
        self.empty = nn.Parameter(torch.empty(0, 3))
        self.norm = nn.BatchNorm2d(8)

    def example_inputs(self) -> tuple[Tensor, Tensor]:
        """An image, and a mask of ones."""
        return torch.rand(1, 4, 8, 8), torch.ones(1, 7)


def test_every_weight_is_filled() -> None:
    """Weights are seeded normal values whatever their layout and type; whole numbers stay."""
    model, _ = build_network(Layouts, {}, CPU, 3)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    plain, _ = build_network(Layouts, {"layout": torch.contiguous_format}, CPU, 3)
    assert torch.equal(model.last.weight, plain.last.weight)
    assert float(model.turned.detach().std()) == pytest.approx((2 / 300) ** 0.5, rel=0.05)
    assert float(model.complex.detach().abs().square().mean()) == pytest.approx(2 / 50, rel=0.1)
    parts = model.complex.detach()
    real, imaginary = (float(part.std()) for part in (parts.real, parts.imag))
    assert imaginary == pytest.approx(real, rel=0.2)
    assert model.index.tolist() == [0, 1, 2, 3, 4, 5]
    assert model.norm.weight.tolist() == [1.0] * 8


def test_inputs_are_used_as_they_are() -> None:
    """What example_inputs returns is what the network is given: a mask of ones stays one."""
    _, (image, mask) = build_network(Layouts, {}, CPU, 3)
    assert torch.equal(mask, torch.ones(1, 7))
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    _, (again, _) = build_network(Layouts, {}, CPU, 3)
    assert torch.equal(image, again)


class Lazy(nn.Sequential):
    """Layers that learn their sizes from their input."""

    def __init__(self) -> None:
        super().__init__(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(10))

    def example_inputs(self) -> Tensor:
        """An image."""
        return torch.rand(1, 3, 8, 8)


def test_lazy_layers_are_filled() -> None:
    """A lazy layer learns its size from the inputs, and its weights are filled like others."""
    model, _ = build_network(Lazy, {}, CPU, 3)
    assert tuple(model[2].weight.shape) == (10, 144)
    assert float(model[2].weight.detach().std()) == pytest.approx((2 / 144) ** 0.5, rel=0.2)
    assert model[0].bias.tolist() == [0.0] * 4


class Spectral(nn.Sequential):
    """A layer whose constructor makes vectors of its random weights."""

    def __init__(self) -> None:
        super().__init__(parametrizations.spectral_norm(nn.Linear(6, 4)))

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Six numbers."""
        return (torch.rand(1, 6),)


class Copies(Spectral):
    """One that keeps a copy of them."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.fc = nn.Linear(6, 4)
        self.register_buffer("mean", self.fc.weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Use the copy."""
        return self.fc(x) + x @ self.mean.T


@pytest.fixture
def filled_memory() -> Iterator[None]:
    """Memory as where networks are measured: what nobody wrote to is no number."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("filled_memory")
@pytest.mark.parametrize("network", [Spectral, Copies])
def test_buffers_that_are_made_of_weights(network: Any) -> None:
    """What a constructor makes of its random weights is made of numbers, the same each time."""
    (model, inputs), (again, _) = (build_network(network, {}, CPU, 3) for _ in range(2))
    kept = list(model.buffers())
    assert kept and all(buffer.isfinite().all() for buffer in kept)
    assert all(map(torch.equal, kept, again.buffers()))
    assert model(*inputs).isfinite().all()


def refused(network: Any, *given: dict[str, Any]) -> str:
    """Why a network cannot be built."""
    with pytest.raises(BuildError) as caught:
        build_network(network, {}, CPU, 0, given)
    return str(caught.value)


def test_what_cannot_be_built() -> None:
    """What makes no network, or says nothing of its inputs, is told in one line."""
    assert refused(lambda: 3) == "<lambda> gives no torch.nn.Module"
    assert "no example_inputs(), and the study gives no" in refused(lambda: nn.Linear(1, 1))
    named = {"name": "x", "shape": [1, 1], "dtype": "float32", "range": None, "value": None}
    assert "missing a required argument: 'input'" in refused(lambda: nn.Linear(1, 1), named)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("def f(:\n", "network.py cannot be imported: SyntaxError: "),
        ("import nothing_of_that_name\n", "network.py cannot be imported: ModuleNotFoundError: "),
        ("import sys\nsys.exit('bye')\n", "network.py cannot be imported: SystemExit: bye"),
        ("Tiny = 3\n", "network.py has no torch.nn.Module named Tiny"),
        ("x = 1\n", "network.py has no torch.nn.Module named Tiny"),
    ],
)
def test_network_file_that_is_no_good(tmp_path: Path, network: str, message: str) -> None:
    """A network file that cannot be imported or lacks the class is told in one line."""
    study = write_study(tmp_path / "tiny", None, network)
    with pytest.raises(BuildError) as caught:
        load_class(study / "network.py", "Tiny")
    assert str(caught.value).startswith(message)


def test_no_network_file(tmp_path: Path) -> None:
    """A network file that went away between checking and measuring is told in one line."""
    with pytest.raises(BuildError, match=r"network\.py cannot be imported: FileNotFoundError"):
        load_class(tmp_path / "network.py", "Tiny")


PACKAGE = """
import urllib.request

import torch
from torch import nn


def small(width=8, pretrained=False):
    if pretrained:
        urllib.request.urlopen("https://example.org/weights")
    return Masked(width)


class Masked(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.table = nn.Embedding(100, width)
        self.fc = nn.Linear(width, 3)

    def forward(self, tokens, scale=None, *, mask=None):
        assert mask.eq(1).all() and tokens.max() < 100
        return self.fc(self.table(tokens).mean(1))
"""
COUNTS_ITS_IMPORTS = """
from pathlib import Path

with Path(__file__).with_name("imports").open("a") as file:
    file.write("1")
"""
TOKENS = {"name": "tokens", "shape": [32, 5], "dtype": "int64", "range": [0, 99]}
MASK = {"name": "mask", "shape": [32, 5], "value": 1}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with a network."""
    folder = tmp_path / "installed" / "zoo_of_test"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(COUNTS_ITS_IMPORTS)
    (folder / "models.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(folder.parent)
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder.parent}{os.pathsep}{known}")
    return folder


def package_study(folder: Path, network: str, *readings: dict[str, Any]) -> Path:
    """A study of a package's network, with a reading for each set of arguments."""
    data = study_data() | {"network": network, "inputs": [MASK, TOKENS], "arguments": {"width": 8}}
    data |= {"argument_help": {}, "statements": []}
    data |= {"evidence": [], "slips": [], "consistency": [], "geometries": []}
    data["interpretations"] = [
        {"id": f"r{i}", "title": "t", "network": given, "proposed_by": [{"name": "a test"}]}
        for i, given in enumerate(readings)
    ]
    data["conclusion"] = {"interpretation": "r0", "answer": "a", "text": "t"}
    return write_study(folder, data, "raise AssertionError('no file of the study is imported')\n")


def test_a_network_of_a_package(tmp_path: Path, package: Path) -> None:
    """A factory of an allowed package is called in the measuring process; the record names it."""
    off, on = ({"pretrained": given} for given in (False, True))
    study = package_study(tmp_path / "s", "zoo_of_test.models:small", off, on)
    out = measure(study, tmp_path / "out", packages=["zoo_of_test"])
    tables = tables_of(out)
    (good, bad) = tables["totals.csv"]
    assert (good["status"], good["parameters"]) == ("measured", str(100 * 8 + 8 * 3 + 3))
    assert [row["layer"] for row in tables["layers.csv"]] == ["input", "table", "fc"]
    assert bad["status"] == "does-not-build" and "nothing is downloaded" in bad["message"]
    facts = json.loads((out / "record.json").read_text())["packages"]["zoo_of_test"]
    assert facts == package_facts("zoo_of_test") and len(facts["sha256"]) == 64
    assert (package / "imports").read_text() == "1", "imported once, for both readings"


def test_packages_that_cannot_be_used(tmp_path: Path, package: Path) -> None:
    """A package that is not allowed stops the run; one that lacks something is a status."""
    study = package_study(tmp_path / "s", "zoo_of_test.models:small", {})
    with pytest.raises(MeasureError) as caught:
        measure(study, tmp_path / "out")
    assert str(caught.value) == (
        "network: code of zoo_of_test would be run, which config.yaml does not allow; "
        "measure.packages: torchvision, timm, transformers"
    )
    for network, message in {
        "zoo_of_test.models:large": "zoo_of_test.models has no class or function large",
        "zoo_of_test.other:small": "zoo_of_test.other cannot be imported: ModuleNotFoundError: No",
    }.items():
        study = package_study(tmp_path / "s", network, {})
        out = measure(study, tmp_path / "out", packages=["zoo_of_test"])
        (total,) = tables_of(out)["totals.csv"]
        assert total["status"] == "does-not-build"
        assert total["message"].startswith(message)


class _Looking(nn.Module):
    """Scales its weights by what they are, which fails where nothing was drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        with torch.no_grad():
            self.layer.weight.fill_(0.0)
            nn.init.uniform_(self.layer.weight, 1, 2)
        if not bool((self.layer.weight >= 1).all()):
            raise ValueError("no weights")


def test_a_constructor_that_looks_at_its_weights() -> None:
    """Weights are drawn where the constructor fails without."""
    model, _ = build_network(_Looking, {}, CPU, 0, GIVEN)
    assert isinstance(model, _Looking)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_packed_weights_are_drawn() -> None:
    """Weights that a constructor packs are the same each time, and not what memory held."""

    def make() -> nn.Module:
        layers = nn.Sequential(nn.Linear(4, 64))
        return torch.ao.quantization.quantize_dynamic(layers, {nn.Linear})

    made: list[Any] = [build_network(make, {}, CPU, 0, GIVEN)[0] for _ in range(2)]
    one, other = (model[0].weight().dequantize() for model in made)
    assert torch.equal(one, other) and 0 < one.abs().max() <= 1


class ByName(nn.Module):
    """Takes a tensor in order, one by name only, and others where they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 3)

    def forward(self, x: Tensor, more: Any = None, *, mask: Tensor, **rest: Tensor) -> Tensor:
        """(N, 5) in, (N, 3) out."""
        assert more is None and set(rest) == {"other"}
        out: Tensor = self.fc(x * mask) + rest["other"]
        return out


def test_inputs_by_name_only() -> None:
    """Each input reaches its argument, in every kind of pass; their order in the study is free."""
    given = [
        {"name": name, "shape": shape, "dtype": "float32", "range": None, "value": 1}
        for name, shape in (("other", [8, 3]), ("mask", [8, 5]), ("x", [8, 5]))
    ]
    model, inputs = build_network(ByName, {}, CPU, 0, given)
    rows, output = count_layers(model, inputs)
    assert [row.layer for row in rows] == ["input", "fc"]
    assert rows[0].neurons == 5 + 5 + 3 and tuple(output.shape) == (1, 3)
    assert set(time_layers(model, inputs, CPU, 1)) == {"fc"}


class Sequences(nn.Module):
    """A recurrent layer as torch has it: steps first, then the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(20, 30)
        self.fc = nn.Linear(30, 5)

    def forward(self, x: Tensor) -> Tensor:
        """(steps, N, 20) in, (steps, N, 5) out."""
        out: Tensor = self.fc(self.lstm(x)[0])
        return out


def _of(*shapes: list[int], batch: str | None = None) -> list[dict[str, Any]]:
    rest = {"name": None, "dtype": "float32", "range": None, "value": None, "batch": batch}
    return [{"shape": shape} | rest for shape in shapes]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_one_of_a_batch_that_is_second(size: int) -> None:
    """The counts are those of one sequence, however many were given; its steps are not cut."""
    model, inputs = build_network(Sequences, {}, CPU, 0, _of([35, size, 20], batch="second"))
    rows, _ = count_layers(model, inputs)
    assert [tuple(t.shape) for t in inputs] == [(35, 1, 20)]
    assert [row.neurons for row in rows] == [35 * 20, 35 * 30, 35 * 5]
    assert rows[2].macs == 35 * 30 * 5 and rows[0].shape == (35, 20)


def test_a_network_may_have_its_batch_second() -> None:
    """Of inputs that a network gives itself, too."""

    class Own(Sequences):
        def example_inputs(self) -> Tensor:
            return torch.zeros(35, 1, 20)

    model, inputs = build_network(Own, {}, CPU, 0)
    assert count_layers(model, inputs)[0][0].neurons == 700


def test_inputs_without_a_batch() -> None:
    """Where an input begins with 1, or says that it has no batch, it is used as it is."""
    as_given = [(1, 20), (77, 20)]
    for given in (_of([1, 20], [77, 20]), _of([1, 20], [77, 20], batch="none")):
        _, inputs = build_network(ByTwo, {}, CPU, 0, given)
        assert [tuple(t.shape) for t in inputs] == as_given


class ByTwo(nn.Module):
    """Adds two inputs."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Two that broadcast in, one out."""
        return x + y


def test_a_batch_that_nothing_tells_is_asked_for() -> None:
    """Inputs of unequal beginnings, or a layer that takes its batch second: never guessed."""
    with pytest.raises(BuildError, match="inputs begin with 4 and 77: say of each input which"):
        build_network(ByTwo, {}, CPU, 0, _of([4, 20], [77, 20]))
    with pytest.raises(BuildError, match="the layer lstm takes its batch second: say of each"):
        build_network(Sequences, {}, CPU, 0, _of([35, 4, 20]))
