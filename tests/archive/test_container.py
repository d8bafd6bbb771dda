"""A list of files has one container, and nothing else is accepted as one."""

from __future__ import annotations

import io
import json
import shutil
import stat
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.archive import container
from reconcile.archive.checks import check_required
from reconcile.archive.compare import compare_archives
from reconcile.archive.container import (
    FIGURE_FILES,
    RESULT_FILES,
    ArchiveError,
    gather,
    has_place,
    member_of,
    pack,
    read_container,
    unpack,
)
from reconcile.archive.reading import Archive, check_manifest, manifest, parse_json, read_manifest
from reconcile.archive.verify import verify_archive

NAMES = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}(\.[a-z]{1,3})?)?", fullmatch=True)
FILES = {"a/b.txt": b"one", "README.md": b"two", "empty": b""}
PARTS = ("", "study/", "results/", "record/", "code/")
FREE = ("study/", "code/")
"""What a study's folder and a project's code may hold is not known; nothing else reads there."""
Members = dict[str, bytes]


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=8))
def test_round_trip(files: dict[str, bytes]) -> None:
    """What was packed is unpacked, whatever the order of the files."""
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents}
    if not folders.intersection(files):
        backwards = dict(reversed(files.items()))
        assert unpack(pack(files)) == files
        assert pack(files) == pack(backwards)


def test_other_tools_read_it(tmp_path: Path) -> None:
    """Python's zipfile, and unzip where there is one, find no fault with it."""
    file = tmp_path / "a.zip"
    file.write_bytes(pack(FILES))
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == FILES
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.create_system for info in archive.infolist()} == {3}
        modes = {info.external_attr >> 16 for info in archive.infolist()}
        assert modes == {stat.S_IFREG | 0o644}
        assert archive.namelist() == sorted(FILES)
    if shutil.which("unzip") is not None:
        subprocess.run(["unzip", "-tq", str(file)], capture_output=True, check=True)


@settings(max_examples=300)
@given(st.data())
def test_no_byte_can_change(data: st.DataObject) -> None:
    """A flip of any bits of any byte of a container is refused."""
    raw = bytearray(pack(FILES))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArchiveError):
        unpack(bytes(raw))


@given(st.binary(max_size=300))
def test_noise_is_no_container(noise: bytes) -> None:
    """Any bytes give a container or one clear error, never another exception."""
    try:
        assert pack(unpack(noise)) == noise
    except ArchiveError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("cut", [1, 10, 21, 22, 60])
def test_cut_off(cut: int) -> None:
    """A file that lost its end is refused."""
    with pytest.raises(ArchiveError, match=r"cut off|not a zip"):
        unpack(pack(FILES)[:-cut])


def test_appended() -> None:
    """Bytes behind the end, or before the start, are refused."""
    with pytest.raises(ArchiveError, match="appended"):
        unpack(pack(FILES) + b"more")
    with pytest.raises(ArchiveError, match=r"structure was changed \(byte 0:"):
        unpack(b"more" + pack(FILES))


def foreign(add: Callable[[zipfile.ZipFile], None]) -> bytes:
    """A zip written by Python's zipfile."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        add(archive)
    return stream.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """A member of any name and mode."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../escape", "leads out of the archive"),
        ("a/../../escape", "leads out of the archive"),
        ("..\\escape", "leads out of the archive"),
        ("/etc/passwd", "is an absolute path"),
        ("\\\\host\\share", "is an absolute path"),
        ("C:/windows", "is an absolute path"),
        ("folder/", "is a folder"),
        ("a//b", "is not a plain file name"),
        ("./a", "is not a plain file name"),
        ("a\x1b[2Jb", "is not a plain file name"),
        ("ünïcode", "is not a plain file name"),
        ("x" * 300, "is not a plain file name"),
    ],
)
def test_names(name: str, says: str) -> None:
    """Names that lead elsewhere or are not plain are refused, and shown without their effects."""
    with pytest.raises(ArchiveError, match=says) as caught:
        unpack(foreign(lambda archive: archive.writestr(entry(name), b"")))
    assert str(caught.value).isprintable()
    with pytest.raises(ArchiveError):
        pack({name: b""})


def test_symlink() -> None:
    """A symbolic link is refused."""
    link = entry("link", stat.S_IFLNK | 0o777)
    with pytest.raises(ArchiveError, match="link is a symbolic link"):
        unpack(foreign(lambda archive: archive.writestr(link, b"/etc/passwd")))


def test_device_file() -> None:
    """So is any other member that is no regular file."""
    pipe = entry("pipe", stat.S_IFIFO | 0o644)
    with pytest.raises(ArchiveError, match="pipe is no regular file"):
        unpack(foreign(lambda archive: archive.writestr(pipe, b"")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["study.yaml", "STUDY.yaml"])
def test_duplicates(second: str) -> None:
    """Two members of one name, or of one that some systems do not tell apart, are refused."""

    def add(archive: zipfile.ZipFile) -> None:
        archive.writestr(entry("study.yaml"), b"one")
        archive.writestr(entry(second), b"two")

    with pytest.raises(ArchiveError, match="stands in the archive twice"):
        unpack(foreign(add))


def test_compressed_bomb() -> None:
    """A compressed member is refused before it is decompressed: archives store their members."""
    bomb = foreign(lambda a: a.writestr("bomb", bytes(50_000_000), zipfile.ZIP_DEFLATED))
    assert len(bomb) < 100_000
    with pytest.raises(ArchiveError, match=r"bomb is compressed \(50,000,000 bytes\)"):
        unpack(bomb)


def test_overlapping_bomb() -> None:
    """Entries that share one stretch of the file are refused."""
    raw = pack({"a": bytes(1000)})
    size, start = struct.unpack("<2I", raw[-10:-2])
    directory = raw[start : start + size]
    many = b"".join(directory[:-1] + bytes([code]) for code in range(97, 123))
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 26, 26, len(many), start, 0)
    with pytest.raises(ArchiveError, match="overlap"):
        unpack(raw[:start] + many + end)


