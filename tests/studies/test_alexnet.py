"""The AlexNet study: its networks, its numbers and its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from reconcile.study.expressions import evaluate
from reconcile.study.model import next_by_id
from reconcile.study.plan import denied_statements
from reconcile.study.printed import reading_of_digits

if TYPE_CHECKING:
    from conftest import Readings

STUDY = "alexnet"
LAYERS = [
    *("input", "conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2", "pool2"),
    *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
    *("fc6", "relu6", "dropout6", "fc7", "relu7", "dropout7", "fc8"),
]
CONV1 = {
    "p0-floor": 279_936,
    "p0-floor-ceilpool": 279_936,
    "crop-227": 290_400,
    "pad-3": 290_400,
    "pad-1-2": 290_400,
    "pad-2": 290_400,
    "ceil": 290_400,
    "pad-3-ceil": 301_056,
    "same": 301_056,
    "ungrouped": 290_400,
    "torchvision": 193_600,
    "slip-48-for-55": 290_400,
}
PARAMETERS = dict.fromkeys(CONV1, 60965224) | {
    "p0-floor": 49_430_888,
    "pad-3-ceil": 74_596_712,
    "ungrouped": 62_378_344,
    "torchvision": 61_100_840,
}
MAPS = {
    "p0-floor": (54, 26, 26, 12, 12, 5),
    "p0-floor-ceilpool": (54, 27, 27, 13, 13, 6),
    "ceil": (55, 27, 27, 13, 13, 6),
    "pad-3-ceil": (56, 28, 28, 14, 14, 7),
    "same": (56, 27, 27, 13, 13, 6),
}
CLAIMS = [
    *("input", "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"),
    *("conv1-map", "conv2-map", "conv3-map", "total-neurons", "parameters", "conv-share"),
]


def test_ids_are_those_that_people_link_to(readings: Readings) -> None:
    """The ids of claims and readings are fixed."""
    assert [claim.id for claim in readings.study.claims] == CLAIMS
    assert [reading.id for reading in readings.study.interpretations] == list(CONV1)


def test_rows_are_the_layers_of_the_paper(readings: Readings) -> None:
    """Leaf modules carry the paper's names, in order of execution, each called once."""
    assert list(readings.run("ceil").shapes) == LAYERS
    assert not [n for n in readings.run("torchvision").shapes if n.startswith("norm")]


@pytest.mark.parametrize("reading", CONV1)
def test_counts_of_conv1_and_parameters(readings: Readings, reading: str) -> None:
    """Every reading has the counts that closed forms give."""
    run = readings.run(reading)
    assert run.value("neurons(conv1)") == CONV1[reading]
    assert run.value("parameters(network)") == PARAMETERS[reading]


@pytest.mark.parametrize("reading", MAPS)
def test_map_sizes(readings: Readings, reading: str) -> None:
    """Convolution and pooling follow the reading's rules down to fc6."""
    run = readings.run(reading)
    layers = ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5")
    assert tuple(run.one("width", layer) for layer in layers) == MAPS[reading]
    assert run.network.fc6.in_features == run.one("neurons", "pool5")


def test_totals(readings: Readings) -> None:
    """The totals that the abstract's 650,000 can be compared with."""
    totals = {"ceil": 659_272, "p0-floor-ceilpool": 648_808, "p0-floor": 609_640}
    for reading, neurons in totals.items():
        assert readings.run(reading).total("neurons") == neurons
    assert readings.run("ceil").value("neurons('conv*')") == 650_080
    assert readings.run("p0-floor").value("neurons(conv2)") == 173_056
    assert readings.run("crop-227").value("neurons(input)") == 154_587


def test_only_the_slip_explains_the_printed_number(readings: Readings) -> None:
    """No reading has 253,440 neurons in conv1; the declared slip turns 290,400 into it."""
    printed = readings.study.claim("conv1").number
    measured = {r: readings.measured(r, "conv1") for r in CONV1}
    assert not [r for r, value in measured.items() if reading_of_digits(value, printed)]
    slips = {r.id: r.slip for r in readings.study.interpretations if r.slip is not None}
    assert list(slips) == ["slip-48-for-55"]
    slip, run = slips["slip-48-for-55"], readings.run("slip-48-for-55")
    assert run.value(slip.right) == measured["slip-48-for-55"]
    assert run.value(slip.written) == printed.value == 253_440


def test_sixty_million_is_truncated(readings: Readings) -> None:
    """60,965,224 is 60 million only when digits are cut off."""
    printed = readings.study.claim("parameters").number
    assert (
        reading_of_digits(readings.measured("ceil", "parameters"), printed) == "matches-truncated"
    )


def test_no_layer_is_within_the_stated_share(readings: Readings) -> None:
    """conv3 has 1.45% of the parameters, more than the 1% that the paper allows any layer."""
    share = readings.measured("ceil", "conv-share")
    assert float(share) == pytest.approx(885_120 / 60_965_224)
    assert readings.run("ceil").value("parameters(conv4) / parameters(network)") > 0.01


def test_coverage_of_the_input(readings: Readings) -> None:
    """Rounded down, the last row and column are never seen; rounded up, all pixels are."""
    assert readings.run("p0-floor").seen() == 49_729 == 223**2
    assert readings.run("ceil").seen() == 224**2


