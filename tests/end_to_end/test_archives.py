"""``snakemake archive`` from scratch, twice: both verify, and differ in the record alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import archive_of, snakemake, tiny_project, told

from reconcile.archive.compare import compare_archives
from reconcile.archive.container import unpack
from reconcile.archive.reading import Archive
from reconcile.archive.verify import verify_archive

pytestmark = pytest.mark.slow

SURROUNDINGS = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
DESCRIBES_THE_RECORD = {"SHA256SUMS", "certificate.md", "ro-crate-metadata.json"}


def archived(project: Path, variables: dict[str, str]) -> Path:
    """Run the study from scratch and return its archive."""
    done = snakemake(project, "archive", **variables)
    assert done.returncode == 0, told(done)
    return archive_of(project)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Archives of two runs from scratch in other folders, time zones, locales and hash seeds."""
    folder = tmp_path_factory.mktemp("archives")
    tiny_project(folder / "one")
    shutil.copytree(folder / "one", folder / "another-one")
    return [archived(folder / "one", {}), archived(folder / "another-one", SURROUNDINGS)]


def test_both_verify(archives: list[Path]) -> None:
    """What the pipeline archives verifies, with every verdict computed again."""
    for file in archives:
        found = verify_archive(file)
        assert found.holds, [check for check in found.checks if check.outcome != "holds"]


def test_they_differ_in_the_record(archives: list[Path]) -> None:
    """Two runs have the same members, and only those of the record have other bytes."""
    one, other = (unpack(file.read_bytes()) for file in archives)
    assert list(one) == list(other)
    different = {name for name in one if one[name] != other[name]}
    assert "record/record.json" in different
    assert all(n.startswith("record/") or n in DESCRIBES_THE_RECORD for n in different), different
    assert Archive(one).reproducible == Archive(other).reproducible


def test_counts_are_equal(archives: list[Path]) -> None:
    """Comparing them finds other times, and no other count, verdict or rank."""
    found = compare_archives(*archives)
    assert found.equal
    assert "started" in {difference.where for difference in found.circumstances}


def test_an_older_study_put_back(archives: list[Path], tmp_path: Path) -> None:
    """What is older than the results is noticed all the same: the archive is the one of before."""
    project = tmp_path / "project"
    shutil.copytree(archives[0].parents[2], project, symlinks=True)
    archive = project / archives[0].relative_to(archives[0].parents[2])
    before = archive.read_bytes()
    study, kept = project / "studies/tiny/study.yaml", tmp_path / "study.yaml"
    shutil.copy2(study, kept)
    text = study.read_text()
    study.write_text(text.replace("four maps of 4 by 4", "four square maps"))
    assert study.read_text() != text
    assert snakemake(project, "archive").returncode == 0
    assert archive.read_bytes() != before
    shutil.copy2(kept, study)
    done = snakemake(project, "archive")
    assert done.returncode == 0, done.stderr
    assert archive.read_bytes() == before


def test_archive_holds_no_path_of_the_machine(archives: list[Path]) -> None:
    """No member tells in which folder it was made."""
    folder = str(archives[0].parents[3]).encode()
    for name, data in unpack(archives[0].read_bytes()).items():
        assert folder not in data, name
