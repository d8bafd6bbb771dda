"""What a measuring process does: it builds a network, counts it, times it, and tells each in turn.

What is told is kept even where the process does not come to its end: the rows of the layers that
ran, then the counts, then what is measured beside them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from torch import Tensor, nn

from reconcile.errors import visible
from reconcile.measure.building import (
    BuildError,
    build_network,
    first_line,
    is_out_of_memory,
    is_unsized,
    load_class,
    load_factory,
)
from reconcile.measure.counting import (
    Row,
    all_uncounted,
    cells_of,
    count_layers,
    layer_names,
)
from reconcile.measure.device import (
    available_memory,
    choose_device,
    cuda_problem,
    describe_device,
    limit_memory,
    peak_memory,
    reset_peak_memory,
    time_layers,
    time_network,
)
from reconcile.measure.fields import add_fields, carry_fields, cover
from reconcile.measure.kinds import CrossCheckError
from reconcile.measure.recall import Recalled, execute
from reconcile.measure.tensors import tensor_rows
from reconcile.study.settings import TWICE_EVERY
from reconcile.tables.contract import INPUT, PARTLY, passes_of_layers

CUBLAS_WORKSPACE = ":4096:8"
"""Eight buffers of 4,096 KiB: one of two settings under which cuBLAS is deterministic."""
MEMORY_SHARE = 0.8
"""Share of the device's free memory that a reading may be expected to need."""
META, CPU = torch.device("meta"), torch.device("cpu")
IMAGE_DIMENSIONS = len(("batch", "channels", "height", "width"))
NOT_FINITE = "the output is not finite (NaN or infinity)"
COMPARED = ("kind", "outputs", "neurons", "parameters", "macs", "calls")
"""What two runs of a network must agree in, layer by layer."""

Answer = dict[str, Any]
Tell = Callable[[Answer], None]
FAULTS = (Exception, SystemExit, KeyboardInterrupt)
"""What a network may raise; each is its status."""


class NotAsFoundError(BaseException):
    """The run on the meta device changed the state of the process, so the real one needs another.

    Attributes:
        sketch: what came of the run on the meta device, or None.
    """

    def __init__(self, sketch: Answer | None) -> None:
        super().__init__()
        self.sketch = sketch


class TwoRunsError(Exception):
    """Two runs of one network gave different counts; the message says which."""


