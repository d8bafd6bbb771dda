"""The form of the JSON files in an archive.

Keys that a later release adds are let through; those named here must be there and have their type.
"""

from __future__ import annotations

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

from reconcile.archive.limits import ArchiveError, shown

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
    settings: dict[str, bool | Number | str | None]
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
