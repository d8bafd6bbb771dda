"""Loading the configuration: what is checked, and how what is wrong is told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from breaking import broken_data, broken_text, is_a_good_line
from pydantic import ValidationError
from support import PROJECT, write_study

from reconcile.errors import InputError
from reconcile.study.config import Config, ReportOptions, check_config, load_config, study_names

FULL = (PROJECT / "config.yaml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    """A configuration file."""
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(file: Path) -> list[str]:
    """The lines that refuse a configuration, without its folder."""
    with pytest.raises(InputError) as caught:
        load_config(file)
    return [line.removeprefix(f"{file.parent}/") for line in str(caught.value).splitlines()]


def test_file_states_the_defaults() -> None:
    """What stands in config.yaml is the default of every key, and every key stands there."""
    assert load_config(PROJECT / "config.yaml") == Config()
    assert yaml.safe_load(FULL) == Config().model_dump()


@pytest.mark.parametrize(
    "orcid", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"]
)
def test_a_mistyped_orcid_is_nobody_s(orcid: str) -> None:
    """ORCID's examples are accepted, and none with a digit wrong or two neighbours swapped."""
    ReportOptions(orcid=orcid)
    places = [place for place, digit in enumerate(orcid) if digit.isdigit()]
    wrong = {orcid[:p] + digit + orcid[p + 1 :] for p in places for digit in "0123456789"}
    for one, other in pairwise(places):
        swapped = [*orcid]
        swapped[one], swapped[other] = orcid[other], orcid[one]
        wrong.add("".join(swapped))
    for mistyped in sorted(wrong - {orcid}):
        with pytest.raises(ValidationError):
            ReportOptions(orcid=mistyped)


def test_every_key_has_a_comment() -> None:
    """Every key of config.yaml but the two sections is explained above it."""
    lines = FULL.splitlines()
    for before, line in pairwise(lines):
        if ":" in line and not line.strip().startswith("#") and not line.endswith(":"):
            assert before.strip().startswith("#") or line.strip().startswith("orcid"), line


def test_defaults(tmp_path: Path) -> None:
    """A key that is left out has its default."""
    config = load_config(written(tmp_path, "measure:\n  repeats: 3\n"))
    assert (config.measure.repeats, config.measure.device) == (3, "auto")
    assert config.studies == ["alexnet"]


MESSAGES = [
    ("studies: 3\n", "config.yaml:1: studies: must be 'all' or a list, not 3"),
    ("studies: [1]\n", "config.yaml:1: studies.0: must be text, not 1"),
    ("measure: 3\n", "config.yaml:1: measure: must be `key: value` pairs, not 3"),
    ("measure: {repeats: x}\n", "config.yaml:1: measure.repeats: must be a whole number, not 'x'"),
    ("measure: {repeats: -1}\n", "config.yaml:1: measure.repeats: must be at least 0, not -1"),
    ("measure: {repeats: true}\n", "config.yaml:1: measure.repeats: must be a whole number, not T"),
    ("measure: {threads: 0}\n", "config.yaml:1: measure.threads: must be at least 1, not 0"),
    ("measure:\n  time_limit_s: 0\n", "config.yaml:2: measure.time_limit_s: must be more than 0"),
    (
        "measure: {devise: cpu}\n",
        "config.yaml:1: measure.devise: unknown key, did you mean 'device'",
    ),
    ("measure: {device: tpu}\n", "config.yaml:1: measure.device: must be 'auto', 'cuda' or 'cpu'"),
    ("report:\n  orcid: x\n", "config.yaml:2: report.orcid: must be an ORCID like 0000-0002-1825"),
    (
        "report: {orcid: 0000-0002-1825-0079}\n",
        "config.yaml:1: report.orcid: is nobody's ORCID: a digit of it must be another one",
    ),
    ('report: {checked_by: "\\0"}\n', "config.yaml:1: report.checked_by: holds the control"),
    ("a: 1\na: 2\n", "config.yaml:2: a: this key stands here twice"),
    ("", "config.yaml:1: must hold `key: value` pairs at its top level"),
]


