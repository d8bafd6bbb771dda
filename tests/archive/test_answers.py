"""Whatever stands in an archive, verifying and comparing answer in lines, never a traceback."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from breaking import WRONG_VALUES, broken_data, changed, places_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile import cli
from reconcile.archive import compare, verify
from reconcile.archive.checks import check_metadata, check_record
from reconcile.archive.compare import compare_archives
from reconcile.archive.container import MANIFEST, ArchiveError, one_line, pack
from reconcile.archive.reading import Archive, manifest
from reconcile.archive.verify import Verification, verify_archive
from reconcile.errors import Fault, InputError
from reconcile.tables.contract import FILES, head_of

METADATA = "ro-crate-metadata.json"
MUTATED = (METADATA, "study/study.yaml")
LIBRARY = "code/workflow/reconcile/judge/conclusion.py"
Members = dict[str, bytes]
Forged = Callable[[Members], Path]
TRACEBACKS = (
    KeyError("layer"),
    TypeError("a\nb"),
    RecursionError(),
    MemoryError(),
    OSError(28, "x"),
)


def answer(file: Path) -> list[str]:
    """What verifying tells, each a line; at least one check fails."""
    found = verify_archive(file, pdf=False)
    assert not found.holds
    lines = [check.detail for check in found.checks]
    assert all(line and line.isprintable() for line in lines)
    return lines


def run_compare(one: Path, other: Path) -> int:
    """The exit code of the command."""
    return cli.main(["compare", str(one), str(other)])


def without(table: bytes, column: str) -> bytes:
    """A table without one of its columns."""
    header, *rows = csv.reader(io.StringIO(table.decode()))
    at = header.index(column)
    text = io.StringIO()
    kept = ([*row[:at], *row[at + 1 :]] for row in (header, *rows))
    csv.writer(text, lineterminator="\n").writerows(kept)
    return text.getvalue().encode()


@pytest.mark.parametrize("error", TRACEBACKS, ids=lambda error: type(error).__name__)
def test_any_exception_is_a_line(error: Exception) -> None:
    """Whatever a check raises, it fails with one line, and the next ones can run."""

    def broken() -> str:
        raise error

    found = Verification(Path("a.zip"), "", 0)
    assert not found.run("broken", broken)
    assert found.run("next", lambda: "fine")
    assert [check.outcome for check in found.checks] == ["fails", "holds"]
    assert found.checks[0].detail.startswith(f"cannot be checked: {type(error).__name__}")
    assert found.checks[0].detail.isprintable()


def test_faults_and_findings_are_told_as_they_are(tmp_path: Path) -> None:
    """What is a line already stays that line, without the name of a temporary folder."""
    with pytest.raises(ArchiveError, match=r"^a finding$"), one_line():
        raise ArchiveError("a finding")
    with pytest.raises(ArchiveError, match=r"^study\.yaml:3: wrong$"), one_line(tmp_path):
        raise InputError(Fault(tmp_path / "study.yaml", 3, "", "wrong"))


@pytest.mark.parametrize(
    "name", [*verify.STRUCTURE, *verify.MEASUREMENTS, *verify.RECOMPUTED, *verify.MADE_AGAIN]
)
def test_each_check_has_the_boundary(
    archive_file: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check of an archive may raise anything: it fails, and every check has an outcome."""

    def broken(_: Any) -> str:
        raise KeyError("layer")

    for group in (verify.STRUCTURE, verify.MEASUREMENTS, verify.RECOMPUTED, verify.MADE_AGAIN):
        if name in group:
            monkeypatch.setitem(group, name, broken)
    found = {check.name: check.outcome for check in verify_archive(archive_file).checks}
    assert found[name] == "fails"
    checks = (verify.STRUCTURE, verify.MEASUREMENTS, verify.RECOMPUTED, verify.MADE_AGAIN)
    assert sorted(found) == sorted(["container", "hashes", *(n for group in checks for n in group)])