def flags() -> Answer:
    """The settings of torch that decide what is computed, as they are now."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return {
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "default_dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "default_device": str(torch.get_default_device()),
        "matmul_precision": _asked(torch.get_float32_matmul_precision),
        "tf32_matmul": _asked(lambda: matmul.allow_tf32),
        "tf32_cudnn": _asked(lambda: cudnn.allow_tf32),
        "cudnn_benchmark": cudnn.benchmark,
        "cudnn_deterministic": cudnn.deterministic,
        "autocast": " ".join(d for d in ("cpu", "cuda") if torch.is_autocast_enabled(d)) or "off",
        "gradients": torch.is_grad_enabled(),
    }


def _asked(flag: Callable[[], Any]) -> Any:
    """A flag; torch refuses to say where it was set in two ways that disagree."""
    try:
        return flag()
    except RuntimeError:
        return "mixed"


@dataclass(frozen=True)
class _Ready:
    """A network that was counted and can be timed."""

    model: nn.Module
    inputs: tuple[Tensor, ...]
    rows: list[Row]
    device: torch.device


class Worker:
    """Measures networks on one device, as often as it is asked to.

    Args:
        settings: how to measure, as of ``study.settings.Measuring``.
        device: ``cpu`` or ``cuda``.
        tell: is given each part of an answer as soon as there is one.
        changed: whether the state of the process is another one than at the start.
    """

    def __init__(
        self,
        settings: Answer,
        device: str,
        tell: Tell = lambda frame: None,
        changed: Callable[[], Any] = lambda: False,
    ) -> None:
        self.settings = settings
        self.seed = int(settings["seed"])
        self.device = torch.device(device)
        self._tell = tell
        self._changed = changed
        self._recalled = Recalled()
        self._in_batch = False
        torch.set_num_threads(int(settings["threads"]))
        # Deterministic kernels and full float32 precision; what they are afterwards stands in the
        # record. cuBLAS reads its variable when it is first used.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = CUBLAS_WORKSPACE
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False

    @property
    def executions(self) -> int:
        """How many operators were executed and are remembered."""
        return len(self._recalled)

    def introduction(self, policy: str) -> Answer:
        """What the record says about the measuring processes.

        Raises:
            DeviceError: the device that the policy demands cannot be used.
        """
        choice = choose_device(policy)
        cuda = choice.device.type == "cuda"
        versions = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda if cuda else None,
            "cudnn": torch.backends.cudnn.version() if cuda else None,
        }
        return {
            "device": describe_device(choice, policy),
            "flags": flags(),
            "versions": {key: value for key, value in versions.items() if value is not None},
        }

    def measure(self, request: Answer, *, in_batch: bool = False) -> Answer:
        """Measure one network; whatever is wrong with it becomes its status and message.

        A GPU that stopped working is no fault of the network: the answer is then ``lost``.

        Args:
            request: interpretation, network, file, class, arguments and placement; ``solved`` of a
                value of an argument that is solved for, which runs on the meta device or not at
                all; ``swept`` of a combination that is only counted, and ``twice`` to count it
                twice all the same; ``once`` of one that nobody keeps, which is counted once and may
                be built on values; ``idle`` of one that is not run, for its parameters;
                ``fields``, false where no receptive fields are wanted;
                ``sketch`` where another process has been on the meta device already.
            in_batch: with others that are only counted, each of which is measured again by itself
                if anything goes wrong.

        Raises:
            NotAsFoundError: the rest must be measured in a process of its own.
        """
        self._in_batch = in_batch
        answer, ready = self._counted(request)
        self._tell({"answer": answer})
        if ready is not None:
            more = self._measured_beside(ready, answer["message"])
            self._tell({"answer": more})
            answer |= more
        return answer

    def _counted(self, request: Answer) -> tuple[Answer, _Ready | None]:
        answer, ready = self._attempt(request, self.device)
        if self.device.type != "cuda":
            return answer, ready
        if not answer["status"].startswith("measured") and (problem := cuda_problem()):
            return {"lost": problem}, None
        torch.cuda.empty_cache()
        if answer["status"] == "out-of-memory" and self.settings["device"] == "auto":
            answer, ready = self._attempt(request, CPU)
            return answer | {"device": CPU.type}, ready
        return answer, ready

    def _attempt(self, request: Answer, device: torch.device) -> tuple[Answer, _Ready | None]:
        self._ran: dict[str, Callable[[], Row]] = {}
        self._input: Answer = {}
        try:
            if request.get("solved"):  # the next value may need any amount of memory
                return _on_meta(self._of_two_runs(request, META), "a value tried"), None
            if request["placement"] != "meta":
                return self._run(request, device)
            if (sketch := self._sketch(request)) is None:  # it looks at values, and is given some
                return self._run(request | {"sketch": None}, device)
            return _on_meta(sketch, "as the study asks"), None
        except FAULTS as error:
            return _failed(_status(error), error, self._ran), None

    def _run(self, request: Answer, device: torch.device) -> tuple[Answer, _Ready | None]:
        """Count a network on values, where it fits into memory, and hold it against the meta run.

        Where it does not run on the meta device it is run twice on values.
        """
        sketch: Answer | None
        sketch = request["sketch"] if "sketch" in request else self._sketch(request)
        needed = self._held(request) if sketch is None else sketch["needed"]
        if self._changed():
            raise NotAsFoundError(sketch)
        free = available_memory(device)
        if free is not None and needed > MEMORY_SHARE * free:
            why = f"it needs about {needed:,} bytes"
            if sketch is None:
                return _failed("out-of-memory", MemoryError(why), {}), None
            return _on_meta(sketch, why), None
        if device.type == "cpu" and free is not None:
            limit_memory(int(MEMORY_SHARE * free))
        first = self._of_two_runs(request, device) if sketch is None else sketch
        self._start_pass(device)
        model, inputs = self._built(request, device)
        rows, output = count_layers(model, inputs, ended=self._layer_ended)
        note = self._agreed(first["rows"], rows, model, inputs)
        finite = bool(torch.isfinite(output).all()) if output.is_floating_point() else True
        notes = [note, "" if finite else NOT_FINITE]
        cells = [cells_of(row) for row in rows]
        carry_fields(first["rows"], cells)
        answer = _counts("measured", notes, cells) | {"tensors": first["tensors"]}
        answer["output"] = _summary(output) if finite else None
        return answer, _Ready(model, inputs, rows, device)

    def _agreed(
        self, first: list[Answer], rows: list[Row], model: nn.Module, inputs: tuple[Tensor, ...]
    ) -> str:
        """Nothing, where two runs agree; what to say where the devices differ and runs do not.

        Raises:
            TwoRunsError: two runs on one device differ too.
        """
        mine = [cells_of(row) for row in rows]
        difference = _difference(first, mine)
        if not difference:
            return ""
        if again := _difference(mine, _cells(count_layers(model, inputs))):
            raise TwoRunsError(f"two runs differ: {again}")
        return f"the meta device counts otherwise: {difference}"

    def _sketch(self, request: Answer) -> Answer | None:
        """Rows from the meta device and the bytes needed; None where it cannot run there."""
        try:
            return self._of_two_runs(request, META)
        except (TwoRunsError, CrossCheckError):
            raise
        except FAULTS:
            return None

    def _of_two_runs(self, request: Answer, device: torch.device) -> Answer:
        """Build a network, count it twice, and build it once more.

        Of the combinations of a sweep only some are counted twice, and none gets receptive fields.

        Returns:
            Its ``rows``, the bytes ``needed`` for its weights and all outputs, its ``tensors``.

        Raises:
            TwoRunsError: the counts, or the sizes of what was built, are not the same.
        """
        self._start_pass(device)
        model, inputs = self._built(request, device)
        sizes = _sizes(model)  # a lazy layer has some once it ran, and none where it was built anew
        run = self._recalled.run if device == META else execute
        counted, _ = count_layers(model, inputs, run, self._layer_ended)
        rows = [cells_of(row) for row in counted]
        needed = _bytes(model) + sum(row["output_bytes"] for row in rows)
        tensors = tensor_rows(model, counted) if request.get("tensors", True) else []
        if self._is_spared(request):
            return {"rows": rows, "needed": needed, "tensors": tensors}
        if difference := _difference(rows, _cells(count_layers(model, inputs, run))):
            raise TwoRunsError(f"two runs differ: {difference}")
        if device == META and request.get("fields", not request.get("swept")):
            with suppress(*FAULTS):  # the counts stand without it
                add_fields(model, inputs, counted, run)
            rows = [cells_of(row) for row in counted]
        del model
        if sizes != _sizes(self._built(request, device)[0]):
            raise TwoRunsError("two runs differ: parameters have other shapes in each")
        return {"rows": rows, "needed": needed, "tensors": tensors}

    def _is_spared(self, request: Answer) -> bool:
        """Whether a reading is counted once: most of a sweep's, in a batch; which, chance decides.

        The same readings in every run, however they are batched.
        """
        if request.get("once"):
            return True
        if not self._in_batch or not request.get("swept") or request.get("twice"):
            return False
        return bool(crc32(f"{self.seed} {request['interpretation']}".encode()) % TWICE_EVERY)

    def _built(self, request: Answer, device: torch.device) -> tuple[nn.Module, tuple[Tensor, ...]]:
        model, inputs = self._built_to_run(request, device)
        if request.get("idle"):
            model.forward = lambda *given: torch.zeros(1, device=device)
        return model, inputs

    def _built_to_run(
        self, request: Answer, device: torch.device
    ) -> tuple[nn.Module, tuple[Tensor, ...]]:
        name = request["class"]
        network: Callable[..., Any]
        if "file" in request:
            network = load_class(Path(request["file"]), name)
        else:
            network = load_factory(request["module"], name)
        given = request.get("inputs", ())
        arguments = request["arguments"]
        if self._in_batch and device == META:
            # Many a constructor runs layers; one that bears no mode around it gets none.
            with suppress(*FAULTS), self._recalled:
                return build_network(network, arguments, device, self.seed, given)
        try:
            return build_network(network, arguments, device, self.seed, given)
        except BuildError:
            if device != META or not request.get("once"):
                raise
        return build_network(network, arguments, device, self.seed, given, built_on=CPU)

    def _held(self, request: Answer) -> int:
        """Bytes of the weights of a network that does not run on the meta device, if it builds."""
        with suppress(*FAULTS):
            return _bytes(self._built(request, META)[0])
        return 0

    def _start_pass(self, device: torch.device) -> None:
        self._ran, self._input = {}, {}
        self._tell({"pass": device.type})

    def _layer_ended(self, layer: str, row: Callable[[], Row]) -> None:
        self._ran[layer] = row
        if not self._in_batch:  # of a batch that does not end, each is measured again
            self._tell({"layer": cells_of(row())})
            # What the axes of the input are shows in the first layers.
            if (given := cells_of(self._ran[INPUT]())) != self._input:
                self._input = given
                self._tell({"layer": given})

    def _measured_beside(self, ready: _Ready, message: str) -> Answer:
        """Coverage and latency; either may fail alone, and the message then says so."""
        found: Answer = {}
        notes = [message]
        probes = {"coverage": _coverage, "timings": self._timings}
        for name, probe in probes.items():
            if name == "timings" and not self.settings["repeats"]:
                continue
            try:
                found[name] = probe(ready)
            except FAULTS as error:
                notes.append(f"no {name}: {visible(first_line(error)[:300])}")
        return found | {"message": _joined(notes)}

    def _timings(self, ready: _Ready) -> Answer:
        model, inputs, device = ready.model, ready.inputs, ready.device
        warmup, repeats = self.settings["warmup"], self.settings["repeats"]
        reset_peak_memory(device)
        # The pass that counted the layers stands for one, but not for the only one: torch's fast
        # path of attention was off in it.
        more = warmup - 1 if warmup > 1 else warmup
        total = time_network(model, inputs, device, more, repeats)
        peak = peak_memory(device)
        layers = time_layers(model, inputs, device, passes_of_layers(repeats))
        return {"peak_memory_bytes": peak, "network": total, "layers": layers}


def _cells(counted: tuple[list[Row], Tensor]) -> list[Answer]:
    return [cells_of(row) for row in counted[0]]


def _on_meta(sketch: Answer, why: str) -> Answer:
    why = f"shapes and counts from a run on the meta device: {why}"
    counts = _counts("measured-on-meta", [why], sketch["rows"])
    return counts | {"tensors": sketch["tensors"]}


def _counts(status: str, notes: list[str], rows: list[Answer]) -> Answer:
    uncounted = all_uncounted(row["uncounted"] for row in rows)
    if uncounted:
        notes = [*notes, f"multiply-adds not counted: {', '.join(uncounted)}"]
    return {
        "status": status,
        "message": _joined(notes),
        "layers": rows,
        "uncounted": " ".join(uncounted),
    }


def _joined(notes: list[str]) -> str:
    return "; ".join(filter(None, notes))


def _difference(one: list[Answer], other: list[Answer]) -> str:
    """The first layer in which two runs differ, and in what; nothing where they agree."""
    if len(one) != len(other):
        return f"{len(one)} rows in one, {len(other)} in the other"
    for row, again in zip(one, other, strict=True):
        if row["layer"] != again["layer"]:
            return f"{row['layer']} ran in one where {again['layer']} ran in the other"
        for name in COMPARED:
            if row[name] != again[name]:
                return f"{row['layer']} has {name} {row[name]} in one, {again[name]} in the other"
    return ""


def _sizes(model: nn.Module) -> list[tuple[int, ...]]:
    return [() if is_unsized(p) else tuple(p.shape) for p in model.parameters()]


def _bytes(model: nn.Module) -> int:
    held = [t for t in (*model.parameters(), *model.buffers()) if not is_unsized(t)]
    return sum(t.numel() * t.element_size() for t in held)


def _status(error: BaseException) -> str:
    if isinstance(error, TwoRunsError):
        return "not-deterministic"
    if isinstance(error, CrossCheckError):
        return "counts-disagree"
    if isinstance(error, BuildError):
        return "does-not-build"
    return "out-of-memory" if is_out_of_memory(error) else "does-not-run"


def _coverage(ready: _Ready) -> Answer | None:
    """Coverage of the first layer with weights, if it is a convolution over images."""
    first = next((row for row in ready.rows if row.macs), None)
    layers = {name: module for module, name in layer_names(ready.model).items()}
    layer = layers[first.layer] if first else None
    if (
        first is None
        or not isinstance(layer, nn.Conv2d)
        or len(first.first_input) != IMAGE_DIMENSIONS
    ):
        return None
    covered = cover(layer, first.first_input, ready.device)
    windows = [vars(window) for window in covered.windows]
    return vars(covered) | {"layer": first.layer, "windows": windows}


def _summary(output: Tensor) -> dict[str, str]:
    """The output in three numbers: equal outputs have equal ones, so different ones tell apart."""
    values = output.double()
    numbers = {"mean": values.mean(), "rms": values.square().mean().sqrt(), "largest": values.max()}
    return {name: f"{float(number):.6g}" for name, number in numbers.items()}


def _failed(status: str, error: BaseException, ran: dict[str, Callable[[], Row]]) -> Answer:
    """An answer for a network that failed, with the rows of the layers that ran before."""
    plain = isinstance(error, BuildError | CrossCheckError | TwoRunsError)
    told = str(error) if plain else first_line(error)
    rows = [cells_of(row()) for row in ran.values()] if status in PARTLY and len(ran) > 1 else []
    where = f", after {rows[-1]['layer']}" if rows else ""
    return {"status": status, "message": visible(told[:300]) + where, "layers": rows}