@pytest.mark.filterwarnings("error")
def test_large_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of more entries than a container has is refused before any becomes an object."""

    def read(*_: object) -> None:
        raise AssertionError("was read")

    monkeypatch.setattr(container, "ZipFile", read)
    directory = b"".join(pack({"a": b""})[31:78] for _ in range(60_000))
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, len(directory), 31, 0)
    with pytest.raises(ArchiveError, match="more than 10,000 members"):
        unpack(pack({"a": b""})[:31] + directory + end)


def test_form_for_large_files() -> None:
    """An end of the form for large files could name any directory: it is refused."""
    raw = pack(FILES)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    with pytest.raises(ArchiveError, match="does not end as a zip file does"):
        unpack(raw[:-22] + locator + raw[-22:])


def test_encrypted() -> None:
    """An encrypted member is refused."""
    raw = bytearray(pack({"a": b"x"}))
    raw[raw.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(ArchiveError, match="a is encrypted"):
        unpack(bytes(raw))


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit to the number of members, both ways."""
    raw = pack({str(i): b"" for i in range(5)})
    monkeypatch.setattr(container, "MAX_MEMBERS", 4)
    with pytest.raises(ArchiveError, match="more than 4 members"):
        unpack(raw)
    with pytest.raises(ArchiveError, match="more than 4 members"):
        pack({str(i): b"" for i in range(5)})


def test_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is a limit to the size of a member and of a file, asked before anything is read."""
    raw = pack({"a": bytes(100)})
    file = tmp_path / "a.zip"
    file.write_bytes(raw)
    monkeypatch.setattr(container, "MAX_MEMBER_BYTES", 99)
    with pytest.raises(ArchiveError, match="a is larger than 99 bytes"):
        unpack(raw)
    monkeypatch.setattr(container, "MAX_ARCHIVE_BYTES", 99)
    with pytest.raises(ArchiveError, match="is larger than 99 bytes"):
        read_container(file)


def test_no_plain_file(tmp_path: Path) -> None:
    """A missing file, a folder and a device are refused."""
    for file in (tmp_path / "none", tmp_path, Path("/dev/zero")):
        with pytest.raises(ArchiveError, match="no such file"):
            read_container(file)


def test_manifest_is_what_sha256sum_reads(tmp_path: Path) -> None:
    """``sha256sum -c`` accepts the manifest of unpacked files."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "SHA256SUMS").write_bytes(manifest(FILES))
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not end with a line"),
        ("0" * 64 + "  SHA256SUMS\n", "lists itself"),
        (("0" * 64 + "  a\n") * 2, "lists 'a' twice"),
        ("0" * 63 + "  a\n", "no hash and name"),
        ("0" * 64 + " *a\n", "no hash and name"),
        ("0" * 64 + "  a\r\n\n", "no hash and name"),
    ],
)
def test_broken_manifest(text: str, says: str) -> None:
    """A manifest that lists itself, repeats a file or is malformed is refused."""
    with pytest.raises(ArchiveError, match=says):
        read_manifest(text.encode())


def test_manifest_finds_changes() -> None:
    """Missing, extra and changed files are named."""
    sums = {"SHA256SUMS": manifest(FILES)}
    with pytest.raises(ArchiveError, match="SHA256SUMS is missing"):
        check_manifest(FILES)
    with pytest.raises(ArchiveError, match="'empty' is missing"):
        check_manifest({k: v for k, v in FILES.items() if k != "empty"} | sums)
    with pytest.raises(ArchiveError, match="new is extra"):
        check_manifest(FILES | sums | {"new": b""})
    with pytest.raises(ArchiveError, match="empty was changed"):
        check_manifest(FILES | sums | {"empty": b"x"})
    assert check_manifest(FILES | sums) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested deeper"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[NaN]", "not a number"),
        ("[Infinity]", "not a number"),
        ("9" * 10_000, "not valid JSON"),
        ("{", "not valid JSON"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_hostile_json(text: str, says: str) -> None:
    """JSON that is deep, ambiguous, no number or broken gives one line."""
    with pytest.raises(ArchiveError, match=says) as caught:
        parse_json("x.json", text.encode("utf-8", "surrogateescape"))
    assert "\n" not in str(caught.value)


def test_huge_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Huge JSON is refused before it is parsed."""
    monkeypatch.setattr("reconcile.archive.reading.MAX_JSON_BYTES", 10)
    with pytest.raises(ArchiveError, match="larger than 10 bytes"):
        parse_json("x.json", b"[" + b" " * 10 + b"]")


def by_other_code(members: Members) -> Members:
    """The files of an archive that another commit wrote, a table less."""
    name = "code/workflow/reconcile/judge/conclusion.py"
    kept = {n: data for n, data in members.items() if n != "results/windows.csv"}
    return kept | {name: members[name] + b"# later\n"}


def opened(members: Members) -> Archive:
    """An archive of files."""
    return Archive(members)


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
