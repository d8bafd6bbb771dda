"""Results of studies that a run does not make: which there are, and whether they can be told of.

The index covers every study that has results, whatever the run was asked for. What lies there from
earlier runs is no input of a rule, since Snakemake would make it again; it is summed up before the
run, and looked at when the index is written. The marks beside results say what they follow from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from reconcile.errors import InputError
from reconcile.files import files_in
from reconcile.run.fresh import RESULTS, STUDIES, sums_of_parts
from reconcile.run.marks import Sum, sum_of, sum_of_data
from reconcile.study.load import STUDY_FILE, load_study
from reconcile.study.values import STUDY_PATTERN

CURRENT, EDITED, HALF = "", "of an earlier version of its study", "its last run did not end"
"""Results that follow from what is there; from a study that was edited since; from neither."""
_SUMMARY, _PAGE = "reconciliation.json", "report.html"
_NEEDED = {"reconcile", "render_report"}
_MEASURING = {"measure", "gather_measurements"}
_NO_RESULTS = ("build_archive",)
"""Rules whose marks say nothing of the results: an archive holds a study's comments too."""


def others(named: Container[str]) -> dict[str, Sum]:
    """The studies with results that are not named, each with a sum of what its standing rests on.

    It changes with the reconciliation, the report, the marks and the files of the study, and is
    cheap: no other result is read.
    """
    folders = sorted(file.parent for file in Path(RESULTS).glob(f"*/{_SUMMARY}"))
    there = (f for f in folders if re.match(STUDY_PATTERN, f.name) and f.name not in named)
    return {folder.name: _sum_up(folder) for folder in there}


def _sum_up(folder: Path) -> Sum:
    files = [folder / _SUMMARY, *_marks(folder), *files_in(Path(STUDIES, folder.name))]
    sums = [[file.as_posix(), sum_of(file)] for file in files]
    return sum_of_data([*sums, (folder / _PAGE).is_file()])


def standing_of(name: str) -> str:
    """Whether the results of a study are ``CURRENT``, ``EDITED`` or ``HALF``.

    That they were made by other code or options is not asked.
    """
    folder = Path(RESULTS, name)
    marks = {mark.stem: _sums_in(mark) for mark in _marks(folder)}
    if not marks.keys() >= _NEEDED or not (folder / _PAGE).is_file():
        return HALF
    broken = {rule for rule, mark in marks.items() if not _holds(mark, f"{RESULTS}/{name}/")}
    # Measured in one job and later in batches, or the other way: the mark of the last one holds.
    measured = _MEASURING & marks.keys() - broken
    if broken - (_MEASURING if measured else set()):
        return HALF
    parts = _parts_now(Path(STUDIES, name))
    for rule in marks.keys() - broken:
        read = {f: s for f, s in marks[rule]["from"].items() if f.startswith(f"{STUDIES}/")}
        for file, known in read.items():
            now = parts.get(rule) if file.endswith(f"/{STUDY_FILE}") else sum_of(Path(file))
            if now != known:
                return EDITED
    return CURRENT


def standings(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The studies that can be told of, each with a note or none, and the others with why not."""
    found = {name: standing_of(name) for name in names}
    told = {name: standing for name, standing in found.items() if standing != HALF}
    return told, {name: standing for name, standing in found.items() if standing == HALF}


def _holds(mark: Mapping[str, Mapping[str, Sum]], own: str) -> bool:
    """Whether the results that a mark names are those that are there, in the study's folder."""
    made = {file: s for file, s in mark["from"].items() if file.startswith(own)}
    gave = all(file.startswith(own) for file in mark["gave"])
    return gave and all(sum_of(Path(f)) == s for f, s in (made | dict(mark["gave"])).items())


def _marks(folder: Path) -> list[Path]:
    return sorted(m for m in folder.glob(".made/*.json") if m.stem not in _NO_RESULTS)


def _sums_in(mark: Path) -> dict[str, dict[str, Any]]:
    """A mark; one that cannot be read says that everything else was there."""
    try:
        read = json.loads(mark.read_bytes())
        return {side: dict(read[side]) for side in ("from", "gave")}
    except (OSError, ValueError, KeyError, TypeError):
        return {"from": {}, "gave": {mark.as_posix(): None}}


def _parts_now(folder: Path) -> dict[str, Sum]:
    """The sum of the part of a study that each rule uses; nothing where there is no such study."""
    try:
        return sums_of_parts(load_study(folder))
    except InputError:
        return {}
