"""Run every interpretation of a study and write what was measured.

This process needs neither torch nor pandas. It starts one measuring process, sends it the networks
in turn, and replaces it when a reading kills it or takes too long: that reading's status then says
so and the others go on.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconcile import columns
from reconcile.files import Csv, staged, write_json
from reconcile.provenance import collect

__all__ = ["MEASURED", "MEASUREMENT_FILES", "MeasureError", "Settings", "measure_study"]

MEASURED = ("measured", "measured-on-meta")
"""The statuses under which a network has counts."""
MEASUREMENT_FILES = ("layers.csv", "totals.csv", "coverage.csv", "windows.csv", "timings.csv")
COUNTED_KINDS = ("conv", "fc")
"""A network's neurons are those of its convolutional and fully connected layers."""
START_LIMIT_S = 300
"""Importing torch and waking a GPU can be slow on a shared file system."""

Report = Callable[[str], None]
Answer = dict[str, Any]


class MeasureError(Exception):
    """The run cannot go on: no usable device, or a count that disagrees with its closed form."""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        device: "auto" (a GPU where one works, else the CPU), "cuda" or "cpu".
        warmup: forward passes before the timed ones.
        repeats: timed forward passes; 0 measures no latency.
        threads: CPU threads torch may use.
        seed: seed of weights and of the process's generators.
        time_limit_s: seconds after which a reading is given up.
    """

    device: str = "auto"
    warmup: int = 2
    repeats: int = 10
    threads: int = 2
    seed: int = 0
    time_limit_s: float = 600.0


def measure_study(
    interpretations: Path,
    study_folder: Path,
    out: Path,
    settings: Settings,
    *,
    root: Path = Path(),
    report: Report = lambda line: print(line, file=sys.stderr, flush=True),
) -> None:
    """Measure every network of ``interpretations.json`` and write the tables and the record.

    Args:
        interpretations: the file that ``instantiate`` wrote.
        study_folder: where the study's network file is.
        out: folder for layers.csv, totals.csv, coverage.csv, windows.csv, timings.csv, record.json.
        settings: how to measure.
        root: the project folder, for the record's provenance.
        report: is told a line of progress for every network.

    Raises:
        MeasureError: nothing that a reading does wrong, only what stops the whole run.
        InputError: an output cannot be written.
    """
    plan = json.loads(interpretations.read_text(encoding="utf-8"))
    started = datetime.now(UTC)
    with ExitStack() as stack:
        tables = {}
        for name in MEASUREMENT_FILES:
            part = stack.enter_context(staged(out / name))
            tables[name] = Csv(part, columns.TABLES[name])
        pool = stack.enter_context(_Process(settings))
        for request, answer in _answers(plan, study_folder, pool, report):
            _write(tables, request, answer, pool.introduction, settings)
        for table in tables.values():
            table.close()
        introduction = pool.introduction
    write_json(
        out / "record.json",
        _record(plan["study"], started, introduction, settings, root, study_folder),
    )


def _requests(plan: Answer, study_folder: Path) -> Iterator[Answer]:
    for reading in plan["interpretations"]:
        for name, arguments in reading["networks"].items():
            yield {
                "interpretation": reading["id"],
                "network": name,
                "arguments": arguments,
                "file": str(study_folder / plan["network"]["file"]),
                "class": plan["network"]["class"],
                "placement": plan["placement"],
            }


def _answers(
    plan: Answer, study_folder: Path, pool: _Process, report: Report
) -> Iterator[tuple[Answer, Answer]]:
    requests = list(_requests(plan, study_folder))
    begun = time.monotonic()
    for done, request in enumerate(requests, start=1):
        answer = pool.ask(request)
        left = (time.monotonic() - begun) / done * (len(requests) - done)
        name = request["interpretation"]
        name += "" if request["network"] == "main" else f"/{request['network']}"
        status = " ".join(filter(None, (answer["status"], answer["message"])))
        place = f"{done:>{len(str(len(requests)))}}/{len(requests)}"
        report(f"[{place}] {name}: {status} ({left:.0f} s left)")
        yield request, answer


class _Process:
    """The measuring process, started on first use and again after it died."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.introduction: Answer = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def __enter__(self) -> _Process:
        self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def _start(self) -> None:
        read_requests, send_requests = os.pipe()
        self._requests = os.fdopen(send_requests, "w", encoding="utf-8")
        self._answers, write_answers = os.pipe()
        command = [sys.executable, "-m", "reconcile.measuring.worker"]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this library
            [*command, str(read_requests), str(write_answers)],
            pass_fds=(read_requests, write_answers),
            stdin=subprocess.DEVNULL,
            # What a network prints belongs to the log, not to what this process writes.
            stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
        )
        os.close(read_requests)
        os.close(write_answers)
        self._pending = b""
        self._send(asdict(self.settings))
        answer = self._receive(START_LIMIT_S)
        if answer is None or "fatal" in answer:
            self._stop()
            reason = answer["fatal"] if answer else "the measuring process did not start"
            raise MeasureError(reason)
        self.introduction = answer

    def _stop(self) -> int | None:
        """End the process and return its exit code."""
        if self._process is None:
            return None
        with suppress(BrokenPipeError):
            self._requests.close()
        os.close(self._answers)
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        return code

    def _send(self, message: Answer) -> None:
        # A process that ended shows when its answer is read.
        with suppress(BrokenPipeError):
            self._requests.write(json.dumps(message) + "\n")
            self._requests.flush()

    def _receive(self, limit: float) -> Answer | None:
        """The next answer, None if the process ended; TimeoutError after ``limit`` seconds."""
        deadline = time.monotonic() + limit
        while b"\n" not in self._pending:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self._answers], [], [], wait)[0]:
                raise TimeoutError
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        answer: Answer = json.loads(line)
        return answer

    def ask(self, request: Answer) -> Answer:
        """Have one network measured; a process that dies or hangs over it is replaced."""
        self._send(request)
        try:
            answer = self._receive(self.settings.time_limit_s)
        except TimeoutError:
            return self._replace(
                "timed-out", f"no answer in {self.settings.time_limit_s:g} s", kill=True
            )
        if answer is None:
            return self._replace("killed", "the measuring process ended", kill=False)
        if "fatal" in answer:
            raise MeasureError(answer["fatal"])
        return answer

    def _replace(self, status: str, message: str, *, kill: bool) -> Answer:
        if kill and self._process is not None:
            self._process.kill()
        code = self._stop()
        if code is not None and not kill:
            message += f" (signal {-code})" if code < 0 else f" (exit code {code})"
        self._start()
        return {"status": status, "message": message, "layers": []}


