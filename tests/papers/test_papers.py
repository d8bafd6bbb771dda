"""Tables of papers that no study touches, each written down once and right the first time.

What must come out is closed forms, worked out here and not by the engine. The studies lie beside
this file as a stranger would write them: millions in a table's head, many networks, an installed
package, a size printed with a slip, a conclusion on no reading.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from odd_studies import reported
from support import text_table

from reconcile.study.settings import Measuring

pytestmark = pytest.mark.usefixtures("shared_zygote")

HERE = Path(__file__).parent
PACKAGE = "zoo_of_papers"


@dataclass
class Settled:
    """The results of one paper's study, measured, judged and reported on once."""

    out: Path
    report: str

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The rows of verdicts.csv by reading and claim."""
        rows = text_table(self.out / "verdicts.csv").to_dict("records")
        return {(row["interpretation"], row["claim"]): row for row in rows}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """reconciliation.json."""
        read: dict[str, Any] = json.loads((self.out / "reconciliation.json").read_text("utf-8"))
        return read

    def measured(self, reading: str, claims: Iterable[str]) -> list[int]:
        """What a reading gives for some claims."""
        return [int(Fraction(self.verdicts[reading, claim]["measured"])) for claim in claims]

    def satisfied(self, reading: str) -> set[str]:
        """The claims that a reading matches."""
        return {
            claim
            for (own, claim), row in self.verdicts.items()
            if own == reading and row["verdict"].startswith("matches")
        }


@pytest.fixture(scope="module")
def settle(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that settles the study of a name, each once."""
    known: dict[str, Settled] = {}

    def settled(name: str) -> Settled:
        if name not in known:
            folder, out = HERE / name, tmp_path_factory.mktemp("papers") / name
            out.mkdir()
            known[name] = Settled(out, reported(folder, out, packages=[PACKAGE]))
        return known[name]

    return settled


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG's networks, installed as a package of their own."""
    folder = tmp_path / "installed" / PACKAGE
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    shutil.copy(HERE / "vgg" / "models.py", folder)
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder.parent}{os.pathsep}{known}")
    monkeypatch.syspath_prepend(folder.parent)


def vgg_parameters(counts: tuple[int, ...], *, narrow: bool) -> int:
    """Closed form: weights and biases of all convolutions and of three full connections."""
    total, inputs = 0, 3
    for maps, count in zip((64, 128, 256, 512, 512), counts, strict=True):
        for place in range(count):
            side = 1 if narrow and place == 2 else 3
            total += side * side * inputs * maps + maps
            inputs = maps
    return total + 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000


