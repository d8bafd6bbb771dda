"""A folder's identifier is the hash that Git gives its tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reconcile.archive.documents import swhid

MEMBERS = {
    "study/study.yaml": b"title: x\n",
    "study/a.b": b"",
    "study/a/deep/file": b"1",
    "study/a-b": "ä".encode(),
    "code/other": b"2",
}


def git_tree(folder: Path) -> str:
    """What Git calls the tree of a folder."""

    def git(*words: str) -> str:
        command = ["git", "-c", "core.fileMode=false", "-c", "core.autocrlf=false", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", "-A")
    return git("write-tree")


def test_it_is_the_hash_of_a_git_tree(tmp_path: Path) -> None:
    """Folders sort among files as Git sorts them, and what lies outside does not matter."""
    for name, data in MEMBERS.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    assert swhid(MEMBERS, "study/") == f"swh:1:dir:{git_tree(tmp_path / 'study')}"


def test_an_empty_folder_is_the_empty_tree() -> None:
    """Its hash is known to everybody who uses Git."""
    assert swhid({}, "study/") == "swh:1:dir:4b825dc642cb6eb9a060e54bf8d69288fbee4904"
