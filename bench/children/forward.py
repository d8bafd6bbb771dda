"""Times a forward pass plain, with every layer counted, and with every layer timed.

Prints the medians' samples of each in milliseconds, taken in turn, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import count_layers
from reconcile.measure.device import time_layers
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of

STUDY = Path("studies/alexnet")
READING = "ceil"


def main(repeats: int) -> None:
    """Time the passes in turn."""
    torch.set_num_threads(2)
    plan = plan_of(load_study(STUDY), STUDY.name)
    arguments = next(r for r in plan["interpretations"] if r["id"] == READING)["networks"]["main"]
    cpu = torch.device("cpu")
    network = load_class(STUDY / plan["network"]["file"], plan["network"]["class"])
    model, inputs = build_network(network, arguments, cpu, 0)

    def plain() -> None:
        with torch.no_grad():
            model(*inputs)

    passes: dict[str, Callable[[], object]] = {
        "plain": plain,
        "counted": lambda: count_layers(model, inputs),
        "timed": lambda: time_layers(model, inputs, cpu, 1),
    }
    samples: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(repeats + 3):
        for name, one_pass in passes.items():
            begun = time.perf_counter()
            one_pass()
            if turn >= 3:  # noqa: PLR2004 - the first ones warm up
                samples[name].append((time.perf_counter() - begun) * 1000)
    print(json.dumps(samples))


if __name__ == "__main__":
    main(int(sys.argv[1]))
