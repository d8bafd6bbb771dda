"""Processor time of a reading in a process of its own, and of the same one in a warm process.

The readings of the AlexNet study on the CPU, in turn: measured by a child, as the pipeline does,
and here, where another network was measured before. In one thread: two spend processor time on
waiting for each other. Prints seconds as JSON, a sample per reading: ``{"child": [...], "warm":
[...]}``. The child's are what it took, what its zygote took, and what this process took meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from reconcile.measure.process import Zygote
from reconcile.measure.worker import Worker
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring

STUDY = Path("studies/alexnet")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
TIMES = slice(11, 15)
"""Of /proc/PID/stat after the name: time of the process and of children that it has seen end."""


def requests() -> Iterator[dict[str, Any]]:
    """A request for each network of the study; readings of equal ones share an answer."""
    plan = plan_of(load_study(STUDY), STUDY.name)
    network = {"file": str(STUDY / plan["network"]["file"]), "class": plan["network"]["class"]}
    seen = []
    for reading in plan["interpretations"]:
        arguments = reading["networks"]["main"]
        if reading["placement"] != "meta" and arguments not in seen:
            seen.append(arguments)
            yield network | {
                "interpretation": reading["id"],
                "network": "main",
                "arguments": arguments,
                "placement": reading["placement"],
            }


def taken_by(pid: int) -> float:
    """Seconds that a process and its ended children took."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[TIMES])) * TICK_S


def main(most: int) -> None:
    """Time so many readings, each in both ways, after one that warms this process."""
    settings = Measuring(device="cpu", threads=1)
    worker = Worker(settings.model_dump(), "cpu")
    samples: dict[str, list[float]] = {"child": [], "warm": []}
    with Zygote(settings) as zygote:
        (started,) = psutil.Process().children()
        for request in [*requests()][: most + 1]:
            begun = taken_by(started.pid) + time.process_time()
            answers = [answer for _, answer in zygote.ask_all([request])]
            samples["child"].append(taken_by(started.pid) + time.process_time() - begun)
            begun = time.process_time()
            answers.append(worker.measure(request))
            samples["warm"].append(time.process_time() - begun)
            if any(answer["status"] != "measured" for answer in answers):
                raise RuntimeError(f"{request['interpretation']}: {answers[0]['message']}")
    print(json.dumps({name: values[1:] for name, values in samples.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
