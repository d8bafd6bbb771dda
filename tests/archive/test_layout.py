"""An archive holds what has a place in it, each file in its own, and none that hides another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.archive import container
from reconcile.archive.compare import compare_archives
from reconcile.archive.container import ArchiveError, pack
from reconcile.archive.layout import FIGURE_FILES, RESULT_FILES, gather, has_place, member_of
from reconcile.archive.reading import Archive, manifest
from reconcile.archive.structure import check_required
from reconcile.archive.verify import verify_archive

PARTS = ("", "study/", "results/", "record/", "code/")
FREE = ("study/", "code/")
"""What a study's folder and a project's code may hold is not known; nothing else reads there."""
Members = dict[str, bytes]


def by_other_code(members: Members) -> Members:
    """The files of an archive that another commit wrote, a table less."""
    name = "code/workflow/reconcile/judge/ranking.py"
    kept = {n: data for n, data in members.items() if n != "results/windows.csv"}
    return kept | {name: members[name] + b"# later\n"}


def opened(members: Members) -> Archive:
    """An archive of files."""
    return Archive(members, "")


def other_part(result: str) -> str:
    """A result in the part of the archive in which it does not belong."""
    parts = {"results": "record", "record": "results"}
    return f"{parts[member_of(result).partition('/')[0]]}/{result}"


def test_every_file_has_a_place(members: Members) -> None:
    """All that is archived has its place, and so has every result and every figure."""
    assert [name for name in members if not has_place(name)] == []
    assert all(has_place(member_of(name)) for name in (*RESULT_FILES, *FIGURE_FILES))


@pytest.mark.parametrize("other_code", [False, True])
def test_shadows(members: Members, other_code: bool) -> None:
    """The name of any member in any other part is refused, whoever wrote the archive."""
    whole = by_other_code(members) if other_code else members
    assert opened(whole).same_code is not other_code
    check_required(opened(whole))
    shadows = {part + name.partition("/")[2] for part in PARTS for name in whole if "/" in name}
    shadows |= {part + name for part in PARTS for name in whole}
    refused = {name for name in shadows - set(whole) if not name.startswith(FREE)}
    assert len(refused) > len(whole)
    for name in refused:
        with pytest.raises(ArchiveError, match=r" has no place in an archive$"):
            check_required(opened(whole | {name: b""}))


@pytest.mark.parametrize("other_code", [False, True])
def test_verifying_refuses_shadows(
    members: Members, forged: Callable[[Members], Path], other_code: bool
) -> None:
    """A result or figure that lies in both parts, listed and hashed as it should be, is refused."""
    whole = by_other_code(members) if other_code else members
    for result in (*RESULT_FILES, *FIGURE_FILES):
        name = other_part(result)
        crate = json.loads(members["ro-crate-metadata.json"])
        crate["@graph"] = [entity for entity in crate["@graph"] if entity["@id"] in whole]
        crate["@graph"].append({"@id": name, "@type": "File", "sha256": "", "contentSize": ""})
        described = {"ro-crate-metadata.json": json.dumps(crate).encode()}
        file = forged(whole | described | {name: whole.get(member_of(result), b"x")})
        failed = next(check for check in verify_archive(file).checks if check.outcome != "holds")
        assert (failed.name, failed.detail) == ("files", f"{name} has no place in an archive")


def test_comparing_refuses_shadows(
    archive_file: Path, members: Members, forged: Callable[[Members], Path]
) -> None:
    """Nor is an archive with a shadow compared."""
    file = forged(members | {"record/layers.csv": members["results/layers.csv"]})
    with pytest.raises(ArchiveError, match=r"record/layers\.csv has no place in an archive"):
        compare_archives(archive_file, file)


def test_names_that_meet_on_disk(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that differ in case only, and a member below another, are refused in any part."""
    for name in members:
        below = f"{name.swapcase()}/x"
        for other, says in ((name.swapcase(), "twice"), (below, "is a file of the archive")):
            with pytest.raises(ArchiveError, match=says):
                pack(members | {other: b"x"})
    file = tmp_path / "a.zip"
    for name in ("STUDY/network.py", "study/network.py/x", "study/Network.py/x/y", "results"):
        forged = members | {name: b"x"}
        with monkeypatch.context() as patch:
            patch.setattr(container, "_check_names", lambda names: None)
            file.write_bytes(pack(forged | {"SHA256SUMS": manifest(forged)}))
        failed = next(check for check in verify_archive(file).checks if check.outcome != "holds")
        assert failed.name == "container"
        assert "\n" not in failed.detail


def test_only_known_figures_are_archived(project: Path, tmp_path: Path) -> None:
    """What else lies in the folder of figures stays out of the archive, as beside the tables."""
    strays = [project / "results/toy/figures/mine.svg", project / "results/toy/mine.csv"]
    for stray in strays:
        stray.touch()
    try:
        found = gather(project, project / "studies/toy", project / "results/toy")
    finally:
        for stray in strays:
            stray.unlink()
    assert "results/figures/neurons.svg" in found
    assert not [name for name in found if "mine" in name]
