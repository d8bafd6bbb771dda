"""Run every interpretation of a study and write what was measured.

This process needs neither torch nor pandas. It starts one measuring process, sends it the networks
in turn, and replaces it when a reading kills it or takes too long: that reading's status then says
so and the others go on.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from reconcile.files import staged, write_json
from reconcile.measure.answers import Answer
from reconcile.measure.process import MeasureError, Zygote
from reconcile.measure.provenance import merged_record, package_facts, record_of
from reconcile.measure.solving import solution_rows
from reconcile.study.settings import Measuring, Plan
from reconcile.tables.contract import MEASURED, NETWORK, head_of, passes_of_layers, summed, tables
from reconcile.tables.rows import Csv
from reconcile.words import SECONDS, Report

MEASUREMENT_FILES = tuple(name for name, file in tables().items() if file.rule == "measure")
Requests = Callable[[], Iterable[Answer]]
"""The same requests each time."""
MOST_WITH_TENSORS = 64
"""Readings of a study, from the first, that have rows in tensors.csv: its own come first."""
EVERY_ONE = 60
"""Up to so many networks each gets its line."""


def measure_study(
    interpretations: Path,
    study_folder: Path,
    out: Path,
    settings: Measuring,
    *,
    batch: int | None = None,
    root: Path = Path(),
    report: Report = lambda line: print(line, file=sys.stderr, flush=True),
) -> None:
    """Measure every network of ``interpretations.json`` and write the tables and the record.

    Args:
        interpretations: the file that ``instantiate`` wrote.
        study_folder: where the study's network file is.
        out: folder for the tables and record.json.
        settings: how to measure.
        batch: measure only the readings of this batch, of ``settings.readings_per_job``, from 0.
        root: the project folder, for the record's provenance.
        report: is told a line of progress for every network.

    Raises:
        MeasureError: nothing that a reading does wrong, only what stops the whole run.
        InputError: an output cannot be written, or the file is not one of ``instantiate``.
    """
    plan, size = Plan.read(interpretations), settings.readings_per_job
    chosen = slice(None) if batch is None else slice(batch * size, (batch + 1) * size)
    package = _allowed_package(plan, settings)
    started = datetime.now(UTC)
    with ExitStack() as stack:
        tables = {}
        for name in MEASUREMENT_FILES:
            part = stack.enter_context(staged(out / name))
            tables[name] = Csv(part, head_of(name), out / name)
            stack.callback(tables[name].close)
        pool = stack.enter_context(Zygote(settings, package))
        # Whoever asked for a GPU, of a cluster above all, should see at once that it is not used.
        if reason := pool.introduction["device"]["fallback"]:
            report(f"on the CPU: {reason}")
        networks = sum(len(reading["networks"]) for reading in plan.readings(chosen))
        requests = partial(_requests, plan, chosen, study_folder)
        for request, answer in _answers(requests, Progress(networks, report), pool, report):
            _write(tables, request, answer, pool.introduction, settings)
        if not batch:  # what is solved for is asked once a study
            solved = solution_rows(plan.solve, _network(plan, study_folder), pool, report)
            tables["solutions_measured.csv"].add(solved)
        for table in tables.values():
            table.close()
        introduction = pool.introduction
    record = record_of(study_folder, root, started, introduction, settings)
    if package is not None:
        record["packages"] = {package: package_facts(package)}
    write_json(out / "record.json", record)


def gather_batches(batches: Sequence[Path], out: Path) -> None:
    """Put the tables and records of a study's batches together, in order, row by row.

    ``measure_study`` wrote a folder for each, in the order of the interpretations.
    """
    for name in MEASUREMENT_FILES:
        with staged(out / name) as part, part.open("wb") as joined:
            for number, batch in enumerate(batches):
                with (batch / name).open("rb") as table:
                    header = table.readline()
                    joined.write(b"" if number else header)
                    shutil.copyfileobj(table, joined)
    records = [json.loads((batch / "record.json").read_text("utf-8")) for batch in batches]
    write_json(out / "record.json", merged_record(records))


def _allowed_package(plan: Plan, settings: Measuring) -> str | None:
    """The installed package that the study's network comes from, if any; nothing is imported.

    Raises:
        MeasureError: the configuration does not name it.
    """
    if "module" not in plan.network:
        return None
    package = str(plan.network["module"]).partition(".")[0]
    if package not in settings.packages:
        allowed = ", ".join(settings.packages) or "none"
        told = f"network: code of {package} would be run, which config.yaml does not allow"
        raise MeasureError(f"{told}; measure.packages: {allowed}")
    return package


def _network(plan: Plan, study_folder: Path) -> Answer:
    """Where the study's network is, as requests say it."""
    network = dict(plan.network)
    if "file" in network:
        network["file"] = str(study_folder / network["file"])
    return network


def _requests(plan: Plan, chosen: slice, study_folder: Path) -> Iterator[Answer]:
    network = _network(plan, study_folder)
    for place, reading in enumerate(plan.readings(chosen), start=chosen.start or 0):
        for name, arguments in reading["networks"].items():
            yield {
                "interpretation": reading["id"],
                "network": name,
                "arguments": arguments,
                **network,
                "placement": reading["placement"],
                "swept": reading.get("swept", False) and reading["placement"] == "meta",
                "tensors": place < MOST_WITH_TENSORS,
            }


