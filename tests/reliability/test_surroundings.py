"""Disks that are full or read-only, odd folders and names, no home: it works or says why not."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from projects import (
    EVERYTHING,
    TARGETS,
    Done,
    Undisturbed,
    fault_of,
    make_report,
    outputs,
    run,
    snakemake,
    tiny_project,
    told,
)

pytestmark = pytest.mark.slow

mounting = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk for the test")
in_full = pytest.mark.skipif(not EVERYTHING, reason="in `make reliability`")
ODD_NAME = 'a b/Übung ✓\'s "$HOME" & co'
NO_ROOM = "No space left on device"
Mount = Callable[..., None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mount a small disk on a folder until the test ends."""
    mounted: list[Path] = []

    def do(folder: Path, options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        again = folder in mounted
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        subprocess.run(command, check=True)
        if not again:
            mounted.append(folder)

    yield do
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all room that a disk has left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 9, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue
    return filler


@pytest.fixture
def on_a_small_disk(tmp_path: Path, mount: Mount) -> Path:
    """A project whose results lie on a disk of their own, run from start to end."""
    project = tiny_project(tmp_path / "project")
    mount(project / "results", "size=16m")
    done = snakemake(project, *TARGETS)
    assert done.returncode == 0, told(done)
    return project


KINDS = {
    "instantiate": ("interpretations.json", ".json"),
    "measure": ("record.json", ".csv"),
    "check_paper": ("consistency.csv", ".csv"),
    "reconcile": ("verdicts.csv", ".csv"),
    "search": ("slips.csv", ".csv"),
    "render_report": ("report.html", ".json"),
}
"""Rules by name: a target of each, and the kind of file that it writes first."""


@mounting
@in_full
def test_a_full_disk_is_told_by_the_file_that_did_not_fit(on_a_small_disk: Path) -> None:
    """With no room for its output each rule names the file; old results stay; room helps."""
    project, results = on_a_small_disk, on_a_small_disk / "results"
    wanted = outputs(project)
    for rule, (target, kind) in KINDS.items():
        again = ("--forcerun", rule, "--", f"results/tiny/{target}")
        filler = fill(results)
        text = fault_of(snakemake(project, *again))
        named = [line for line in text.splitlines() if f"cannot be written: {NO_ROOM}" in line]
        assert named, text
        assert named[0].startswith("results/tiny/")
        assert named[0].partition(":")[0].endswith(kind), named
        assert {n: c for n, c in outputs(project).items() if n in wanted} == wanted, rule
        assert not list(results.rglob(".*.part"))
        filler.unlink()
        done = snakemake(project, *again)
        assert done.returncode == 0, told(done)
        assert outputs(project) == wanted


@mounting
@in_full
@pytest.mark.parametrize("name", ["report.pdf", "numbers.tex", "references.bib", "CITATION.cff"])
def test_a_disk_that_fills_up_within_a_rule(
    on_a_small_disk: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later files of a rule are named as well as the first, and the old ones stay."""
    from reconcile.cite import numbers as cite
    from reconcile.errors import InputError
    from reconcile.files import write_bytes
    from reconcile.report import render as report
    from reconcile.study.load import load_study

    results, real = on_a_small_disk / "results" / "tiny", write_bytes
    before = outputs(on_a_small_disk)

    def write(file: Path, content: str | bytes) -> None:
        if file.name == name:
            fill(results)
        real(file, content if isinstance(content, bytes) else content.encode())

    for module in (cite, report):
        monkeypatch.setattr(module, "write_text", write)
    monkeypatch.setattr(report, "write_bytes", write)
    study = load_study(on_a_small_disk / "studies" / "tiny")
    with pytest.raises(InputError, match=f"{name}: cannot be written: {NO_ROOM}"):
        report.write_page(study, results, {})
        report.write_paper(study, results, {})
        cite.write_citations(study, results)
    (results / "filler").unlink()
    assert outputs(on_a_small_disk) == before


@mounting
@in_full
def test_an_archive_that_does_not_fit(on_a_small_disk: Path) -> None:
    """The archive is there whole or not at all."""
    project, results = on_a_small_disk, on_a_small_disk / "results"
    filler = fill(results)
    text = fault_of(snakemake(project, "archive"))
    assert f".crate.zip: cannot be written: {NO_ROOM}" in text
    assert not list(results.rglob("*.zip"))
    filler.unlink()
    assert snakemake(project, "archive").returncode == 0
    assert len(list(results.rglob("*.zip"))) == 1


@mounting
def test_a_full_disk_for_measurements(tmp_path: Path, mount: Mount) -> None:
    """A table that grows row by row is named when the disk fills up, and nothing of it stays."""
    from support import measure, write_study

    from reconcile.errors import InputError

    mount(tmp_path / "out", "size=64k")
    (tmp_path / "out" / "ballast").write_bytes(b"x" * 65536)
    with pytest.raises(InputError, match=f"cannot be written: {NO_ROOM}"):
        measure(write_study(tmp_path / "tiny"), tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["ballast"]


@mounting
@in_full
def test_a_full_disk_for_everything(tmp_path: Path, mount: Mount) -> None:
    """With no room for logs either, the run fails, and finishes once there is room."""
    mount(tmp_path / "disk", "size=64m")
    project = tiny_project(tmp_path / "disk" / "project")
    filler = fill(project)
    assert snakemake(project).returncode != 0
    filler.unlink()
    done = snakemake(project)
    assert done.returncode == 0, told(done)


@mounting
def test_a_read_only_results_folder(tmp_path: Path, mount: Mount) -> None:
    """Results that cannot be written are told in a line that names the first of them."""
    project = tiny_project(tmp_path / "project")
    mount(project / "results", "size=1m,ro")
    text = fault_of(snakemake(project, "results/tiny/interpretations.json"))
    assert "Read-only file system" in text
    assert "results/tiny" in text


@pytest.fixture
def read_only(tmp_path: Path, mount: Mount) -> Iterator[Path]:
    """A project on a disk that is read-only, whose results lie on a small one of their own."""
    project, view = tiny_project(tmp_path / "project"), tmp_path / "view"
    mount(project / "results", "size=16m")
    view.mkdir()
    subprocess.run(["mount", "--rbind", project, view], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", view], check=True)
        yield view
    finally:
        subprocess.run(["umount", "--lazy", view], check=True)


@mounting
def test_a_read_only_disk(read_only: Path) -> None:
    """A bare `snakemake` on a disk that is read-only says in a line what would work."""
    text = fault_of(snakemake(read_only, "results/tiny/interpretations.json"))
    assert ".snakemake: cannot be written: Read-only file system; `make report` needs" in text


@mounting
@in_full
def test_a_disk_that_is_read_only_but_for_results(read_only: Path, plain: dict[str, bytes]) -> None:
    """`make report` writes the same results there, and its logs beside them."""
    done = make_report(read_only)
    assert done.returncode == 0, told(done)
    assert outputs(read_only) == plain
    assert "Nothing to be done" in told(make_report(read_only))


@in_full
@pytest.mark.parametrize("how", ["linked", pytest.param("mounted", marks=mounting)])
def test_results_on_another_file_system(tmp_path: Path, mount: Mount, how: str) -> None:
    """Results may lie on another disk, mounted or linked to."""
    project = tiny_project(tmp_path / "project")
    if how == "mounted":
        mount(project / "results", "size=16m")
    else:
        elsewhere = Path("/dev/shm") / f"reconcile-{os.getpid()}"  # noqa: S108 - another disk
        elsewhere.mkdir()
        (project / "results").symlink_to(elsewhere)
    try:
        done = snakemake(project)
        assert done.returncode == 0, told(done)
        assert (project / "results/tiny/report.pdf").stat().st_size
        assert "Nothing to be done" in told(snakemake(project, "--dry-run"))
    finally:
        if how == "linked":
            shutil.rmtree(elsewhere)


@pytest.fixture
def plain(undisturbed: Undisturbed) -> dict[str, bytes]:
    """What a run in ordinary surroundings writes."""
    return undisturbed.outputs


SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None, "XDG_CACHE_HOME": None},
    "LANG=C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": None, "PYTHONIOENCODING": None},
    "ASCII only": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "another zone": {"TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8"},
}
if not EVERYTHING:
    SURROUNDINGS = {"all of them": {k: v for own in SURROUNDINGS.values() for k, v in own.items()}}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_odd_surroundings(tmp_path: Path, plain: dict[str, bytes], name: str) -> None:
    """A folder of any name, no HOME and another locale change no byte of what is reproducible."""
    project = tiny_project(tmp_path / ODD_NAME)
    done = snakemake(project, *TARGETS, **SURROUNDINGS[name])
    assert done.returncode == 0, told(done)
    assert outputs(project) == plain


def test_a_python_in_an_odd_folder(tmp_path: Path) -> None:
    """Rules run their scripts with a Python whose path holds spaces, quotes and a `$`."""
    project, odd = tiny_project(tmp_path / "project"), tmp_path / ODD_NAME
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", odd], check=True)
    packages = next(odd.glob("lib/python3*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    python = str(odd / "bin" / "python")
    done = run(project, python, "-m", "snakemake", "results/tiny/consistency.csv")
    assert done.returncode == 0, told(done)


@in_full
def test_umask(tmp_path: Path, plain: dict[str, bytes]) -> None:
    """Under umask 077 everything works, and results are private."""
    project = tiny_project(tmp_path / "project")
    done = run(project, "bash", "-c", "umask 077; snakemake")
    assert done.returncode == 0, told(done)
    assert outputs(project) == plain
    results = (project / "results" / "tiny").iterdir()
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in results} == {0}


@in_full
def test_a_home_that_does_not_exist(tmp_path: Path, plain: dict[str, bytes]) -> None:
    """`make report` finds Snakemake's cache another place when there is no home to keep it."""
    project = tiny_project(tmp_path / "project")
    command = ("make", "--old-file=environment", "report")
    done = run(project, *command, HOME="/proc/none", XDG_CACHE_HOME=None)
    assert done.returncode == 0, told(done)
    assert outputs(project) == plain
    elsewhere: Done = snakemake(
        project, "--dry-run", HOME="/proc/none", XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert elsewhere.returncode == 0, told(elsewhere)
