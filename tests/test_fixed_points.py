"""What the AlexNet study must measure, from closed forms that share nothing with the library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import text_table

CEIL_POOLS = "p0-floor-ceilpool"
FIFTY_FIVE = ("crop-227", "pad-3", "pad-1-2", "pad-2", "ceil", "ungrouped", "slip-48-for-55")
READINGS = ("p0-floor", CEIL_POOLS, *FIFTY_FIVE, "pad-3-ceil", "same", "torchvision")
EXCLUDED = {"p0-floor", CEIL_POOLS, "pad-3-ceil", "same", "crop-227"}
MATCHED = ("conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")

CONV1 = dict.fromkeys(FIFTY_FIVE, 290_400) | {
    "p0-floor": 279_936,
    CEIL_POOLS: 279_936,
    "pad-3-ceil": 301_056,
    "same": 301_056,
    "torchvision": 193_600,
}
PARAMETERS = dict.fromkeys(READINGS, 60_965_224) | {
    "p0-floor": 49_430_888,
    "pad-3-ceil": 74_596_712,
    "ungrouped": 62_378_344,
    "torchvision": 61_100_840,
}
NEURONS = dict.fromkeys(FIFTY_FIVE, 659_272) | {"p0-floor": 609_640, CEIL_POOLS: 648_808}

Rows = list[dict[str, str]]


def rows(folder: Path, name: str, **wanted: str) -> Rows:
    """The rows of a table whose cells are as wanted."""
    every: Rows = text_table(folder / f"{name}.csv").to_dict("records")
    return [row for row in every if wanted.items() <= row.items()]


def row(folder: Path, name: str, **wanted: str) -> dict[str, str]:
    """The only row of a table whose cells are as wanted."""
    (only,) = rows(folder, name, **wanted)
    return only


def summary(folder: Path) -> dict[str, object]:
    """reconciliation.json."""
    content: dict[str, object] = json.loads((folder / "reconciliation.json").read_text())
    return content


def test_every_reading_is_measured(alexnet_results: Path) -> None:
    """The twelve readings are there under their ids, and every one was built and run."""
    totals = rows(alexnet_results, "totals")
    assert sorted(total["interpretation"] for total in totals) == sorted(READINGS)
    assert {total["status"] for total in totals} == {"measured"}


@pytest.mark.parametrize("reading", READINGS)
def test_first_layer(alexnet_results: Path, reading: str) -> None:
    """conv1 has 96 maps of 54, 55 or 56 in width, as the geometry of the reading says."""
    conv1 = row(alexnet_results, "layers", interpretation=reading, layer="conv1")
    assert int(conv1["neurons"]) == CONV1[reading]


@pytest.mark.parametrize("reading", READINGS)
def test_parameters(alexnet_results: Path, reading: str) -> None:
    """The parameters of a reading are those of its closed form."""
    total = row(alexnet_results, "totals", interpretation=reading)
    assert int(total["parameters"]) == PARAMETERS[reading]


@pytest.mark.parametrize("reading", NEURONS)
def test_neurons(alexnet_results: Path, reading: str) -> None:
    """The neurons of the convolutional and fully connected layers sum to the known totals."""
    total = row(alexnet_results, "totals", interpretation=reading)
    assert int(total["neurons"]) == NEURONS[reading]


def test_other_fixed_layers(alexnet_results: Path) -> None:
    """conv2 of `p0-floor` has 173,056 neurons and the input of `crop-227` has 154,587."""
    conv2 = row(alexnet_results, "layers", interpretation="p0-floor", layer="conv2")
    image = row(alexnet_results, "layers", interpretation="crop-227", layer="input")
    assert (conv2["neurons"], image["neurons"]) == ("173056", "154587")


def test_layer_rows_of_the_paper(alexnet_results: Path) -> None:
    """Every reading has one row for each layer of the paper, both towers in the same row."""
    wanted = ["input", *(f"conv{i}" for i in range(1, 6)), "pool1", "pool2", "pool5"]
    wanted += ["fc6", "fc7", "fc8"]
    for reading in READINGS:
        names = [r["layer"] for r in rows(alexnet_results, "layers", interpretation=reading)]
        assert [names.count(layer) for layer in wanted] == [1] * len(wanted)


def test_multiply_adds(alexnet_results: Path) -> None:
    """The network of `ceil` has 724,406,816 multiply-adds, as fvcore and calflops count them."""
    assert row(alexnet_results, "totals", interpretation="ceil")["macs"] == "724406816"


def test_one_verdict_a_reading_and_claim(alexnet_results: Path) -> None:
    """verdicts.csv has exactly one row for every interpretation and claim."""
    keys = [(v["interpretation"], v["claim"]) for v in rows(alexnet_results, "verdicts")]
    assert len(keys) == len(set(keys)) == len(READINGS) * 15


def test_only_the_slip_explains_the_printed_number(alexnet_results: Path) -> None:
    """253,440 is explained by the slip and contradicted under every other reading."""
    verdicts = rows(alexnet_results, "verdicts", claim="conv1")
    explained = [v["interpretation"] for v in verdicts if v["verdict"] == "explained-by-slip"]
    assert explained == ["slip-48-for-55"]
    others = {v["verdict"] for v in verdicts if v["interpretation"] != "slip-48-for-55"}
    assert others == {"contradicts"}
    assert {v["printed"] for v in verdicts} == {"253,440"}


def test_sixty_million_is_truncated(alexnet_results: Path) -> None:
    """60,965,224 parameters are "60 million" when digits are cut off, under no other rule."""
    verdicts = {
        v["interpretation"]: v["verdict"]
        for v in rows(alexnet_results, "verdicts", claim="parameters")
    }
    for reading, count in PARAMETERS.items():
        if count == 60_965_224:
            assert verdicts[reading] == "matches-truncated"
    assert verdicts["p0-floor"] == verdicts["pad-3-ceil"] == "contradicts"


def test_exact_counts_match(alexnet_results: Path) -> None:
    """Layers whose count is the printed one match exactly."""
    for claim in ("input", *MATCHED, "conv1-map", "conv2-map", "conv3-map"):
        verdict = row(alexnet_results, "verdicts", interpretation="ceil", claim=claim)
        assert verdict["verdict"] == "matches", claim


def test_share_of_the_convolutions(alexnet_results: Path) -> None:
    """conv3 holds 1.45% of the parameters: not "no more than 1%", though it rounds to 1%."""
    verdict = row(alexnet_results, "verdicts", interpretation="ceil", claim="conv-share")
    assert verdict["verdict"] == "contradicts"
    assert "1.45%" in verdict["reason"] and "rounded" in verdict["reason"]


def test_ways_to_count_650000(alexnet_results: Path) -> None:
    """650,080 convolutional neurons round to 650,000; 659,272 in all only truncate to it."""
    counted = {
        (c["interpretation"], c["counting"]): (c["measured"], c["verdict"])
        for c in rows(alexnet_results, "countings", claim="total-neurons")
    }
    assert counted["ceil", "conv-only"] == ("650080", "matches-rounded")
    assert counted["ceil", "as-stated"] == ("659272", "matches-truncated")
    assert counted[CEIL_POOLS, "as-stated"] == ("648808", "matches-rounded")
    assert counted[CEIL_POOLS, "conv-only"] == ("639616", "contradicts")


def test_the_paper_contradicts_its_own_abstract(alexnet_results: Path) -> None:
    """The caption's row sums to 622,312, which is 650,000 by no convention."""
    check = row(alexnet_results, "consistency", check="row-sum")
    assert (check["computed"], check["verdict"]) == ("622312", "contradicts")


