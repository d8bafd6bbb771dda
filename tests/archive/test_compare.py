"""Comparing two archives shows what differs, and judges no latency."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import study_data

from reconcile import cli
from reconcile.archive.compare import compare_archives, package_note
from reconcile.archive.container import ArchiveError
from reconcile.measure.provenance import package_facts
from reconcile.study.model import Study

STUDY_NAMED = (
    "results/reconciliation.json",
    "results/interpretations.json",
    "record/record.json",
)
Forge = Callable[[Callable[[dict[str, bytes]], None]], Path]


def compare(*words: Any) -> int:
    """The exit code of the command."""
    return cli.main(["compare", *map(str, words)])


def other_device(members: dict[str, bytes]) -> None:
    """The same counts from another device, another torch, at another speed."""
    record = members["record/record.json"].decode()
    record = record.replace('"policy": "cpu"', '"policy": "auto"')
    record = record.replace('"torch": "2', '"torch": "3')
    members["record/record.json"] = record.encode()
    lines = members["record/timings.csv"].decode().splitlines()
    lines = [",".join([*line.split(",")[:5], "99.5", "99", "100", "0"]) for line in lines[1:]]
    header = members["record/timings.csv"].decode().splitlines()[0]
    members["record/timings.csv"] = "\n".join([header, *lines, ""]).encode()


def test_equal(archive_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An archive equals itself: exit code 0."""
    assert compare(archive_file, archive_file) == 0
    assert "0 differ" in capsys.readouterr().out


def test_another_device(
    archive_file: Path, forge: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another device and torch are shown with both latencies; the counts are equal."""
    assert compare(archive_file, forge(other_device)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("record.json") and "versions torch" in line for line in lines)
    assert any(line.startswith("timings.csv") and line.endswith("99.5") for line in lines)


def test_difference(archive_file: Path, forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """A measurement and a verdict that differ are rows of the table: exit code 1."""

    def change(members: dict[str, bytes]) -> None:
        layers = members["results/layers.csv"]
        members["results/layers.csv"] = layers.replace(b",32,56,", b",32,57,")
        verdicts = members["results/verdicts.csv"]
        members["results/verdicts.csv"] = verdicts.replace(b"contradicts", b"matches")

    file = forge(change)
    assert compare(archive_file, file) == 1
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    assert ["layers.csv", "six/main/conv1", "parameters", "56", "57"] in rows
    assert ["verdicts.csv", "seven.5/conv1", "verdict", "contradicts", "matches"] in rows
    assert lines[0].split() == ["table", "where", "what", archive_file.name, file.name]


def test_broken(archive_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken archive is named, and nothing is compared."""
    file = tmp_path / "broken.zip"
    file.write_bytes(archive_file.read_bytes()[:-5])
    assert compare(archive_file, file) == 2
    assert "broken.zip: does not end" in capsys.readouterr().err


def test_other_study(archive_file: Path, forge: Forge) -> None:
    """Archives of two studies are not compared."""

    def change(members: dict[str, bytes]) -> None:
        for name in STUDY_NAMED:
            members[name] = members[name].replace(b'"study": "toy"', b'"study": "tin"')

    with pytest.raises(ArchiveError, match=r"of the study toy, .* of tin"):
        compare_archives(archive_file, forge(change))


PYDANTIC = package_facts("pydantic")
RECORDS = {
    "the same": ({"packages": {"pydantic": PYDANTIC}}, ""),
    "another release": (
        {"packages": {"pydantic": PYDANTIC | {"version": "0.1"}}},
        f"; pydantic is {PYDANTIC['version']} here, '0.1' in the archive",
    ),
    "other files": (
        {"packages": {"pydantic": PYDANTIC | {"sha256": "0"}}},
        f"; the files of pydantic {PYDANTIC['version']} here are others than in the archive",
    ),
    "nothing recorded": ({}, f"; pydantic is {PYDANTIC['version']} here, 'None' in the archive"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_package_that_differs_is_told(name: str) -> None:
    """Measuring again says when the network's package is another one than the archive's."""
    record, note = RECORDS[name]
    study = Study.model_validate(study_data() | {"network": "pydantic:BaseModel"})
    assert package_note(record, study) == note


def test_a_package_that_is_not_here_is_told() -> None:
    """So it does where the package is not installed; a network of the study's own has none."""
    own = study_data()
    missing = Study.model_validate(own | {"network": "not_installed:Network"})
    assert package_note({}, missing) == "; not_installed is not installed here"
    assert package_note({}, Study.model_validate(own)) == ""
