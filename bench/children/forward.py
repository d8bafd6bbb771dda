"""Times a forward pass plain, with every layer counted, under torch's own counter, and timed.

AlexNet and ResNet-50, on the CPU and on the meta device. Prints samples in milliseconds, taken in
turn, as JSON: ``{"alexnet on cpu": {"plain": [...], "counted": [...]}}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import count_layers
from reconcile.measure.device import time_layers
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of

STUDIES = Path("studies")
NETWORKS = {"alexnet": ("ceil", "main"), "resnet": ("v1-as-trained", "resnet-50")}
DEVICES = ("cpu", "meta")
WARM_UP = 3


def main(repeats: int) -> None:
    """Time the passes of each network on each device, in turn."""
    torch.set_num_threads(2)
    samples = {}
    for study, (reading, name) in NETWORKS.items():
        for device in map(torch.device, DEVICES):
            passes = _passes(*_built(STUDIES / study, reading, name, device), device)
            samples[f"{study} on {device.type}"] = _timed(passes, repeats)
    print(json.dumps(samples))


def _built(study: Path, reading: str, name: str, device: torch.device) -> tuple[Any, Any]:
    plan = plan_of(load_study(study), study.name)
    wanted = next(r for r in plan["interpretations"] if r["id"] == reading)["networks"][name]
    network = load_class(study / plan["network"]["file"], plan["network"]["class"])
    return build_network(network, wanted, device, 0)


def _passes(model: Any, inputs: Any, device: torch.device) -> dict[str, Callable[[], object]]:
    def plain() -> None:
        with torch.no_grad():
            model(*inputs)

    def torchs() -> None:
        with torch.no_grad(), FlopCounterMode(display=False):
            model(*inputs)

    found: dict[str, Callable[[], object]] = {"plain": plain, "FlopCounterMode": torchs}
    found["counted"] = lambda: count_layers(model, inputs)
    if device.type != "meta":
        found["timed"] = lambda: time_layers(model, inputs, device, 1)
    return found


def _timed(passes: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(repeats + WARM_UP):
        for name, one_pass in passes.items():
            begun = time.perf_counter()
            one_pass()
            if turn >= WARM_UP:
                samples[name].append((time.perf_counter() - begun) * 1000)
    return samples


if __name__ == "__main__":
    main(int(sys.argv[1]))
