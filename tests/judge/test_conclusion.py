"""The author's conclusion rests on measured numbers and on a reading that stands.

The ranking follows its stated rule and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY_LAYERS
from support import measured, study_data

from reconcile.errors import InputError
from reconcile.judge.conclusion import (
    RULE,
    Ranked,
    UnresolvedError,
    best_verdicts,
    digits_sentence,
    notes,
    outcome_of,
    papers_own,
    resolver,
)
from reconcile.judge.conclusion import rank as rank_some
from reconcile.judge.evidence import Checked, check_paper
from reconcile.judge.reconciliation import reconcile_study
from reconcile.judge.verdicts import Counted, Verdict, judge
from reconcile.study.model import Evidence, Interpretation, Source, Study
from reconcile.study.yamlfile import Counting


def study_of(*readings: dict[str, Any]) -> Study:
    """The tiny study with readings `a`, `b`, ... each with some keys of its own."""
    data = study_data()
    plain = {"title": "A reading", "proposed_by": [{"name": "nobody"}]}
    data["interpretations"] = [
        plain | {"id": chr(ord("a") + i)} | keys for i, keys in enumerate(readings)
    ]
    data |= {"evidence": [], "slips": []}
    data["conclusion"]["interpretation"] = "a"
    return Study.model_validate(data)


def contradictions(**counts: int) -> list[Verdict]:
    """So many contradicted claims for each reading."""
    return [
        Verdict(reading, f"claim-{i}", None, "contradicts", "", "as-stated")
        for reading, count in counts.items()
        for i in range(count)
    ]


def excluded(**ids: list[str]) -> list[Checked]:
    """Items of evidence that exclude readings."""
    return [
        Checked(
            Evidence(id=item, title="t", source=[Source(name="s")], says="s", excludes=readings),
            "not-computed",
            "",
        )
        for item, readings in ids.items()
    ]


def rank(
    study: Study,
    verdicts: list[Verdict],
    countings: list[Counted],
    checked: list[Checked],
) -> list[Ranked]:
    """All readings of a study, best first."""
    return rank_some(study, study.interpretations, verdicts, countings, checked)


def order(ranked: list[Ranked]) -> str:
    """The readings from best to worst."""
    return "".join(entry.reading.id for entry in ranked)


def test_rule_is_stated() -> None:
    """The rule has its six parts in order."""
    assert len(RULE) == 6
    assert RULE[0] == "not excluded by evidence"
    assert RULE[-1] == "order in the study"


def test_order_of_the_study_is_the_last_resort() -> None:
    """Readings that nothing tells apart stay in the order in which the study lists them."""
    assert order(rank(study_of({}, {}, {}), [], [], [])) == "abc"


def test_each_part_of_the_rule() -> None:
    """Each part decides when those before it are equal, and outweighs all after it."""
    plain: dict[str, Any] = {}
    assuming = {"assumes": ["One thing."]}
    denying = {"network": {"size": 9}}
    study = study_of(assuming | denying, denying, assuming, plain)
    assert order(rank(study, [], [], [])) == "dcba"
    assert order(rank(study, contradictions(d=1), [], [])) == "cbad"
    assert order(rank(study, contradictions(d=2, c=1), [], [])) == "bacd"
    against = excluded(one=["d"], two=["d", "c"])
    assert order(rank(study, contradictions(a=9, b=8), [], against)) == "bacd"


def test_what_was_not_measured_counts_against() -> None:
    """A reading cannot rank well by not running."""
    unmeasured = Verdict("a", "conv", None, "not-measured", "", "as-stated")
    ranked = rank(study_of({}, {}), [unmeasured], [], [])
    assert order(ranked) == "ba"
    assert ranked[1].score["claims_not_measured"] == 1
    assert ranked[1].score["claims_contradicted"] == 0
    assert ranked[1].reasons == ["could not be measured for 1 claim: conv"]


def test_reasons_of_the_tiny_study() -> None:
    """Every part of the score is said in a sentence with the ids it rests on."""
    study = study_of({}, {"network": {"size": 9}, "assumes": ["x", "y"]})
    ranked = rank(study, contradictions(b=2), [], excluded(one=["b"]))
    last = ranked[-1]
    assert last.score == {
        "claims_contradicted": 2, "claims_not_measured": 0, "statements_denied": 1,
        "evidence_against": 1, "assumptions": 2,
    }  # fmt: skip
    assert last.reasons == [
        "contradicts 2 claims: claim-0, claim-1",
        "denies 1 statement of the paper: side",
        "is excluded by 1 item of evidence: one",
    ]


def counted(claim: str, measured: int) -> Counted:
    """A counting of a claim under reading `a`."""
    return Counted("a", claim, "as-stated", "", Fraction(measured), "", "")


@pytest.mark.parametrize(
    ("parameters", "neurons", "said"),
    [
        (760, 76, "truncated digits serve every matched claim of them: parameters, neurons"),
        (710, 71, "rounded and truncated digits serve every matched claim of them"),
        (690, 66, "rounded digits serve every matched claim of them: parameters, neurons"),
        (690, 78, "no one convention of digits serves every matched claim of them: parameters only "
         "when rounded; neurons only when truncated"),
        (690, 10, "rounded digits serve every matched claim of them: parameters"),
        (10, 10, "no claim of rounded digits is matched"),
    ],
)  # fmt: skip
def test_one_convention_of_digits(parameters: int, neurons: int, said: str) -> None:
    """A paper that rounds one number and cuts the next has no one convention; that is said."""
    study = study_of({})
    countings = [counted("parameters", parameters), counted("neurons", neurons), counted("map", 4)]
    assert digits_sentence(study, "a", countings).startswith(said)


def test_many_claims_of_one_convention() -> None:
    """Of a whole table the first few claims are named and the others counted."""
    study = study_of({})
    claims = [study.claim("parameters").model_copy(update={"id": f"p{i}"}) for i in range(8)]
    many = study.model_copy(update={"claims": claims})
    countings = [counted(claim.id, 690) for claim in claims]
    assert digits_sentence(many, "a", countings) == (
        "rounded digits serve every matched claim of them: p0, p1, p2, p3, p4 and 3 more"
    )


@pytest.mark.parametrize(("zeros", "end"), [({}, "."), ({"zeros": "open"}, ", unless its last")])
def test_a_number_that_hangs_on_its_zeros(zeros: dict[str, str], end: str) -> None:
    """Of a number that no counting gives it is said whether its last zeros decide."""
    study = study_of({})
    other = {"id": "twice", "title": "twice", "count": "2 * parameters(network)"}
    keys = {"printed": "80M", "countings": [Counting(**other)], **zeros}
    claim = study.claim("parameters").model_copy(update=keys)
    study = study.model_copy(update={"claims": [claim]})
    verdict = judge(Fraction(76_000_000), claim)[0]
    countings = [
        Counted("a", "parameters", counting, "all", Fraction(76_000_000), verdict, "")
        for counting in ("as-stated", "twice")
    ]
    ranked = rank_some(study, study.interpretations, [], countings, [])
    (note,) = notes(study, countings, ranked, [], measured(study, []))
    assert f"reproduced by no reading under any counting{end}" in note


MakeStudy = Callable[..., Study]
WORDS = {"=": "matches", "0": "matches-zeros", "s": "explained-by-slip", "x": "contradicts"}
WORDS |= {"r": "matches-rounded", "-": "not-measured"}


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


def test_a_printed_number_has_its_scale(make_study: Callable[..., Study]) -> None:
    """What a table's head says is said with the digits, and is not said twice."""

    def change(data: dict[str, Any]) -> None:
        claim = data["claims"][2]
        scaled = {"params": "133", "letter": "133M", "power": "64"}
        for name, printed in scaled.items():
            scale = 1024 if name == "power" else "million"
            data["claims"].append(claim | {"id": name, "printed": printed, "scale": scale})

    text = "{claim:params}, {claim:letter}, {claim:power}"
    assert resolved(make_study(change), text) == "133 million, 133M, 64 × 1,024"


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
    assert conclusion["hedge"] == ""


