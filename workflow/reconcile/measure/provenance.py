"""The record of a run, never the same twice: source, host, software and device, as far as known.

Every function returns only what it found out. What is not known (no git here, no Debian there) is
left out of the record, never guessed. Without torch: a measuring process says what it was.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reconcile import __version__
from reconcile.files import CONFIG, LOCK, files_in
from reconcile.proc import proc_field
from reconcile.run import COMMAND_VARIABLE, CONFIG_HASH_VARIABLE
from reconcile.study.settings import TWICE_EVERY, Measuring

PACKAGES = (
    "snakemake",
    "pandas",
    "numpy",
    "pydantic",
    "PyYAML",
    "Jinja2",
    "weasyprint",
    "pydyf",
    "fonttools",
    "rocrate",
)
"""The packages whose release shows in the results; those that are not installed are left out."""
CGROUP_LIMITS = tuple(
    Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory/memory.limit_in_bytes")
)
# The first lays the report's lines out, the second cuts its fonts: both show in the PDF's bytes.
DEBIAN_PACKAGES = {"pango": "libpango-1.0-0", "harfbuzz": "libharfbuzz-subset0"}


def record_of(
    study_folder: Path,
    root: Path,
    started: datetime,
    introduction: dict[str, Any],
    settings: Measuring,
) -> dict[str, Any]:
    """The content of record.json for a run that ends now.

    Args:
        study_folder: the study's folder, whose name is the study's.
        root: the project folder, for its commit and lock file.
        started: when the run began, UTC.
        introduction: what the measuring process said of itself and its device.
        settings: how was measured.
    """
    ended = datetime.now(UTC)
    flags = introduction["flags"]
    kernels = {
        "tf32": flags["tf32_matmul"] or flags["tf32_cudnn"],
        "deterministic": flags["deterministic"],
        "threads": flags["threads"],
    }
    return {
        "versions": versions() | introduction["versions"],
        "host": host(),
        "source": source(root, study_folder),
        "system": system(),
        "study": study_folder.resolve().name,
        "command": os.environ.get(COMMAND_VARIABLE) or shlex.join(sys.argv),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 3),
        "device": introduction["device"],
        "settings": settings.model_dump() | kernels,
        "twice_every": TWICE_EVERY,
        "flags": flags,
    }


def merged_record(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One record of a study that several jobs measured; what each did stands under ``jobs``."""
    jobs = [
        {key: record[key] for key in ("started", "ended", "seconds", "device", "host")}
        for record in records
    ]
    # Where one job had to leave the GPU, the record of the whole says so.
    reasons = filter(None, dict.fromkeys(record["device"].get("fallback") for record in records))
    return records[0] | {
        "device": records[0]["device"] | {"fallback": "; ".join(reasons) or None},
        "started": min(record["started"] for record in records),
        "ended": max(record["ended"] for record in records),
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "jobs": jobs,
    }


def versions() -> dict[str, str]:
    """The releases of Python and of the packages that results depend on."""
    # The library is found, not installed: it may lie in a folder that was moved.
    found = {"python": platform.python_version(), "reconcile": __version__}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package.lower()] = metadata.version(package)
    return found


def package_facts(package: str) -> dict[str, Any]:
    """Release of an installed package and the SHA-256 of its Python files, found, not imported."""
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        version = None
    spec = find_spec(package)
    places = (spec.submodule_search_locations or ()) if spec is not None else ()
    lines = [
        f"{file_sha256(file)}  {file.relative_to(place)}\n"
        for place in map(Path, places)
        for file in sorted(place.rglob("*.py"))
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest() if lines else None
    return _known(version=version, sha256=digest)


def host() -> dict[str, Any]:
    """Operating system, processor and memory; never the machine's name or its user's."""
    return _known(
        os=_operating_system(),
        machine=platform.machine() or None,
        cpu=processor(),
        cores=os.cpu_count(),
        memory_bytes=_memory(),
    )


def source(root: Path, study: Path | None = None) -> dict[str, str | bool]:
    """Git commit, whether the tree was clean, and the hashes of lock file, config and study."""
    hashes = _known(
        # A folder without a lock of its own runs with what this library is locked to.
        lock_sha256=file_sha256(root / LOCK.name) or file_sha256(LOCK),
        # The file may have been edited since the run began.
        config_sha256=os.environ.get(CONFIG_HASH_VARIABLE) or file_sha256(root / CONFIG),
        study_sha256=folder_sha256(study) if study is not None and study.is_dir() else None,
    )
    return _git_state(root) | hashes


def system() -> dict[str, str]:
    """The Debian packages that decide the bytes of the PDF, where dpkg knows them."""
    found = {
        name: output_of("dpkg-query", "-W", "-f=${Version}", package)
        for name, package in DEBIAN_PACKAGES.items()
    }
    return _known(**found)


def file_sha256(file: Path) -> str | None:
    """The SHA-256 of a file, or None where there is no such file."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def folder_sha256(folder: Path) -> str:
    """One SHA-256 for the files of a folder: that of their ``sha256sum`` lines, sorted by name."""
    lines = [f"{file_sha256(file)}  {file.relative_to(folder)}\n" for file in files_in(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _git_state(root: Path) -> dict[str, str | bool]:
    top = output_of("git", "-C", str(root), "rev-parse", "--show-toplevel")
    # A copy of the project inside another repository says nothing about that repository's commit.
    if top is None or Path(top).resolve() != root.resolve():
        return {}
    commit = output_of("git", "-C", str(root), "rev-parse", "--verify", "HEAD")
    changes = output_of("git", "-C", str(root), "status", "--porcelain")
    return _known(commit=commit, clean=None if changes is None else not changes)


def _operating_system() -> str | None:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        name = None
    parts = [name, f"{platform.system()} {platform.release()}".strip()]
    return ", ".join(part for part in parts if part) or None


def processor() -> str | None:
    """The name of the processor, as far as the system tells."""
    return proc_field("cpuinfo", "model name") or platform.processor() or None


def memory_limit() -> int | None:
    """The bytes that this process and its children may have: of the machine or of its group."""
    limits = [_memory()]
    for file in CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            limits.append(int(file.read_text()))
    return min((limit for limit in limits if limit is not None), default=None)


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def output_of(*command: str) -> str | None:
    """What a command prints, or None where it is missing, fails or does not come back."""
    try:
        done = subprocess.run(  # noqa: S603 - commands that the library writes
            command, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}
