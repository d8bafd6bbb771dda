"""The floor: the work of the whole pipeline for AlexNet, done by one process in a straight line.

Run from the root: `python bench/peers/floor.py`. No rules, no engine, no second process: the same
library functions measure the same readings with the same warm-up and repeats, judge, search, draw
and write the same files, into build/bench/floor/alexnet. What `snakemake` takes longer than this
is the price of having a pipeline. Says how long every step took and keeps it in steps.json.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reconcile.cite.numbers import write_citations
from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.measure import run as measure
from reconcile.measure.worker import Worker
from reconcile.report.atlas import write_atlas
from reconcile.report.render import write_page, write_paper
from reconcile.search.candidates import Given
from reconcile.search.run import search_all
from reconcile.study.config import load_config
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring
from reconcile.tables.frames import write_table

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench" / "floor"
STUDY = ROOT / "studies" / "alexnet"


class Steps:
    """Tells and keeps how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = _start_of_this_process()

    def done(self, name: str) -> None:
        """The step that began when the last one ended."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.seconds[name], self._last = now - self._last, now
        print(f"{name}: {self.seconds[name]:.2f} s", file=sys.stderr, flush=True)


def _start_of_this_process() -> float:
    """In seconds since the machine started; imports are part of what is timed."""
    after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")


class SameProcess:
    """Answers as the measuring process does, in this one."""

    def __init__(self, settings: Measuring, package: str | None = None) -> None:
        self._worker = Worker(settings.model_dump(), "cpu")
        self.introduction = self._worker.introduction(settings.device)
        self.notices: list[str] = []

    def ask_all(self, requests: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Measure one network after the other."""
        for request in requests:
            yield request, self._worker.measure(request)

    def __enter__(self) -> SameProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing was started."""


def main() -> None:
    """Write what `snakemake` writes for the study."""
    steps = Steps()
    steps.done("import")
    results = OUT / STUDY.name
    results.mkdir(parents=True, exist_ok=True)

    config = load_config(ROOT / "config.yaml")
    study = load_study(STUDY)
    write_json(results / "interpretations.json", plan_of(study, STUDY.name))
    write_json(results / "settings.json", config.measure.model_dump())
    write_table(results, "consistency.csv", consistency_table(study, STUDY))
    steps.done("read and check the study")

    measure.Zygote = SameProcess  # type: ignore[misc,assignment]
    measure.measure_study(
        results / "interpretations.json", STUDY, results, config.measure, root=ROOT
    )
    steps.done("measure")

    measured = Measurements.read(results)
    judged = reconcile_study(study, STUDY, measured)
    for name, content in judged.tables.items():
        write_table(results, name, content)
    write_json(results / "reconciliation.json", judged.summary)
    steps.done("reconcile")

    for name, content in search_all(Given(study, STUDY, measured, results, print)):
        write_table(results, name, content)
    steps.done("search")

    gc.disable()  # as the rendering jobs do
    write_page(study, results, config.report.model_dump())
    write_paper(study, results, config.report.model_dump())
    write_citations(study, results)
    write_atlas([results / "reconciliation.json"], OUT, {}, {})
    steps.done("render")
    write_json(OUT / "steps.json", steps.seconds)


if __name__ == "__main__":
    main()
