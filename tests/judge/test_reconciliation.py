"""A study and its measurements put together: tables, ranking and summary."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured
from tiny_sweep import CEIL, FLOOR, add_sweep, swept_layers

from reconcile.errors import InputError
from reconcile.files import json_text
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import Reconciliation, reconcile_study
from reconcile.study.model import Study
from reconcile.tables.frames import table, write_table

MakeStudy = Callable[..., Study]


@pytest.fixture
def done(tiny: Study, tiny_measured: Measurements, tmp_path: Path) -> Reconciliation:
    """The tiny study, reconciled."""
    return reconcile_study(tiny, tmp_path / "tiny", tiny_measured)


def test_one_verdict_a_reading_and_claim(done: Reconciliation) -> None:
    """verdicts.csv has one row for every reading and claim, in the order of the study."""
    keys = done.tables["verdicts.csv"][["interpretation", "claim"]].to_records(index=False).tolist()
    claims = ("conv", "map", "parameters", "neurons", "share")
    assert keys == [(r, c) for r in ("floor", "ceil", "slip") for c in claims]


def test_every_counting_is_kept(done: Reconciliation) -> None:
    """countings.csv has one row for every reading, claim and counting."""
    countings = done.tables["countings.csv"]
    assert len(countings) == 3 * (5 + 1)
    own = countings[(countings.interpretation == "ceil") & (countings.claim == "neurons")]
    assert own.measured.tolist() == ["74", "64"]


def test_machine_numbers_are_plain(done: Reconciliation) -> None:
    """Tables hold plain numbers, shares to ten digits, and empty cells where nothing applies."""
    verdicts = done.tables["verdicts.csv"].set_index(["interpretation", "claim"])
    assert verdicts.measured["ceil", "conv"] == "64"
    assert verdicts.measured["ceil", "share"] == "0.9420289855"


def test_evidence_rows(done: Reconciliation) -> None:
    """evidence.csv has the ids separated by spaces and the outcome of each check."""
    rows = done.tables["evidence.csv"].to_dict("records")
    assert (rows[0]["supports"], rows[0]["excludes"]) == ("ceil slip", "floor")
    assert [row["outcome"] for row in rows] == ["holds", "not-computed"]


def test_counts(done: Reconciliation) -> None:
    """The summary counts claims of the reading concluded on, and what was measured and excluded."""
    assert done.summary["counts"] == {
        "claims": 5, "reproduced": 3, "reproduced_otherwise": 0, "reproduced_weakly": 0,
        "contradicted": 1, "explained": 1, "not_measured": 0, "interpretations": 3,
        "excluded": 1, "measured": 3, "readings": 3,
        "readings_measured": 3, "readings_partly_measured": 0, "readings_excluded": 1,
        "combinations": 0, "combinations_measured": 0, "combinations_partly_measured": 0,
        "combinations_excluded": 0,
    }  # fmt: skip


def test_ranking_is_best_first(done: Reconciliation) -> None:
    """The ranking holds every reading with its score's parts and reasons."""
    ranking = done.summary["ranking"]
    assert [(e["rank"], e["interpretation"]) for e in ranking] == [
        (1, "slip"), (2, "ceil"), (3, "floor"),
    ]  # fmt: skip
    assert ranking[2]["excluded_by"] == ["rounds-up"]
    assert ranking[0]["score"]["claims_contradicted"] == 1
    assert ranking[1]["reasons"][0] == "contradicts 2 claims: conv, share"


def test_what_tells_of_each_claim(done: Reconciliation) -> None:
    """The summary has the verdict of the reading concluded on, and the study's outcome."""
    told = {c["id"]: (c["verdict"], c["measured"]) for c in done.summary["claims"]}
    assert told["conv"] == ("explained-by-slip", "64") and told["map"] == ("matches", "4")
    assert {c["interpretation"] for c in done.summary["claims"]} == {"slip"}
    assert done.summary["outcome"] == "contradicted"