def test_checks_agree_with_their_lists(readings: Readings) -> None:
    """A check is true of every supported reading and false of every excluded one."""
    assert readings.misjudged() == []


def test_excluded_readings(readings: Readings) -> None:
    """Evidence excludes all but the network of `ceil`, and so does not leave counts to decide."""
    kept = {"ceil", "slip-48-for-55"}
    assert readings.excluded() == set(CONV1) - kept
    by_id = {item.id: item for item in readings.study.evidence}
    equal_counts = {"pad-1-2", "pad-2", "pad-3"}
    assert equal_counts <= set(by_id["padding-zero"].excludes)


def test_denied_statements(readings: Readings) -> None:
    """What a reading denies follows from its arguments."""
    denied = {r.id: denied_statements(readings.study, r) for r in readings.study.interpretations}
    assert {r: ids for r, ids in denied.items() if ids} == {
        "crop-227": ["input-size"],
        "ungrouped": ["two-gpus"],
        "torchvision": ["kernels", "two-gpus", "response-normalization"],
    }


def test_consistency_of_the_printed_numbers(readings: Readings) -> None:
    """The paper against itself: its row does not add up, its drawn maps give the other layers."""
    scope = readings.run("ceil")
    values = {c.id: evaluate(c.compute, scope) for c in readings.study.consistency}
    assert values["row-sum"] == 622_312
    assert values["row-sum-conv"] == 613_120
    assert values["corrected-sum"] == 659_272
    assert values["corrected-sum-conv"] == 650_080
    assert values["conv1-product"] == 290_400
    for layer in ("input", "conv2", "conv3", "conv4", "conv5"):
        printed = readings.study.claim(layer).number.value
        assert values[f"{layer}-product"] == printed
    assert values["conv3-share"] > values["conv4-share"] > 1 / 100


def test_sources_are_links(readings: Readings) -> None:
    """Every item of evidence can be looked up, and GitHub links name a commit or a thread."""
    links = [s.url for item in readings.study.evidence for s in item.source]
    links += [s.url for r in readings.study.interpretations for s in r.proposed_by if s.url]
    for link in links:
        assert link is not None
        if "github.com" in link:
            assert any(f"/{kind}/" in link for kind in ("blob", "tree", "commit", "issues", "pull"))
            assert "/main/" not in link and "/master/" not in link


def activations(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """The outputs of the layers, by name."""
    seen: dict[str, Tensor] = {}
    for name, layer in network.named_children():
        layer.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output}))
    with torch.no_grad():
        network(image)
    return seen


def twin(readings: Readings, like: nn.Module, **arguments: object) -> nn.Module:
    """The network with other arguments and the same weights."""
    shared = readings.study.arguments | arguments
    other = type(like)(**shared).eval()
    other.load_state_dict(like.state_dict())
    return other


def test_ceil_is_padding_at_the_right_and_bottom(readings: Readings) -> None:
    """Rounding up equals explicit padding (0, 3) in every activation, and no other padding."""
    torch.manual_seed(0)
    network = readings.build("ceil")
    image = torch.rand(1, 3, 224, 224)
    expected = activations(network, image)
    same = activations(twin(readings, network, conv1_padding=[0, 3]), image)
    for name, output in expected.items():
        torch.testing.assert_close(same[name], output, rtol=0, atol=0)
    for padding in ([1, 2], [2, 2], [3, 3]):
        other = activations(twin(readings, network, conv1_padding=padding), image)
        assert other["conv1"].shape == expected["conv1"].shape
        for name in ("conv1", "conv5", "fc8"):
            assert not torch.allclose(other[name], expected[name], rtol=1e-3, atol=1e-4), name


def test_towers_do_not_see_each_other(readings: Readings) -> None:
    """Normalisation and conv2 of one tower do not change with the maps of the other."""
    torch.manual_seed(0)
    network = readings.build("ceil")
    maps = torch.rand(1, 96, 9, 9)
    changed = maps.clone()
    changed[:, 48:] += 1
    for layer in (network.norm1, network.conv2):
        with torch.no_grad():
            before, after = layer(maps), layer(changed)
        half = before.shape[1] // 2
        assert torch.equal(before[:, :half], after[:, :half])
        assert not torch.equal(before[:, half:], after[:, half:])


def test_normalisation_follows_the_paper(readings: Readings) -> None:
    """B = a / (2 + 1e-4 * sum of a^2 over five maps) ** 0.75 (section 3.3)."""
    torch.manual_seed(0)
    network = readings.build("ceil")
    maps = 30 * torch.rand(1, 96, 2, 2)
    squares = maps[:, 8:13].square().sum(1)
    expected = maps[:, 10] / (2 + 1e-4 * squares) ** 0.75
    torch.testing.assert_close(network.norm1(maps)[:, 10], expected)


def test_conclusion_is_not_excluded(readings: Readings) -> None:
    """The conclusion chooses a reading that the evidence leaves standing."""
    chosen = readings.study.conclusion.interpretation
    assert chosen not in readings.excluded()
    assert next_by_id(readings.study.interpretations, chosen).slip is not None