def test_reasons_and_hedge(make_study: MakeStudy, tmp_path: Path) -> None:
    """They come out in their order, numbers in place, with what they rest on."""
    reason = {"text": "The layer has {ceil.conv.neurons}.", "see": ["evidence:rounds-up"]}
    keys = {
        "reasons": [reason, {"text": "So."}],
        "hedge": "That {claim:conv} is a slip is open.",
        "undecided": ["Whether {claim:conv} is one."],
    }
    conclusion = conclude(make_study, tmp_path, **keys)
    assert conclusion["reasons"] == [
        {"text": "The layer has 64.", "see": ["evidence:rounds-up"]},
        {"text": "So.", "see": []},
    ]
    assert conclusion["hedge"] == "That 48 is a slip is open."
    assert conclusion["undecided"] == ["Whether 48 is one."]


def test_unresolved_reference_of_a_reason_fails(make_study: MakeStudy, tmp_path: Path) -> None:
    """The fault names which reason it is."""
    with pytest.raises(InputError) as caught:
        conclude(make_study, tmp_path, reasons=[{"text": "It has {ceil.conf.neurons}."}])
    assert caught.value.faults[0].key == "conclusion.reasons.0.text"


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


def test_a_conclusion_for_no_reading(make_study: MakeStudy, tmp_path: Path) -> None:
    """A claim then counts once, as the best that any reading makes of it."""
    study = make_study(lambda data: data["conclusion"].update(interpretation="none"))
    done = reconcile_study(study, tmp_path / "tiny", measured(study, TINY_LAYERS))
    assert done.summary["conclusion"]["interpretation"] == "none"
    found = {
        key: done.summary["counts"][key] for key in ("reproduced", "contradicted", "explained")
    }
    assert found == {"reproduced": 3, "contradicted": 1, "explained": 1}


