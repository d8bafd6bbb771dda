"""The record says where results come from, and leaves out what is not known."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import LINKS, put_link

from reconcile import __version__
from reconcile.files import LOCK
from reconcile.measure import provenance
from reconcile.measure.provenance import (
    folder_sha256,
    host,
    record_of,
    source,
    system,
    versions,
)
from reconcile.run import CONFIG_HASH_VARIABLE
from reconcile.study.settings import Measuring


def git(folder: Path, *words: str) -> str:
    """Run git with an identity of its own."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project under version control, nothing changed."""
    (tmp_path / "requirements.lock").write_text("torch\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text("studies: all\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Start")
    return tmp_path


def test_clean_commit(repository: Path) -> None:
    """An unchanged tree is clean, at its commit, with the hashes of lock and configuration."""
    found = source(repository)
    assert found == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "clean": True,
        "lock_sha256": hashlib.sha256(b"torch\n").hexdigest(),
        "config_sha256": hashlib.sha256(b"studies: all\n").hexdigest(),
    }


@pytest.mark.parametrize("name", ["config.yaml", "new.txt"])
def test_changed_tree(repository: Path, name: str) -> None:
    """A changed or a new file makes the tree not clean."""
    (repository / name).write_text("changed\n", encoding="utf-8")
    assert source(repository)["clean"] is False


def test_no_repository(tmp_path: Path) -> None:
    """Without git nothing is said of commits; without files the lock is the library's."""
    assert source(tmp_path) == {"lock_sha256": hashlib.sha256(LOCK.read_bytes()).hexdigest()}


def test_folder_inside_another_repository(repository: Path) -> None:
    """The commit of a repository around the project is not the project's."""
    inner = repository / "inner"
    inner.mkdir()
    assert "commit" not in source(inner)


def test_no_commit_yet(tmp_path: Path) -> None:
    """A repository without a commit has none to name."""
    git(tmp_path, "init", "-q")
    assert "commit" not in source(tmp_path)


def test_other_config(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum of the configuration that a run began with counts, not that of the file as it is."""
    monkeypatch.setenv(CONFIG_HASH_VARIABLE, "ab" * 32)
    assert source(repository)["config_sha256"] == "ab" * 32


def test_folder_hash(tmp_path: Path) -> None:
    """A folder's hash changes with contents and names, not with caches; any tool can compute it."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    before = folder_sha256(tmp_path)
    lines = [f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in (("a", b"a"), ("sub/b", b"b"))]
    assert before == hashlib.sha256("".join(lines).encode()).hexdigest()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert folder_sha256(tmp_path) == before
    (tmp_path / "a").rename(tmp_path / "c")
    assert folder_sha256(tmp_path) != before


@pytest.mark.parametrize("name", LINKS)
def test_folder_hash_follows_no_link(tmp_path: Path, name: str) -> None:
    """A link adds nothing to a folder's hash, wherever it leads; the folder may be behind one."""
    for folder in (tmp_path / "plain", tmp_path / "linked"):
        folder.mkdir()
        (folder / "file").write_bytes(b"a")
    put_link(tmp_path / "linked", *LINKS[name])
    assert folder_sha256(tmp_path / "linked") == folder_sha256(tmp_path / "plain")
    (tmp_path / "behind").symlink_to("plain")
    assert folder_sha256(tmp_path / "behind") == folder_sha256(tmp_path / "plain")


def test_missing_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where git and dpkg are missing, what they know is left out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system() == {}
    assert "commit" not in source(tmp_path)


def test_host_names_nobody() -> None:
    """Host says system, processor and memory; never the machine's name or its user's."""
    assert set(host()) <= {"os", "machine", "cpu", "cores", "memory_bytes"}
    assert host()["memory_bytes"] > 0


def test_versions() -> None:
    """Python's and the packages' releases are text; packages that are not there are left out."""
    assert versions()["python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions()["reconcile"] == __version__
    assert all(re.match(r"\d", version) for version in versions().values())


def test_packages_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed has no version."""
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package",))
    assert set(versions()) == {"python", "reconcile"}


def test_whole_record(repository: Path) -> None:
    """All parts together, with the study's hash and what the measuring process said of itself."""
    study = repository / "study"
    study.mkdir()
    (study / "study.yaml").write_bytes(b"x")
    flags = {"tf32_matmul": False, "tf32_cudnn": True, "deterministic": True, "threads": 3}
    said = {"device": {"type": "cpu"}, "flags": flags, "versions": {"torch": "2.13.0"}}
    found = record_of(study, repository, datetime.now(UTC), said, Measuring())
    assert found["source"]["study_sha256"] == folder_sha256(study)
    assert found["versions"] == versions() | {"torch": "2.13.0"}
    assert (found["host"], found["system"]) == (host(), system())
    assert (found["study"], found["device"], found["flags"]) == ("study", {"type": "cpu"}, flags)
    assert (found["settings"]["tf32"], found["settings"]["threads"]) == (True, 3)
    assert found["started"] <= found["ended"]
