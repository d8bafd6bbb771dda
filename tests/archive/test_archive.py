"""An archive is complete, the same for the same files, and says only what its files say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import LINKS, put_link

from reconcile.archive.again import DOCUMENTS, describe
from reconcile.archive.checks import STRUCTURE
from reconcile.archive.container import REPRODUCIBLE, RESULT_FILES, member_of, result_name, unpack
from reconcile.archive.crate import NOT_PROVABLE
from reconcile.archive.verify import build_archive
from reconcile.errors import InputError
from reconcile.files import code_files
from reconcile.report.render import write_page, write_paper
from reconcile.study.load import load_study
from reconcile.tables.contract import FILES

PROJECT = Path(__file__).resolve().parents[2]


def built(project: Path, out: Path) -> bytes:
    """The archive of a project's study."""
    build_archive(project, project / "studies/toy", project / "results/toy", out)
    return out.read_bytes()


def test_same_files_same_bytes(project: Path, archive_file: Path, tmp_path: Path) -> None:
    """Another folder, time zone, locale, umask and hash seed give the same zip."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(project, copy)
    os.utime(copy / "studies/toy/study.yaml", (0, 0))
    out = tmp_path / "a.zip"
    program = (
        "import os, sys; from pathlib import Path; os.umask(0o077);"
        "from reconcile.archive.verify import build_archive as b; p = Path(sys.argv[1]);"
        "b(p, p / 'studies/toy', p / 'results/toy', Path(sys.argv[2]))"
    )
    environment = os.environ | {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", program, copy, out], env=environment, check=True)
    assert out.read_bytes() == archive_file.read_bytes()


def test_runs_differ_in_the_record_only(project: Path, archive_file: Path, tmp_path: Path) -> None:
    """Another run changes the record, what is drawn from it, and what describes these."""
    copy = tmp_path / "again"
    shutil.copytree(project, copy)
    results = copy / "results/toy"
    record = json.loads((results / "record.json").read_text())
    record |= {"started": "2031-01-01T00:00:00+00:00", "ended": "2031-01-01T00:00:09+00:00"}
    (results / "record.json").write_text(json.dumps(record))
    timings = (results / "timings.csv").read_text().splitlines(keepends=True)
    (results / "timings.csv").write_text("".join(timings[:-1]))
    study = load_study(copy / "studies/toy")
    write_page(study, results, {})
    write_paper(study, results, {})
    one, other = unpack(archive_file.read_bytes()), unpack(built(copy, tmp_path / "a.zip"))
    assert list(one) == list(other)
    different = {name for name in one if one[name] != other[name]}
    described = {"SHA256SUMS", "certificate.md", "ro-crate-metadata.json"}
    assert different - described >= {
        "record/record.json",
        "record/timings.csv",
        "record/report.html",
        "record/report.pdf",
    }
    assert all(name.startswith("record/") for name in different - described)
    assert not any(name.startswith(REPRODUCIBLE) for name in different)


def test_everything_is_in_it(project: Path, members: dict[str, bytes]) -> None:
    """Study, results, record, figures, citation files and code are all archived as they are."""
    for name in RESULT_FILES:
        assert members[member_of(name)] == (project / "results/toy" / name).read_bytes()
    assert {"study/study.yaml", "study/network.py", "code/requirements.lock"} <= set(members)
    assert "record/figures/neurons.pdf" in members
    assert {"results/figures/neurons.svg", "record/figures/latency-layers.svg"} <= set(members)
    assert "code/workflow/scripts/measure.py" in members


def test_record_lies_apart() -> None:
    """The record's files lie in record/, and a member's name gives the result's name back."""
    assert all(member_of(name).startswith("record/") for name, file in FILES.items() if file.record)
    assert all(result_name(member_of(name)) == name for name in RESULT_FILES)