def test_no_reading_is_called_none(make_study: MakeStudy) -> None:
    """The word is what a conclusion names that is for no reading."""
    with pytest.raises(InputError) as caught:
        make_study(lambda data: data["interpretations"][2].update(id="none"))
    assert "'none' is what a conclusion names" in str(caught.value)


HOLDS = {
    "readings() == 3": [],
    "readings('*') == 0 and readings('parameters') > 0": ["readings(parameters) is 2"],
    "readings(map) == 2": [],
    "readings_rounded(neurons) + readings_cut(neurons) >= 1": [
        "readings_rounded(neurons) is 2",
        "readings_cut(neurons) is 2",
    ],
    "conflicts() == 2 and conflicts(conv) >= 1": ["conflicts(conv) is 1"],
    "conflicts(map,\n  parameters) == 0": [],
    "2 > combinations() + combination_conflicts()": [
        "combinations() is 0",
        "combination_conflicts() is 0",
    ],
    "printed(map) == 4": [],
}


@pytest.mark.parametrize("expression", HOLDS)
def test_what_a_conclusion_holds(make_study: MakeStudy, tmp_path: Path, expression: str) -> None:
    """Each expression is true of the results, and comes out with the counts it does not say."""
    found = conclude(make_study, tmp_path, holds=[expression])["holds"]
    shown = expression.replace("'parameters'", "parameters").replace("\n ", "")
    assert found == [{"expression": shown, "found": HOLDS[expression]}]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("readings(map) == 3", "'readings(map) == 3' is not true: readings(map) is 2"),
        ("readings(map)", "says nothing that is true or false: readings(map) is 2"),
        ("neurons(conv) == 4", "is measured; here only the paper's words count"),
        ("argument(size) == 8", "belongs to a reading"),
        ("readings(map) / conflicts(map) == 1", "divides by zero"),
    ],
)
def test_what_does_not_hold_fails(
    make_study: MakeStudy, tmp_path: Path, expression: str, said: str
) -> None:
    """A sentence that is not true of the results is an error with its line."""
    with pytest.raises(InputError) as caught:
        conclude(make_study, tmp_path, holds=["readings() == 3", expression])
    (fault,) = caught.value.faults
    assert (fault.key, fault.line > 1) == ("conclusion.holds.1", True)
    assert said in fault.message


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        ({"holds": ["readings('maps*') == 0"]}, "conclusion.holds.0", "there is no claim 'maps*'"),
        ({"holds": ["readings(1) == 0"]}, "conclusion.holds.0", "is no name"),
        ({"holds": ["nothing() == 0"]}, "conclusion.holds.0", "nothing() is not a function"),
    ],
)
def test_what_cannot_hold_is_found_before_anything_runs(
    make_study: MakeStudy, change: dict[str, Any], key: str, said: str
) -> None:
    """`check` knows the claims and the functions."""
    with pytest.raises(InputError) as caught:
        make_study(lambda data: data["conclusion"].update(change))
    (fault,) = caught.value.faults
    assert fault.key == key
    assert said in fault.message


