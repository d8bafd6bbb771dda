"""Loading a study: what is checked, and how what is wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from breaking import broken_data, broken_text, changed, is_a_good_line, places_in, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import LINKS, PROJECT, put_link, study_data, write_study

from reconcile.errors import MOST_TOLD, InputError
from reconcile.study.load import load_study
from reconcile.study.model import Study, next_by_id
from reconcile.study.plan import arguments_of, denied_statements, networks_of, plan_of
from reconcile.study.yamlfile import load_yaml

Change = Callable[[dict[str, Any]], object]


def faults(folder: Path) -> list[str]:
    """The lines that refuse a study, without its folder's path."""
    with pytest.raises(InputError) as caught:
        load_study(folder)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def fault(tmp_path: Path, change: Change) -> str:
    """The only line that refuses the tiny study after a change, without file and number."""
    data = study_data()
    change(data)
    (line,) = faults(write_study(tmp_path / "tiny", data))
    place, _, rest = line.partition(": ")
    assert place.startswith("study.yaml:") and int(place.removeprefix("study.yaml:")) >= 1
    return rest


def test_tiny_study(tiny: Study) -> None:
    """A good study loads with everything in it."""
    assert [claim.id for claim in tiny.claims] == ["conv", "map", "parameters", "neurons", "share"]
    assert tiny.claim("conv").expression == "neurons('conv')"
    assert tiny.claim("share").expression == "parameters(fc) / parameters(network)"


@pytest.mark.parametrize(
    "folder", sorted(f.parent.name for f in PROJECT.glob("studies/*/study.yaml"))
)
def test_studies_of_the_project(folder: str) -> None:
    """Every study in the project is a good one."""
    assert load_study(PROJECT / "studies" / folder).claims


def test_arguments_of_a_reading(tiny: Study) -> None:
    """A reading's own arguments take the place of the shared ones."""
    ceil = next_by_id(tiny.interpretations, "ceil")
    assert networks_of(tiny, ceil) == {"main": {"size": 8, "kernels": 4, "rule": "ceil"}}
    assert arguments_of(tiny, ceil, "rule") == ["ceil"]
    assert arguments_of(tiny, ceil, "unheard-of") == []


def test_several_networks(make_study: Callable[..., Study]) -> None:
    """A reading of several sizes has its networks by name, each with the shared arguments."""
    sizes = {"small": {"kernels": 2}, "large": {"kernels": 9}}
    study = make_study(lambda data: data["interpretations"][0].update(networks=sizes))
    floor = study.interpretations[0]
    assert networks_of(study, floor)["large"] == {"size": 8, "kernels": 9, "rule": "floor"}
    assert arguments_of(study, floor, "kernels") == [2, 9]


def test_denied_statements(make_study: Callable[..., Study]) -> None:
    """A reading denies a statement whose argument it gives another value; a bare one never."""

    def change(data: dict[str, Any]) -> None:
        data["interpretations"][0]["network"] = {"size": 9}

    study = make_study(change)
    assert [denied_statements(study, r) for r in study.interpretations] == [["side"], [], []]


@pytest.mark.parametrize(
    ("relation", "value", "denied"),
    [
        ({"relation": "about", "within": "5%"}, 8.4, False),
        ({"relation": "about", "within": "5%"}, 8.5, True),
        ({"relation": "about", "within": 1}, 7, False),
        ({"relation": "about", "within": 1}, None, True),
        ({"relation": "at-most"}, 8, False),
        ({"relation": "at-most"}, 9, True),
        ({"relation": "at-least"}, 9, False),
        ({"relation": "at-least"}, 7, True),
        ({}, 8, False),
        ({}, None, True),
    ],
)
def test_statements_about_numbers(
    make_study: Callable[..., Study], relation: dict[str, Any], value: Any, denied: bool
) -> None:
    """A statement may be about a number, or a bound; a reading denies it only beyond that."""

    def change(data: dict[str, Any]) -> None:
        data["statements"][0].update(relation)
        data["interpretations"][0]["network"] = {"size": value}

    study = make_study(change)
    assert denied_statements(study, study.interpretations[0]) == (["side"] if denied else [])


def test_ids_with_capitals(make_study: Callable[..., Study]) -> None:
    """An id may have capitals, as a paper's names have: A to E, ResNet-50."""
    study = make_study(lambda data: data["claims"][4].update(id="C1-Conv", version="v1"))
    assert study.claim("C1-Conv").place == "p. 3 (v1)"


