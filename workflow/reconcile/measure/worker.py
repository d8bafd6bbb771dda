"""The measuring process: reads one request a line, answers one result a line.

Started by ``run`` as ``python -m reconcile.measure.worker IN OUT PARENT`` with two pipe file
descriptors, so that whatever a study's network prints or reads touches neither, and with the
process that it is not to outlive.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor, nn

from reconcile.errors import visible
from reconcile.measure.building import (
    BuildError,
    build_network,
    first_line,
    is_out_of_memory,
    load_class,
    preserved_state,
    seeded_values,
)
from reconcile.measure.closed_forms import CrossCheckError
from reconcile.measure.counting import (
    Row,
    all_uncounted,
    cells_of,
    count_by,
    count_layers,
    layer_names,
    uncounted_words,
)
from reconcile.measure.coverage import cover
from reconcile.measure.device import (
    Choice,
    DeviceError,
    available_memory,
    choose_device,
    cuda_problem,
    describe_device,
)
from reconcile.measure.recall import recalled_rows
from reconcile.measure.timing import (
    Spread,
    peak_memory,
    reset_peak_memory,
    time_layers,
    time_network,
)
from reconcile.run.processes import end_with_parent

CUBLAS_WORKSPACE = ":4096:8"
"""Eight buffers of 4,096 KiB: one of two settings under which cuBLAS is deterministic."""
MEMORY_SHARE = 0.8
"""Share of the device's free memory that a reading may be expected to need."""
META, CPU = torch.device("meta"), torch.device("cpu")
IMAGE_DIMENSIONS = len(("batch", "channels", "height", "width"))
NOT_FINITE = "the output is not finite (NaN or infinity)"
MOST_KEPT = 100
"""Answers kept for readings of the same network: readings that differ in a slip only, say."""


