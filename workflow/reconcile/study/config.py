"""The configuration, ``config.yaml``, and the schemas of the files that users write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from reconcile.errors import Fault, InputError, not_there
from reconcile.files import json_text
from reconcile.study.load import STUDY_FILE
from reconcile.study.model import Study
from reconcile.study.settings import Measuring, Settings
from reconcile.study.yamlfile import (
    ORCID_PATTERN,
    RESERVED,
    STUDY_PATTERN,
    build,
    load_yaml,
    printable,
)

Id = Annotated[str, StringConstraints(pattern=STUDY_PATTERN, max_length=200)]


def _somebodys_orcid(orcid: str) -> str:
    """An ORCID whose last character follows from the others (ISO 7064, MOD 11-2); or nothing."""
    remainder = 0
    for digit in orcid.replace("-", ""):
        remainder = (2 * remainder + (10 if digit == "X" else int(digit))) % 11
    if orcid and remainder != 1:
        raise ValueError("is nobody's ORCID: a digit of it must be another one")
    return orcid


class ReportOptions(Settings):
    """What the report says about who made it, and how much it shows."""

    checked_by: Annotated[str, StringConstraints(max_length=200), AfterValidator(printable)] = (
        Field("", description="Who answers for the check; left out of the report when empty.")
    )
    orcid: Annotated[
        str, StringConstraints(pattern=ORCID_PATTERN), AfterValidator(_somebodys_orcid)
    ] = Field("", description="ORCID of that person, 0000-0000-0000-0000; left out when empty.")
    max_readings: int = Field(
        24,
        ge=1,
        le=200,
        description="Combinations of a sweep shown in full where a study names no reading.",
    )


class Config(Settings):
    """Everything in config.yaml."""

    studies: Literal["all"] | list[Id] = Field(
        default=["alexnet"], description="Folders under studies/ to run, or `all`."
    )
    measure: Measuring = Field(default_factory=Measuring, description="Device, timing and limits.")
    report: ReportOptions = Field(
        default_factory=ReportOptions, description="What the report shows."
    )


def load_config(file: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        InputError: one fault for each thing that is wrong, with file, line and key.
    """
    data, places = load_yaml(file)
    return build(Config, data, places, file)


def load_configs(file: Path, given: Sequence[Path]) -> Path:
    """Check every file of a run's configuration; return the one that counts most.

    Args:
        file: the file of the folder, which may be missing where others are given.
        given: those of ``snakemake --configfile``, which are laid over it in turn.

    Raises:
        InputError: one fault for each thing that is wrong in the first file that has any.
    """
    files = [*([file] if file.exists() or not given else []), *given]
    for each in files:
        load_config(each)
    return files[-1]


def check_config(
    values: dict[str, Any], source: str = "the configuration given to snakemake"
) -> Config:
    """Check configuration values that came from elsewhere (``snakemake --config``).

    Raises:
        InputError: one fault for each thing that is wrong.
    """
    # Snakemake reads nested values of its command line as text: "5" is a number there.
    return build(Config, values, {}, Path(source), strict=False)


def study_names(config: Config, studies: Path, file: Path) -> list[str]:
    """The studies to run, in the order of the configuration, or all in order of their names.

    Raises:
        InputError: a study is named that has no folder, or one has a name that none can have.
    """
    there = sorted(folder.parent.name for folder in studies.glob(f"*/{STUDY_FILE}"))
    there = [name for name in there if re.match(STUDY_PATTERN, name)]
    if taken := next((name for name in there if name in RESERVED), None):
        raise InputError.of(studies / taken, "no study can be called so; rename it")
    if config.studies == "all" and not there:
        raise InputError.of(studies, f"there is no study in it: no */{STUDY_FILE}")
    if config.studies == "all":
        return there
    wanted = list(dict.fromkeys(config.studies))
    unknown = [name for name in wanted if name not in there]
    if wanted and not unknown:
        return wanted
    none = f"names no study; accepted: all, {', '.join(there)}"
    problems = [not_there("study", name, there) for name in unknown] or [none]
    line = _line_of_studies(file, config)
    raise InputError(*(Fault(file, line, "studies", problem) for problem in problems))


def _line_of_studies(file: Path, config: Config) -> int:
    """The line in the file, or 0 where the value was given to snakemake instead."""
    try:
        data, places = load_yaml(file)
    except InputError:
        return 0
    return places[("studies",)] if data.get("studies") == config.studies else 0


SCHEMAS: dict[str, type[BaseModel]] = {"study.schema.json": Study, "config.schema.json": Config}
"""The schema files for editors in ``workflow/schemas/``: of the models, never by hand."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text(name: str) -> str:
    """The content of one of the schema files."""
    schema = _without_titles(SCHEMAS[name].model_json_schema())
    return json_text({"$schema": DIALECT} | schema)


def _without_titles(schema: Any) -> Any:
    """Without the titles that pydantic makes of key names: "Proposed By" helps nobody."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _properties(value) if key in ("properties", "$defs") else _without_titles(value)
        for key, value in schema.items()
        if key != "title"
    }


def _properties(named: dict[str, Any]) -> dict[str, Any]:
    """Below these keys every name is the user's, also one that reads "title"."""
    return {name: _without_titles(value) for name, value in named.items()}
