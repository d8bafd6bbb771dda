"""What a run settles before its first job: which results are out of date, and what jobs are handed.

Results are judged by content alone. Snakemake goes by the times of files, and by contents only
where it has metadata of a job. After a checkout, a copy, or an older file put back, times are wrong
or metadata is gone. So each rule has one input more, a folder: for results that are out of date it
is newer than they are, and Snakemake never compares a folder by content. The files a rule reads
that no rule makes are ``ancient``, without a time; the results of other rules keep theirs, put in
order where a copy has mixed them up.

The index covers every study that has results, whatever the run was asked for. Results of studies
that a run does not make are no input of a rule, since Snakemake would make them again; they are
summed up before the run, and looked at when the index is written.

On a cluster every job starts a Snakemake of its own that reads the Snakefile anew, perhaps hours
later. It takes from the plan what the configuration and the studies said when the run began, so
editing their files in the meantime changes nothing for it and cannot break it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel, ConfigDict

from reconcile.errors import Fault, InputError, visible
from reconcile.files import files_in, write_json
from reconcile.run.jobs import (
    LIBRARY,
    MARK,
    Sum,
    Sums,
    counted,
    imported_files,
    made_from,
    scripts_in,
    sum_of,
    sum_of_data,
)
from reconcile.study.config import Config
from reconcile.study.load import STUDY_FILE, load_study
from reconcile.study.model import Study
from reconcile.study.plan import measured_slice, network_file_of, stays_on_meta
from reconcile.study.yamlfile import STUDY_PATTERN
from reconcile.words import Report

OUTDATED = Path(".snakemake/outdated")
STUDIES, RESULTS = "studies", "results"
_TIMESTAMP = ".snakemake_timestamp"
"""In a folder that is a result: the file that has the folder's time, for Snakemake."""
_A_MILLISECOND = 1_000_000

Wildcards = Mapping[str, str]
Marked = dict[str, dict[str, Sum]]
CURRENT, EDITED, HALF = "", "of an earlier version of its study", "its last run did not end"
"""Results that follow from what is there; from a study that was edited since; from neither."""
PLAN_VARIABLE = "RECONCILE_PLAN"
"""The environment reaches every job of a run, on this machine and on others."""
_SUMMARY, _PAGE = "reconciliation.json", "report.html"
_NEEDED = {"reconcile", "render_report"}
_MEASURING = {"measure", "gather_measurements"}
_NO_RESULTS = ("build_archive",)
"""Rules whose marks say nothing of the results: an archive holds a study's comments too."""


def make_outdated() -> None:
    """Make the folder that stands for what is out of date.

    Raises:
        InputError: nothing can be written here.
    """
    try:
        OUTDATED.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        hint = "`make report` needs results/ only, `snakemake --directory DIR` runs elsewhere"
        fault = Fault(OUTDATED.parent, 0, "", f"cannot be written: {reason}; {hint}")
        raise InputError(fault) from None


def _self_checked_part(study: Study) -> dict[str, Any]:
    """What is held against itself before anything is measured."""
    return study.model_dump(mode="json", include={"claims", "statements", "consistency"})


def _whole_study(study: Study) -> dict[str, Any]:
    """All but what a sweep generates, which follows from the rest."""
    own = [reading.model_dump(mode="json") for reading in study.own_readings]
    rest = study.model_dump(mode="json", exclude={"interpretations"})
    return rest | {"interpretations": own}


PARTS: dict[str, Callable[[Study], dict[str, Any]]] = {
    "instantiate": measured_slice,
    "check_paper": _self_checked_part,
    **dict.fromkeys(("reconcile", "search", "render_report", "render_pdf"), _whole_study),
}
"""What a rule uses of a study. For a rule that is not here the bytes of study.yaml count."""


def sums_of_parts(study: Study) -> dict[str, Sum]:
    """The sum of what each rule uses of a study, by rule."""
    sums = {part: sum_of_data(part(study)) for part in set(PARTS.values())}
    return {rule: sums[part] for rule, part in PARTS.items()}


@dataclass(frozen=True)
class _Job:
    rule: str
    inputs: list[str]
    outputs: list[str]
    mark: Path
    options: dict[str, Any]

    def there(self) -> list[Path]:
        """The results that exist."""
        return [file for file in map(Path, self.outputs) if file.exists()]

    def all_there(self) -> list[Path]:
        return [*self.there(), *([self.mark] if self.mark.exists() else [])]