def test_claims_of_the_summary(done: Reconciliation) -> None:
    """Every claim comes with its interval and the readings that match it."""
    claims = {claim["id"]: claim for claim in done.summary["claims"]}
    assert claims["parameters"]["rounded"] == ["650", "750"]
    assert claims["parameters"]["truncated"] == ["700", "800"]
    assert claims["map"]["matched_by"] == ["ceil", "slip"]
    assert claims["conv"]["matched_by"] == []


def test_equal_counts(done: Reconciliation) -> None:
    """Readings whose layers are all equal are told apart by no count, and that is said."""
    assert done.summary["equal_counts"] == [["ceil", "slip"]]
    assert any(
        "Counts cannot decide between ceil and slip" in note for note in done.summary["notes"]
    )


def test_a_claim_on_an_argument_tells_apart(make_study: MakeStudy, tmp_path: Path) -> None:
    """Readings of equal layers whose claims have other values are not beyond counts."""

    def change(data: dict[str, Any]) -> None:
        words = {"quote": "8", "where": "p. 1", "printed": "8"}
        data["claims"].append({"id": "unit", "quantity": "argument(size)"} | words)
        data["interpretations"][2]["network"]["size"] = 9

    study = make_study(change)
    done = reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    assert done.summary["equal_counts"] == []


def test_claims_with_several_countings_get_a_note(done: Reconciliation) -> None:
    """How many countings give a number under which reading is said in a sentence."""
    (note,) = [n for n in done.summary["notes"] if n.startswith("70 (neurons)")]
    assert "all layers 74 (matches-rounded)" in note
    assert "fits none of floor" in note


def test_summary_is_plain_json(done: Reconciliation) -> None:
    """reconciliation.json holds what JSON has, so that any tool reads it."""
    assert json.loads(json_text(done.summary)) == done.summary


def test_reading_back_gives_the_same(
    tiny: Study, tiny_measured: Measurements, tmp_path: Path, done: Reconciliation
) -> None:
    """Reconciling the written tables gives what reconciling the measurements gave."""
    write_table(tmp_path, "layers.csv", table("layers.csv", _rows(TINY_LAYERS)))
    totals = list(tiny_measured.totals.values())
    write_table(tmp_path, "totals.csv", table("totals.csv", totals))
    for name in ("tensors.csv", "coverage.csv", "outputs.csv"):
        write_table(tmp_path, name, table(name, []))
    again = reconcile_study(tiny, tmp_path / "tiny", Measurements.read(tmp_path))
    assert again.summary == done.summary
    for name, content in done.tables.items():
        assert again.tables[name].equals(content)


def _rows(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"network": "main", "parameters": 0, "macs": 0, "connections": 0} | r for r in layers]


def test_layer_that_no_reading_has(make_study: MakeStudy, tmp_path: Path) -> None:
    """A claim on a layer that is nowhere is a fault with its line, not a row of blanks."""
    study = make_study(lambda data: data["claims"][0].update(of="conv9"))
    with pytest.raises(InputError) as caught:
        reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    (fault,) = caught.value.faults
    assert fault.key == "claims.0" and fault.line > 1
    assert "there is no layer 'conv9'" in fault.message


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("claims", {"quantity": "neurons(conv) / (width(conv) - height(conv))", "of": None}),
        ("evidence", {"check": "neurons(conv) / (width(conv) - height(conv)) == 1"}),
        ("evidence", {"check": "argument(rule) + 1 == 2"}),
    ],
)
def test_expression_without_a_value(
    make_study: MakeStudy, tmp_path: Path, section: str, change: dict[str, Any]
) -> None:
    """An expression that cannot be evaluated is a fault with the line of what it belongs to."""
    study = make_study(lambda data: data[section][0].update(change))
    with pytest.raises(InputError) as caught:
        reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    (fault,) = caught.value.faults
    lines = (tmp_path / "tiny" / "study.yaml").read_text().splitlines()
    assert fault.key == f"{section}.0"
    assert lines[fault.line - 1].startswith(f"- id: {study.model_dump()[section][0]['id']}")