MESSAGES: dict[str, tuple[Change, str]] = {
    "unknown key": (
        lambda d: d["claims"][0].update(quantty="x"),
        "claims.0.quantty: unknown key, did you mean 'quantity'? Accepted here: ",
    ),
    "unknown key, nothing near": (
        lambda d: d.update(zzz=1),
        "zzz: unknown key. Accepted here: argument_help, arguments, checked, claims, ",
    ),
    "missing key": (lambda d: d["claims"][0].pop("quote"), "claims.0.quote: this key is missing"),
    "digits without quotes": (
        lambda d: d["claims"][0].update(printed=48),
        'claims.0.printed: must be the printed digits in quotes ("48"): YAML drops zeros',
    ),
    "no number": (
        lambda d: d["claims"][0].update(printed="many"),
        'claims.0.printed: "many" is no printed number; accepted are forms like "253,440"',
    ),
    "unit without reason": (
        lambda d: d["claims"][0].update(unit=10),
        "claims.0.unit: `unit` and `unit_reason` stand together or not at all",
    ),
    "unit of zero": (
        lambda d: d["claims"][3].update(unit=0),
        "claims.3.unit: must be at least 1e-30, not 0",
    ),
    "no quantity": (
        lambda d: d["claims"][0].update(quantity="nurons"),
        "claims.0.quantity: with `of` this must be a quantity, not 'nurons'; accepted: channels, ",
    ),
    "quantity without layer": (
        lambda d: d["claims"][0].pop("of"),
        "claims.0.quantity: 'neurons' needs `of` (a layer or `network`)",
    ),
    "relation": (
        lambda d: d["claims"][4].update(relation="below"),
        "claims.4.relation: must be 'equals', 'at-most', 'at-least' or 'about', not 'below'",
    ),
    "id": (
        lambda d: d["evidence"][1].update(id="No good"),
        "evidence.1.id: must be an id of letters, digits, dots, dashes and underscores, "
        "not 'No good'",
    ),
    "duplicate id": (
        lambda d: d["evidence"][1].update(id="rounds-up"),
        "evidence.1.id: the id 'rounds-up' is used twice",
    ),
    "ids that differ in capitals": (
        lambda d: d["evidence"][1].update(id="Rounds-Up"),
        "evidence.1.id: the id 'Rounds-Up' differs from 'rounds-up' only in capitals",
    ),
    "ambiguous number": (
        lambda d: d["claims"][0].update(printed="253.440"),
        'claims.0.printed: "253.440" may be 253.440 or 253,440: give `scale: 1` for the first, ',
    ),
    "about without a tolerance": (
        lambda d: d["claims"][0].update(relation="about"),
        "claims.0.within: `relation: about` and `within` stand together or not at all",
    ),
    "tolerance without about": (
        lambda d: d["claims"][0].update(within="5%"),
        "claims.0.within: `relation: about` and `within` stand together or not at all",
    ),
    "negative tolerance": (
        lambda d: d["claims"][0].update(within=-1, relation="about"),
        "claims.0.within: must be 0 or more, not -1",
    ),
    "no scale": (
        lambda d: d["claims"][0].update(scale="zillion"),
        "claims.0.scale: must be a scale like million, K, 1024, \"2^20\" or \"%\", not 'zillion'",
    ),
    "two scales": (
        lambda d: d["claims"][0].update(printed="48K", scale="million"),
        'claims.0.printed: "48K" has a scale of its own, 1,000; leave out `scale:`, which may only',
    ),
    "zeros without a reason": (
        lambda d: d["claims"][0].update(printed="480", zeros="open"),
        "claims.0.zeros: `zeros` and `zeros_reason` stand together or not at all",
    ),
    "no zeros to open": (
        lambda d: d["claims"][0].update(zeros="open", zeros_reason="so"),
        "claims.0.zeros: 48 has no zeros that may be open: no last ones, or a `unit`",
    ),
    "open zeros of a bound": (
        lambda d: d["claims"][0].update(
            printed="480", zeros="open", zeros_reason="so", relation="at-most"
        ),
        "claims.0.zeros: a claim that says at-most has no use for open zeros",
    ),
    "about in full": (
        lambda d: d["claims"][0].update(printed="~48"),
        'claims.0.printed: "~48" does not say how near: give `relation: about` with `within`, or a',
    ),
    "statement about without a tolerance": (
        lambda d: d["statements"][0].update(relation="about"),
        "statements.0.within: `relation: about` and `within` stand together or not at all",
    ),
    "statement about a word": (
        lambda d: d["statements"][0].update(relation="at-most", value="eight"),
        "statements.0.value: must be a number to be at-most",
    ),
    "duplicate counting": (
        lambda d: d["claims"][3]["countings"].append(d["claims"][3]["countings"][0]),
        "claims.3.countings.1.id: the id 'conv-only' is used twice",
    ),
    "unknown reading": (
        lambda d: d["evidence"][0]["excludes"].append("flour"),
        "evidence.0.excludes.1: there is no interpretation 'flour', did you mean 'floor'? "
        "There are: ceil, floor, slip",
    ),
    "supported and excluded": (
        lambda d: d["evidence"][0]["excludes"].append("ceil"),
        "evidence.0.excludes: 'ceil' is both supported and excluded",
    ),
    "no source": (
        lambda d: d["evidence"][0].update(source=[]),
        "evidence.0.source: must be a list of at least 1, not []",
    ),
    "unknown claim of a slip": (
        lambda d: d["interpretations"][2]["slip"].update(claim="convolution"),
        "interpretations.2.slip.claim: there is no claim 'convolution'",
    ),
    "unknown claim of a check": (
        lambda d: d["consistency"][0].update(compute="printed(mapp) * 4"),
        "consistency.0.compute: there is no claim 'mapp', did you mean 'map'?",
    ),
    "a check of the paper that has no value": (
        lambda d: d["consistency"][0].update(compute="printed(conv) / (printed(map) - 4)"),
        "consistency.0.compute: 'printed(conv) / (printed(map) - 4)' divides by zero",
    ),
    "a check of the paper that is measured": (
        lambda d: d["consistency"][0].update(compute="neurons(conv)"),
        "consistency.0.compute: neurons(conv) is measured; here only the paper's words count",
    ),
    "a check of the paper that is no number": (
        lambda d: d["consistency"][0].update(compute="printed(conv) > 3"),
        "consistency.0.compute: 'printed(conv) > 3' gives no number",
    ),
    "evidence of the paper alone that asks a reading": (
        lambda d: d["evidence"][1].update(check="argument(size) == 8"),
        "evidence.1.check: argument(size) belongs to a reading; here only the paper counts",
    ),
    "unknown statement": (
        lambda d: d["evidence"][0].update(check="stated(strid) == 2"),
        "evidence.0.check: there is no statement 'strid', did you mean 'stride'?",
    ),
    "unknown argument": (
        lambda d: d["statements"][0].update(argument="sizes"),
        "statements.0.argument: there is no network argument 'sizes', did you mean 'size'?",
    ),
    "help for no argument": (
        lambda d: d["argument_help"].update(colour="of the image"),
        "argument_help.colour: there is no network argument 'colour'",
    ),
    "expression": (
        lambda d: d["evidence"][0].update(check="__import__('os')"),
        "evidence.0.check: __import__() is not a function; accepted are channels, ",
    ),
    "syntax": (
        lambda d: d["evidence"][0].update(check="width(conv) =="),
        "evidence.0.check: is not an expression: ",
    ),
    "missing argument": (
        lambda d: [
            d["arguments"].pop("rule"),
            d["interpretations"][0].update(network={"rule": "floor"}),
            d["interpretations"][1].pop("network"),
        ],
        "interpretations.1: gives no value for rule; set it here or under `arguments`",
    ),
    "misspelt argument": (
        lambda d: d["interpretations"][1].update(network={"rul": "ceil"}),
        "interpretations.1: gives 'rul', which few others do, did you mean 'rule'? All take",
    ),
    "argument of one reading": (
        lambda d: d["interpretations"][2].update(network={"rule": "ceil", "bias": True}),
        "interpretations.2: gives 'bias', which few others do. All take the same ones",
    ),
    "misspelt argument of two readings": (
        lambda d: [
            d["interpretations"].pop(2),
            d["evidence"][0]["supports"].remove("slip"),
            d["conclusion"].update(interpretation="ceil"),
            d["interpretations"][1].update(network={"kernals": 5}),
        ],
        "interpretations.1: gives 'kernals', which few others do, did you mean 'kernels'? All take",
    ),
    "unknown network": (
        lambda d: d["claims"][0].update(network="fast"),
        "claims.0.network: there is no network 'fast'. There are: main",
    ),
    "unknown network of an expression": (
        lambda d: d["claims"][4].update(quantity="macs(fc, fast) / macs(fc)"),
        "claims.4.quantity: there is no network 'fast'. There are: main",
    ),
    "unknown network of a counting": (
        lambda d: d["claims"][3]["countings"][0].update(count="neurons(conv, fast)"),
        "claims.3.countings.0.count: there is no network 'fast'. There are: main",
    ),
    "unknown network of a check": (
        lambda d: d["evidence"][0].update(check="width(conv, fast) == 4"),
        "evidence.0.check: there is no network 'fast'. There are: main",
    ),
    "unknown claim of a reference": (
        lambda d: d["conclusion"].update(text="It is {claim:layer2}."),
        "conclusion.text: {claim:layer2} does not resolve: there is no claim 'layer2'. There are: ",
    ),
    "unknown check of a reference": (
        lambda d: d["conclusion"].update(text="It is {consistency:produkt}."),
        "conclusion.text: {consistency:produkt} does not resolve: there is no consistency "
        "'produkt', did you mean 'product'?",
    ),
    "unknown kind of reference": (
        lambda d: d["conclusion"].update(text="It is {clam:conv}."),
        "conclusion.text: {clam:conv} does not resolve: accepted are {claim:<id>}, {consistency:",
    ),
    "unknown reading of a reference": (
        lambda d: d["conclusion"].update(answer="It is {papr.conv.neurons}."),
        "conclusion.answer: {papr.conv.neurons} does not resolve: there is no interpretation "
        "'papr'. There are: ceil, floor, slip",
    ),
    "unknown quantity of a reference": (
        lambda d: d["conclusion"].update(answer="It is {ceil.conv.nurons}."),
        "conclusion.answer: {ceil.conv.nurons} does not resolve: there is no quantity 'nurons', "
        "did you mean 'neurons'?",
    ),
    "no reference": (
        lambda d: d["conclusion"].update(answer="It is {}."),
        "conclusion.answer: {} does not resolve: accepted are {claim:<id>}, {consistency:<id>}",
    ),
    "unknown reference of a reason": (
        lambda d: d["conclusion"].update(reasons=[{"text": "It is {claim:layer2}."}]),
        "conclusion.reasons.0.text: {claim:layer2} does not resolve: there is no claim 'layer2'.",
    ),
    "a reason that leads to nothing": (
        lambda d: d["conclusion"].update(reasons=[{"text": "So.", "see": ["evidence:round-up"]}]),
        "conclusion.reasons.0.see.0: there is no evidence 'round-up', did you mean 'rounds-up'?",
    ),
    "a reason that leads to a search of no claim's": (
        lambda d: d["conclusion"].update(reasons=[{"text": "So.", "see": ["search:map"]}]),
        "conclusion.reasons.0.see.0: there is no search 'map'. There are: conv",
    ),
    "a reason that leads nowhere": (
        lambda d: d["conclusion"].update(reasons=[{"text": "So.", "see": ["rounds-up"]}]),
        "conclusion.reasons.0.see.0: 'rounds-up' leads nowhere; accepted are evidence:<id>, claim:",
    ),
    "no reasons": (
        lambda d: d["conclusion"].pop("text"),
        "conclusion: give `reasons` or `text`",
    ),
    "arithmetic that is too large": (
        lambda d: d["evidence"][0].update(check=" * ".join(["2 ** 64"] * 17) + " > width(conv)"),
        "evidence.0.check: gives a number of more than 960 bits on the way",
    ),
    "link": (
        lambda d: d["paper"].update(url="javascript:alert(1)"),
        "paper.url: must be a link that starts with https:// or http://",
    ),
    "year": (
        lambda d: d["paper"].update(year="2012"),
        "paper.year: must be a whole number, not '2012'",
    ),
    "no authors": (
        lambda d: d["paper"].update(authors=[]),
        "paper.authors: must be a list of at least 1, not []",
    ),
    "argument of the wrong kind": (
        lambda d: d["arguments"].update(size={"a": 1}),
        "arguments.size: must be true or false, a whole number, a number, text or a list, "
        "not {'a': 1}",
    ),
    "list in a list": (
        lambda d: d["arguments"].update(size=[1, [2]]),
        "arguments.size.1: must be true or false, a whole number, a number or text, not [2]",
    ),
    "network": (
        lambda d: d.update(network="../network.py:Tiny"),
        "network: must be a file beside study.yaml and a class in it, like network.py:AlexNet, ",
    ),
    "network file": (lambda d: d.update(network="net.py:Tiny"), "network: there is no file "),
    "conclusion": (
        lambda d: d["conclusion"].update(interpretation="slipp"),
        "conclusion.interpretation: there is no interpretation 'slipp', did you mean 'slip'?",
    ),
    "text in place of keys": (
        lambda d: d.update(paper="a paper"),
        "paper: must be `key: value` pairs, not 'a paper'",
    ),
    "control character": (
        lambda d: d.update(title="a\x07"),
        "title: holds the control character U+0007",
    ),
    "no claims": (
        lambda d: d.update(claims=[], evidence=[], consistency=[], slips=[], geometries=[]),
        "claims: a study has at least one claim, here or in `tables`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(tmp_path: Path, name: str) -> None:
    """A fault is one line: where it is, what is wrong and what is accepted."""
    change, message = MESSAGES[name]
    found = fault(tmp_path, change)
    assert found.startswith(message), found


def test_a_claim_of_no_network_named(tmp_path: Path) -> None:
    """Where every reading has several networks, a claim says which; arithmetic need not."""

    def change(data: dict[str, Any]) -> None:
        for reading in data["interpretations"]:
            reading["networks"] = {"small": {"kernels": 2}, "large": {"kernels": 9}}
            reading.pop("slip", None)
        for claim in data["claims"]:
            claim["network"] = "small"
        del data["claims"][0]["network"], data["claims"][4]["network"]
        data["claims"][4]["quantity"] = "parameters(fc, large) / parameters(fc, small)"
        data["claims"].append({**data["claims"][4], "id": "sum", "quantity": "4 * 12"})
        data["conclusion"]["answer"] = "None."
        data["conclusion"]["text"] = "None."

    assert fault(tmp_path, change) == (
        "claims.0.network: there is no network 'main'. There are: large, small. Say which one the "
        "claim is of"
    )


def test_line_of_a_fault(tmp_path: Path) -> None:
    """The line is that of the key, as an editor counts."""
    folder = write_study(tmp_path / "tiny")
    lines = (folder / "study.yaml").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("relation:"))
    lines[at] = lines[at].replace("at-most", "below")
    (folder / "study.yaml").write_text("\n".join(lines))
    assert faults(folder)[0].startswith(f"study.yaml:{at + 1}: claims.4.relation: ")


def test_every_fault_is_told(tmp_path: Path) -> None:
    """All faults of a file are told at once, in the order of their lines."""
    data = study_data()
    data["paper"]["year"] = "x"
    data["claims"][0]["relation"] = "x"
    data["conclusion"]["txt"] = "x"
    found = faults(write_study(tmp_path / "tiny", data))
    assert [line.split(": ")[1] for line in found] == [
        "paper.year",
        "claims.0.relation",
        "conclusion.txt",
    ]


def test_no_study_file(tmp_path: Path) -> None:
    """A folder without study.yaml is one line."""
    assert faults(tmp_path) == ["study.yaml: there is no such file"]


@pytest.mark.parametrize("name", LINKS)
def test_links(tmp_path: Path, name: str) -> None:
    """A link in a study is refused by its name and not followed, wherever it lies or leads."""
    folder = write_study(tmp_path / "tiny")
    put_link(folder, *LINKS[name])
    (line,) = faults(folder)
    place, _, message = line.partition(": ")
    assert place == LINKS[name][0]
    assert message.startswith("is a symbolic link, and none is followed; put what it leads to")


def test_every_link_is_told(tmp_path: Path) -> None:
    """All links of a study are told at once, whatever else is wrong with it."""
    folder = write_study(tmp_path / "tiny", {"title": 3})
    put_link(folder, "b.txt", "/etc/passwd")
    put_link(folder, "a/c.txt", "nowhere")
    assert [line.partition(":")[0] for line in faults(folder)] == ["a/c.txt", "b.txt"]


@pytest.mark.parametrize("more", [0, 1, 1234])
def test_of_many_faults_the_first_are_told(tmp_path: Path, more: int) -> None:
    """And how many there are besides."""
    folder = write_study(tmp_path / "tiny")
    for number in range(MOST_TOLD + more):
        put_link(folder, f"{number:04}.txt", "nowhere")
    with pytest.raises(InputError) as raised:
        load_study(folder)
    told = str(raised.value).splitlines()
    assert told[MOST_TOLD:] == ([f"and {more:,} more"] if more else [])


def test_a_folder_of_no_study_says_so(tmp_path: Path) -> None:
    """In one line, whatever lies in it."""
    put_link(tmp_path, "notes.txt", "nowhere")
    assert faults(tmp_path) == ["study.yaml: there is no such file"]


def test_folder_behind_a_link(tmp_path: Path) -> None:
    """A study's folder may itself be reached through a link."""
    (tmp_path / "studies").symlink_to(write_study(tmp_path / "elsewhere" / "tiny").parent)
    (tmp_path / "tiny").symlink_to("studies/tiny")
    assert load_study(tmp_path / "tiny") == load_study(tmp_path / "elsewhere" / "tiny")


def is_refused(folder: Path, name: str) -> bool:
    """Whether a study is refused, by lines that are as they should be; else it can be used."""
    try:
        assert plan_of(load_study(folder), "tiny")["interpretations"], name
    except InputError as error:
        for one in error.faults:
            assert is_a_good_line(one), f"{name}: {one}"
            assert not one.message.startswith("cannot be checked"), f"{name}: {one}"
        return True
    return False


def test_broken_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value of a study put wrong, removed, misspelt or doubled: a line, or still a study."""
    folder = write_study(tmp_path / "tiny")
    refused = 0
    for name, data in broken_data(study_data()):
        places = dict.fromkeys([(), *places_in(data)], 1)
        monkeypatch.setattr("reconcile.study.load.load_yaml", lambda file, now=(data, places): now)
        refused += is_refused(folder, name)
    assert refused > 1000


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["conv", "1 / 0", "~9", "{claim:x}", "1.000", "ceil"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "printed", "quantity", "network", "cells", "rows", "a"]), inner,
        max_size=3),
    max_leaves=6,
)  # fmt: skip
PLACES = list(places_in(study_data()))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), tree=TREES)
def test_anything_anywhere(tmp_path: Path, place: tuple[str | int, ...], tree: Any) -> None:
    """Whatever stands in place of a value, the study is one, or refused in good lines."""
    folder = write_study(tmp_path / "tiny", changed(study_data(), place, put(tree)))
    is_refused(folder, f"{place}: {tree!r}")


SCALARS = st.sampled_from(
    ['!!int ""', '!!float ""', "!!bool foo", "!!timestamp foo", '!!binary "a"', "!!set {a, b}",
     "!!null x", "!!omap [a: 1]", "=", "<<", "0x" + "f" * 5000, "1" + ":00" * 3000, "9" * 5000,
     "1e400", "-.inf", ".nan", "2012-12-12", "*a", "&a x", "!x y", "1e9", '"\\ud800"', "'"]
)  # fmt: skip


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.integers(0, 140), scalar=SCALARS | st.text(max_size=6))
def test_any_scalar_anywhere(tmp_path: Path, line: int, scalar: str) -> None:
    """Whatever is written after a key, in whatever way, the study is one, or refused."""
    folder = write_study(tmp_path / "tiny")
    lines = (folder / "study.yaml").read_text(encoding="utf-8").splitlines()
    place = line % len(lines)
    lines[place] = f"{lines[place].partition(':')[0]}: {scalar}"
    (folder / "study.yaml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    is_refused(folder, scalar)


def test_what_nobody_thought_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a fault of this library is one line where a study is checked, and not a traceback."""

    def fail(*_: Any) -> None:
        raise RecursionError("too deep")

    folder = write_study(tmp_path / "tiny")
    monkeypatch.setattr("reconcile.study.load.build", fail)
    assert faults(folder) == ["study.yaml: cannot be checked: RecursionError: too deep"]


def test_broken_text(tmp_path: Path) -> None:
    """Lines of a study lost, doubled, moved or misquoted: a line, or still a study."""
    folder = write_study(tmp_path / "tiny")
    refused = 0
    for name, text in broken_text((folder / "study.yaml").read_text(), step=5):
        (folder / "study.yaml").write_text(text, encoding="utf-8")
        refused += is_refused(folder, name)
    assert refused > 300


def test_places_of_the_flagship() -> None:
    """Every key of a long study has the line on which it stands."""
    file = PROJECT / "studies" / "alexnet" / "study.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    for place, line in load_yaml(file)[1].items():
        if place and isinstance(place[-1], str):
            assert place[-1] in lines[line - 1], place
