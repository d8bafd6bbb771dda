"""The ranking follows its stated rule and nothing else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from support import measured, study_data

from reconcile.judge.evidence import Checked
from reconcile.judge.ranking import RULE, Ranked, digits_sentence, notes
from reconcile.judge.ranking import rank as rank_some
from reconcile.judge.verdicts import Counted, Verdict, judge
from reconcile.study.model import Evidence, Source, Study
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
