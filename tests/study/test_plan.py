"""Sweeps: every combination is an interpretation, measured fast and summed up in the report."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support import measure, study_data, tables_of, write_study
from torch import nn

from reconcile.errors import InputError
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure import recall
from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import count_layers
from reconcile.measure.process import WorkerProcess
from reconcile.measure.progress import Progress
from reconcile.measure.recall import recalled_rows
from reconcile.study.load import load_study
from reconcile.study.model import AxisRange
from reconcile.study.plan import axes_by_effect, cells_of, combinations, values_of
from reconcile.study.settings import Measuring

NETWORK = '''
from torch import nn
from torch.nn import functional
import torch

from reconcile.layers import Conv2d, MaxPool2d


class Scale(nn.Module):
    """A layer of the study's own, with a functional product."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, width))

    def forward(self, x):
        return x @ self.gain


class Geometry(nn.Module):
    """Convolutions of any geometry, layers that are called twice, shared and changed ones."""

    def __init__(self, *, size, kernel, stride, padding, rule, odd="nothing"):
        super().__init__()
        self.size, self.odd = size, odd
        if odd == "fails":
            raise ValueError("this combination cannot be")
        self.conv1 = Conv2d(3, 8, kernel, stride=stride, padding=padding, rule=rule)
        self.norm = nn.BatchNorm2d(8)
        self.pool = MaxPool2d(3, stride=2, rule=rule)
        self.again = Conv2d(8, 8, 3, padding=1)
        self.twin = Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 8)
        self.last = nn.Linear(8, 8)
        self.scale = Scale(8)
        self.unused = nn.Linear(5, 5)
        self.drop = nn.Dropout(0.5)
        if odd == "tied":
            self.last.weight = self.fc.weight
        if odd == "strided":
            self.again.stride = (2, 2)
        if odd == "frozen":
            self.fc.weight.requires_grad_(False)
        if odd == "no-bias":
            self.fc.bias = None
        if odd == "hooked":
            self.twin.register_forward_hook(lambda m, a, out: out[:, :4].repeat(1, 2, 1, 1))

    def example_inputs(self):
        return (torch.rand(1, 3, self.size, self.size),)

    def forward(self, x):
        x = self.pool(functional.relu(self.norm(self.conv1(x))))
        x = self.twin(self.again(self.again(x)))
        x = functional.avg_pool2d(x, x.shape[2:]).flatten(1)
        return self.last(self.scale(self.drop(self.fc(x)).unsqueeze(0)))
'''
ODD = ("nothing", "tied", "strided", "frozen", "no-bias", "hooked")
AXES = {
    "size": {"first": 20, "last": 44},
    "kernel": [1, 3, 5, 7, 11],
    "stride": [1, 2, 3, 4],
    "padding": [0, 1, 2, 3, [1, 2]],
    "rule": ["floor", "ceil"],
    "odd": ["nothing", "tied"],
}
"""10,000 combinations."""


def geometry_study(axes: dict[str, Any]) -> dict[str, Any]:
    """A study without readings of its own, which asks for one map and one total."""
    data = study_data()
    for key in ("statements", "evidence", "consistency", "slips", "geometries", "argument_help"):
        data.pop(key)
    claim = {"quote": "q", "where": "p. 1"}
    data["network"] = "network.py:Geometry"
    data["arguments"] = {"odd": "nothing"}
    data["interpretations"] = []
    data["claims"] = [
        claim | {"id": "map", "printed": "14", "quantity": "width", "of": "conv1"},
        claim | {"id": "neurons", "printed": "1,568", "quantity": "neurons", "of": "conv1"},
    ]
    data["sweep"] = {"title": "Geometries", "axes": axes, "proposed_by": [{"name": "a test"}]}
    first = next(i for i, _ in combinations({k: _listed(v) for k, v in axes.items()}))
    data["conclusion"] = {"interpretation": first, "answer": "a", "text": "t"}
    return data


def _listed(axis: Any) -> Any:
    return values_of(AxisRange(**axis)) if isinstance(axis, dict) else axis


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network file."""
    file = tmp_path_factory.mktemp("geometry") / "network.py"
    file.write_text(NETWORK, encoding="utf-8")
    return file


def _samples(number: int, seed: int) -> Iterator[dict[str, Any]]:
    chosen = random.Random(seed)  # noqa: S311 - samples of a test
    for _ in range(number):
        one = {name: chosen.choice(list(_listed(axis))) for name, axis in AXES.items()}
        yield one | {"odd": chosen.choice(ODD)}


@pytest.mark.parametrize("seed", range(4))
def test_recalled_rows_are_those_of_a_plain_run(network: Path, seed: int) -> None:
    """Random combinations, changed layers among them: every row equal, on the first and second run.

    Layers that are tied, frozen, hooked or changed after they were built are not what their
    arguments say, and are executed.
    """
    kind = load_class(network, "Geometry")
    for arguments in list(_samples(12, seed)) * 2:
        model, inputs = build_network(kind, arguments, torch.device("meta"), 0)
        plain, _ = count_layers(model, inputs)
        assert recalled_rows(network, "Geometry", arguments) == plain, arguments


def test_what_a_network_does_to_its_layers_stays_its_own(network: Path) -> None:
    """A layer that the first network froze is trainable in the next one."""
    recall._MEMORY.built.clear()
    arguments = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    for odd in ("frozen", "nothing"):
        model, inputs = build_network(
            load_class(network, "Geometry"), arguments | {"odd": odd}, torch.device("meta"), 0
        )
        plain, _ = count_layers(model, inputs)
        assert recalled_rows(network, "Geometry", arguments | {"odd": odd}) == plain


OWN_WAYS = '''
import torch
from torch import nn


