"""What ``reconcile new`` writes: a small study that works, or a paper's own repository with one.

Such a repository holds its studies, and takes this workflow as a module of one release: a tag on
GitHub, or a local folder to try it with; requirements.txt installs the library from the same place.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reconcile import __version__
from reconcile.errors import InputError
from reconcile.files import CONFIG, LOCK, PACKAGE, ROOT, TEMPLATES, write_text
from reconcile.study.yamlfile import PATTERNS, RESERVED, STUDY_PATTERN

_SKELETON = TEMPLATES / "skeleton"
FILES = ("study.yaml", "network.py")
PLACEHOLDER = "PAPER"
MAX_NAME = 200
_SCHEMA = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
_FILES = {
    "Snakefile": "Snakefile",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "ci.yaml": ".github/workflows/report.yaml",
}
"""What is written, by the file in ``templates/skeleton/`` that it is made of."""
_PROFILE = "profiles/default/profile.yaml"
_ON_GITHUB = re.compile(r"(?:git\+)?(?:https://github\.com/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?")
# Not torch, which the library pins itself, nor the parts of CUDA, which one of its builds needs.
_PIN = re.compile(
    r"^(?!torch==|triton==|nvidia-|cuda-)([a-z0-9.-]+)==(\S+)((?: ;[^\\\n]+)?)", re.MULTILINE
)


def study_folder(path: str, studies: Path) -> Path:
    """Where a new study goes: a name is a folder below ``studies``, all else is the folder itself.

    Raises:
        InputError: the folder's name is none for a study, or something is there.
    """
    name = Path(path).name if "/" in path.rstrip("/") else path
    folder = studies / name if name == path else Path(path)
    refuse_name(name, folder.parent)
    if folder.exists() or folder.is_symlink():
        raise InputError.of(folder, "is there already")
    return folder


def refuse_name(name: str, place: Path, hint: str = "") -> None:
    """Accept only what ``config.yaml`` can name.

    Raises:
        InputError: it is no name for a study.
    """
    fits = re.fullmatch(STUDY_PATTERN, name) and len(name) <= MAX_NAME
    if not fits or name in RESERVED:
        accepted = f"accepted is {PATTERNS[STUDY_PATTERN]}"
        raise InputError.of(place, f"{name!r} is no name for a study; {accepted}{hint}")


def new_study(folder: Path) -> Path:
    """Write a study into a new folder, whose name is the study's, and return the folder.

    Raises:
        InputError: nothing can be written there.
    """
    for file in FILES:
        text = (_SKELETON / file).read_text(encoding="utf-8")
        write_text(folder / file, _for_editors(text, folder).replace(PLACEHOLDER, folder.name))
    return folder


def _for_editors(text: str, folder: Path) -> str:
    """Where no schema lies near, editors need not look for it."""
    named = _SCHEMA.match(text)
    found = named is not None and (folder / named[1]).is_file()
    return text if named is None or found else text[named.end() :]


# A paper's own repository.


@dataclass(frozen=True)
class Origin:
    """Where the workflow is had.

    Attributes:
        snakefile: what a module's ``snakefile:`` says.
        requirement: what pip installs the library from.
        address: where a reader finds it.
    """

    snakefile: str
    requirement: str
    address: str


def on_github(repository: str, tag: str) -> Origin:
    """A tag of a repository there, which is named ``owner/name``."""
    address = f"https://github.com/{repository}"
    snakefile = f'github("{repository}", path="Snakefile", tag="{tag}")'
    return Origin(snakefile, f"git+{address}@{tag}", address)


def in_folder(folder: Path) -> Origin:
    """A local checkout, to try it with."""
    path = folder.resolve()
    return Origin(json.dumps(str(path / "Snakefile")), path.as_uri(), path.as_uri())


def origin_of(given: str | None) -> Origin:
    """Where the workflow is had: as given, or else where this library was had.

    Args:
        given: a folder with a checkout, or ``owner/name`` on GitHub, with a tag of this release.

    Raises:
        InputError: it is neither; or there is none, and nobody knows where this library is from.
    """
    accepted = "accepted is the folder of a checkout, or OWNER/NAME on GitHub"
    if given is None:
        origin = _where_this_is_from()
        if origin is None:
            raise InputError.of(Path("--workflow"), f"is needed here; {accepted}")
        return origin
    if (Path(given) / "Snakefile").is_file() and (Path(given) / "pyproject.toml").is_file():
        return in_folder(Path(given))
    named = _ON_GITHUB.fullmatch(given)
    if named is None or Path(given).exists():
        raise InputError.of(Path("--workflow"), f"not {given!r}; {accepted}")
    return on_github(named[1], f"v{__version__}")


def _where_this_is_from() -> Origin | None:
    if PACKAGE.is_relative_to(ROOT):
        return in_folder(ROOT)
    source = _installed_from()
    if "dir_info" in source:
        return in_folder(Path(unquote(urlsplit(source["url"]).path)))
    named = _ON_GITHUB.fullmatch(source.get("url", "")) if "vcs_info" in source else None
    if named is None:
        return None
    asked = source["vcs_info"].get("requested_revision")
    return on_github(named[1], asked or source["vcs_info"]["commit_id"])


def _installed_from() -> dict[str, Any]:
    """What pip notes of where it had a package that came from no index (PEP 610)."""
    try:
        text = metadata.distribution("reconcile").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return {}
    return dict(json.loads(text)) if text else {}


def new_repository(folder: Path, study: str | None, given: str | None) -> Path:
    """Write a repository with one study into a folder that is new or empty, and return it.

    Args:
        folder: the folder.
        study: the study's name; without one, the folder's.
        given: as of ``origin_of``.

    Raises:
        InputError: the folder holds something, the name is none for a study, it is not known where
            the workflow is, or nothing can be written.
    """
    name = study or folder.resolve().name
    refuse_name(name, folder, "" if study else "; give another with --study")
    _refuse_full(folder)
    origin = origin_of(given)
    for file, target in _FILES.items():
        text = (_SKELETON / file).read_text(encoding="utf-8")
        write_text(folder / target, _filled(text, name, origin))
    write_text(folder / CONFIG, _configuration())
    write_text(folder / _PROFILE, (ROOT / _PROFILE).read_text(encoding="utf-8"))
    write_text(folder / "requirements.txt", _requirements(origin))
    write_text(folder / "constraints.txt", _constraints())
    new_study(folder / "studies" / name)
    return folder


def _refuse_full(folder: Path) -> None:
    try:
        held = sorted(entry.name for entry in folder.iterdir() if entry.name != ".git")
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.of(folder, f"is no folder for it: {error.strerror}") from None
    if held:
        raise InputError.of(folder, f"is there already, and holds {held[0]}")


def _filled(text: str, study: str, origin: Origin) -> str:
    words = {
        PLACEHOLDER: study,
        "WORKFLOW": origin.snakefile,
        "VERSION": __version__,
        "ADDRESS": origin.address,
    }
    return re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[0]], text)


def _configuration() -> str:
    """The project's own configuration, of all studies, without a schema that is not there."""
    text = (ROOT / CONFIG).read_text(encoding="utf-8")
    text = re.sub(r"^# yaml-language-server: .*\n", "", text)
    return re.sub(r"^studies: .*$", "studies: all", text, flags=re.MULTILINE)


def _requirements(origin: Origin) -> str:
    return (
        "# The pipeline, of the release that the Snakefile takes; what it needs is pinned beside.\n"
        "--constraint constraints.txt\n"
        f"reconcile[pipeline] @ {origin.requirement}\n"
    )


def _constraints() -> str:
    """What this release is locked to."""
    pins = _PIN.findall(LOCK.read_text(encoding="utf-8"))
    builds = Counter(name for name, *_ in pins)
    lines = (f"{n}=={v}{m.rstrip()}\n" for n, v, m in pins if builds[n] == 1)
    return f"# What reconcile {__version__} was tested with.\n{''.join(lines)}"
