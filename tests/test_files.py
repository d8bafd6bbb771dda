"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from reconcile.errors import InputError
from reconcile.files import json_text, staged, write_bytes, write_json, write_text
from reconcile.tables.rows import Csv


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden files too."""
    return sorted(entry.name for entry in folder.iterdir())


def test_writing(tmp_path: Path) -> None:
    """A file is written with folders that are missing, and nothing is left beside it."""
    file = tmp_path / "a" / "b" / "table.csv"
    write_text(file, "é\n")
    assert file.read_bytes() == b"\xc3\xa9\n"
    assert names(file.parent) == ["table.csv"]


def test_replacing(tmp_path: Path) -> None:
    """A file takes the place of an older one."""
    file = tmp_path / "table.csv"
    write_bytes(file, b"old")
    write_bytes(file, b"new")
    assert file.read_bytes() == b"new"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    """Results are not private to who wrote them: the umask decides."""
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "table.csv", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "table.csv").stat().st_mode) == 0o640


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of an earlier run."""
    file = tmp_path / "table.csv"
    file.write_bytes(b"old")
    return file


def test_no_room(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the old file as it was, no part of the new one, and one line."""

    def full(file: Path, content: bytes) -> int:
        with file.open("wb") as stream:
            stream.write(content[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError) as caught:
        write_bytes(old, b"new and longer")
    monkeypatch.undo()
    assert str(caught.value) == f"{old}: cannot be written: No space left on device"
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["table.csv"]


def test_no_room_when_flushing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that turns out to be full when the data reach it is no different."""

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_bytes(old, b"new")
    assert (old.read_bytes(), names(old.parent)) == (b"old", ["table.csv"])


def test_no_room_for_a_real_device(tmp_path: Path) -> None:
    """Writing to a device that is always full is told in one line."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    link = tmp_path / "table.csv"
    with pytest.raises(InputError), staged(link) as part:
        part.unlink()
        part.symlink_to("/dev/full")
        write = part.open("wb", buffering=0)
        try:
            write.write(b"x")
        finally:
            write.close()
    assert names(tmp_path) == []


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be written to is one line."""
    if os.geteuid() == 0:

        def refused(*args: object, **kwargs: object) -> tuple[int, str]:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("tempfile.mkstemp", refused)
    else:
        tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        write_bytes(tmp_path / "table.csv", b"x")
    tmp_path.chmod(0o700)


def test_folder_that_is_a_file(old: Path) -> None:
    """A path through a file is one line."""
    with pytest.raises(InputError, match="cannot be written: "):
        write_bytes(old / "below.csv", b"x")


def test_target_that_is_a_folder(tmp_path: Path) -> None:
    """A folder in the file's place is one line, and no part stays."""
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        write_bytes(tmp_path / "table.csv", b"x")
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_of_the_writer(old: Path, error: type[BaseException]) -> None:
    """An error while writing goes on as it is; the old file stays whole."""
    with pytest.raises(error), staged(old) as part:
        part.write_bytes(b"half")
        raise error
    assert (old.read_bytes(), names(old.parent)) == (b"old", ["table.csv"])


def test_orphans_are_swept(old: Path) -> None:
    """The part that a killed writer left goes with the next write; other files' parts stay."""
    (old.parent / ".table.csv.abc.part").write_bytes(b"half")
    (old.parent / ".other.csv.abc.part").write_bytes(b"half")
    write_bytes(old, b"new")
    assert names(old.parent) == [".other.csv.abc.part", "table.csv"]


def test_json_is_the_same_for_the_same_value(tmp_path: Path) -> None:
    """Keys are sorted, text stays readable, and there is one final line end."""
    text = json_text({"b": [1, 2.5], "a": "é"})
    assert text == json_text({"a": "é", "b": [1, 2.5]})
    assert text.endswith("}\n") and "é" in text
    write_json(tmp_path / "x.json", {"b": 1})
    assert (tmp_path / "x.json").read_text() == '{\n "b": 1\n}\n'


def test_json_holds_no_nan() -> None:
    """What JSON has no word for is refused."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})


def test_csv_rows(tmp_path: Path) -> None:
    """Cells go by column name; missing ones are empty, commas are quoted, lines end as Unix's."""
    table = Csv(tmp_path / "t.csv", ("a", "b"))
    table.add([{"b": "x, y", "ignored": 1}, {"a": 0, "b": None}])
    table.close()
    assert (tmp_path / "t.csv").read_bytes() == b'a,b\n,"x, y"\n0,\n'


def test_writers_leave_each_other_alone(tmp_path: Path) -> None:
    """Of many processes that write one file at once each succeeds, and the last one's stays."""
    file = tmp_path / "table.csv"
    program = (
        "import sys; from pathlib import Path; from reconcile.files import write_bytes;"
        "[write_bytes(Path(sys.argv[1]), sys.argv[2].encode() * 5000) for _ in range(100)]"
    )
    command = [sys.executable, "-c", program, str(file)]
    writers = [subprocess.Popen([*command, letter]) for letter in "abcd"]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    assert file.read_bytes() in {letter.encode() * 5000 for letter in "abcd"}
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("reaped", [True, False])
def test_part_of_a_writer_that_was_killed(old: Path, reaped: bool) -> None:
    """A part stays as long as its writer lives and goes with the next write after its death."""
    program = (
        "import sys; from pathlib import Path; from reconcile.files import staged\n"
        "with staged(Path(sys.argv[1])) as part: print(part.name, flush=True); input()"
    )
    command = [sys.executable, "-c", program, str(old)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as writer:
        assert writer.stdout is not None
        part = writer.stdout.readline().strip()
        write_bytes(old, b"new")
        assert names(old.parent) == [part, "table.csv"]
        writer.kill()
        if reaped:
            writer.wait()
        else:
            os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT)
        write_bytes(old, b"newer")
        assert names(old.parent) == ["table.csv"]


def test_part_of_a_longer_name(old: Path) -> None:
    """A file whose name goes on after another's is no part of it."""
    (old.parent / ".table.csv.old.1-abc.part").write_bytes(b"half")
    write_bytes(old, b"new")
    assert names(old.parent) == [".table.csv.old.1-abc.part", "table.csv"]


def test_part_that_cannot_be_removed(old: Path) -> None:
    """What stands in a part's place and cannot be removed keeps nobody from writing."""
    (old.parent / ".table.csv.abc.part").mkdir()
    write_bytes(old, b"new")
    assert old.read_bytes() == b"new"