class Worker:
    """Measures one network after the other on one device."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.seed = int(settings["seed"])
        torch.set_num_threads(int(settings["threads"]))
        # Deterministic kernels and full float32 precision; both are stated in the record. cuBLAS
        # reads its variable when it is first used.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = CUBLAS_WORKSPACE
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        self.choice: Choice = choose_device(settings["device"])
        self._kept: dict[str, dict[str, Any]] = {}

    def introduction(self) -> dict[str, Any]:
        """What the record says about this process."""
        cuda = self.choice.device.type == "cuda"
        versions = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda if cuda else None,
            "cudnn": torch.backends.cudnn.version() if cuda else None,
        }
        return {
            "device": describe_device(self.choice, self.settings["device"]),
            "settings": {"tf32": False, "deterministic": True, "threads": torch.get_num_threads()},
            "versions": {key: value for key, value in versions.items() if value is not None},
        }

    def measure(self, request: dict[str, Any]) -> dict[str, Any]:
        """Measure one network; whatever is wrong with it becomes its status and message.

        A GPU that stopped working is no fault of the network: the answer is then ``lost``. A
        network that was lately measured for another reading is not measured again.
        """
        if request["placement"] == "meta":  # there its layers are recalled one by one
            return self._measure_anew(request)
        parts = [request["file"], request["class"], request["arguments"]]
        network = json.dumps(parts, sort_keys=True)
        if network in self._kept:
            return self._kept[network]
        answer = self._measure_anew(request)
        # One that had to leave the GPU tries it again.
        if answer.get("status") == "measured" and "device" not in answer:
            self._kept[network] = answer
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return answer

    def _measure_anew(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._attempt(request, self.choice.device)
        if self.choice.device.type != "cuda":
            return answer
        if not answer.get("status", "").startswith("measured") and (problem := cuda_problem()):
            return {"lost": problem}
        torch.cuda.empty_cache()
        if answer.get("status") == "out-of-memory" and self.settings["device"] == "auto":
            return self._attempt(request, CPU) | {"device": CPU.type}
        return answer

    def _attempt(self, request: dict[str, Any], device: torch.device) -> dict[str, Any]:
        try:
            if request["placement"] == "meta":
                rows = recalled_rows(Path(request["file"]), request["class"], request["arguments"])
                if rows is not None:
                    return _on_meta(rows, "as the study asks")
            with preserved_state(self.seed):
                return self._measure(request, device)
        except CrossCheckError as error:
            return _failed("counts-disagree", error)
        except BuildError as error:
            return _failed("does-not-build", error)
        except (Exception, SystemExit) as error:
            return _failed("out-of-memory" if is_out_of_memory(error) else "does-not-run", error)

    def _measure(self, request: dict[str, Any], device: torch.device) -> dict[str, Any]:
        network = load_class(Path(request["file"]), request["class"])
        arguments = request["arguments"]
        sketch = self._sketch(network, arguments)
        if sketch is not None and not _fits(device, *sketch):
            rows, needed = sketch
            return _on_meta(rows, f"it needs about {needed:,} bytes")
        return self._run(network, arguments, device)

    def _sketch(
        self, network: type[nn.Module], arguments: dict[str, Any]
    ) -> tuple[list[Row], int] | None:
        """Counts and needed bytes from the meta device, which allocates nothing.

        None where the network cannot run there (it looks at values); the real run then decides.
        """
        try:
            with preserved_state(self.seed):
                model, inputs = build_network(network, arguments, META, self.seed)
                rows, _ = count_layers(model, inputs)
        except CrossCheckError:
            raise
        except Exception:
            return None
        held = sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
        return rows, held + sum(row.bytes for row in rows)

    def _run(
        self, network: type[nn.Module], arguments: dict[str, Any], device: torch.device
    ) -> dict[str, Any]:
        model, inputs = build_network(network, arguments, device, self.seed)
        inputs = seeded_values(inputs, self.seed)
        rows, output = count_layers(model, inputs)
        finite = bool(torch.isfinite(output).all()) if output.is_floating_point() else True
        answer: dict[str, Any] = {
            "status": "measured",
            "message": _with_uncounted(
                "" if finite else "the output is not finite (NaN or infinity)", rows
            ),
            "layers": [cells_of(row) for row in rows],
            "uncounted": " ".join(uncounted_words(all_uncounted(rows))),
            "coverage": _coverage(model, rows, device),
            "output": _summary(output) if finite else None,
        }
        if self.settings["repeats"]:
            answer["timings"] = self._timings(model, inputs, device)
        return answer

    def _timings(
        self, model: nn.Module, inputs: tuple[Tensor, ...], device: torch.device
    ) -> dict[str, Any]:
        warmup, repeats = self.settings["warmup"], self.settings["repeats"]
        reset_peak_memory(device)
        # The pass that counted the layers stands for one, but not for the only one: torch's fast
        # path of attention was off in it.
        more = warmup - 1 if warmup > 1 else warmup
        total = time_network(model, inputs, device, more, repeats)
        peak = peak_memory(device)
        layers = time_layers(model, inputs, device, repeats)
        return {
            "peak_memory_bytes": peak,
            "network": _spread(total),
            "layers": {name: _spread(spread) for name, spread in layers.items()},
        }


def _on_meta(rows: list[Row], why: str) -> dict[str, Any]:
    return {
        "status": "measured-on-meta",
        "message": _with_uncounted(f"shapes and counts from a run on the meta device: {why}", rows),
        "layers": [cells_of(row) for row in rows],
        "uncounted": " ".join(uncounted_words(all_uncounted(rows))),
    }


def _fits(device: torch.device, rows: list[Row], needed: int) -> bool:
    free = available_memory(device)
    return free is None or needed <= MEMORY_SHARE * free


def _coverage(model: nn.Module, rows: list[Row], device: torch.device) -> dict[str, Any] | None:
    """Coverage of the first layer with weights, if it is a convolution over images."""
    first = next((row for row in rows if row.macs), None)
    layers = {name: module for module, name in layer_names(model).items()}
    layer = layers[first.layer] if first else None
    if (
        first is None
        or not isinstance(layer, nn.Conv2d)
        or len(first.first_input) != IMAGE_DIMENSIONS
    ):
        return None
    covered = cover(layer, first.first_input, device)
    return {
        "layer": first.layer,
        "height": covered.height,
        "width": covered.width,
        "seen": covered.seen,
        "windows_in_row": covered.windows_in_row,
        "windows": [vars(window) for window in covered.windows],
    }


def _with_uncounted(message: str, rows: list[Row]) -> str:
    """The message, and the operators whose multiply-adds no formula counts."""
    uncounted = uncounted_words(all_uncounted(rows))
    if uncounted:
        more = f"multiply-adds not counted: {', '.join(uncounted)}"
        return f"{message}; {more}" if message else more
    return message


def _summary(output: Tensor) -> dict[str, str]:
    """The output in three numbers: equal outputs have equal ones, so different ones tell apart."""
    values = output.double()
    numbers = {"mean": values.mean(), "rms": values.square().mean().sqrt(), "largest": values.max()}
    return {name: f"{float(number):.6g}" for name, number in numbers.items()}


def _spread(spread: Spread) -> list[float]:
    return [spread.median, spread.q1, spread.q3]


def _failed(status: str, error: BaseException) -> dict[str, Any]:
    plain = isinstance(error, BuildError | CrossCheckError)
    told = str(error) if plain else first_line(error)
    return {"status": status, "message": visible(told[:300]), "layers": []}


def serve(requests: TextIO, answers: TextIO) -> int:
    """Answer requests until there are none."""

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        settings = json.loads(requests.readline())
        count_by(settings["quantities"])
        worker = Worker(settings)
    except (DeviceError, ImportError, AttributeError) as error:
        answer({"fatal": str(error)})
        return 1
    answer(worker.introduction())
    sys.addaudithook(_own_signals(answer))
    for line in requests:
        answer(worker.measure(json.loads(line)))
    return 0


def _own_signals(answer: Callable[[dict[str, Any]], None]) -> Callable[[str, Any], None]:
    """An audit hook that announces a signal which this process is about to send itself.

    One that ends it leaves no time to say so afterwards, and looks as if it came from outside.
    """
    process = os.getpid()
    own = {process, 0, -1, os.getpgrp(), -os.getpgrp()}

    def announce(event: str, arguments: Any) -> None:
        kills = event in ("os.kill", "os.killpg") and arguments[0] in own
        if (kills or event == "signal.pthread_kill") and os.getpid() == process:
            answer({"signals-itself": int(arguments[1])})

    return announce


def main() -> int:
    """Entry point of the process."""
    end_with_parent(int(sys.argv[3]))
    # A network that reads from the terminal gets nothing.
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open until the end
    requests = os.fdopen(int(sys.argv[1]))
    answers = os.fdopen(int(sys.argv[2]), "w")
    # The parent may be gone: there is nobody left to tell.
    with contextlib.suppress(BrokenPipeError), requests, answers:
        return serve(requests, answers)
    return 1


if __name__ == "__main__":
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a network may have closed it
            stream.flush()
    # Everything is told; taking torch apart module by module would keep the parent waiting.
    os._exit(code)