def test_coverage_of_the_input(alexnet_results: Path) -> None:
    """`p0-floor` sees 49,729 of 50,176 pixels, `ceil` all of them."""
    seen = {
        c["interpretation"]: (c["seen"], c["positions"]) for c in rows(alexnet_results, "coverage")
    }
    assert seen["p0-floor"] == seen[CEIL_POOLS] == ("49729", "50176")
    for reading in set(READINGS) - {"p0-floor", CEIL_POOLS, "crop-227"}:
        assert seen[reading] == ("50176", "50176")
    assert seen["crop-227"] == ("51529", "51529")


def test_windows_of_the_first_layer(alexnet_results: Path) -> None:
    """54 windows end at pixel 222 of 224; the 55th of `ceil` reads 3 columns outside the image."""
    floor = rows(alexnet_results, "windows", interpretation="p0-floor")[-1]
    ceil = rows(alexnet_results, "windows", interpretation="ceil")[-1]
    assert [floor[k] for k in ("window", "windows", "last", "zeros")] == ["53", "54", "222", "0"]
    assert [ceil[k] for k in ("window", "windows", "first", "last", "zeros")] == [
        "54", "55", "216", "223", "3",
    ]  # fmt: skip


def test_every_check_of_the_evidence_holds(alexnet_results: Path) -> None:
    """No computed check of the study fails on what was measured."""
    outcomes = {e["evidence"]: e["outcome"] for e in rows(alexnet_results, "evidence")}
    assert "fails" not in outcomes.values(), outcomes
    assert list(outcomes.values()).count("holds") > 10


def test_excluded_readings(alexnet_results: Path) -> None:
    """Evidence excludes the five readings that the sources rule out, each with a reason."""
    ranking = summary(alexnet_results)["ranking"]
    assert isinstance(ranking, list)
    excluded = {entry["interpretation"] for entry in ranking if entry["excluded"]}
    assert excluded >= EXCLUDED
    assert not excluded & {"ceil", "slip-48-for-55"}
    assert all(entry["excluded_by"] and entry["reasons"] for entry in ranking if entry["excluded"])


def test_ranking(alexnet_results: Path) -> None:
    """The network of `ceil` ranks first, by the rule, with its slip as the explanation."""
    ranking = summary(alexnet_results)["ranking"]
    assert isinstance(ranking, list)
    assert [entry["interpretation"] for entry in ranking][:2] == ["slip-48-for-55", "ceil"]
    assert sorted(entry["interpretation"] for entry in ranking) == sorted(READINGS)


def test_equal_counts(alexnet_results: Path) -> None:
    """Counts alone cannot tell `pad-1-2`, `pad-2`, `pad-3` and `ceil` apart, and that is said."""
    groups = summary(alexnet_results)["equal_counts"]
    assert isinstance(groups, list)
    assert any({"pad-1-2", "pad-2", "pad-3", "ceil"} <= set(group) for group in groups)


def test_conclusion_is_resolved(alexnet_results: Path) -> None:
    """The conclusion's numbers are measured ones and no reference is left in it."""
    conclusion = summary(alexnet_results)["conclusion"]
    assert isinstance(conclusion, dict)
    text = conclusion["answer"] + "".join(reason["text"] for reason in conclusion["reasons"])
    assert "{" not in text
    for number in ("290,400", "253,440", "650,080", "49,729", "50,176", "154,587"):
        assert number in text
