"""The one zip file of a set of files, the same everywhere and for ever, and where each file lies.

Members are stored, not compressed: another release of zlib would write other bytes, a stored member
cannot be a bomb, and no decompressor has to be trusted. Names are sorted, dates and modes fixed. So
a list of files has exactly one container, and a reader can ask for that one byte by byte: whatever
was changed, in a member, a header, an extra field or behind the end, is seen.

Where each file lies, and which of them are the record of one run:

README.md, certificate.md     for people
ro-crate-metadata.json        for machines
SHA256SUMS                    every other file's hash
study/                        study.yaml, network.py and what else the study's folder holds
results/                      what any run of this study and code gives, byte for byte
record/                       what is true of this run only, and what is drawn from it
code/                         the workflow, its configuration and its locked environment
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from reconcile.errors import InputError
from reconcile.files import CODE_FOLDERS, CONFIG, code_files, files_in, refuse_links
from reconcile.tables.contract import COLUMN, FIGURES, FILES

MAX_ARCHIVE_BYTES = 256 * 1024**2
MAX_MEMBER_BYTES = 128 * 1024**2
MAX_MEMBERS = 10_000
MAX_NAME = 200

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._+-]*|\.[A-Za-z0-9_-][A-Za-z0-9._+-]*")
README = "README.md"
CERTIFICATE = "certificate.md"
METADATA = "ro-crate-metadata.json"
MANIFEST = "SHA256SUMS"

REPRODUCIBLE = ("study/", "results/", "code/")
"""The parts that two runs of one study and code have in common, byte for byte."""

WRITTEN_BY = {name: file.rule for name, file in FILES.items()} | {"figures": "render_report"}
"""The rule behind each file of ``results/<study>/``; the name may go on (``measure_batch``)."""

RESULT_FILES = tuple(FILES)
"""What every archive holds of ``results/<study>/``, besides the figures."""
FIGURE_FILES = tuple(
    f"figures/{name}{width}.{form}"
    for name in FIGURES
    for width in ("", COLUMN)
    for form in ("svg", "pdf")
)
"""What it holds of them, where the report has them."""

# A PDF has a date in it, and these figures show latencies.
_DRAWN_FROM_RECORD = ("figures/*.pdf", "figures/latency*")


class ArchiveError(Exception):
    """An archive that cannot be trusted or written; ``str()`` is one line that says why."""


def shown(name: str) -> str:
    """A name that may hold anything, as printable ASCII of bounded length."""
    text = ascii(name)
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}..."


def shown_name(text: str) -> str:
    """The same without quotes."""
    return shown(text)[1:-1]


@contextmanager
def one_line(root: Path | None = None) -> Iterator[None]:
    """Whatever goes wrong with somebody's archive is a finding of one line, not a crash.

    Args:
        root: a temporary folder, whose name says nothing to anybody.

    Raises:
        ArchiveError: in place of any other exception.
    """
    try:
        yield
    except ArchiveError:
        raise
    except InputError as error:
        raise ArchiveError(_below(root, str(error.faults[0]))) from None
    except Exception as error:
        message = _below(root, f"{type(error).__name__}: {error}")
        raise ArchiveError(f"cannot be checked: {message}") from None


def _below(root: Path | None, message: str) -> str:
    return shown_name(message if root is None else message.replace(f"{root}/", ""))


def check_name(name: str) -> None:
    """Accept only plain relative paths of ASCII letters, digits and ``._+-``.

    Raises:
        ArchiveError: the name is absolute, leaves the archive, or is not plain.
    """
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise ArchiveError(f"{shown(name)} is an absolute path")
    if ".." in re.split(r"[/\\]", name):
        raise ArchiveError(f"{shown(name)} leads out of the archive")
    if name.endswith("/"):
        raise ArchiveError(f"{shown(name)} is a folder; an archive holds files only")
    if len(name) > MAX_NAME or not all(_PART.fullmatch(part) for part in name.split("/")):
        raise ArchiveError(f"{shown(name)} is not a plain file name")


# APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end).
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
# Section 4.3.15: what would lead to an end of the form for large files.
_LOCATOR_SIZE, _LOCATOR = 20, b"PK\6\7"
_VERSION = 20
_UNIX = 3
# 1980-01-01 00:00:00, the first date that a zip can name: it stands for "no date".
_TIME, _DATE = 0, (1 << 5) | 1
_MODE = stat.S_IFREG | 0o644


def pack(members: Mapping[str, bytes]) -> bytes:
    """The container of these files.

    Raises:
        ArchiveError: a name is not plain, or there is more than a container may hold.
    """
    _check_names(list(members))
    body: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for name in sorted(members):
        data, path = members[name], name.encode("ascii")
        sizes = (zlib.crc32(data), len(data), len(data), len(path), 0)
        common = (_VERSION, 0, 0, _TIME, _DATE, *sizes)
        system, external = _UNIX << 8 | _VERSION, _MODE << 16
        directory += [_CENTRAL.pack(b"PK\1\2", system, *common, 0, 0, 0, external, at), path]
        body += [_LOCAL.pack(b"PK\3\4", *common), path, data]
        at += _LOCAL.size + len(path) + len(data)
        if len(data) > MAX_MEMBER_BYTES or at > MAX_ARCHIVE_BYTES:
            raise ArchiveError(f"{name} makes the archive larger than an archive may be")
    count, size = len(members), sum(map(len, directory))
    end = _END.pack(b"PK\5\6", 0, 0, count, count, size, at, 0)
    return b"".join([*body, *directory, end])


def read_container(file: Path) -> bytes:
    """The bytes of an archive file.

    Raises:
        ArchiveError: it is missing, not a plain file, unreadable or too large.
    """
    try:
        if not file.is_file():
            raise ArchiveError("there is no such file")
        if file.stat().st_size > MAX_ARCHIVE_BYTES:
            raise ArchiveError(f"is larger than {MAX_ARCHIVE_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise ArchiveError(f"cannot be read: {error.strerror}") from None


def unpack(raw: bytes) -> dict[str, bytes]:
    """The files in a container, if it is exactly the container of these files.

    Raises:
        ArchiveError: it is no zip, breaks a rule of the archive, or differs in any byte from what
            ``pack`` makes of its members.
    """
    _check_end(raw)
    with one_line(), ZipFile(BytesIO(raw)) as file:
        entries = file.infolist()
        _check_names([entry.filename for entry in entries])
        for entry in entries:
            _check_entry(entry)
        # Entries that overlap would let a small file stand for a large one: asked before any is
        # read.
        if sum(entry.file_size for entry in entries) > len(raw):
            raise ArchiveError("its members overlap: together they are larger than the file")
        members = {entry.filename: _stored(file, entry) for entry in entries}
    _compare(raw, pack(members))
    return members


def _check_end(raw: bytes) -> None:
    """Bound the directory before it is read: each of its entries becomes an object."""
    if len(raw) < _END.size:
        raise ArchiveError("is not a zip file")
    signature, *_, size, _, comment = _END.unpack_from(raw, len(raw) - _END.size)
    locator = raw[: -_END.size][-_LOCATOR_SIZE:]
    if signature != b"PK\5\6" or comment or locator.startswith(_LOCATOR):
        raise ArchiveError("does not end as a zip file does: cut off, appended to, or no zip")
    if size > MAX_MEMBERS * (_CENTRAL.size + MAX_NAME):
        raise ArchiveError(f"has more than {MAX_MEMBERS:,} members")


def _check_names(names: list[str]) -> None:
    if len(names) > MAX_MEMBERS:
        raise ArchiveError(f"has more than {MAX_MEMBERS:,} members")
    seen: set[str] = set()
    for name in names:
        check_name(name)
        # Two names that differ in case only are one file on some systems.
        if name.lower() in seen:
            raise ArchiveError(f"{shown(name)} stands in the archive twice")
        seen.add(name.lower())
    for name in names:
        folders = (name[:at] for at, char in enumerate(name) if char == "/")
        folder = next((f for f in folders if f.lower() in seen), None)
        if folder is not None:
            raise ArchiveError(f"{shown(name)} lies in a folder that is a file of the archive")


def _check_entry(entry: ZipInfo) -> None:
    name, mode, size = entry.filename, entry.external_attr >> 16, entry.file_size
    if stat.S_ISLNK(mode):
        raise ArchiveError(f"{name} is a symbolic link; an archive holds files only")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ArchiveError(f"{name} is no regular file")
    if entry.flag_bits & 1:
        raise ArchiveError(f"{name} is encrypted")
    if size > MAX_MEMBER_BYTES:
        raise ArchiveError(f"{name} is larger than {MAX_MEMBER_BYTES:,} bytes")
    if entry.compress_type != 0 or entry.compress_size != size:
        raise ArchiveError(f"{name} is compressed ({size:,} bytes); members are stored as is")


def _stored(file: ZipFile, entry: ZipInfo) -> bytes:
    try:
        return file.read(entry)
    except (BadZipFile, EOFError) as error:
        raise ArchiveError(f"{entry.filename} was changed: {shown_name(str(error))}") from None


def _compare(raw: bytes, expected: bytes) -> None:
    if raw == expected:
        return
    pairs = enumerate(zip(raw, expected, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(raw), len(expected)))
    raise ArchiveError(f"its zip structure was changed (byte {at:,}: not as archives are written)")


def member_of(result: str) -> str:
    """Where a file of ``results/<study>/`` lies in the archive."""
    file = FILES.get(result)
    drawn = any(fnmatchcase(result, pattern) for pattern in _DRAWN_FROM_RECORD)
    of_one_run = file.record or file.drawn if file else drawn
    return f"{'record' if of_one_run else 'results'}/{result}"


def result_name(member: str) -> str | None:
    """The inverse of ``member_of``; None for what is no result."""
    part, _, name = member.partition("/")
    return name if part in ("results", "record") and name else None


_ON_TOP = (README, CERTIFICATE, METADATA, MANIFEST)
_FREE = ("study", "code")


def has_place(member: str) -> bool:
    """Whether the layout has a place for a file; an archive of any release holds no other.

    The results of both parts are read from one folder: a file in the wrong part would stand there
    for the one in the right part. A name that a release has written stays known.
    """
    part, _, name = member.partition("/")
    if not name:
        return member in _ON_TOP
    known = name in (*RESULT_FILES, *FIGURE_FILES)
    return part in _FREE or (known and member_of(name) == member)


REQUIRED = (
    README,
    CERTIFICATE,
    METADATA,
    "study/study.yaml",
    *(member_of(name) for name in RESULT_FILES),
)
"""What this release archives."""

CORE = (
    *(README, CERTIFICATE, METADATA, "study/study.yaml"),
    *map(member_of, ("interpretations.json", "layers.csv", "totals.csv", "verdicts.csv")),
    *map(member_of, ("reconciliation.json", "numbers.tex", "record.json")),
)
"""Without these an archive is none, whatever release wrote it."""


def gather(
    root: Path, study_folder: Path, results: Path, config: Path | None = None
) -> dict[str, bytes]:
    """The files of an archive, by member name, before anything is written about them.

    Args:
        root: where the project's files are.
        study_folder: the study's folder.
        results: the study's results.
        config: the configuration of the run; without one, the project's own.

    Raises:
        InputError: a result is missing, a file's name is not plain, or a folder holds a link.
    """
    refuse_links(study_folder, results / "figures", *(root / name for name in CODE_FOLDERS))
    members: dict[str, bytes] = {}
    for name, file in (*_code(root, config), *_study(study_folder), *_results(results)):
        try:
            check_name(name)
            members[name] = file.read_bytes()
        except ArchiveError as error:
            raise InputError.of(file, f"cannot be archived: {error}") from None
        except OSError as error:
            raise InputError.of(file, f"cannot be read: {error.strerror}") from None
    return members


def _code(root: Path, config: Path | None) -> Iterator[tuple[str, Path]]:
    for name, file in code_files(root).items():
        yield f"code/{name}", config if config and name == CONFIG else file


def _study(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in files_in(folder):
        yield f"study/{file.relative_to(folder).as_posix()}", file


def _results(results: Path) -> Iterator[tuple[str, Path]]:
    for name in RESULT_FILES:
        file = results / name
        if not file.is_file():
            message = f"there is no such file; run `snakemake` first ({WRITTEN_BY[name]} writes it)"
            raise InputError.of(file, message)
        yield member_of(name), file
    for name in FIGURE_FILES:
        if (results / name).is_file():
            yield member_of(name), results / name