def _has_fileno(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError):
        return False
    return True


def _write(
    tables: dict[str, Csv],
    request: Answer,
    answer: Answer,
    introduction: Answer,
    settings: Settings,
) -> None:
    key = {"interpretation": request["interpretation"], "network": request["network"]}
    tables["layers.csv"].add(key | layer for layer in answer["layers"])
    tables["totals.csv"].add([key | _totals(answer)])
    if answer.get("coverage"):
        coverage = answer["coverage"]
        positions = coverage["height"] * coverage["width"]
        tables["coverage.csv"].add([key | coverage | {"positions": positions}])
        shared = key | {"layer": coverage["layer"], "windows": coverage["windows_in_row"]}
        tables["windows.csv"].add(
            shared | window | {"window": window["index"]} for window in coverage["windows"]
        )
    if answer.get("timings"):
        device = introduction["device"]["type"]
        tables["timings.csv"].add(
            key | {"device": device, "repeats": settings.repeats} | row
            for row in _timing_rows(answer["timings"])
        )


def _totals(answer: Answer) -> Answer:
    """Totals over the layers; empty where the network was not measured."""
    totals = {"status": answer["status"], "message": answer["message"]}
    layers = answer["layers"]
    if not layers:
        return totals
    return totals | {
        "neurons": sum(row["neurons"] for row in layers if row["kind"] in COUNTED_KINDS),
        "conv_neurons": sum(row["neurons"] for row in layers if row["kind"] == "conv"),
        "parameters": sum(row["parameters"] for row in layers),
        "macs": sum(row["macs"] for row in layers),
    }


def _timing_rows(timings: Answer) -> Iterator[Answer]:
    yield _timing("network", timings["network"]) | {
        "peak_memory_bytes": timings["peak_memory_bytes"]
    }
    for layer, spread in timings["layers"].items():
        yield _timing(layer, spread)


def _timing(layer: str, spread: list[float]) -> Answer:
    median, q1, q3 = (f"{value:.6g}" for value in spread)
    return {"layer": layer, "median_ms": median, "q1_ms": q1, "q3_ms": q3}


def _record(
    study: str,
    started: datetime,
    introduction: Answer,
    settings: Settings,
    root: Path,
    study_folder: Path,
) -> Answer:
    ended = datetime.now(UTC)
    facts = collect(root, study=study_folder)
    record = facts | {
        "study": study,
        "command": " ".join(sys.argv),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 3),
        "device": introduction["device"],
        "settings": {
            "warmup": settings.warmup,
            "repeats": settings.repeats,
            "seed": settings.seed,
            "time_limit_s": settings.time_limit_s,
        }
        | introduction["settings"],
        "versions": facts.get("versions", {}) | introduction["versions"],
    }
    return dict(sorted(record.items()))
