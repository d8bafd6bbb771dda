"""Times what counts the layers of one network: this project, torchinfo and fvcore.

Every reading of the AlexNet study is built once; then each counter makes its table per layer.
Prints milliseconds per reading, a sample per reading, as JSON.
"""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import torch
import torchinfo

from reconcile.measure.building import build_network, load_class
from reconcile.measure.counting import count_layers
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fvcore.nn import FlopCountAnalysis, flop_count_table

STUDY = Path("studies/alexnet")


def ours(model: Any, inputs: Any) -> object:
    """Rows per layer, cross-checked with closed forms."""
    return count_layers(model, inputs)


def by_torchinfo(model: Any, inputs: Any) -> object:
    """The printed table."""
    return str(torchinfo.summary(model, input_data=inputs, verbose=0))


def by_fvcore(model: Any, inputs: Any) -> object:
    """The printed table."""
    analysis = FlopCountAnalysis(model, inputs)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return flop_count_table(analysis)


def main() -> None:
    """Time the counters in turn, reading by reading."""
    torch.set_num_threads(2)
    plan = plan_of(load_study(STUDY), STUDY.name)
    network = load_class(STUDY / plan["network"]["file"], plan["network"]["class"])
    counters = {"ours": ours, "torchinfo": by_torchinfo, "fvcore": by_fvcore}
    samples: dict[str, list[float]] = {name: [] for name in counters}
    for number, reading in enumerate(plan["interpretations"]):
        arguments = reading["networks"]["main"]
        model, inputs = build_network(network, arguments, torch.device("cpu"), 0)
        for warm in (True, False):
            for name, count in counters.items():
                begun = time.perf_counter()
                with torch.no_grad():
                    count(model, inputs)
                if not (warm or number == 0):
                    samples[name].append((time.perf_counter() - begun) * 1000)
    print(json.dumps(samples))


if __name__ == "__main__":
    main()
