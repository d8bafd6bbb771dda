"""Checks of an archive's structure: required files, metadata, schemas, sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from reconcile.archive.container import (
    CORE,
    MANIFEST,
    METADATA,
    REQUIRED,
    ArchiveError,
    has_place,
    member_of,
    shown,
)
from reconcile.archive.reading import MAX_JSON_VALUES, Archive, check_table, digest, parse_json
from reconcile.tables.contract import FILES, tables

# What describes the crate's own metadata: no file of it.
_DESCRIPTOR = {METADATA, "./"}
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Number = int | float


def _a_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_a_time)]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Claim(_Open):
    id: str
    printed: str
    matched_by: list[str]


class _Ranked(_Open):
    rank: int
    interpretation: str
    title: str
    excluded: bool
    excluded_by: list[str]
    score: dict[str, Number]


class _Conclusion(_Open):
    interpretation: str
    answer: str
    text: str


class _Paper(_Open):
    title: str
    authors: Annotated[list[str], Field(min_length=1)]
    year: int
    venue: str
    url: str


class ReconciliationModel(_Open):
    """results/reconciliation.json."""

    study: str
    version: str
    title: str
    question: str
    paper: _Paper
    counts: dict[str, int]
    claims: list[_Claim]
    ranking: list[_Ranked]
    equal_counts: list[list[str]]
    conclusion: _Conclusion


class _Source(_Open):
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    clean: bool | None = None
    lock_sha256: Sha256 | None = None
    config_sha256: Sha256 | None = None
    study_sha256: Sha256 | None = None


class _Device(_Open):
    type: Literal["cpu", "cuda"]
    name: str | None = None


class RecordModel(_Open):
    """record/record.json."""

    study: str
    command: str
    started: Time
    ended: Time
    device: _Device
    settings: dict[str, bool | Number | str | list[str] | None]
    twice_every: int | None = None
    versions: dict[str, str | None]
    host: dict[str, str | Number | None]
    source: _Source
    system: dict[str, str | None]


class _Reading(_Open):
    id: str
    networks: dict[str, dict[str, Any]]


class PlanModel(_Open):
    """results/interpretations.json."""

    study: str
    interpretations: list[_Reading]


class CrateModel(BaseModel):
    """ro-crate-metadata.json, as far as every crate has the form."""

    model_config = ConfigDict(extra="forbid")
    context: Annotated[list[Any], Field(alias="@context")]
    graph: Annotated[list[dict[str, Any]], Field(alias="@graph")]


def check_schema(model: type[BaseModel], name: str, value: Any) -> None:
    """Check a JSON value against a model.

    Raises:
        ArchiveError: the first thing that does not fit.
    """
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ArchiveError(f"{name}: {shown(place)}: {shown(first['msg'])}") from None


def check_required(archive: Archive) -> str:
    """Every file that makes an archive one is there, each in its place, and none that has none."""
    for name in archive.members:
        if not has_place(name):
            raise ArchiveError(f"{name} has no place in an archive")
    for name in CORE:
        if name not in archive.members:
            raise ArchiveError(f"{name} is missing")
    if archive.values > MAX_JSON_VALUES:
        raise ArchiveError(f"its JSON files hold more than {MAX_JSON_VALUES:,} values")
    wanted = REQUIRED if archive.same_code else CORE
    for name in wanted:
        if name not in archive.members:
            raise ArchiveError(f"{name} is missing")
    return f"{len(wanted)} required files; {_written_by(archive)}"


def _written_by(archive: Archive) -> str:
    if archive.same_code:
        return "written by this very code"
    return f"written by other code, version {shown_name(archive.version)}: checked by values"


def check_metadata(archive: Archive) -> str:
    """The RO-Crate lists exactly the archive's files, with their true sizes and hashes."""
    content = parse_json(METADATA, archive.members[METADATA])
    check_schema(CrateModel, METADATA, content)
    files = _file_entities(content["@graph"])
    for name in sorted(set(files) ^ (set(archive.members) - {METADATA})):
        what = "lists a file that is not there" if name in files else "does not list"
        raise ArchiveError(f"{METADATA} {what}: {shown(name)}")
    for name, entity in files.items():
        if name != MANIFEST:
            data = archive.members[name]
            if entity.get("sha256") != digest(data) or entity.get("contentSize") != str(len(data)):
                raise ArchiveError(f"{METADATA} has another size or hash for {name}")
    return f"RO-Crate of {len(files)} files"


def _file_entities(graph: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for entity in graph:
        kinds, name = entity.get("@type"), entity.get("@id")
        if "File" not in (kinds if isinstance(kinds, list) else [kinds]):
            continue
        if not isinstance(name, str) or name in files:
            raise ArchiveError(f"{METADATA} lists a file twice or without a name")
        if name not in _DESCRIPTOR:
            files[name] = entity
    return files


def check_tables(archive: Archive) -> str:
    """Every table has the columns of the contract, every cell its column's form."""
    check_schema(ReconciliationModel, "reconciliation.json", archive.reconciliation)
    check_schema(PlanModel, "interpretations.json", archive.json("interpretations.json"))
    names = [name for name in tables() if member_of(name) in archive.members]
    rows = sum(_check_table(archive, name) for name in names)
    if archive.json("interpretations.json")["study"] != archive.study:
        raise ArchiveError("interpretations.json is of another study")
    return f"{len(names)} tables, {rows:,} rows"


def _check_table(archive: Archive, name: str) -> int:
    exactly = archive.same_code
    needed = FILES[name].head() if exactly else FILES[name].keys
    return check_table(name, archive.data(name), needed, exactly=exactly)


def check_record(archive: Archive) -> str:
    """The record has its form, is of this study, and ends after it starts."""
    record = archive.record
    check_schema(RecordModel, "record.json", record)
    if record["study"] != archive.study:
        raise ArchiveError("record.json is of another study")
    started, ended = (datetime.fromisoformat(record[key]) for key in ("started", "ended"))
    if started.tzinfo is None or ended.tzinfo is None or ended < started:
        raise ArchiveError("record.json: started and ended are no two times in order")
    device = record["device"]
    return f"{shown_name(device.get('name') or device['type'])}, {ended:%Y-%m-%d %H:%M} UTC"


def shown_name(text: str) -> str:
    """A name for the terminal."""
    return shown(text)[1:-1]


STRUCTURE: dict[str, Callable[[Archive], str]] = {
    "files": check_required,
    "metadata": check_metadata,
    "tables": check_tables,
    "record": check_record,
}
"""What is asked before anything is computed, in order; each relies on those before."""