def test_results_are_counted_in_the_conclusion_only(make_study: MakeStudy) -> None:
    """A claim that rests on how many readings satisfy it would rest on itself."""
    with pytest.raises(InputError) as caught:
        make_study(lambda data: data["claims"][0].update(quantity="readings(map) * 24", of=None))
    assert "readings() counts results; only `conclusion.holds` can" in str(caught.value)


def verdicts(table: dict[str, str], counting: str = "as-stated") -> list[Verdict]:
    """Verdicts by reading: one letter for each of the claims a, b, c."""
    return [
        Verdict(reading, claim, Fraction(1), WORDS[letter], "", counting)
        for reading, letters in table.items()
        for claim, letter in zip("abc", letters, strict=False)
    ]


def reading(denies: tuple[str, ...] = (), **known: object) -> Ranked:
    """A reading that is concluded on."""
    made = Interpretation.model_validate(
        {"id": "one", "title": "One", "proposed_by": [{"name": "A"}], **known}
    )
    return Ranked(made, (), (), denies, (), (), "")


@pytest.mark.parametrize(
    ("letters", "concludes", "outcome"),
    [
        ("=r=", True, "agree"),
        ("=s=", True, "explained"),
        ("==0", True, "explained"),
        ("=sx", True, "contradicted"),
        ("=-x", True, "contradicted"),
        ("==-", True, "undecided"),
        ("==x", False, "contradicted"),
        ("===", False, "undecided"),
    ],
)
def test_outcome(letters: str, concludes: bool, outcome: str) -> None:
    """The first word that is true, in the order of the document."""
    told = {verdict.claim: verdict for verdict in verdicts({"one": letters})}
    assert outcome_of(told, reading() if concludes else None) == outcome


@pytest.mark.parametrize(
    ("chosen", "counting"),
    [
        (reading(denies=("stride",)), "as-stated"),
        (reading(assumes=["K is 1,024."]), "as-stated"),
        (reading(), "with-biases"),
    ],
    ids=["denies", "assumes", "counted otherwise"],
)
def test_what_must_be_assumed_is_an_explanation(chosen: Ranked, counting: str) -> None:
    """All agree only where nothing is assumed, denied or counted otherwise."""
    every = verdicts({"one": "==="}, counting)
    assert outcome_of({v.claim: v for v in every}, chosen) == "explained"


def test_the_verdict_that_tells(tiny: Study) -> None:
    """It is of the reading concluded on, and the best of the leading ones where that is none."""
    ids = [claim.id for claim in tiny.claims]
    every = [
        Verdict(name, claim, Fraction(1), word, "", "as-stated")
        for name, word in (
            ("floor", "contradicts"),
            ("slip", "matches-rounded"),
            ("ceil", "matches"),
        )
        for claim in ids
    ]
    chosen = tiny.conclusion.interpretation
    told = best_verdicts(tiny, every, [])
    assert [*told] == ids and {v.interpretation for v in told.values()} == {chosen}
    none = tiny.model_copy(
        update={"conclusion": tiny.conclusion.model_copy(update={"interpretation": "none"})}
    )
    leading = [Ranked(r, (), (), (), (), (), "") for r in none.own_readings]
    assert {v.interpretation for v in best_verdicts(none, every, leading).values()} == {"ceil"}


def test_what_others_print_is_not_the_papers(tiny: Study) -> None:
    """A number that someone else prints is judged and leaves the paper's outcome as it is."""
    first, *rest = tiny.claims
    other = first.model_copy(update={"printed_by": Source(name="A reader")})
    words = {claim.id: "matches" for claim in tiny.claims} | {other.id: "contradicts"}
    told = {c: Verdict("one", c, Fraction(1), w, "", "as-stated") for c, w in words.items()}
    mixed = tiny.model_copy(update={"claims": [other, *rest]})
    assert outcome_of(papers_own(tiny, told), reading()) == "contradicted"
    assert outcome_of(papers_own(mixed, told), reading()) == "agree"
    alone = tiny.model_copy(update={"claims": [other]})
    assert outcome_of(papers_own(alone, told), reading()) == "contradicted"
