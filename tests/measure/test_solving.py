"""Values of an argument are measured as networks, and a search says what these give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import measured, study_data, write_study

from reconcile.measure.process import Zygote
from reconcile.measure.solving import AnswerScope, solution_rows
from reconcile.search.candidates import Given
from reconcile.search.solve import search_solutions
from reconcile.study.expressions import ExpressionError, evaluate
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.frames import table, write_table

SOLVE = [
    {"id": "kernels", "argument": "kernels", "range": {"first": 1, "last": 5000}},
    {"id": "size", "argument": "size", "range": {"first": 1, "last": 900}},
    {"id": "both", "argument": "kernels", "range": {"first": 1, "last": 40}},
]
CLAIMS = {"kernels": ["conv", "parameters"], "size": ["map", "products"], "both": ["conv", "map"]}
PRODUCTS = {
    "id": "products",
    "quote": "36 thousand products",
    "where": "p. 4",
    "printed": "36 thousand",
    "quantity": "macs",
    "of": "conv",
}


def rows_found(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """The rows of both tables of the tiny study, and the lines of progress."""
    data = study_data()
    data["claims"].append(PRODUCTS)
    data["solve"] = [
        wanted | {"interpretation": "floor", "claims": CLAIMS[wanted["id"]]} for wanted in SOLVE
    ]
    study = load_study(write_study(folder / "tiny", data))
    plan, told = plan_of(study, "tiny"), list[str]()
    network = plan["network"] | {"file": str(folder / "tiny" / "network.py")}
    with Zygote(Measuring(device="cpu")) as pool:
        tried = list(solution_rows(plan["solve"], network, pool, told.append))
    write_table(folder, "solutions_measured.csv", table("solutions_measured.csv", tried))
    given = Given(study, folder / "tiny", measured(study, []), folder, told.append)
    return tried, list(search_solutions(given)), told


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """What comes of three searches."""
    return rows_found(tmp_path_factory.mktemp("solving"))


Found = tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]


def answer(found: Found, search: str, claim: str, digits: str = "rounded") -> dict[str, Any]:
    """The row of one search and claim."""
    (row,) = (
        row
        for row in found[1]
        if (row["search"], row["claim"], row["digits"]) == (search, claim, digits)
    )
    return row


def test_a_width_is_found_by_interpolation(found: Found) -> None:
    """Nine neurons and a hundred parameters a kernel, ten beside: 48 is none of the former."""
    assert answer(found, "kernels", "conv")["intervals"] == ""
    row = answer(found, "kernels", "parameters")
    assert (row["intervals"], row["method"]) == ("7", "polynomial")
    tried = [r for r in found[0] if (r["search"], r["claim"]) == ("kernels", "parameters")]
    assert {6, 7, 8} <= {r["value"] for r in tried}
    assert all(int(r["measured"]) == 100 * r["value"] + 10 for r in tried)
    assert len(tried) < 60


def test_the_size_of_an_input_is_found_by_halving(found: Found) -> None:
    """Maps grow every second pixel; four in a row are those of nine and ten pixels."""
    row = answer(found, "size", "map")
    assert (row["intervals"], row["method"]) == ("9..10", "monotone")
    # 4 kernels x 9 x 32 x 32 = 36,864 is cut to 36 thousand and not rounded to it.
    assert answer(found, "size", "products")["intervals"] == ""
    assert answer(found, "size", "products", "cut")["intervals"] == "65..66"


def test_what_claims_ask_for_together(found: Found) -> None:
    """Two claims without a common value give a sentence that says what each asks for."""
    row = answer(found, "both", "")
    assert row["values"] == 0
    assert row["says"] == (
        "no kernels from 1 to 40 satisfies conv and map together: "
        "conv asks for none of them, map asks for none of them"
    )


def test_progress_is_told_for_each_claim(found: Found) -> None:
    """A line says how many values were measured, and how they were chosen; others may precede."""
    done = [line for line in found[2] if " measured at " in line]
    assert [line.partition(" measured at ")[0] for line in done] == [
        f"{wanted['id']}: {claim}: {wanted['argument']}"
        for wanted in SOLVE
        for claim in CLAIMS[wanted["id"]]
    ]


SIDED = """from torch import nn


class Sided(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.conv = nn.Conv2d(3, maps, 3, stride=2)

    def forward(self, image):
        return self.conv(image)
"""


def test_the_size_of_an_input_is_solved_for(tmp_path: Path) -> None:
    """Where the study gives it and it is no argument: both sides of the image, no channels."""
    data = study_data()
    for key in ("statements", "evidence", "consistency", "slips", "geometries", "argument_help"):
        data.pop(key, None)
    data |= {
        "network": "network.py:Sided",
        "arguments": {"maps": 4},
        "inputs": [{"shape": [1, 3, 32, 32]}],
        "claims": [data["claims"][0] | {"printed": "196"}],
        "interpretations": [
            {
                "id": "floor",
                "title": "As it is",
                "assumes": ["Nothing."],
                "proposed_by": [{"name": "A"}],
            }
        ],
        "conclusion": {"interpretation": "floor", "answer": "A.", "text": "B."},
        "solve": [
            {
                "id": "side",
                "argument": "input_side",
                "interpretation": "floor",
                "claims": ["conv"],
                "range": {"first": 1, "last": 40},
            }
        ],
    }
    folder = write_study(tmp_path / "tiny", data)
    (folder / "network.py").write_text(SIDED)
    plan = plan_of(load_study(folder), "tiny")
    network = plan["network"] | {"file": str(folder / "network.py")}
    with Zygote(Measuring(device="cpu")) as pool:
        rows = list(solution_rows(plan["solve"], network, pool, lambda line: None))
    held = {row["value"] for row in rows if row["measured"] == "196"}
    assert held == {15, 16}
    assert [row["measured"] for row in rows[:2]] == [None, None], "smaller than the window"


CONV = {"layer": "conv", "kind": "conv", "neurons": 8, "macs": 72, "uncounted": ""}
LAYERS = [CONV, CONV | {"layer": "odd", "macs": 0, "uncounted": "aten::inverse:9"}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("neurons(conv) + argument(size)", 16),
        ("flops(conv)", 144),
        ("neurons('*')", 16),
        ("neurons(network, main)", 16),
        ("macs(odd)", None),
        ("macs(network)", None),
        ("height('*')", None),
        ("height(network)", None),
        ("seen(network)", None),
        ("neurons(network, other)", None),
        ("printed(conv)", None),
        ("argument(width)", None),
        ("readings()", None),
    ],
)
def test_what_is_asked_of_a_network(expression: str, value: int | None) -> None:
    """Counts as in a judged reading; what is not known, or not all of it, is no number."""
    answers = {"main": {"status": "measured-on-meta", "layers": LAYERS}}
    scope = AnswerScope(answers, {"main": {"size": 8}}, "main")
    if value is None:
        with pytest.raises(ExpressionError):
            evaluate(expression, scope)
    else:
        assert evaluate(expression, scope) == value