class Lazy(nn.Sequential):
    """A layer that learns its size from its input."""

    def __init__(self):
        super().__init__(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))

    def example_inputs(self):
        return torch.rand(1, 3, 8, 8)


class Fused(nn.Module):
    """Becomes another network when it is evaluated."""

    def __init__(self):
        super().__init__()
        self.part = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))

    def eval(self):
        self.part = self.part[:1]
        return super().eval()

    def example_inputs(self):
        return torch.rand(1, 4)

    def forward(self, x):
        return self.part(x)
'''


@pytest.mark.parametrize("name", ["Lazy", "Fused"])
def test_networks_with_ways_of_their_own(tmp_path: Path, name: str) -> None:
    """Lazy layers and a network that evaluation changes have the rows of a plain run, each time."""
    file = tmp_path / "network.py"
    file.write_text(OWN_WAYS, encoding="utf-8")
    with torch.device("meta"):
        model = load_class(file, name)()
        inputs = (model.example_inputs(),)
    plain, _ = count_layers(model.eval(), inputs)
    assert [recalled_rows(file, name, {}) for _ in range(2)] == [plain, plain]


def test_layers_are_executed_once(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a sweep a layer of equal arguments meets an equal input only once."""
    arguments = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    recalled_rows(network, "Geometry", arguments)
    ran: list[str] = []
    for kind in (nn.Conv2d, nn.Linear, nn.MaxPool2d):
        plain = kind.forward

        def forward(self: nn.Module, x: Any, run: Any = plain) -> Any:
            ran.append(type(self).__name__)
            return run(self, x)

        monkeypatch.setattr(kind, "forward", forward)
    assert recalled_rows(network, "Geometry", arguments) is not None
    assert ran == []
    recalled_rows(network, "Geometry", arguments | {"size": 33})
    assert ran.count("Conv2d") <= 3


def test_other_networks_are_run_as_ever(network: Path) -> None:
    """Outside a sweep modules are built and called as torch does."""
    recalled_rows(network, "Geometry", next(_samples(1, 9)) | {"odd": "nothing"})
    layer = nn.Linear(4, 3)
    assert not layer.weight.is_meta and layer(torch.ones(2, 4)).shape == (2, 3)
    assert "_reconcile_built" not in vars(layer)


def test_an_edited_network_is_read_again(tmp_path: Path) -> None:
    """The class is imported once for a sweep, and again when its file changes."""
    file = tmp_path / "network.py"
    arguments = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    file.write_text(NETWORK, encoding="utf-8")
    before = recalled_rows(file, "Geometry", arguments)
    file.write_text(NETWORK.replace("Conv2d(3, 8,", "Conv2d(3,  8,").replace("8", "16"), "utf-8")
    after = recalled_rows(file, "Geometry", arguments)
    assert before is not None and after is not None
    assert (before[1].shape[0], after[1].shape[0]) == (8, 16)


def test_a_combination_that_fails_is_a_result(tmp_path: Path) -> None:
    """What cannot be built has its status, and the combinations after it are measured."""
    axes = {"odd": ["nothing", "fails", "tied"], "size": [31]}
    data = geometry_study(axes)
    data["arguments"] = {"kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    out = measure(write_study(tmp_path / "geometry", data, NETWORK), tmp_path / "out")
    totals = tables_of(out)["totals.csv"]
    assert [row["status"] for row in totals] == [
        "measured-on-meta",
        "does-not-build",
        "measured-on-meta",
    ]
    assert totals[1]["message"] == "ValueError: this combination cannot be"


def test_own_readings_are_cells_of_the_sweep(tmp_path: Path) -> None:
    """A combination that the study names itself is that reading, not a second one."""
    data = study_data()
    data["sweep"] = {
        "title": "t",
        "axes": {"rule": ["floor", "ceil"], "kernels": [4, 5]},
        "proposed_by": [{"name": "n"}],
    }
    study = load_study(write_study(tmp_path / "tiny", data))
    assert [r.id for r in study.interpretations][3:] == [
        "rule-floor_kernels-5",
        "rule-ceil_kernels-5",
    ]
    cells = cells_of(study, {"floor": 2, "rule-ceil_kernels-5": 1})
    assert [(c.reading, c.matched) for c in cells] == [
        ("floor", 2),
        ("rule-floor_kernels-5", 0),
        ("slip", 0),
        ("rule-ceil_kernels-5", 1),
    ]


def test_axes_that_decide_come_first(tmp_path: Path) -> None:
    """The picture shows the axes by whose values the number of matched claims differs most."""
    axes = {"stride": [1, 2], "size": [28, 30, 32], "kernel": [3, 5], "rule": ["floor"]}
    data = geometry_study(axes)
    data["arguments"] = {"padding": 0, "odd": "nothing"}
    study = load_study(write_study(tmp_path / "g", data, NETWORK))
    readings = [r.id for r in study.interpretations]
    matched = {r: 2 * ("size-30" in r) + ("kernel-3" in r) for r in readings}
    assert axes_by_effect(study, cells_of(study, matched)) == ["size", "kernel", "stride"]


def test_picture_names_axes_that_there_are(tmp_path: Path) -> None:
    """An axis that is none is a fault of the study, with the axes there are."""
    data = geometry_study({"size": [28, 30], "kernel": [3, 5]})
    data["sweep"]["picture"] = ["size", "kernels"]
    with pytest.raises(InputError, match="there is no axis 'kernels', did you mean 'kernel'"):
        load_study(write_study(tmp_path / "g", data, NETWORK))


def test_requests_that_wait_survive_a_death(network: Path) -> None:
    """The process that dies over one reading is replaced, and the others are measured."""
    deadly = NETWORK.replace(
        'raise ValueError("this combination cannot be")', "import os; os._exit(3)"
    )
    file = network.with_name("deadly.py")
    file.write_text(deadly, encoding="utf-8")
    shared = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    requests = [
        {
            "interpretation": f"r{i}",
            "network": "main",
            "arguments": shared | {"odd": "fails" if i == 3 else "nothing"},
            "file": str(file),
            "class": "Geometry",
            "placement": "meta",
        }
        for i in range(8)
    ]
    with WorkerProcess(Measuring(device="cpu", repeats=0)) as pool:
        answers = list(pool.ask_all(requests))
    assert [request["interpretation"] for request, _ in answers] == [f"r{i}" for i in range(8)]
    statuses = [answer["status"] for _, answer in answers]
    assert statuses == ["measured-on-meta"] * 3 + ["killed"] + ["measured-on-meta"] * 4


def test_progress_is_a_line_a_second() -> None:
    """Ten thousand networks in twenty seconds give about twenty lines, with rate and time left."""
    now, lines = [0.0], list[str]()
    progress = Progress(10_000, lines.append, lambda: now[0])
    for i in range(10_000):
        now[0] += 0.002
        progress.tell(f"r{i}", {"status": "measured", "message": ""})
    assert 15 <= len(lines) <= 25
    assert lines[-1] == "[10000/10000] r9999: measured (500 a second, 0 s left)"


def test_small_studies_are_told_network_by_network() -> None:
    """A dozen readings get their line each."""
    lines = list[str]()
    progress = Progress(2, lines.append, lambda: 1.0)
    progress.tell("a", {"status": "measured", "message": ""})
    progress.tell("b", {"status": "does-not-build", "message": "why"})
    assert lines == ["[1/2] a: measured (0 s left)", "[2/2] b: does-not-build why (0 s left)"]


@pytest.mark.slow
def test_ten_thousand_combinations(tmp_path: Path) -> None:
    """A sweep of 10,000 is measured and judged; the summary stays short, the tables are whole."""
    folder = write_study(tmp_path / "geometry", geometry_study(AXES), NETWORK)
    study = load_study(folder)
    assert len(study.interpretations) == 10_000
    out = measure(folder, tmp_path / "out")
    done = reconcile_study(study, folder, Measurements.read(out))
    assert len(done.tables["verdicts.csv"]) == 20_000
    assert done.summary["sweep"]["combinations"] == 10_000
    assert sum(number for _, number in done.summary["sweep"]["matched"]) == 10_000
    assert len(done.summary["ranking"]) <= 201
    # (32 + 2 x 0 - 5) / 2 rounded down, plus one: 14 windows of 8 kernels have 1,568 neurons.
    best = done.summary["ranking"][0]["interpretation"]
    assert done.summary["counts"]["reproduced"] == 2 and "odd" in best


def test_what_a_network_changes_is_put_back(tmp_path: Path) -> None:
    """The environment, the folder and torch's settings are as before, whatever a network did."""
    import os

    file = tmp_path / "network.py"
    meddling = "import os\nos.environ['MEDDLED'] = '1'\nos.chdir('/')\n"
    meddling += "import torch\ntorch.set_grad_enabled(False)\n"
    file.write_text(meddling + NETWORK, encoding="utf-8")
    folder = Path.cwd()
    arguments = {"size": 31, "kernel": 3, "stride": 2, "padding": 1, "rule": "floor"}
    assert recalled_rows(file, "Geometry", arguments) is not None
    assert "MEDDLED" not in os.environ and "PATH" in os.environ
    assert Path.cwd() == folder and torch.is_grad_enabled()