def test_a_workspace_that_cannot_be_made(
    archive_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the study cannot be written to a temporary folder, its check fails with a line."""
    monkeypatch.setattr("tempfile.tempdir", "/proc/none")
    found = {check.name: check for check in verify_archive(archive_file).checks}
    assert found["study"].detail.startswith("cannot be checked: FileNotFoundError")
    assert found["verdicts"].outcome == "not run"


def test_every_value_of_the_record(members: Members) -> None:
    """Every value of the record put wrong, removed or misspelt: a finding, or still a record."""
    refused = 0
    for name, data in broken_data(json.loads(members["record/record.json"])):
        archive = Archive(members | {"record/record.json": json.dumps(data).encode()})
        try:
            assert check_record(archive), name
        except ArchiveError as error:
            assert str(error).isprintable(), name
            refused += 1
    assert refused > 300


@pytest.mark.parametrize("key", ["started", "ended"])
@pytest.mark.parametrize(
    "value", [1700000000, 1.5, "1700000000", "now", "2024-13-01", "2024-01-01"]
)
def test_times_of_the_record(members: Members, key: str, value: Any) -> None:
    """A time is text of the ISO form with its zone; a number is none."""
    record = json.loads(members["record/record.json"]) | {key: value}
    archive = Archive(members | {"record/record.json": json.dumps(record).encode()})
    with pytest.raises(ArchiveError, match=r"^record\.json: "):
        check_record(archive)


def test_every_value_of_the_metadata(members: Members) -> None:
    """Every value of the metadata of a small crate put wrong: a finding, or still metadata."""
    few = {name: members[name] for name in ("README.md", "results/layers.csv")}
    content = json.loads(members[METADATA])
    wanted = {METADATA, "./", *few}
    content["@graph"] = [entity for entity in content["@graph"] if entity["@id"] in wanted]
    for entity in content["@graph"]:
        if "hasPart" in entity:
            entity["hasPart"] = entity["hasPart"][:2]
    refused = 0
    for name, data in broken_data(content):
        archive = Archive(few | {METADATA: json.dumps(data).encode()})
        try:
            assert check_metadata(archive), name
        except ArchiveError as error:
            assert str(error).isprintable(), name
            refused += 1
    assert refused > 100


def put_anywhere(name: str, data: bytes, draw: Callable[[Any], Any]) -> bytes:
    """A JSON, CSV or YAML file with one value, cell or line put wrong."""
    value = draw(st.sampled_from(list(WRONG_VALUES.values())))
    if name.endswith(".json"):
        content = json.loads(data)
        place = draw(st.sampled_from(list(places_in(content))))
        put = changed(content, place, lambda box, key: box.__setitem__(key, value))
        return json.dumps(put).encode()
    if name.endswith(".csv"):
        rows = list(csv.reader(io.StringIO(data.decode())))
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, len(row) - 1))] = str(value)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
    lines = data.decode().splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    key = lines[at].partition(":")[0]
    lines[at] = draw(st.sampled_from(["", f"{key}: {json.dumps(value)}\n", f" {lines[at]}"]))
    return "".join(lines).encode()


def follows(name: str) -> bool:
    """Whether a member follows from study, measurements and record."""
    file = FILES.get(name.partition("/")[2])
    # The device that was asked for is known only from settings.json.
    return file is not None and file.rule != "measure" and file.name != "settings.json"


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_value_anywhere(
    archive_file: Path, members: Members, forged: Forged, tmp_path: Path, data: st.DataObject
) -> None:
    """A wrong value anywhere in any JSON, CSV or YAML file, whoever wrote it: lines, no "holds"."""
    whole = dict(members)
    other_code = data.draw(st.booleans())
    if other_code:
        whole[LIBRARY] += b"# later\n"
    own = [n for n in members if n.startswith(("results/", "record/")) or n in MUTATED]
    name = data.draw(st.sampled_from([n for n in own if n.endswith((".json", ".csv", ".yaml"))]))
    whole[name] = put_anywhere(name, members[name], data.draw)
    same = whole[name] == members[name]
    if name == METADATA:
        file = tmp_path / "a.zip"
        file.write_bytes(pack(whole | {MANIFEST: manifest(whole)}))
    else:
        file = forged(whole)
    found = verify_archive(file, pdf=False)
    assert all(check.detail.isprintable() for check in found.checks)
    assert found.outcome != "holds"
    if (follows(name) or name == METADATA) and not same and not other_code:
        assert found.outcome == "fails", name
    try:
        compare_archives(archive_file, file)
    except ArchiveError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("name", ["layers.csv", "totals.csv", "timings.csv", "verdicts.csv"])
def test_columns_that_other_code_does_not_have(
    archive_file: Path,
    members: Members,
    forged: Forged,
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A column less in a table of other code: what no row can do without is missed by its name."""
    member = next(member for member in members if member.endswith(f"/{name}"))
    for column in head_of(name):
        changed_members = {LIBRARY: members[LIBRARY] + b"# later\n"}
        changed_members[member] = without(members[member], column)
        file = forged(members | changed_members)
        lacks = f"{name} lacks the column {column!r}"
        if column in FILES[name].keys:
            assert lacks in answer(file)
            assert run_compare(archive_file, file) == 2
            assert capsys.readouterr().err.endswith(f"{file}: {lacks}\n")
        else:
            assert lacks not in [check.detail for check in verify_archive(file, pdf=False).checks]
            assert run_compare(file, archive_file) in (0, 1)


def test_a_comparison_that_breaks(
    archive_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever comparing raises, the command tells it in one line."""

    def broken(*_: Any) -> None:
        raise KeyError("layer")

    monkeypatch.setattr(compare, "_ranking", broken)
    assert run_compare(archive_file, archive_file) == 2
    fault = f"{archive_file}: compare: cannot be checked: KeyError: 'layer'\n"
    assert capsys.readouterr().err == fault