class Judge:
    """Says of the jobs of a workflow whether their results are out of date.

    Args:
        workflow: Snakemake's; its rules are looked at when the first job is judged.
        study: loads a study by name.
        report: is told a line for each job that is out of date, with what changed.
    """

    def __init__(self, workflow: Any, study: Callable[[str], Study], report: Report) -> None:
        self._workflow, self._study, self._report = workflow, study, report
        self._sums, self._handed_over = Sums(), 0
        self._results: dict[str, Sum] = {}
        self._judged: dict[str, tuple[_Job, bool]] = {}
        self._settled: set[str] = set()
        self._begun = time.time_ns()
        self._newest = 0

    def outdated(self, rule: str, wildcards: Wildcards) -> bool:
        """Whether the results of a job exist and are not what a run would make now."""
        job = self._declared(rule, wildcards)
        for file in job.inputs:
            if self._is_result(file):
                self._settle(file.split("/")[1])
        if "study" in wildcards:
            self._settle(wildcards["study"])
        self._made_from(job)
        return self._judge(job)

    def sum_up(self, rule: str, wildcards: Wildcards) -> None:
        """Sum up what a job is made from, without judging it."""
        self._made_from(self._declared(rule, wildcards))

    def accept(self) -> None:
        """Take results that were declared up to date (``snakemake --touch``) as they are."""
        for job, outdated in self._judged.values():
            touched = [_time(file) >= self._begun for file in job.there()]
            if outdated and all(touched) and len(touched) == len(job.outputs):
                write_json(job.mark, self._mark(job))

    def _settle(self, study: str) -> None:
        """Judge all of a study in the order in which data flows, so that times follow it too."""
        if study in self._settled:
            return
        self._settled.add(study)
        for rule in self._workflow.rules:
            constraint = rule.wildcard_constraints.get("study", ".*")
            own = rule.output.get(MARK) and rule.wildcard_names == {"study"}
            if own and re.fullmatch(constraint, study):
                self._judge(self._declared(rule.name, {"study": study}))

    def _declared(self, name: str, wildcards: Wildcards) -> _Job:
        """A job as its rule declares it."""
        rule = self._workflow.get_rule(name)
        outputs, _ = rule.expand_output(dict(wildcards))
        mark = outputs[MARK]
        return _Job(
            rule=name,
            inputs=counted(_expanded(rule.input, wildcards)),
            outputs=[str(file) for file in outputs if file != mark],
            mark=Path(mark),
            options=dict(rule.params.items()),
        )

    def _judge(self, job: _Job) -> bool:
        key = str(job.mark)
        if key not in self._judged:
            outdated = bool(job.there()) and self._is_outdated(job)
            self._judged[key] = (job, outdated)
            if outdated:
                self._age(job)
            else:
                self._put_in_order(job)
        return self._judged[key][1]

    def _is_outdated(self, job: _Job) -> bool:
        mark, now = _read_mark(job.mark), self._mark(job)
        if mark == now:
            return False
        if mark is not None:
            changed = list(_differing(mark, now))
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""  # noqa: PLR2004
            names = ", ".join(changed[:3])
            self._report(f"{job.mark.parents[1]}: {job.rule} runs again, for {names}{more} changed")
        return True

    def _mark(self, job: _Job) -> Marked:
        gave = {file: self._result(file) for file in job.outputs}
        return {"from": self._made_from(job), "gave": gave}

    def _made_from(self, job: _Job) -> dict[str, Sum]:
        results = {file: self._result(file) for file in job.inputs if self._is_result(file)}
        self._sum_up(job, [file for file in job.inputs if file not in results])
        return made_from(job.rule, job.inputs, job.options, self._sums, results)

    def _sum_up(self, job: _Job, files: list[str]) -> None:
        """Sum up what a job reads that no rule makes, and hand on what is new."""
        unknown = (file for file in files if file not in self._sums.files)
        new = Sums(files={file: sum_of(Path(file)) for file in unknown})
        for file in map(Path, new.files):
            if file.match(f"{STUDIES}/*/{STUDY_FILE}"):
                new.studies[str(file)] = sums_of_parts(self._study(file.parent.name))
        if job.rule not in self._sums.code:
            new.code[job.rule] = self._code(job)
        if new != Sums():
            new.hand_over(self._handed_over)
            self._handed_over += 1
            self._sums.add(new)

    def _code(self, job: _Job) -> dict[str, Sum]:
        script = self._script(job)
        others = (script.with_name(Path(f).name) for f in job.inputs if f.endswith(".py"))
        found = {}
        for used in (script, *filter(Path.is_file, others)):
            found[f"{used.parent.name}/{used.name}"] = sum_of(used)
            for file in imported_files(used):
                found[file.relative_to(LIBRARY).as_posix()] = _sum_of_module(file)
        return found

    def _script(self, job: _Job) -> Path:
        rule = self._workflow.get_rule(job.rule)
        script = Path(rule.basedir.join(rule.script).get_path_or_uri(secret_free=True))
        return scripts_in(script.parent) / script.name

    def _result(self, file: str) -> Sum:
        if file not in self._results:
            self._results[file] = sum_of(Path(file))
        return self._results[file]

    def _is_result(self, file: str) -> bool:
        return file.startswith(f"{RESULTS}/")

    def _age(self, job: _Job) -> None:
        """Have the folder of the outdated be newer than some result of a job."""
        oldest = min(job.all_there(), key=_time)
        if _time(oldest) >= self._begun:
            # Of the future: what this run writes would seem to be older than the folder.
            with suppress(OSError):
                _set_time(oldest, self._begun - 2 * _A_MILLISECOND)
        self._newest = max(self._newest, _time(oldest) + _A_MILLISECOND)
        _set_time(OUTDATED, self._newest)

    def _put_in_order(self, job: _Job) -> None:
        """Have no result be older than what it was made from; without that right, let it be."""
        read = [Path(file) for file in job.inputs if self._is_result(file)]
        newest = max((_time(file) for file in read if file.exists()), default=0)
        if any(trigger.name == "CODE" for trigger in self._workflow.rerun_triggers):
            # Snakemake was told to look at scripts, and does so by time: results must be newer.
            newest = max(newest, _time(self._script(job)) + _A_MILLISECOND)
        for file in job.all_there():
            if _time(file) < newest:
                with suppress(OSError):
                    _set_time(file, newest)


