"""What may be typed: a network, its arguments, its inputs; anything else is one line.

A network is built and counted in a process of its own, and what fails is a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import PROJECT, write_study

from reconcile.cli import main
from reconcile.errors import InputError, visible
from reconcile.explain.asking import networks_asked, number_asked, power_of


def test_a_package() -> None:
    """A module and what makes a network in it; nothing is imported to say so."""
    (named,) = networks_asked("no_such.models:net", ["depth=20", "sizes=[1, 2]"], ["3x32x32"])
    assert named.place == {"module": "no_such.models", "class": "net"}
    assert named.arguments == {"depth": 20, "sizes": [1, 2]}
    assert [(given["shape"], given["dtype"]) for given in named.inputs] == [
        ([1, 3, 32, 32], "float32")
    ]


def test_words_are_whole_numbers() -> None:
    """An input says its type after a colon."""
    (named,) = networks_asked("a.b:c", [], ["128:int64", "1×8"])
    assert [(g["shape"], g["dtype"]) for g in named.inputs] == [
        ([1, 128], "int64"),
        ([1, 1, 8], "float32"),
    ]


def test_an_input_by_its_name() -> None:
    """A network whose forward takes several says which is which."""
    (named,) = networks_asked("a.b:c", [], ["words=128:int64", "3x8x8"])
    assert [given["name"] for given in named.inputs] == ["words", None]


def test_a_study() -> None:
    """A study is each of its own readings, with its arguments; those that are typed come last."""
    found = networks_asked(str(PROJECT / "studies" / "alexnet"))
    assert len({named.reading for named in found}) == len(found) > 1
    assert all(Path(named.place["file"]).is_file() for named in found)
    changed = networks_asked(str(PROJECT / "studies" / "alexnet"), ["side=99"])
    assert {named.arguments["side"] for named in changed} == {99}


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("resnet50", "'resnet50' names no network; accepted are package.module:name"),
        ("nowhere.py:Net", "there is no file nowhere.py"),
        ("studies/alexnett", "there is no study 'alexnett', did you mean 'alexnet'?"),
        ("tests", "tests has no study.yaml"),
        ("a-b:c", "'a-b' is no module"),
    ],
)
def test_no_such_network(network: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what would do."""
    monkeypatch.chdir(PROJECT)
    with pytest.raises(InputError) as refused:
        networks_asked(network)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "inputs", "says"),
    [
        (["depth"], [], "--with: 'depth' is no argument"),
        (["depth=["], [], "--with: 'depth=[' has no value that can be given"),
        ([], ["3,224,224"], "--input: '3,224,224' is no shape"),
        ([], ["3x0"], "--input: '3x0' is no shape"),
        ([], ["8:int3"], "types are float32"),
    ],
)
def test_no_argument_and_no_shape(arguments: list[str], inputs: list[str], says: str) -> None:
    """What cannot be read is named with the option it was given for."""
    with pytest.raises(InputError, match="explain: ") as refused:
        networks_asked("a:b", arguments, inputs)
    assert says in str(refused.value)


TYPED = st.one_of(
    st.text(max_size=40),
    st.from_regex(
        r"[~<]?\d{0,4}[., ]?\d{0,3}[., ]?\d{0,3} ?(x|e|\^|/)?[kmgbtKMGBT]?i?[bB]? ?[a-zF]*"
    ),
    st.from_regex(r"[a-z_.]{0,9}(\.py)?:?[A-Za-z_]{0,9}", fullmatch=True),
    st.from_regex(r"([a-z]+=)?[0-9x×]{0,12}(:[a-z0-9]{0,8})?", fullmatch=True),
    st.from_regex(r"[a-z]{0,5}=?[\[\]{}&*!|>'\"%@`a-z0-9:, -]{0,12}", fullmatch=True),
)


def refusals(ask: Callable[[], object]) -> str:
    """Why something is refused, in one line; nothing where it is taken."""
    try:
        ask()
    except InputError as refused:
        return str(refused)
    return ""


@given(TYPED)
@settings(max_examples=150)
@example("9" * 60 + "K")
@example("1e99")
@example("2^99")
@example("0.0")
@example("٣M")
@example("studies/..")
@example("a\0b")
@example("x.py:y" * 50)
@example("x=&a [*a, *a]")
@example("x=!!python/object:os.system {}")
@example("x=2020-99-99")
@example("999999999x999999999x999999999")
def test_whatever_is_typed(text: str) -> None:
    """Any text is taken or refused in one line that names what it was given for."""
    kinds: dict[str, Callable[[], object]] = {
        "number": lambda: number_asked(text),
        "network": lambda: networks_asked(text),
        "--with": lambda: networks_asked("a:b", [text]),
        "--input": lambda: networks_asked("a:b", [], [text]),
    }
    for option, ask in kinds.items():
        why = refusals(ask)
        assert why == "" or why.startswith(f"explain: {option}: "), why
        assert visible(why) == why


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("307M", ""),
        ("4.1 GFLOPs", "flops"),
        ("4.1G MACs", "macs"),
        ("25.6M params", "parameters"),
        ("650,000 neurons", "neurons"),
        ("60 million parameters", "parameters"),
        ("1.5 billion FLOPs", "flops"),
        ("11 million activations", "neurons"),
        ("97.8 MB", "bytes"),
        ("13.5 GB", "bytes"),
        ("98 MiB", "bytes"),
        ("1,024 bytes", "bytes"),
        ("7B", ""),
    ],
)
def test_what_a_number_says(text: str, quantity: str) -> None:
    """A word after the number says what it counts."""
    assert number_asked(text)[1] == quantity


@pytest.mark.parametrize(
    ("text", "value", "power"),
    [
        ("97.8 MB", 97_800_000, 2),
        ("1.5 GiB", 1.5 * 2**30, 0),
        ("1070KB", 1_070_000, 1),
        ("7B", 7e9, 0),
    ],
)
def test_sizes(text: str, value: float, power: int) -> None:
    """A size in bytes is read in thousands, and may count in 1,024s unless it says which."""
    assert number_asked(text)[0].value == value
    assert power_of(text) == power


@pytest.mark.parametrize("text", ["many", "1.234", "-3", "0", "<5M", ""])
def test_no_number(text: str) -> None:
    """What is no number, or may be one of two, is refused in one line."""
    with pytest.raises(InputError) as refused:
        number_asked(text)
    assert str(refused.value).startswith("explain: number: ")
    assert "\n" not in str(refused.value)


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


@pytest.mark.parametrize("named", ["tiny", "{folder}", "{folder}/network.py:Tiny"])
def test_a_page_beside_what_is_read(
    named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a network is named, a page may lie elsewhere, and in its folder as a new file."""
    monkeypatch.setattr("reconcile.explain.asking.STUDIES", tmp_path / "studies")
    monkeypatch.chdir(tmp_path)
    folder = write_study(tmp_path / "studies" / "tiny")
    name = named.format(folder=folder)
    arguments = ["--with", "size=8", "--with", "kernels=4", "--with", "rule=ceil"]
    typed = arguments if ":" in name else []
    for page in (tmp_path / "page.html", folder / "page.html"):
        code, out, error = told(capsys, "64", name, *typed, "--html", str(page))
        assert (code, error) == (0, ""), out
        assert page.is_file()


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
