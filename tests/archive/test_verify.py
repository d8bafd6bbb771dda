"""Verifying accepts what was archived, and nothing that was changed since."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reconcile
from reconcile import cli
from reconcile.archive import again
from reconcile.archive import verify as verifying
from reconcile.archive.again import DOCUMENTS
from reconcile.archive.container import MANIFEST, METADATA, member_of, pack
from reconcile.archive.crate import Facts, metadata
from reconcile.archive.reading import manifest
from reconcile.archive.verify import Verification, receipt, verify_archive
from reconcile.tables.contract import tables

Change = Callable[[dict[str, bytes]], None]
Forged = Callable[[dict[str, bytes]], Path]
Forge = Callable[[Change], Path]
NAMES = (
    *("container", "hashes", "files", "metadata", "tables", "record"),
    *("sums", "measurements"),
    *("study", "verdicts", "ranking", "numbers", "citations"),
    *("tables again", "searches again", "report again", "documents again", "pdf again"),
)


def failure(found: Verification) -> tuple[str, str]:
    """The first check that fails, and its line."""
    assert not found.holds
    return next((c.name, c.detail) for c in found.checks if c.outcome == "fails")


def edited(name: str, change: Callable[[Any], Any]) -> Change:
    """A change of a JSON member."""

    def apply(members: dict[str, bytes]) -> None:
        value = json.loads(members[name])
        change(value)
        members[name] = json.dumps(value).encode()

    return apply


def cells(name: str, change: Callable[[list[dict[str, str]]], None]) -> Change:
    """A change of the rows of a table."""

    def apply(members: dict[str, bytes]) -> None:
        rows = list(csv.DictReader(io.StringIO(members[name].decode())))
        header = list(rows[0])
        change(rows)
        text = io.StringIO()
        writer = csv.DictWriter(text, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        members[name] = text.getvalue().encode()

    return apply


def replaced(name: str, old: str, new: str) -> Change:
    """A change of the text of a member."""

    def apply(members: dict[str, bytes]) -> None:
        assert old.encode() in members[name]
        members[name] = members[name].replace(old.encode(), new.encode())

    return apply


def test_an_archive_verifies(archive_file: Path) -> None:
    """Every check holds for what was archived; the study and its version are shown."""
    found = verify_archive(archive_file)
    assert [(c.name, c.outcome) for c in found.checks] == [(name, "holds") for name in NAMES]
    assert (found.study, found.version) == ("toy", reconcile.__version__)
    assert (found.outcome, found.not_compared) == ("holds", [])


def test_forged_metadata_is_what_would_be_written(members: dict[str, bytes]) -> None:
    """What these tests fill in of a changed file is what the crate says of it."""
    members["results/verdicts.csv"] += b"\n"
    described = {n: d for n, d in members.items() if n not in (METADATA, MANIFEST)}
    facts = Facts(described)
    assert again.metadata is not metadata
    assert again.metadata(described, facts) == metadata(described, facts)


def test_every_cell_that_follows(members: dict[str, bytes], forged: Forged) -> None:
    """Any cell of any column of a table that follows from others is missed when it is changed."""
    for name, file in tables().items():
        if file.rule == "measure":
            continue
        for column in file.columns:
            changed = dict(members)
            _spoil_first(changed, member_of(name), column.name)
            found = verify_archive(forged(changed), pdf=False)
            assert found.outcome == "fails", (name, column.name)


def _spoil_first(members: dict[str, bytes], member: str, column: str) -> None:
    """Write something else into a cell of the first row, which an empty table is given."""
    head, *rows = csv.reader(io.StringIO(members[member].decode()))
    first = rows[0] if rows else [""] * len(head)
    first[head.index(column)] += "1"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, first, *rows[1:]])
    members[member] = text.getvalue().encode()


SAID_ONCE = {("tensors.csv", "tensor")}
"""What nothing else in an archive tells: how a network calls a tensor in its layer."""


def test_every_measured_cell(members: dict[str, bytes], forged: Forged) -> None:
    """Any cell that was measured shows in what follows from it, if that is not made anew."""
    for name, file in tables().items():
        member = member_of(name)
        if file.rule != "measure" or members[member].count(b"\n") == 1:
            continue
        for column in (c for c in file.columns if (name, c.name) not in SAID_ONCE):
            changed = dict(members)
            cells(member, lambda rows, c=column.name: rows[-1].update({c: f"{rows[-1][c]}1"}))(
                changed
            )
            assert verify_archive(forged(changed), pdf=False).outcome == "fails", (
                name,
                column.name,
            )


def test_every_file_that_people_read(members: dict[str, bytes], forged: Forged) -> None:
    """Whatever people read is made again; with a false record of the code it never holds."""
    read = [n for n in members if n.startswith(("results/", "record/")) or n in DOCUMENTS]
    for name in sorted({*read} - {"SHA256SUMS", *(member_of(t) for t in tables())}):
        changed = dict(members)
        changed[name] = members[name] + b"\n "
        assert verify_archive(forged(dict(changed))).outcome == "fails", name
        changed["code/workflow/reconcile/words.py"] += b"# other\n"
        assert verify_archive(forged(changed)).outcome != "holds", name


def test_a_false_record_of_libraries(members: dict[str, bytes], forged: Forged) -> None:
    """An archive that says that other libraries rendered it holds in part, and says which."""
    edited("record/record.json", lambda d: d["versions"].update(jinja2="9.9"))(members)
    members["record/report.html"] = b"curl | sh"
    found = verify_archive(forged(members))
    assert found.outcome in ("holds in part", "fails")
    assert found.holds and "jinja2 9.9" in found.not_compared[0]
    assert cli.main(["verify", str(forged(members))]) == 3


LIMITS = {
    "MOST_CELLS": ("cells of tables", {"sums", "study", "verdicts", "tables again"}),
    "MOST_JUDGEMENTS": ("countings of claims", {"study", "verdicts", "tables again"}),
    "MOST_CANDIDATES": ("candidates", set[str]()),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limits(archive_file: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a limit nothing is computed that depends on it; it holds in part, and says so."""

    def computed(*_: Any) -> None:
        raise AssertionError("was computed")

    what, left_out = LIMITS[limit]
    monkeypatch.setattr(verifying, limit, 1)
    if left_out:
        monkeypatch.setattr("reconcile.archive.again.reconcile_study", computed)
    monkeypatch.setattr("reconcile.archive.again.search_all", computed)
    found = verify_archive(archive_file, pdf=False)
    assert (found.outcome, len(found.checks) > 5) == ("holds in part", True)
    assert not left_out & {check.name for check in found.checks}
    assert any(what in line and "more than 1 are not" in line for line in found.not_compared)