def _answers(
    requests: Requests, progress: Progress, pool: Zygote, report: Report
) -> Iterator[tuple[Answer, Answer]]:
    told = len(pool.notices)
    for request, answer in _each_once(requests, pool):
        for notice in pool.notices[told:]:
            report(notice)
        told = len(pool.notices)
        name = request["interpretation"]
        name += "" if request["network"] == "main" else f"/{request['network']}"
        progress.tell(name, answer)
        yield request, answer


def _each_once(requests: Requests, pool: Zygote) -> Iterator[tuple[Answer, Answer]]:
    """Each request with its answer, in order; of networks that are only counted each is asked once.

    Where an axis is of one network, many combinations are alike in the others.
    """
    left = Counter(map(_alike, requests()))
    waiting: deque[tuple[Answer, bytes]] = deque()
    known: dict[bytes, Answer] = {}

    def asked() -> Iterator[Answer]:
        begun: set[bytes] = set()
        for request in requests():
            key = _alike(request)
            waiting.append((request, key))
            if not key or key not in begun:
                begun.add(key)
                yield request

    def settled() -> Iterator[tuple[Answer, Answer]]:
        while waiting and (key := waiting[0][1]) in known:
            yield waiting.popleft()[0], known[key]
            left[key] -= 1
            if not left[key]:
                del known[key]

    for _, answer in pool.ask_all(asked()):
        yield from settled()
        request, key = waiting[0]
        if key and left[key] > 1:
            known[key] = answer
            yield from settled()
        else:
            waiting.popleft()
            yield request, answer
    yield from settled()


def _alike(request: Answer) -> bytes:
    """The same for requests whose networks are and are only counted; nothing for all others."""
    if request["placement"] != "meta":
        return b""
    what = json.dumps([request["swept"], request["arguments"]], sort_keys=True)
    return blake2b(what.encode(), digest_size=16).digest()


def _write(
    tables: dict[str, Csv],
    request: Answer,
    answer: Answer,
    introduction: Answer,
    settings: Measuring,
) -> None:
    key = {"interpretation": request["interpretation"], "network": request["network"]}
    tables["layers.csv"].add(key | layer for layer in answer["layers"])
    tables["totals.csv"].add([key | _totals(answer)])
    if request["tensors"]:
        tables["tensors.csv"].add(key | tensor for tensor in answer.get("tensors", ()))
    if answer.get("coverage"):
        coverage = answer["coverage"]
        positions = coverage["height"] * coverage["width"]
        tables["coverage.csv"].add([key | coverage | {"positions": positions}])
        shared = key | {"layer": coverage["layer"], "windows": coverage["windows_in_row"]}
        tables["windows.csv"].add(
            shared | window | {"window": window["index"]} for window in coverage["windows"]
        )
    if answer.get("output"):
        tables["outputs.csv"].add([key | answer["output"]])
    if answer.get("timings"):
        device = answer.get("device", introduction["device"]["type"])
        tables["timings.csv"].add(
            key | {"device": device} | row
            for row in _timing_rows(answer["timings"], settings.repeats)
        )


def _totals(answer: Answer) -> Answer:
    """Totals over the layers; empty where not all of them were measured."""
    totals = {name: answer.get(name) for name in ("status", "message", "uncounted")}
    layers = answer["layers"]
    if answer["status"] not in MEASURED:
        return totals
    return totals | {
        column.name: sum(row.get(name, 0) for row in layers if not kinds or row["kind"] in kinds)
        for column, (name, kinds) in summed()
    }


def _timing_rows(timings: Answer, repeats: int) -> Iterator[Answer]:
    network = {"repeats": repeats, "peak_memory_bytes": timings["peak_memory_bytes"]}
    yield _timing(NETWORK, timings["network"]) | network
    for layer, spread in timings["layers"].items():
        yield _timing(layer, spread) | {"repeats": passes_of_layers(repeats)}


def _timing(layer: str, spread: list[float]) -> Answer:
    median, q1, q3 = (f"{value:.6g}" for value in spread)
    return {"layer": layer, "median_ms": median, "q1_ms": q1, "q3_ms": q3}


class Progress:
    """Counts the networks that are measured and reports with the rate and the time left.

    Args:
        total: how many there will be.
        report: is told each line.
    """

    def __init__(self, total: int, report: Report) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self._report = report
        self._begun = self._told = time.monotonic()

    def tell(self, name: str, answer: Mapping[str, Any]) -> None:
        """Count one network; say so if it is time to."""
        self.done += 1
        self.failed += not answer["status"].startswith("measured")
        now = time.monotonic()
        if self.total > EVERY_ONE and now - self._told < SECONDS and self.done < self.total:
            return
        self._told = now
        status = " ".join(filter(None, (answer["status"], answer["message"])))
        place = f"{self.done:>{len(str(self.total))}}/{self.total}"
        self._report(f"[{place}] {name}: {status} ({self._pace(now - self._begun)})")

    def _pace(self, seconds: float) -> str:
        left = seconds / self.done * (self.total - self.done)
        rate = self.done / seconds if seconds > 0 else 0.0
        parts = [f"{rate:,.0f} a second"] if rate >= 2 else []  # noqa: PLR2004 - else it is time
        parts.append(f"{left:.0f} s left")
        if self.total > EVERY_ONE and self.failed:
            parts.append(f"{self.failed:,} not measured")
        return ", ".join(parts)
