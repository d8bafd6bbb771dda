"""The study of Chinchilla: closed forms, the fifth matrix, and what the relative positions do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from chinchilla_table import TABLE

from reconcile.study.plan import denied_statements, networks_of

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "chinchilla"
MILLION = 10**6


def standard(layers: int, width: int, inner: int, vocabulary: int = 32_000) -> int:
    """V d for the embedding, 4 d kv·h for the attention and 8 d^2 for the perceptron a layer."""
    return vocabulary * width + layers * (4 * width * inner + 8 * width * width)


def with_relative_positions(layers: int, width: int, inner: int) -> int:
    """The same with W_k,R, u and v, and biases: five matrices and 6 d + 5 kv·h a layer."""
    return standard(layers, width, inner) + layers * (width * inner + 6 * width + 5 * inner)


def test_the_table_is_the_one_that_was_copied(readings: Readings) -> None:
    """The study has the fifty rows that the search is tested with, in their order."""
    networks = networks_of(readings.study, readings.reading("standard"))
    rows = {claim.network: claim for claim in readings.study.claims if claim.id.startswith("a9.")}
    found = [
        (int(rows[name].printed), a["width"], a["kv_size"], a["heads"], a["layers"])
        for name, a in networks.items()
        if name in rows
    ]
    assert found == TABLE
    assert all(a["ffw"] == 4 * a["width"] for a in networks.values())


def test_parameters(readings: Readings) -> None:
    """A small model, one whose heads are not as wide as it is, and both that have names."""
    for name in ("m44", "m3530", "gopher-44m"):
        run = readings.run("standard", name)
        a = run.arguments
        sizes = a["layers"], a["width"], a["kv_size"] * a["heads"]
        assert run.total("parameters") == standard(*sizes)
        xl = readings.run("transformer-xl", name)
        assert xl.total("parameters") == with_relative_positions(*sizes)


def test_by_closed_forms_no_row_and_all() -> None:
    """With ordinary attention none of the fifty comes out, with relative positions they all do."""

    def fit(formula: Callable[[int, int, int], int]) -> int:
        given = ((p, formula(n, d, kv * h)) for p, d, kv, h, n in TABLE)
        return sum((value + MILLION // 2) // MILLION == printed for printed, value in given)

    def five(layers: int, width: int, inner: int) -> int:
        return standard(layers, width, inner) + layers * width * inner

    assert fit(standard) == 0
    assert fit(five) == 23
    assert fit(with_relative_positions) == len(TABLE)
    assert standard(80, 8192, 8192) == 64_686_653_440
    assert with_relative_positions(80, 8192, 8192) == 70_062_571_520
    assert standard(80, 16_384, 16_384) == 258_222_325_760
    assert with_relative_positions(80, 16_384, 16_384) == 279_711_580_160


def test_how_far_the_formulas_are_off() -> None:
    """The standard one 7.07% on average and 7.74% at most, five matrices 0.80% at most."""

    def off(matrices: int) -> list[float]:
        more = matrices - 4
        given = ((p, standard(n, d, kv * h) + more * n * d * kv * h) for p, d, kv, h, n in TABLE)
        return [abs(value / (MILLION * printed) - 1) for printed, value in given]

    assert round(sum(off(4)) / len(TABLE), 4) == 0.0707
    assert round(max(off(4)), 4) == 0.0774
    assert round(max(off(5)), 4) == 0.0080


def test_the_family_of_gopher(readings: Readings) -> None:
    """Its smaller models round to their names with relative positions, and none does without."""
    counts = {
        (8, 512, 512): (41_549_824, 43_692_032, "sizes.gopher-44m"),
        (12, 768, 768): (109_510_656, 116_689_920, "gopher.gopher-117m"),
        (12, 1536, 1536): (388_890_624, 417_404_928, "gopher.gopher-417m"),
        (24, 2048, 2048): (1_273_495_552, 1_374_699_520, "gopher.gopher-1.4b"),
        (32, 4096, 4096): (6_573_522_944, 7_111_835_648, "gopher.gopher-7.1b"),
    }
    for shape, (ordinary, relative, claim) in counts.items():
        assert (standard(*shape), with_relative_positions(*shape)) == (ordinary, relative)
        assert readings.measured("standard", f"{claim}.parameters") == ordinary
        assert readings.verdict("standard", f"{claim}.parameters") is None
        assert readings.verdict("transformer-xl", f"{claim}.parameters") == "matches-rounded"


def test_attention_is_causal_and_knows_distances(readings: Readings) -> None:
    """A later token changes no earlier score; with relative positions their order changes later."""
    torch.manual_seed(0)
    network = type(readings.run("transformer-xl", "m44").network)
    sizes = {"layers": 1, "width": 16, "ffw": 64, "kv_size": 4, "heads": 3, "vocabulary": 11}
    for relative in (True, False):
        model = network(**sizes, relative=relative, vectors=True, biases=True).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter)
        tokens = torch.arange(8)[None]
        later, swapped = tokens.clone(), tokens.clone()
        later[0, 5] = 9
        swapped[0, 2], swapped[0, 3] = 3, 2
        with torch.no_grad():
            before, after, other = model(tokens), model(later), model(swapped)
        torch.testing.assert_close(before[:, :5], after[:, :5])
        assert not torch.allclose(before[:, 5:], after[:, 5:])
        assert torch.allclose(before[:, 7], other[:, 7], atol=1e-4) is not relative


def test_what_is_denied(readings: Readings) -> None:
    """Ordinary attention denies what the paper on Gopher says of positions."""
    study = readings.study
    assert denied_statements(study, readings.reading("standard")) == ["relative-positions"]
    assert denied_statements(study, readings.reading("transformer-xl")) == []


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    (check,) = (item.check for item in readings.study.evidence if item.check)
    assert readings.run("transformer-xl", "m44").value(check) is True
    assert readings.run("standard", "m44").value(check) is False
    assert readings.study.conclusion.interpretation not in readings.excluded()
