"""The author's conclusion rests on measured numbers and on a reading that stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured

from reconcile.errors import InputError
from reconcile.judge.conclusion import UnresolvedError, resolver
from reconcile.judge.evidence import check_paper
from reconcile.judge.reconciliation import reconcile_study
from reconcile.study.model import Study

MakeStudy = Callable[..., Study]


def resolved(study: Study, text: str) -> str:
    """A text with its references replaced."""
    return resolver(study, measured(study, TINY_LAYERS), check_paper(study))(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No reference.", "No reference."),
        ("{ceil.conv.neurons} neurons", "64 neurons"),
        ("{floor.network.parameters}", "410"),
        ("{ceil.[cf]*.neurons}", "74"),
        ("{ceil.network.macs} and {ceil.network.flops}", "1,216 and 2,432"),
        ("printed {claim:parameters}", "printed 0.7 thousand"),
        ("{consistency:product} by the drawing", "64 by the drawing"),
        ("{ceil.conv.width} × {ceil.conv.height}", "4 × 4"),
    ],
)
def test_references(tiny: Study, text: str, expected: str) -> None:
    """A reference is replaced by the printed, computed or measured number."""
    assert resolved(tiny, text) == expected


@pytest.mark.parametrize(
    "reference",
    [
        "claim:none", "consistency:none", "evidence:rounds-up", "ceil.conv9.neurons",
        "ceil.conv.colour", "ceil.conv", "ceil", "", "nobody.conv.neurons", "ceil.relu.seen",
        "ceil.network.width", "ceil.network.seen", "ceil..neurons", "1 + 1", "ceil.*.width",
    ],
)  # fmt: skip
def test_references_that_do_not_resolve(tiny: Study, reference: str) -> None:
    """A reference to nothing fails, is repeated, and what is accepted is said."""
    with pytest.raises(UnresolvedError) as caught:
        resolved(tiny, f"There are {{{reference}}} of them.")
    assert str(caught.value).startswith(f"{{{reference}}} does not resolve to a number")
    assert "accepted are {claim:<id>}" in str(caught.value)


def test_ids_with_dots(make_study: MakeStudy) -> None:
    """The longest interpretation that a reference starts with is meant."""

    def change(data: dict[str, Any]) -> None:
        data["interpretations"].append(data["interpretations"][0] | {"id": "ceil.conv"})

    study = make_study(change)
    rows = [
        r | {"interpretation": "ceil.conv"} for r in TINY_LAYERS if r["interpretation"] == "floor"
    ]
    resolve = resolver(study, measured(study, [*TINY_LAYERS, *rows]), [])
    assert resolve("{ceil.conv.conv.neurons}") == "36"


def test_reading_of_several_networks(make_study: MakeStudy) -> None:
    """The network is named between the reading and the layer when a reading has several."""
    sizes: dict[str, Any] = {"one": {}, "two": {}}
    study = make_study(lambda data: data["interpretations"][0].update(networks=sizes))
    rows = [row | {"network": "two"} for row in TINY_LAYERS if row["interpretation"] == "floor"]
    measurements = measured(study, [*TINY_LAYERS[4:], *rows])
    measurements.totals["floor", "two"] = measurements.totals["floor", "main"]
    resolve = resolver(study, measurements, [])
    assert resolve("{floor.two.conv.neurons}") == "36"
    for reference in ("{floor.conv.neurons}", "{floor.three.conv.neurons}"):
        with pytest.raises(UnresolvedError):
            resolve(reference)


def conclude(make_study: MakeStudy, tmp_path: Path, **keys: Any) -> dict[str, Any]:
    """The conclusion of the tiny study, reconciled with some keys changed."""
    study = make_study(lambda data: data["conclusion"].update(keys))
    done = reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    conclusion: dict[str, Any] = done.summary["conclusion"]
    return conclusion


def test_conclusion(make_study: MakeStudy, tmp_path: Path) -> None:
    """The conclusion comes out with its numbers in place."""
    conclusion = conclude(make_study, tmp_path)
    assert conclusion["answer"] == "The layer has 64 neurons, not 48."
    assert conclusion["text"] == "Four maps of 4 have 64."


@pytest.mark.parametrize("key", ["answer", "text"])
def test_unresolved_reference_fails(make_study: MakeStudy, tmp_path: Path, key: str) -> None:
    """A number that does not resolve to a measurement fails with its line."""
    with pytest.raises(InputError) as caught:
        conclude(make_study, tmp_path, **{key: "It has {ceil.conf.neurons}."})
    (fault,) = caught.value.faults
    assert (fault.key, fault.line > 1) == (f"conclusion.{key}", True)
    assert "{ceil.conf.neurons} does not resolve to a number" in fault.message


def test_excluded_choice_fails(make_study: MakeStudy, tmp_path: Path) -> None:
    """The conclusion may not choose a reading that the evidence excludes."""
    with pytest.raises(InputError) as caught:
        conclude(make_study, tmp_path, interpretation="floor")
    (fault,) = caught.value.faults
    assert fault.key == "conclusion.interpretation"
    assert fault.message == "'floor' is excluded by evidence: rounds-up"


def test_choice_that_failed_evidence_excludes(make_study: MakeStudy, tmp_path: Path) -> None:
    """Evidence whose own check fails keeps nobody from a conclusion."""

    def change(data: dict[str, Any]) -> None:
        data["evidence"][0]["check"] = "width(conv) == 5"
        data["conclusion"]["interpretation"] = "floor"

    study = make_study(change)
    done = reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    assert done.summary["conclusion"]["interpretation"] == "floor"
