"""The command: a network is built and counted in a process of its own, and what fails is a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconcile.cli import main

pytestmark = pytest.mark.usefixtures("shared_zygote")

NETWORK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, depth=1, *, width=8):
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(3 if not i else width, width, 3, padding=1)
                                      for i in range(depth)))
        self.fc = nn.Linear(width, 10)

    def forward(self, images):
        return self.fc(self.layers(images).mean((2, 3)))

class Needs(Net):
    def __init__(self, *, depth):
        super().__init__(depth)

class Looks(Net):
    def __init__(self):
        super().__init__(int(torch.tensor([1, 2]).sum()))

class Config:
    def __init__(self, width=8):
        self.width = width

class Configured(Net):
    config_class = Config

    def __init__(self, config):
        super().__init__(width=config.width)

def deep(depth=2):
    return Net(depth)

def depth_of(network):
    return 1

class Two(Net):
    def forward(self, images, words):
        return super().forward(images) + words

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(100, 8)

    def forward(self, words):
        return self.table(words)
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    """A file with networks."""
    file = tmp_path / "network.py"
    file.write_text(NETWORK, encoding="utf-8")
    return str(file)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code of a command, and what it printed on both streams."""
    code = main(["explain", *words])
    out, error = capsys.readouterr()
    return code, out, error


def test_a_table(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The best explanation is the first row, and the usual input is said where it was taken."""
    code, out, _ = told(capsys, "314", f"{network}:Net")
    assert code == 0
    note, head, first, *_ = out.splitlines()
    assert note.startswith("input: 3x224x224, which nothing said")
    assert head.split()[:2] == ["number", "digits"]
    assert first.split()[:3] == ["314", "exact", "0"]
    assert first.endswith(" parameters(network)")


def test_arguments_and_inputs(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments build the network that is counted, and the input says how often it multiplies."""
    macs = 32 * 32 * (27 + 72) * 8 + 80
    typed = [f"{macs:,}", f"{network}:Net", "--with", "depth=2", "--input", "3x32x32", "--json"]
    code, out, _ = told(capsys, *typed)
    found = json.loads(out)
    assert (code, found["notes"]) == (0, [])
    best = found["explanations"][0]
    assert (best["expression"], best["value"], best["digits"]) == ("macs(network)", macs, "exact")
    assert best["reading"] is None


def test_another_size(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing gives the number, images of other sizes are tried."""
    macs = 227 * 227 * 27 * 8 + 80
    _, out, _ = told(capsys, f"{macs:,} MACs", f"{network}:Net", "--json")
    best = json.loads(out)["explanations"][0]
    assert (best["search"], best["value"]) == ("sizes", macs)
    assert "227 × 227" in best["says"]


def test_flops_of_another_size(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """FLOPs of another image are multiply-adds there as well, which is assumed besides."""
    macs = 299 * 299 * 27 * 8 + 80
    _, out, _ = told(capsys, f"{macs:,} FLOPs", f"{network}:Net", "--json")
    best = json.loads(out)["explanations"][0]
    assert (best["search"], best["value"], best["assumes"]) == ("sizes", macs, 2)
    assert best["who"] == "usual in papers on images"


@pytest.mark.parametrize(
    ("name", "typed", "parameters"),
    [("deep", (), 898), ("deep", ("depth=1",), 314), ("Looks", (), 1_482), ("Configured", (), 314)],
)
def test_what_makes_a_network(
    name: str,
    typed: tuple[str, ...],
    parameters: int,
    network: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A function of a file, a constructor that looks at values, a class in a package's manner."""
    given = [word for text in typed for word in ("--with", text)]
    _, out, error = told(capsys, f"{parameters:,}", f"{network}:{name}", *given, "--json")
    assert error == ""
    assert json.loads(out)["explanations"][0]["expression"] == "parameters(network)"


def test_nothing(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that fits is said plainly, with what comes nearest, and is no success."""
    code, out, _ = told(capsys, "98,765,432,109", f"{network}:Net", "--input", "3x8x8")
    assert code == 1
    assert out.splitlines()[0] == "Nothing that was tried gives 98,765,432,109."
    assert "nearest above: none" in out


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("Nett", (), "has no torch.nn.Module named Nett"),
        ("depth_of", (), "depth_of() missing 1 required positional argument: 'network'"),
        ("Needs", (), "missing 1 required keyword-only argument: 'depth'; --with NAME=VALUE"),
        (
            "Words",
            ("--input", "3x8x8"),
            "--input says what it is given, like 3x224x224 or 128:int64",
        ),
        ("Net", ("--with", "deep=2"), "unexpected keyword argument 'deep'"),
        ("Net", ("--most", "0"), "--most: must be 1 or more"),
    ],
)
def test_one_line(
    name: str, typed: tuple[str, ...], says: str, network: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be built or run is one line that says what would do."""
    code, out, error = told(capsys, "5M", f"{network}:{name}", *typed)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert says in error


def test_a_page_is_written(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page names the network with what was typed, and the table is printed all the same."""
    page = tmp_path / "pages" / "answer.html"
    typed = ["314", f"{network}:Net", "--input", "3x8x8", "--html", str(page)]
    code, out, _ = told(capsys, *typed)
    assert code == 0
    assert out.splitlines()[1].startswith("314 ")
    text = page.read_text(encoding="utf-8")
    assert ":Net --input 3x8x8</code>" in text
    assert '<th scope="row">parameters<' in text


def test_words(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A network of words is given whole numbers, which are tried where nothing says so."""
    code, out, _ = told(capsys, "800", f"{network}:Words", "--input", "16:int64")
    assert code == 0
    assert out.splitlines()[1].endswith(" parameters(network)")


def test_words_that_nothing_said(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What takes no image is given words."""
    code, out, _ = told(capsys, "800", f"{network}:Words")
    assert code == 0
    assert out.startswith("input: 128:int64, which nothing said; --input says another")


def test_a_network_that_nobody_can_run(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its parameters are counted all the same, and why it was not run is said."""
    code, out, _ = told(capsys, "314 parameters", f"{network}:Two", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["explanations"][0]["expression"] == "parameters(network)"
    (note,) = found["notes"]
    assert note.startswith("only its parameters are counted, since it was not run: Two: ")
    assert "missing 1 required positional argument: 'words'" in note
    assert told(capsys, "5 MFLOPs", f"{network}:Two")[0] == 1


def test_no_such_package(capsys: pytest.CaptureFixture[str]) -> None:
    """A package that is not there is one line."""
    code, _, error = told(capsys, "5M", "no_such_package.models:net")
    assert code == 2
    assert "no_such_package.models cannot be imported" in error
    assert error.count("\n") == 1


TORCHVISION = """
import torch
from torch import nn

for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        raise RuntimeError(f"operator torchvision::{name} does not exist")

def classifier():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, 2))
"""


def test_torchvision_beside_another_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where its compiled part does not load, what needs none of it is counted all the same."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(TORCHVISION, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    code, out, error = told(capsys, "301,058", "torchvision:classifier")
    assert (code, error) == (0, "")
    assert out.splitlines()[2].split()[:2] == ["301,058", "exact"]