def test_nothing_measured(tiny: Study, tmp_path: Path) -> None:
    """Where nothing could be measured, the conclusion is what fails for want of numbers."""
    nothing = measured(tiny, [], floor="killed", ceil="killed", slip="killed")
    with pytest.raises(InputError, match=r"conclusion\.answer: .* does not resolve"):
        reconcile_study(tiny, tmp_path / "tiny", nothing)


def test_consistency_table(make_study: MakeStudy, tmp_path: Path) -> None:
    """The paper against itself needs the study alone."""
    (row,) = consistency_table(make_study(), tmp_path / "tiny").to_dict("records")
    assert (row["printed"], row["computed"], row["verdict"]) == ("48", "64", "contradicts")


@pytest.fixture
def swept(make_study: Callable[..., Study], tmp_path: Path) -> Reconciliation:
    """The tiny study with a sweep of four combinations, two of which are its own readings."""
    study = make_study(add_sweep)
    return reconcile_study(study, tmp_path / "tiny", measured(study, swept_layers()))


def test_combinations_are_ranked_apart(swept: Reconciliation) -> None:
    """The study's own readings have the ranks that they have without a sweep."""
    places = {
        key: [(e["rank"], e["interpretation"]) for e in swept.summary[key]]
        for key in ("ranking", "combinations")
    }
    assert places == {
        "ranking": [(1, "slip"), (2, "ceil"), (3, "floor")],
        "combinations": [(1, CEIL), (2, FLOOR)],
    }
    assert swept.summary["combinations"][1]["excluded_by"] == ["rounds-up"]
    counts = swept.summary["counts"]
    assert (counts["readings"], counts["combinations"]) == (3, 2)
    assert (counts["readings_excluded"], counts["combinations_excluded"]) == (1, 1)


def test_conflicts_of_readings_and_of_combinations(swept: Reconciliation) -> None:
    """Both are held against the claims; a reading that is a combination too is in both."""
    found = {each["scope"]: each for each in swept.summary["conflicts"]}
    assert {scope: each["candidates"] for scope, each in found.items()} == {
        "readings": 3,
        "combinations": 4,
    }
    rows = swept.tables["conflicts.csv"].to_dict("records")
    assert [(r["scope"], r["claims"]) for r in rows] == [
        (scope, " ".join(one["claims"])) for scope, each in found.items() for one in each["found"]
    ]


def test_a_combination_that_evidence_excludes_is_no_conclusion(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    """A check speaks of a combination that no list could name."""

    def change(data: dict[str, Any]) -> None:
        add_sweep(data)
        data["conclusion"]["interpretation"] = FLOOR

    study = make_study(change)
    with pytest.raises(InputError, match="is excluded by evidence: rounds-up"):
        reconcile_study(study, tmp_path / "tiny", measured(study, swept_layers()))


def test_counts_cannot_decide_is_one_sentence_a_group(swept: Reconciliation) -> None:
    """The study's own readings are told apart, not every combination that is like one."""
    said = [note for note in swept.summary["notes"] if note.startswith("Counts cannot decide")]
    assert said == ["Counts cannot decide between ceil and slip: every layer has equal counts."]


def test_what_was_not_measured_is_not_contradicted(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    """Neither in the counts, nor in the score, nor in the sentences."""
    study = make_study(lambda data: data["conclusion"].update(answer="?", text="?"))
    failed = dict.fromkeys(("floor", "ceil", "slip"), "killed")
    done = reconcile_study(study, tmp_path / "tiny", measured(study, [], **failed))
    counts = done.summary["counts"]
    assert (counts["contradicted"], counts["not_measured"]) == (0, 5)
    assert [e["score"]["claims_contradicted"] for e in done.summary["ranking"]] == [0, 0, 0]
    assert done.summary["notes"] == ["70 (neurons) was measured under no reading."]
    (conflicts,) = done.summary["conflicts"]
    assert (
        conflicts["says"]
        == "Nothing is known of conflicts: no claim was measured under any reading."
    )