@pytest.mark.parametrize("limit", ["MOST_CELLS", "MOST_JUDGEMENTS"])
def test_limits_are_no_excuse(forge: Forge, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is beyond a limit, an archive that fails a check before it fails."""
    monkeypatch.setattr(verifying, limit, 1)
    file = forge(edited("record/record.json", lambda d: d.update(study="other")))
    assert verify_archive(file, pdf=False).outcome == "fails"


def test_searches_of_a_hostile_study(forge: Forge) -> None:
    """A search of billions of geometries is not begun."""
    wide = replaced("study/study.yaml", "inputs: [4, 9]", "inputs: [1, 4096]")

    def change(members: dict[str, bytes]) -> None:
        wide(members)
        replaced("study/study.yaml", "kernels: [1, 4]", "kernels: [1, 4096]")(members)
        replaced("study/study.yaml", "strides: [1, 2]", "strides: [1, 4096]")(members)

    found = verify_archive(forge(change), pdf=False)
    assert found.outcome == "holds in part"
    assert any("candidates, more than 5,000,000,000" in line for line in found.not_compared)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_flip_is_caught(archive_file: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Flipped bits in a random byte of a random member make verification fail, in one line."""
    raw = bytearray(archive_file.read_bytes())
    with zipfile.ZipFile(archive_file) as archive:
        info = data.draw(st.sampled_from([i for i in archive.infolist() if i.file_size]))
    start = info.header_offset + 30 + len(info.filename)
    at = data.draw(st.integers(start, start + info.file_size - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    file = tmp_path / "flipped.zip"
    file.write_bytes(raw)
    name, detail = failure(verify_archive(file))
    assert name == "container"
    assert detail.startswith(f"{info.filename} was changed")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_repacked_flip_is_caught(
    original: Mapping[str, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    """So does a flip in a member of an archive that was packed again with right checksums."""
    members = dict(original)
    name = data.draw(st.sampled_from([n for n, content in members.items() if content]))
    content = bytearray(members[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file = tmp_path / "flipped.zip"
    file.write_bytes(pack(members | {name: bytes(content)}))
    check, detail = failure(verify_archive(file))
    assert check == "hashes"
    assert "\n" not in detail


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_content_gives_an_answer(
    original: Mapping[str, bytes], forged: Forged, data: st.DataObject
) -> None:
    """Whatever stands in a member whose hashes are right, the answer is a table of single lines."""
    members = dict(original)
    readable = [n for n in members if n.startswith(("results/", "study/study", "record/record"))]
    name = data.draw(st.sampled_from(readable))
    content = members[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    noise = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"9" * 5000, b"-1", b",", b"\n", b"[" * 99])
    )
    members[name] = content[:start] + noise + content[end:]
    found = verify_archive(forged(members), pdf=False)
    assert all(check.detail.isprintable() for check in found.checks)


TOWER = "9" + " ** 64)" * 9
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(9)
)
FORGERIES: dict[str, tuple[Change, str, str]] = {
    "verdict": (
        cells("results/verdicts.csv", lambda rows: rows[2].update(verdict="matches")),
        "verdicts",
        "results/verdicts.csv: seven.5/conv1: verdict: 'matches' against 'contradicts' recomputed",
    ),
    "measured number": (
        cells("results/verdicts.csv", lambda rows: rows[0].update(measured="33")),
        "verdicts",
        "six/conv1: measured: '33' against '32'",
    ),
    "verdict left out": (
        cells("results/verdicts.csv", lambda rows: rows.pop()),
        "verdicts",
        "seven.5/out: row: absent against 'present'",
    ),
    "layer": (
        cells("results/layers.csv", lambda rows: rows[1].update(height="7")),
        "sums",
        "six/main/conv1: height is no side of 2x4x4",
    ),
    "layer of the right form": (
        cells("results/layers.csv", lambda rows: rows[1].update(neurons="64")),
        "sums",
        "six/main: neurons is 42, but its layers add up to 74",
    ),
    "total": (
        cells("results/totals.csv", lambda rows: rows[0].update(macs="1")),
        "sums",
        "six/main: macs is 1, but its layers add up to",
    ),
    "cell of the wrong form": (
        cells("results/layers.csv", lambda rows: rows[1].update(neurons="many")),
        "tables",
        "layers.csv, row 2: neurons cannot be 'many'",
    ),
    "evidence": (
        cells("results/evidence.csv", lambda rows: rows[0].update(outcome="fails")),
        "verdicts",
        "code: outcome: 'fails' against 'holds'",
    ),
    "ranking": (
        edited("results/reconciliation.json", lambda d: d["ranking"].reverse()),
        "ranking",
        "ranking.0",
    ),
    "count": (
        edited("results/reconciliation.json", lambda d: d["counts"].update(reproduced=9)),
        "ranking",
        "counts.reproduced: value: '9' against '2'",
    ),
    "sentence": (
        edited("results/reconciliation.json", lambda d: d["conclusion"].update(answer="No.")),
        "ranking",
        "conclusion.answer",
    ),
    "number for LaTeX": (
        replaced("results/numbers.tex", r"\rcnum{32}{32}", r"\rcnum{33}{33}"),
        "numbers",
        "rcClaimConvOneMeasured: value",
    ),
    "table for LaTeX": (
        replaced("results/tables.tex", "matches", "contradicts"),
        "citations",
        "results/tables.tex is not what is made again",
    ),
    "paper's author": (
        replaced("results/references.bib", "Ada", "Eve"),
        "citations",
        "results/references.bib is not what is made again",
    ),
    "claim": (
        replaced("study/study.yaml", 'printed: "32"', 'printed: "33"'),
        "verdicts",
        "results/verdicts.csv: six/conv1: printed: '32' against '33'",
    ),
    "argument": (
        replaced("study/study.yaml", "network: {side: 7}", "network: {side: 8}"),
        "study",
        "interpretations.1.networks.main.side: value: '7' against '8'",
    ),
    "record of another study": (
        edited("record/record.json", lambda d: d.update(study="other")),
        "record",
        "record.json is of another study",
    ),
    "record that ends first": (
        edited("record/record.json", lambda d: d.update(ended="2001-01-01T00:00:00+00:00")),
        "record",
        "no two times in order",
    ),
    "record without device": (
        edited("record/record.json", lambda d: d.pop("device")),
        "record",
        "record.json: 'device'",
    ),
    "missing file": (lambda m: m.pop("results/verdicts.csv") and None, "files", "is missing"),
    "extra file": (
        lambda m: m.update({"results/extra.csv": b"x"}),
        "files",
        "results/extra.csv has no place in an archive",
    ),
    "file that the metadata do not list": (
        edited(
            "ro-crate-metadata.json",
            lambda d: d.update(
                {"@graph": [e for e in d["@graph"] if e["@id"] != "study/network.py"]}
            ),
        ),
        "metadata",
        "does not list: 'study/network.py'",
    ),
    "metadata": (
        edited(
            "ro-crate-metadata.json", lambda d: d["@graph"].append({"@id": "x", "@type": "File"})
        ),
        "metadata",
        "lists a file that is not there: 'x'",
    ),
    "study's name leads elsewhere": (
        edited("results/reconciliation.json", lambda d: d.update(study="../../tmp/x")),
        "tables",
        "names no study",
    ),
    "YAML that explodes": (
        lambda m: m.update({"study/study.yaml": BOMB}),
        "study",
        "more than 200,000 values",
    ),
    "YAML of code": (
        lambda m: m.update({"study/study.yaml": b"title: !!python/object/apply:os.abort []\n"}),
        "study",
        "study.yaml:1",
    ),
    "expression that explodes": (
        replaced("study/study.yaml", "quantity: neurons, of: out", "quantity: " + "(" * 9 + TOWER),
        "study",
        "bits on the way",
    ),
    "deep JSON": (
        lambda m: m.update({"results/reconciliation.json": b"[" * 10**6}),
        "files",
        "nested deeper",
    ),
    "no table": (
        lambda m: m.update({"results/layers.csv": b"\0" * 100}),
        "tables",
        "layers.csv",
    ),
    "no rows": (
        lambda m: m.update({"results/layers.csv": m["results/layers.csv"].split(b"\n")[0] + b"\n"}),
        "sums",
        "its layers add up to 0",
    ),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_forgeries(case: str, forge: Forge) -> None:
    """A change with every hash put right again is still found, in one printable line."""
    change, check, says = FORGERIES[case]
    name, detail = failure(verify_archive(forge(change)))
    assert (name, says in detail) == (check, True), detail
    assert detail.isprintable()


def test_nothing_is_executed(forge: Forge, tmp_path: Path) -> None:
    """Verifying imports nothing from the archive."""
    trap = tmp_path / "sprung"
    code = f"open({str(trap)!r}, 'w')\n".encode()

    def change(members: dict[str, bytes]) -> None:
        members["study/network.py"] = code + members["study/network.py"]
        members["code/Snakefile"] = code

    assert verify_archive(forge(change)).holds
    assert not trap.exists()


def test_nothing_is_written_elsewhere(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the receipt is written, beside the archive; the temporary folder is gone afterwards."""
    file = forge(lambda members: None)
    scratch, here = tmp_path / "scratch", tmp_path / "here"
    scratch.mkdir()
    here.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.chdir(here)
    before = set(tmp_path.rglob("*"))
    assert verify(file) == 0
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "verification.json"}


def verify(*words: Any) -> int:
    """The exit code of the command."""
    return cli.main(["verify", *map(str, words)])


def test_older_release(forge: Forge) -> None:
    """What another release wrote verifies by its values, however it words them."""

    def older(members: dict[str, bytes]) -> None:
        edited("results/reconciliation.json", lambda d: d.update(version="0.0.1"))(members)
        edited(
            "results/reconciliation.json", lambda d: d["ranking"][0].update(digits="in other words")
        )(members)
        cells("results/verdicts.csv", lambda rows: rows[0].update(reason="worded otherwise"))(
            members
        )
        replaced("results/numbers.tex", r"\rcnum{32}{32}", r"\rcnum{32}{thirty-two}")(members)
        replaced("results/numbers.tex", r"\rcStudyVersion}{0.1.0", r"\rcStudyVersion}{0.0.1")(
            members
        )

    found = verify_archive(forge(older))
    assert found.holds, failure(found)
    assert found.version == "0.0.1"


def test_release_that_measured_less(forge: Forge) -> None:
    """Tables and columns that an older release did not have are not asked of its archives."""

    def older(members: dict[str, bytes]) -> None:
        edited("results/reconciliation.json", lambda d: d.update(version="0.0.1"))(members)
        edited("results/reconciliation.json", lambda d: d["claims"][0].pop("rounded"))(members)
        for name in ("results/layers.csv", "results/totals.csv"):
            rows = [line.rsplit(b",", 1)[0] for line in members[name].splitlines()]
            members[name] = b"\n".join([*rows, b""])
        lines = members["results/numbers.tex"].replace(b"0.1.0", b"0.0.1").splitlines()
        kept = [line for line in lines if b"Connections" not in line]
        members["results/numbers.tex"] = b"\n".join([*kept, b""])
        crate = json.loads(members["ro-crate-metadata.json"])
        for gone in ("record/outputs.csv", "results/evidence.csv"):
            del members[gone]
            crate["@graph"] = [e for e in crate["@graph"] if e["@id"] != gone]
        members["ro-crate-metadata.json"] = json.dumps(crate).encode()

    found = verify_archive(forge(older))
    assert found.holds, failure(found)


def test_code_decides(archive_file: Path, forge: Forge) -> None:
    """Whether sentences are compared depends on the archived library, and the output says so."""
    said = {check.name: check.detail for check in verify_archive(archive_file).checks}
    assert "written by this very code" in said["files"]

    def other_code(members: dict[str, bytes]) -> None:
        members["code/workflow/reconcile/judge/conclusion.py"] += b"# later\n"

    said = {check.name: check.detail for check in verify_archive(forge(other_code)).checks}
    assert "written by other code, version 0.1.0: checked by values" in said["files"]


def test_older_release_is_no_excuse(forge: Forge) -> None:
    """A changed verdict is found in an archive of another release, too."""

    def older(members: dict[str, bytes]) -> None:
        edited("results/reconciliation.json", lambda d: d.update(version="0.0.1"))(members)
        cells("results/verdicts.csv", lambda rows: rows[2].update(verdict="matches"))(members)

    assert failure(verify_archive(forge(older)))[0] == "verdicts"


def test_receipt(archive_file: Path) -> None:
    """The receipt names the archive by hash, who, when, where and the outcome."""
    found = verify_archive(archive_file)
    content = receipt(found, "A. Reader")
    assert content["archive"]["sha256"] == found.sha256
    assert content["outcome"] == "verified"
    assert content["verified_by"] == "A. Reader"
    assert content["host"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", content["verified_at"])
    assert "verified_by" not in receipt(found)
    assert "rerun" not in content


def test_command(archive_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a short table, writes the receipt and exits 0 only if all holds."""
    out = tmp_path / "receipt.json"
    assert verify(archive_file, "--receipt", out, "--by", "me") == 0
    printed = capsys.readouterr().out
    assert "all checks hold" in printed
    assert len(printed.splitlines()) < 25
    assert json.loads(out.read_text())["outcome"] == "verified"
    broken = tmp_path / "broken.zip"
    broken.write_bytes(archive_file.read_bytes()[:-1])
    assert verify(broken, "--receipt", out) == 1
    assert "NOT verified" in capsys.readouterr().out
    assert json.loads(out.read_text())["outcome"] == "not verified"


@pytest.mark.parametrize("place", ["folder", "file/below.json"])
@pytest.mark.parametrize("holds", [True, False])
def test_receipt_that_cannot_be_written(
    archive_file: Path, tmp_path: Path, place: str, holds: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receipt that cannot be written is one line; the exit code is that of the checks."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    file = tmp_path / "a.zip"
    file.write_bytes(archive_file.read_bytes()[: None if holds else -1])
    assert verify(file, "--receipt", tmp_path / place) == (0 if holds else 1)
    said = capsys.readouterr()
    assert ("all checks hold" in said.out, "receipt:" in said.out) == (holds, False)
    assert re.fullmatch(rf"no receipt: {tmp_path}/{place}: cannot be written: [^\n]+\n", said.err)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk for the test")
def test_read_only_disk(archive_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """An archive on a disk that cannot be written verifies, without a receipt."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], check=True)
    try:
        shutil.copy(archive_file, disk / "a.zip")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert verify(disk / "a.zip") == 0
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    said = capfd.readouterr()
    assert "all checks hold" in said.out
    assert said.err == (
        f"no receipt: {disk}/verification.json: cannot be written: Read-only file system\n"
    )


def test_several_at_once(archive_file: Path, tmp_path: Path) -> None:
    """Several verify in one folder at once: each has its answer, and one receipt is there."""
    file = tmp_path / "a.zip"
    shutil.copy(archive_file, file)
    words = [sys.executable, "-m", "reconcile", "verify", "--no-pdf", str(file)]
    running = [subprocess.Popen(words, stdout=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    said = [(*process.communicate(), process.returncode) for process in running]
    assert all(code == 3 and "receipt: " in out and not err for out, err, code in said), said
    outcome = json.loads((tmp_path / "verification.json").read_text())["outcome"]
    assert outcome == "verified in part"
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.zip", "verification.json"}


def test_name_that_is_no_text(archive_file: Path, tmp_path: Path) -> None:
    """A file name that is not UTF-8 is spelled, on the terminal and in the receipt."""
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.zip"))
    shutil.copy(archive_file, file)
    assert verify(file, "--by", "\udcff") == 0
    content = json.loads((tmp_path / "verification.json").read_text())
    assert (content["archive"]["name"], content["verified_by"]) == ("\\udcff.zip", "\\udcff")


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is a fault of the user, and gives no receipt."""
    assert verify(tmp_path / "none.zip") == 2
    assert "there is no such file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_the_pipeline(archive_file: Path, tmp_path: Path) -> None:
    """Verifying needs neither torch nor Snakemake."""
    program = (
        "import sys; from pathlib import Path\n"
        "from reconcile.archive.verify import verify_archive as v\n"
        "assert v(Path(sys.argv[1]), pdf=False).holds;"
        "print('torch' in sys.modules, 'snakemake' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, archive_file],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]


def test_rerun(archive_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Measuring again gives equal counts and verdicts, and latencies side by side."""
    out = tmp_path / "receipt.json"
    words = (archive_file, "--rerun", "--device", "cpu", "--receipt", out)
    assert verify(*words) == 0
    said = capsys.readouterr()
    assert "executes network code from the archive" in said.err
    assert "layers and 4 verdicts are equal" in said.out
    assert re.search(r"latency +six/main: [\d.]+ ms archived, [\d.]+ ms here", said.out)
    content = json.loads(out.read_text())
    assert content["rerun"]["device"]["type"] == "cpu"
    assert [entry["network"] for entry in content["latencies_ms"]] == ["six/main", "seven.5/main"]


def test_rerun_finds_another_network(forge: Forge) -> None:
    """A network that does not give the archived counts fails the rerun."""
    file = forge(replaced("study/network.py", "(3, kernels, 3)", "(3, kernels, 3, bias=False)"))
    assert verify_archive(file, pdf=False).holds
    name, detail = failure(verify_archive(file, pdf=False, rerun="cpu"))
    assert name == "rerun"
    assert "layers.csv: six/main/conv1: parameters: '56' against '54'" in detail


def test_rerun_only_after_all_else(forge: Forge, tmp_path: Path) -> None:
    """Code of an archive that fails another check is not executed."""
    trap = tmp_path / "sprung"

    def change(members: dict[str, bytes]) -> None:
        members["study/network.py"] = f"open({str(trap)!r}, 'w')\n".encode()
        cells("results/verdicts.csv", lambda rows: rows[2].update(verdict="matches"))(members)

    found = verify_archive(forge(change), rerun="cpu")
    assert [c.outcome for c in found.checks if c.name == "rerun"] == ["not run"]
    assert not trap.exists()


def test_manifest_that_lists_itself(members: dict[str, bytes], tmp_path: Path) -> None:
    """A manifest that lists itself fails in one line."""
    members[MANIFEST] = manifest(members) + b"0" * 64 + b"  SHA256SUMS\n"
    file = tmp_path / "a.zip"
    file.write_bytes(pack(members))
    assert failure(verify_archive(file)) == (
        "hashes",
        "SHA256SUMS lists itself, which no true hash can do",
    )