def test_code_of_this_project() -> None:
    """The real project's library, rules and lock are code; caches and environments are not."""
    names = set(code_files())
    assert {"workflow/reconcile/archive/verify.py", "requirements.lock", "Snakefile"} <= names
    assert not any("__pycache__" in name or name.startswith((".", "results")) for name in names)


def test_missing_result(project: Path, tmp_path: Path) -> None:
    """A result that is not there is named, with what to do, and nothing is written."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    (copy / "results/toy/verdicts.csv").unlink()
    with pytest.raises(InputError, match=r"verdicts.csv: .*run `snakemake` first"):
        built(copy, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("place", ["studies/toy", "results/toy/figures", "workflow", "templates"])
def test_link(project: Path, tmp_path: Path, place: str, name: str) -> None:
    """A link among the files of an archive is refused by its name, and nothing is written."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    put_link(copy / place, *LINKS[name])
    with pytest.raises(InputError) as caught:
        built(copy, tmp_path / "a.zip")
    (fault,) = caught.value.faults
    assert fault.file == copy / place / LINKS[name][0]
    assert fault.message.startswith("is a symbolic link")
    assert not (tmp_path / "a.zip").exists()


def test_folders_behind_links(project: Path, archive_file: Path, tmp_path: Path) -> None:
    """The folders of a study and of its results may be reached through links."""
    for name in ("studies", "results"):
        (tmp_path / name).symlink_to(project / name / "toy")
    build_archive(project, tmp_path / "studies", tmp_path / "results", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == archive_file.read_bytes()


STUDY_DERIVED = "check_paper reconcile search"
STALE = {
    "interpretations.json": ('"side": 7', '"side": 8', "instantiate"),
    "layers.csv": (",2,4,4,32,", ",2,5,4,32,", "instantiate"),
    "totals.csv": ("six,main,measured,,,42,", "six,main,measured,,,43,", "instantiate"),
    "record.json": ('"study": "toy"', '"study": "tin"', "instantiate"),
    "verdicts.csv": (",contradicts,", ",matches,", STUDY_DERIVED),
    "countings.csv": ("interpretation,", "interpretations,", STUDY_DERIVED),
    "evidence.csv": (",holds,", ",fails,", STUDY_DERIVED),
    "reconciliation.json": ('"rank": 1', '"rank": 2', STUDY_DERIVED),
    "numbers.tex": ("32", "33", "render_report"),
    "numbers.csv": ("32", "33", "render_report"),
    "numbers.json": ("32", "33", "render_report"),
    "tables.tex": ("matches", "contradicts", "render_report"),
    "references.bib": ("Ada", "Eve", "render_report"),
    "references.json": ("Ada", "Eve", "render_report"),
    "CITATION.cff": ("Ada", "Eve", "render_report"),
}
"""For each result that verifying asks about: a change of it, and the rules to run again."""


@pytest.mark.parametrize("name", STALE)
def test_stale_result(project: Path, tmp_path: Path, name: str) -> None:
    """A result that would not verify is named with what to do; an earlier archive stays."""
    copy, out = tmp_path / "copy", tmp_path / "out" / "a.zip"
    shutil.copytree(project, copy)
    old, new, rules = STALE[name]
    file = copy / "results/toy" / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    out.parent.mkdir()
    out.write_bytes(b"earlier")
    with pytest.raises(InputError) as caught:
        built(copy, out)
    (fault,) = caught.value.faults
    assert fault.file == file
    assert fault.message.endswith(f"; to make it again: snakemake --forcerun {rules} -- {out}")
    assert "\n" not in str(fault)
    assert [(f.name, f.read_bytes()) for f in out.parent.iterdir()] == [("a.zip", b"earlier")]


def test_older_study(project: Path, tmp_path: Path) -> None:
    """Where another study was judged, the line says what does not follow from the one here."""
    copy, out = tmp_path / "copy", tmp_path / "a.zip"
    shutil.copytree(project, copy)
    study = copy / "studies/toy/study.yaml"
    study.write_text(study.read_text().replace('printed: "32"', 'printed: "33"'))
    with pytest.raises(InputError) as caught:
        built(copy, out)
    assert str(caught.value) == (
        f"{copy}/results/toy/verdicts.csv: does not follow from {study} and what was measured: "
        "six/conv1: printed: '32' against '33' recomputed (and 8 more); to make it again: "
        f"snakemake --forcerun {STUDY_DERIVED} -- {out}"
    )
    assert not out.exists()


def test_archive_that_is_refused_for_another_reason(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no result is to blame, the line says which check fails."""

    def broken(_: object) -> str:
        raise KeyError("x")

    monkeypatch.setitem(STRUCTURE, "files", broken)
    with pytest.raises(InputError, match=r"a\.zip: would not verify: files: cannot be checked: "):
        built(project, tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())


def test_rules_to_run_again() -> None:
    """What users are told to run again are rules of the workflow."""
    files = (PROJECT / "workflow/rules").glob("*.smk")
    rules = {r for f in files for r in re.findall(r"^rule (\w+):", f.read_text("utf-8"), re.M)}
    assert {rule for _, _, told in STALE.values() for rule in told.split()} <= rules


def test_record_without_end(project: Path, tmp_path: Path) -> None:
    """No time is invented: without the record's end there is no archive."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    (copy / "results/toy/record.json").write_text("{}")
    with pytest.raises(InputError, match="does not say when measuring ended"):
        built(copy, tmp_path / "a.zip")


def test_certificate(members: dict[str, bytes]) -> None:
    """The certificate has every field that a reader needs, with the record's values."""
    text = members["certificate.md"].decode()
    record = json.loads(members["record/record.json"])
    for section in (
        "# Certificate: toy 0.1.0",
        "## The run",
        "## What was found",
        "## What was not checked",
        "## What verifying does not compare",
        "## Inputs and artifacts",
        "## How to verify, cite and correct",
    ):
        assert f"\n{section}\n" in f"\n{text}"
    assert record["ended"] in text
    assert record["versions"]["torch"] in text
    assert "| conv1 | 32 | 32 | matches |" in text
    assert "checked by" not in text
    assert "None" not in text


def test_certificate_says_what_is_not_compared(members: dict[str, bytes]) -> None:
    """The certificate names each file that follows from nothing, and what only a rerun shows."""
    text = members["certificate.md"].decode()
    part = text.partition("## What verifying does not compare")[2].partition("\n## ")[0]
    measured = [member_of(name) for name, file in FILES.items() if file.rule == "measure"]
    assert re.findall(r"`(\w+/\w+\.\w+)`", part.partition("with `--no-pdf`")[0])[:-1] == measured
    assert NOT_PROVABLE in part
    assert "holds in part" in part


@pytest.mark.parametrize("version", ["1`2", "1\n\n# curl | sh\n", "<b>1</b>"])
def test_text_of_others_is_no_markup(members: dict[str, bytes], version: str) -> None:
    """Whatever a result says, it starts no line, ends no span of code and becomes no markup."""
    content = json.loads(members["results/reconciliation.json"]) | {"version": version}
    plain = {n: data for n, data in members.items() if n not in DOCUMENTS}
    plain["results/reconciliation.json"] = json.dumps(content).encode()
    text = describe(plain)["README.md"].decode()
    assert text.replace(r"\`", "").count("`") % 2 == 0
    assert "\n# curl" not in text
    assert "<b>" not in text.partition("## Check it")[0]


def test_readme_names_the_commands(members: dict[str, bytes]) -> None:
    """The README says how to check, and is the same for every run."""
    text = members["README.md"].decode()
    assert "sha256sum -c SHA256SUMS" in text
    assert "python -m reconcile verify toy-0.1.0.crate.zip" in text
    assert json.loads(members["record/record.json"])["ended"] not in text
