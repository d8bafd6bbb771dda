"""Measures a sweep of AlexNet geometries, by this project or by torchinfo on the meta device.

    python bench/children/sweep.py plan READINGS OUT
    python bench/children/sweep.py ours READINGS OUT
    python bench/children/sweep.py torchinfo READINGS
    python bench/children/sweep.py anew READINGS

Prints the seconds from the first reading to the last row written, the readings, and the peak
memory of both processes in KiB, as JSON. Imports and the start of processes are left out. `anew`
measures in this process, one reading at a time, and prints what operators cost that are new.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from itertools import islice, pairwise, product
from pathlib import Path
from typing import Any

from reconcile.files import write_json
from reconcile.measure import run as measure
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Measuring

STUDY = Path("studies/alexnet")
FIRST = 100
"""Readings at the beginning, and at the end, that are looked at apart."""


def geometries() -> Any:
    """A grid over what AlexNet leaves open, in the order of a sweep."""
    sides = range(160, 288)
    paddings = [[a, b] for a in range(8) for b in range(8)]
    rules = ("floor", "ceil")
    for side, padding, conv, pool, towers, norm in product(
        sides, paddings, rules, rules, (1, 2), (True, False)
    ):
        yield {
            "input_size": side,
            "conv1_padding": padding,
            "conv_rule": conv,
            "pool_rule": pool,
            "kernels": [96, 256, 384, 384, 256],
            "towers": towers,
            "response_normalization": norm,
        }


def plan(number: int) -> dict[str, Any]:
    """What `instantiate` would write for a study that sweeps over these geometries."""
    written = plan_of(load_study(STUDY), STUDY.name)
    readings = [
        {
            "id": f"geometry-{i}",
            "placement": "meta",
            "networks": {"main": arguments},
            "swept": True,
        }
        for i, arguments in enumerate(islice(geometries(), number))
    ]
    return written | {"interpretations": readings}


class Timed(measure.Zygote):
    """Notes when the measuring process was ready and when it was last needed."""

    ready = over = 0.0

    def __enter__(self) -> Timed:
        super().__enter__()
        Timed.ready = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        Timed.over = time.perf_counter()
        super().__exit__(*exception)


def ours(number: int, out: Path) -> dict[str, float]:
    """Measure a plan as one job of the pipeline does; every table is written."""
    settings = Measuring(device="cpu", repeats=0, readings_per_job=number)
    measure.Zygote = Timed  # type: ignore[misc]
    measure.measure_study(out / "interpretations.json", STUDY, out, settings)
    peaks = {
        "this process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "measuring process": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }
    return {"seconds": Timed.over - Timed.ready, "readings": number} | peaks


def by_torchinfo(number: int) -> dict[str, float]:
    """Build and summarise each on the meta device."""
    import torch  # noqa: PLC0415
    import torchinfo  # noqa: PLC0415

    from reconcile.measure.building import load_class  # noqa: PLC0415

    network = load_class(STUDY / "network.py", "AlexNet")
    begun = time.perf_counter()
    with torch.device("meta"), torch.no_grad():
        for arguments in islice(geometries(), number):
            model = network(**arguments).eval()
            str(torchinfo.summary(model, input_data=model.example_inputs(), verbose=0))
    return {"seconds": time.perf_counter() - begun, "readings": number}


def anew(number: int) -> dict[str, float]:
    """What readings take whose operators are all remembered, and what others take more for each.

    "early" and "late" are medians, in seconds, over the first hundred readings and the last
    hundred; the very first reading, which loads half of torch, is left out.
    """
    from reconcile.measure.worker import Worker  # noqa: PLC0415

    worker = Worker(Measuring(device="cpu", repeats=0).model_dump(), "cpu")
    network = {
        "file": str(STUDY / "network.py"),
        "class": "AlexNet",
        "placement": "meta",
        "swept": True,
    }
    seconds, executions = [], [0]
    for index, arguments in enumerate(islice(geometries(), number)):
        begun = time.perf_counter()
        request = network | {"arguments": arguments, "interpretation": f"geometry-{index}"}
        worker.measure(request, in_batch=True)
        seconds.append(time.perf_counter() - begun)
        executions.append(worker.executions)
    new = [after - before for before, after in pairwise(executions)]
    known = [i for i in range(1, number) if not new[i]]
    usual = statistics.median(seconds[i] for i in known)
    more = [(seconds[i] - usual, new[i]) for i in range(1, number) if new[i]]
    return {
        "early": statistics.median(seconds[i] for i in known if i < FIRST),
        "late": statistics.median(seconds[i] for i in known if i >= number - FIRST),
        "usual": usual,
        "one operator": sum(s for s, _ in more) / sum(n for _, n in more),
        "new early": sum(new[1:FIRST]) / (FIRST - 1),
        "new": sum(new[1:]) / (number - 1),
    }


def main() -> None:
    """Do and print what was asked for."""
    what, number = sys.argv[1], int(sys.argv[2])
    if what == "plan":  # apart, since it needs memory that measuring does not
        write_json(Path(sys.argv[3]) / "interpretations.json", plan(number))
        print("{}")
    elif what == "ours":
        print(json.dumps(ours(number, Path(sys.argv[3]))))
    elif what == "anew":
        print(json.dumps(anew(number)))
    else:
        print(json.dumps(by_torchinfo(number)))


if __name__ == "__main__":
    main()