_sum_of_module = cache(sum_of)
"""Of modules, which the scripts of many rules import."""


def _expanded(items: Iterable[Any], wildcards: Wildcards) -> Iterator[str]:
    for item in items:
        if not callable(item):
            yield str(item.apply_wildcards(dict(wildcards)) if "{" in item else item)
        elif not hasattr(item, "judges"):
            files = item(SimpleNamespace(**wildcards))
            yield from [files] if isinstance(files, str) else map(str, files)


def _read_mark(mark: Path) -> Marked | None:
    """What a mark says; None of one that is not there or cannot be read."""
    try:
        read = json.loads(mark.read_bytes())
        return {side: dict(read[side]) for side in ("from", "gave")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _differing(mark: Marked, now: Marked) -> Iterator[str]:
    """The names of what differs between two marks."""
    for side, sums in now.items():
        before = mark[side]
        yield from sorted(n for n in {*before, *sums} if before.get(n) != sums.get(n))


def _time(file: Path) -> int:
    """The time of a result as Snakemake sees it, in nanoseconds."""
    stamp = file / _TIMESTAMP
    return (stamp if stamp.exists() else file).stat().st_mtime_ns


def _set_time(file: Path, time_ns: int) -> None:
    stamp = file / _TIMESTAMP
    os.utime(stamp if stamp.exists() else file, ns=(time_ns, time_ns))


# Results of studies that a run does not make.


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
    # One that cannot be read says what is not so: that there is none.
    unread: Marked = {"from": {}, "gave": {f"{folder}/.made": None}}
    marks = {mark.stem: _read_mark(mark) or unread for mark in _marks(folder)}
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


def _holds(mark: Marked, own: str) -> bool:
    """Whether the results that a mark names are those that are there, in the study's folder."""
    made = {file: s for file, s in mark["from"].items() if file.startswith(own)}
    gave = all(file.startswith(own) for file in mark["gave"])
    return gave and all(sum_of(Path(f)) == s for f, s in (made | mark["gave"]).items())


def _marks(folder: Path) -> list[Path]:
    return sorted(m for m in folder.glob(".made/*.json") if m.stem not in _NO_RESULTS)


def _parts_now(folder: Path) -> dict[str, Sum]:
    """The sum of the part of a study that each rule uses; nothing where there is no such study."""
    try:
        return sums_of_parts(load_study(folder))
    except InputError:
        return {}


# What a run hands to its jobs, and says at its end.


class PlannedStudy(BaseModel):
    """What measuring jobs need to know of a study.

    Attributes:
        network_file: the file of its network, below the study's folder; empty for a package's.
        jobs: how many jobs measure it.
        on_meta: whether they neither run nor time a network, and so need one core and no GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    network_file: str
    jobs: int
    on_meta: bool


class RunPlan(BaseModel):
    """The configuration and the studies of one run, the latter in order.

    Attributes:
        config: what the configuration says.
        config_file: the file that says it.
        studies: the studies.
        others: a sum of each other study that has results: the index tells of them too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    config: Config
    config_file: str
    studies: dict[str, PlannedStudy]
    others: dict[str, str | None] = {}


def planned(study: Study, config: Config) -> PlannedStudy:
    """What measuring jobs need to know of a study."""
    return PlannedStudy(
        network_file=network_file_of(study),
        jobs=-(-len(study.interpretations) // config.measure.readings_per_job),
        on_meta=stays_on_meta(study),
    )


def hand_over(plan: RunPlan) -> RunPlan:
    """Leave a plan in the environment of every job that this process starts, and return it."""
    os.environ[PLAN_VARIABLE] = plan.model_dump_json()
    return plan


def handed_over() -> RunPlan | None:
    """The plan of the run that started this process, or None where none was left."""
    text = os.environ.get(PLAN_VARIABLE)
    return RunPlan.model_validate_json(text) if text else None


def answers(studies: Iterable[str]) -> Iterator[str]:
    """A line for each of these studies that has a report of its reconciliation.

    A run that only measured leaves an older report, or none: nothing is said of it.
    """
    for name in studies:
        page, found = Path(RESULTS, name, _PAGE), Path(RESULTS, name, _SUMMARY)
        if page.is_file() and found.is_file() and _time(found) <= _time(page):
            read = json.loads(found.read_text(encoding="utf-8"))
            yield visible(f"{name}: {read['conclusion']['answer']}")
            yield f"  {page.as_posix()}"