@pytest.mark.parametrize(("text", "message"), MESSAGES)
def test_messages(tmp_path: Path, text: str, message: str) -> None:
    """A fault is one line: where it is, what is wrong and what is accepted."""
    (line,) = faults(written(tmp_path, text))
    assert line.startswith(message)


def test_missing_file(tmp_path: Path) -> None:
    """A configuration that is not there is one line."""
    assert faults(tmp_path / "config.yaml") == ["config.yaml: there is no such file"]


def test_broken_data(tmp_path: Path) -> None:
    """Every value put wrong, removed or misspelt gives a line, or still a configuration."""
    variants = [(n, yaml.safe_dump(d)) for n, d in broken_data(Config().model_dump())]
    assert refusals(variants, tmp_path) > 100


def test_broken_text(tmp_path: Path) -> None:
    """Every line lost, doubled, moved or misquoted gives a line, or still a configuration."""
    assert refusals(list(broken_text(FULL)), tmp_path) > 150


def refusals(variants: list[tuple[str, str]], folder: Path) -> int:
    """How many variants are refused; each refusal is checked."""
    refused = 0
    for name, text in variants:
        try:
            load_config(written(folder, text))
        except InputError as error:
            refused += 1
            assert all(is_a_good_line(one) for one in error.faults), f"{name}: {error}"
    return refused


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"measure": {"repeats": "many"}}, "measure.repeats: must be a whole number, not 'many'"),
        ({"mesure": {}}, "mesure: unknown key, did you mean 'measure'?"),
    ],
)
def test_values_of_the_command_line(values: dict[str, Any], message: str) -> None:
    """Values that stand in no file are told without a line."""
    with pytest.raises(InputError) as caught:
        check_config(values)
    assert str(caught.value).startswith(f"the configuration given to snakemake: {message}")


def test_numbers_of_the_command_line() -> None:
    """Snakemake hands over nested numbers as text, which is read as the number."""
    assert check_config({"measure": {"repeats": "3"}}).measure.repeats == 3


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """A folder of studies: two good ones, and folders that are none."""
    for name in ("beta", "alpha", "Not-An-Id"):
        write_study(tmp_path / "studies" / name)
    (tmp_path / "studies" / "empty").mkdir()
    return tmp_path / "studies"


def names(wanted: Any, studies: Path, text: str = "studies: all\n") -> list[str]:
    """The studies that a configuration names."""
    return study_names(Config(studies=wanted), studies, written(studies.parent, text))


def test_study_names(studies: Path) -> None:
    """`all` is every study by name; a list keeps its order and counts a name once."""
    assert names("all", studies) == ["alpha", "beta"]
    assert names(["beta", "alpha", "beta"], studies) == ["beta", "alpha"]


def test_unknown_studies(studies: Path) -> None:
    """A study without a folder is named with its line and the nearest that there is."""
    with pytest.raises(InputError) as caught:
        names(["betta", "empty"], studies, "measure: {}\nstudies: [betta, empty]\n")
    place = f"{studies.parent}/config.yaml:2: studies: there is no study"
    assert str(caught.value).splitlines() == [
        f"{place} 'betta', did you mean 'beta'? There are: alpha, beta",
        f"{place} 'empty'. There are: alpha, beta",
    ]


def test_unknown_study_of_the_command_line(studies: Path) -> None:
    """A study that the file does not name is not blamed on a line of the file."""
    with pytest.raises(InputError) as caught:
        names(["gamma"], studies)
    assert caught.value.faults[0].line == 0


@pytest.mark.parametrize("name", ["all", "claims"])
def test_a_name_that_means_something_else(studies: Path, name: str) -> None:
    """A folder that results or the configuration have another use for is refused by its path."""
    write_study(studies / name)
    with pytest.raises(InputError, match=f"{name}: no study can be called so"):
        study_names(Config(), studies, Path("config.yaml"))


def test_no_study(studies: Path) -> None:
    """A configuration that names no study says what it could name."""
    with pytest.raises(InputError, match="studies: names no study; accepted: all, alpha, beta"):
        names([], studies)


def test_nothing_to_run(tmp_path: Path) -> None:
    """`all` of no studies is a fault, not an empty run."""
    (tmp_path / "studies").mkdir()
    with pytest.raises(InputError, match="studies: there is no study in it"):
        names("all", tmp_path / "studies")
