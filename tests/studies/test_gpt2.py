"""The GPT-2 study: the printed counts are those of another vocabulary."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest
import torch

from reconcile.study.plan import denied_statements

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "gpt2"
SIZES = ("small", "medium", "large", "xl")
PARAMETERS = {
    "paper": (124_439_808, 354_823_168, 774_030_080, 1_557_611_200),
    "gpt1-vocabulary": (116_929_536, 344_809_472, 761_512_960, 1_541_964_800),
    "gpt1-vocabulary-and-context": (116_536_320, 344_285_184, 760_857_600, 1_541_145_600),
}


@pytest.mark.parametrize("reading", PARAMETERS)
def test_parameters(readings: Readings, reading: str) -> None:
    """12 d^2 + 13 d a block, 2 d for the last normalisation, (V + T) d for the embeddings."""
    runs = [readings.run(reading, size) for size in SIZES]
    assert tuple(run.total("parameters") for run in runs) == PARAMETERS[reading]
    for run in runs:
        d, blocks = run.arguments["width"], run.arguments["layers"]
        rest = (run.arguments["vocabulary"] + run.arguments["context"] + 2) * d
        assert run.total("parameters") == blocks * (12 * d * d + 13 * d) + rest


def test_which_vocabularies_the_counts_ask_for(readings: Readings) -> None:
    """117M and 345M leave 40,176 to 41,152 words when rounded, and GPT-1's 40,478 is one of them.

    From the closed form: the rest of the network does not depend on the vocabulary.
    """
    (wanted,) = readings.study.solve
    claims = {claim.id: claim for claim in readings.study.claims}
    held = []
    for size in wanted.claims:
        run = readings.run(wanted.interpretation, size)
        width = run.arguments["width"]
        rest = run.total("parameters") - run.arguments["vocabulary"] * width
        rounds = claims[size].number.rounds
        held.append({v for v in wanted.values if rounds(Fraction(rest + v * width))})
    both = set.intersection(*held)
    assert (min(both), max(both), len(both)) == (40_176, 41_152, 977)
    assert 40_478 in both


def test_one_reading_fits_all_four(readings: Readings) -> None:
    """Only GPT-1's vocabulary with the new context rounds to every printed count."""
    fits = {
        reading.id: list(takewhile(partial(readings.verdict, reading.id), SIZES))
        for reading in readings.study.interpretations
    }
    assert [reading for reading, sizes in fits.items() if sizes == list(SIZES)] == [
        "gpt1-vocabulary"
    ]
    assert fits["paper"] == []


def test_nothing_is_allocated(readings: Readings) -> None:
    """The largest network is built and run without memory for its weights."""
    run = readings.run("paper", "xl")
    assert all(p.is_meta for p in run.network.parameters())
    assert run.shapes["output"] == (1024, 50257)


def test_sharing_counts_once(readings: Readings) -> None:
    """An output of its own costs another table of the vocabulary."""
    tied, untied = readings.run("paper", "small"), readings.run("untied", "small")
    assert untied.total("parameters") - tied.total("parameters") == 50_257 * 768


def test_attention_is_causal(readings: Readings) -> None:
    """A later token changes no earlier score."""
    torch.manual_seed(0)
    network = type(readings.run("paper", "small").network)
    arguments = readings.study.arguments | {"vocabulary": 50, "context": 8}
    model = network(layers=2, width=128, **arguments).eval()
    tokens = torch.arange(8)[None]
    changed = tokens.clone()
    changed[0, 5] = 40
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_denied_statements(readings: Readings) -> None:
    """The reading that fits denies what the text says of the vocabulary, and nothing else."""
    assert denied_statements(readings.study, readings.reading("gpt1-vocabulary")) == ["vocabulary"]


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []
    assert readings.study.conclusion.interpretation not in readings.excluded()