def test_millions_in_the_head_of_an_installed_package(settle: Any, package: None) -> None:
    """Five numbers in millions are those of a package's networks, which stand in its columns."""
    done = settle("vgg")
    stages = {"A": (1, 1, 2, 2, 2), "B": (2, 2, 2, 2, 2), "C": (2, 2, 3, 3, 3)}
    stages |= {"D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}
    wanted = [vgg_parameters(stages[name], narrow=name == "C") for name in "ABCDE"]
    claims = [f"sizes.parameters.{name}" for name in "ABCDE"]
    assert done.measured("package", claims) == wanted
    assert [round(count / 1e6) for count in wanted] == [133, 133, 134, 138, 144]
    assert {row["verdict"] for row in done.verdicts.values()} == {"matches-rounded"}
    assert done.summary["counts"]["reproduced"] == 5
    assert "132,863,336" in done.report and "143,667,240" in done.report


def fire(inputs: int, squeeze: int, expand: int) -> int:
    """Closed form of a fire module: three convolutions with biases."""
    return (inputs + 1) * squeeze + (squeeze + 1) * expand + (9 * squeeze + 1) * expand


def test_rows_are_layers_and_one_size_is_a_slip(settle: Any) -> None:
    """All counts are the closed forms', and 13x12 is one claim that fits and one that cannot."""
    done = settle("squeezenet")
    modules = {2: (96, 16, 64), 3: (128, 16, 64), 4: (128, 32, 128), 5: (256, 32, 128)}
    modules |= {6: (256, 48, 192), 7: (384, 48, 192), 8: (384, 64, 256), 9: (512, 64, 256)}
    rows = {"conv1": 7 * 7 * 3 * 96 + 96, "conv10": 513 * 1000}
    rows |= {f"fire{i}": fire(*sizes) for i, sizes in modules.items()}
    rows["total"] = sum(rows.values())
    assert rows["total"] == 1_248_424
    for reading in ("printed", "larger"):
        claims = [f"counts.{row}.parameters" for row in rows]
        assert done.measured(reading, claims) == list(rows.values())
        assert set(claims) <= done.satisfied(reading)
    missed = {claim for _, claim in done.verdicts} - done.satisfied("larger")
    assert missed == {"maps.maxpool8.output.width"}
    sides = [f"maps.{row}.output.width" for row in ("conv1", "maxpool1", "maxpool4", "maxpool8")]
    assert done.measured("larger", sides) == [111, 55, 27, 13]
    assert done.measured("printed", sides) == [109, 54, 26, 12]
    (row,) = text_table(done.out / "consistency.csv").to_dict("records")
    assert (row["computed"], row["verdict"]) == ("1248424", "matches")


def test_an_image_of_a_sweep(settle: Any) -> None:
    """Every combination has the width that its rule gives; a named one is that reading."""
    done = settle("squeezenet")
    found = {}
    for (reading, claim), row in done.verdicts.items():
        if claim == "maps.conv1.output.width":
            found[reading] = int(row["measured"])
    sides = {f"size-{n}_rule-floor": (n - 7) // 2 + 1 for n in (225,)}
    sides |= {f"size-{n}_rule-ceil": -((7 - n) // 2) + 1 for n in (224, 225, 227)}
    assert found == sides | {"printed": 109, "larger": 111}


def transformer(tokens: int, **changed: int) -> int:
    """Closed form: one embedding, and layers without biases but in their perceptrons."""
    sizes = {"n": 6, "d": 512, "ff": 2048, "h": 8, "dk": 64, "dv": 64} | changed
    d, ff = sizes["d"], sizes["ff"]
    attention = 2 * d * sizes["h"] * (sizes["dk"] + sizes["dv"])
    perceptron = 2 * d * ff + ff + d
    return tokens * d + sizes["n"] * (3 * attention + 2 * perceptron + 5 * 2 * d)


ROWS = {
    "base": {}, "B1": {"dk": 16}, "B2": {"dk": 32}, "C1": {"n": 2}, "C2": {"n": 4}, "C3": {"n": 8},
    "C4": {"d": 256, "dk": 32, "dv": 32}, "C5": {"d": 1024, "dk": 128, "dv": 128},
    "C6": {"ff": 1024}, "C7": {"ff": 4096}, "big": {"d": 1024, "ff": 4096, "h": 16},
}  # fmt: skip
"""Table 3 of the Transformer: what each row changes."""


def test_no_reading_wins(settle: Any) -> None:
    """Where no vocabulary gives all rows, the conclusion is none and the conflict is named."""
    done = settle("transformer")
    claims = [f"t3.{row}.parameters" for row in ROWS]
    for reading, tokens in {"stated": 37_000, "german": 41_200, "big": 36_500}.items():
        wanted = [transformer(tokens, **changed) for changed in ROWS.values()]
        assert done.measured(reading, claims) == wanted
    assert done.satisfied("stated") == set()
    assert done.satisfied("german") == {*claims} - {"t3.big.parameters"}
    assert done.summary["conclusion"]["interpretation"] == "none"
    assert done.summary["counts"]["reproduced"] == len(claims)
    assert [
        conflict["claims"]
        for scope in done.summary["conflicts"]
        for conflict in scope["found"]
        if scope["scope"] == "combinations" and "t3.base.parameters" in conflict["claims"]
    ] == [["t3.base.parameters", "t3.big.parameters"]]
    ranking = {entry["interpretation"]: entry["denies"] for entry in done.summary["ranking"]}
    assert ranking == {"german": ["tokens"], "stated": [], "big": []}


def wide_resnet(depth: int, width: int, classes: int) -> int:
    """Closed form: normalisations before each convolution, one at the end, a linear layer."""
    total, inputs = 3 * 9 * 16, 16
    for maps in (16 * width, 32 * width, 64 * width):
        for _ in range((depth - 4) // 6):
            total += 2 * inputs + 9 * inputs * maps + 2 * maps + 9 * maps * maps
            total += inputs * maps if inputs != maps else 0
            inputs = maps
    return total + 2 * inputs + inputs * classes + classes


def test_many_networks_in_rows(settle: Any) -> None:
    """Nine networks round to a table's digits with ten classes; with a hundred some are cut."""
    done = settle("wide-resnet")
    rows = ("40-1", "40-2", "40-4", "40-8", "28-10", "22-8", "22-10", "16-8", "16-10")
    claims = [f"sizes.{row}.parameters" for row in rows]
    for reading, classes in {"ten": 10, "hundred": 100}.items():
        wanted = [wide_resnet(*map(int, row.split("-")), classes) for row in rows]
        assert done.measured(reading, claims) == wanted
    rounded = {claim: done.verdicts["ten", claim]["verdict"] for claim in claims}
    assert set(rounded.values()) == {"matches-rounded"}
    claimed = {row: done.verdicts["hundred", f"sizes.{row}.parameters"] for row in rows}
    cut = {row for row, verdict in claimed.items() if verdict["rounds"] == "no"}
    assert cut == {"40-2", "40-4", "40-8", "22-10", "16-10"}
    assert done.satisfied("hundred") == set(claims)
    assert f"{wide_resnet(16, 10, 100):,}" in done.report


def test_the_installed_package_is_allowed_by_name(tmp_path: Path) -> None:
    """What config.yaml allows without a word are packages of networks, not those of a test."""
    assert PACKAGE not in Measuring().packages
