"""Measuring processes: what one reading does reaches no other, and what others do is no result."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from support import measure, study_data, tables_of, write_study

from reconcile.measure import process
from reconcile.measure.answers import Outcome, RubbishError
from reconcile.measure.process import Zygote
from reconcile.study.settings import Measuring

NETWORK = '''
import contextlib, ctypes, gc, os, random, resource, signal, sys, threading, time
from pathlib import Path

import torch
from torch import nn

calls = 0


class Meddling(nn.Module):
    """Does to its process what its argument says, then is a convolution and a product."""

    def __init__(self, *, kind):
        super().__init__()
        self.kind, self.calls = kind, 0
        self.conv = nn.Conv2d(3, 8, 3)
        if kind == "bears-no-mode" and torch._C._len_torch_dispatch_stack():
            raise RuntimeError("somebody looks")
        self.fc = nn.Linear(288, 10)
        if kind == "sized-by-chance":
            # Of one width alone two runs agree once in 64 times.
            widths = [4 + byte % 64 for byte in os.urandom(8)]
            self.fc = nn.Sequential(*map(nn.Linear, [288, *widths], widths))

    def example_inputs(self):
        return (torch.rand(1, 3, 8, 8),)

    def forward(self, x):
        global calls
        calls, self.calls = calls + 1, self.calls + 1
        WHAT.get(self.kind, lambda: None)()
        if self.kind == "skips-every-other" and self.calls % 2 == 0:
            return self.fc(x.new_ones(1, 288))
        if self.kind == "skips-by-a-global" and calls % 2 == 0:
            return self.fc(x.new_ones(1, 288))
        x = self.conv(x).flatten(1)
        LATE.get(self.kind, lambda: None)()
        return self.fc(x)


def hook_on_all_modules():
    nn.modules.module.register_module_forward_hook(lambda m, a, out: out * 4)


def patched_class():
    nn.Conv2d.forward = lambda self, x: x.new_zeros(1, 8, 6, 6)


def patched_function():
    nn.functional.linear = lambda x, w, b=None: x.new_zeros(1, len(w))


def patched_library():
    from reconcile.measure import counting
    counting.kind_of = lambda module: "other"


def autocast_left_on():
    torch.autocast("cpu", dtype=torch.bfloat16).__enter__()


def mode_left_on():
    torch.device("meta").__enter__()


def daemon():
    if not os.fork():
        os.setsid()
        if not os.fork():
            (Path(__file__).parent / f"{os.getpid()}.daemon").touch()
            time.sleep(600)
        os._exit(0)


def closes_everything():
    os.closerange(3, 200)


def rubbish():
    for number in range(3, 200):
        with contextlib.suppress(OSError):
            os.write(number, b"a line of rubbish\\n")


def ignores_signals():
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)


WHAT = {
    "global-hook": hook_on_all_modules,
    "patched-class": patched_class,
    "patched-function": patched_function,
    "patched-library": patched_library,
    "autocast": autocast_left_on,
    "mode": mode_left_on,
    "default-dtype": lambda: torch.set_default_dtype(torch.float64),
    "default-device": lambda: torch.set_default_device("meta"),
    "gradients-off": lambda: torch.set_grad_enabled(False),
    "precision": lambda: torch.set_float32_matmul_precision("high"),
    "benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "seed": lambda: (torch.manual_seed(1), random.seed(1)),
    "path": lambda: sys.path.insert(0, "/nowhere"),
    "folder": lambda: os.chdir("/"),
    "environment": lambda: os.environ.update(OMP_NUM_THREADS="1", MEDDLED="yes"),
    "few-files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
    "little-memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20)),
    "recursion": lambda: sys.setrecursionlimit(200),
    "daemon": daemon,
    "thread": lambda: threading.Thread(target=time.sleep, args=(600,)).start(),
    "ignores-signals": ignores_signals,
    "alarm": lambda: signal.signal(signal.SIGALRM, lambda *told: None),
    "tracing": lambda: sys.setprofile(lambda *told: None),
    "no-collector": gc.disable,
    "streams": lambda: setattr(sys, "stdout", None),
    "rubbish": rubbish,
    "closes-everything": closes_everything,
    "kills-its-group": lambda: os.killpg(0, signal.SIGKILL),
    # The end of a parent is passed on when it is gone: on a busy machine an answer could be sooner.
    "kills-its-parent": lambda: (os.kill(os.getppid(), signal.SIGKILL), time.sleep(60)),
    "no-parent-by-c": lambda: (
        ctypes.CDLL(None).kill(os.getppid(), signal.SIGKILL), time.sleep(60)
    ),
    "kills-itself-by-c": lambda: ctypes.CDLL(None).kill(os.getpid(), signal.SIGKILL),
}
def crash():
    ctypes.string_at(0)


def fail():
    raise ValueError("no more")


LATE = {"crashes-late": crash, "ends-late": lambda: os._exit(3), "fails-late": fail}
'''
HARMLESS = (
    *("global-hook", "patched-class", "patched-function", "patched-library", "autocast", "mode"),
    *("default-dtype", "default-device", "gradients-off", "precision", "benchmark", "seed", "path"),
    *("folder", "environment", "few-files", "recursion", "daemon", "thread", "ignores-signals"),
    *("little-memory", "alarm", "tracing", "no-collector", "streams"),
)
"""What a reading may do and go on, or not."""
HARMFUL = {
    "rubbish": ("does-not-run",),
    "closes-everything": ("killed",),
    "kills-its-group": ("killed",),
    "kills-its-parent": ("killed",),
    "no-parent-by-c": ("killed",),
    "kills-itself-by-c": ("killed",),
    "crashes-late": ("killed",),
    "ends-late": ("killed",),
    "fails-late": ("does-not-run",),
}
"""What ends it, and the statuses that it may then have."""
CHANCE = ("sized-by-chance", "skips-every-other", "skips-by-a-global")


def meddling_study(folder: Path, kinds: Sequence[str], placement: str) -> Path:
    """A study with one reading for each kind, and an innocent one after each."""
    data = study_data() | {"network": "network.py:Meddling", "placement": placement}
    data |= {"arguments": {"kind": "nothing"}, "argument_help": {}, "statements": []}
    data |= {"evidence": [], "slips": [], "consistency": [], "geometries": []}
    own = [(kind, {"kind": kind}) for kind in kinds]
    both = [r for kind, given in own for r in ((kind, given), (f"after-{kind}", {}))]
    data["interpretations"] = [
        {"id": name, "title": name, "network": given, "proposed_by": [{"name": "a test"}]}
        for name, given in [("alone", {}), *both]
    ]
    data["conclusion"] = {"interpretation": "alone", "answer": "a", "text": "t"}
    return write_study(folder, data, NETWORK)


class Measured:
    """What was measured of the meddling readings, and of the innocent one after each."""

    def __init__(self, folder: Path, kinds: Sequence[str], placement: str, device: str) -> None:
        self.study = meddling_study(folder / "study", kinds, placement)
        self.out = measure(self.study, folder / "out", repeats=0, device=device)
        self.tables = tables_of(self.out)

    def of(self, table: str, reading: str) -> list[dict[str, str]]:
        """The rows of one reading, without its name."""
        rows = (dict(row) for row in self.tables[table])
        return [row for row in rows if row.pop("interpretation") == reading]

    def everything(self, reading: str) -> dict[str, list[dict[str, str]]]:
        """All that was measured of a reading, without its name."""
        return {t: self.of(t, reading) for t in ("layers.csv", "totals.csv", "outputs.csv")}


NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
PLACES = [
    pytest.param(("auto", "cpu"), id="cpu"),
    pytest.param(("meta", "cpu"), id="meta"),
    pytest.param(("auto", "cuda"), id="gpu", marks=[pytest.mark.gpu, NO_GPU]),
]


@pytest.fixture(scope="module", params=PLACES)
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Every meddling reading with an innocent one after it, in one run."""
    placement, device = request.param
    folder = tmp_path_factory.mktemp("meddling")
    return Measured(folder, [*HARMLESS, *HARMFUL, *CHANCE], placement, device)


@pytest.mark.parametrize("kind", [*HARMLESS, *HARMFUL, *CHANCE])
def test_the_next_reading_is_what_it_is_alone(measured: Measured, kind: str) -> None:
    """Whatever a reading did, the next one's numbers and messages are those that it has alone."""
    assert measured.everything(f"after-{kind}") == measured.everything("alone")
    assert measured.of("totals.csv", "alone")[0]["macs"] == str(36 * 8 * 27 + 2880)


@pytest.mark.parametrize("kind", HARMFUL)
def test_what_ends_a_reading_is_its_status(measured: Measured, kind: str) -> None:
    """A reading that ends its process or the one above it, or writes into its socket, says so."""
    (total,) = measured.of("totals.csv", kind)
    assert total["status"] in HARMFUL[kind], total["message"]
    assert total["message"] and not total["macs"]


@pytest.mark.parametrize("kind", CHANCE)
def test_two_runs_must_agree(measured: Measured, kind: str) -> None:
    """A reading whose sizes or layers differ from run to run is not deterministic."""
    (total,) = measured.of("totals.csv", kind)
    assert total["status"] == "not-deterministic"
    assert total["message"].startswith("two runs differ: ")
    assert not measured.of("layers.csv", kind)


def is_seen(column: str) -> bool:
    """Whether a column says what a layer sees of the input."""
    return column == "sees_all" or column.startswith(("receptive_field", "effective_"))


@pytest.mark.parametrize("kind", ["crashes-late", "ends-late", "fails-late"])
def test_layers_that_ran_keep_their_rows(measured: Measured, kind: str) -> None:
    """What ran before a failure is counted, whichever way the reading ended.

    What layers see of the input is found in a pass of its own, which such a network never ends.
    """
    whole, kept = (measured.of("layers.csv", name) for name in ("alone", kind))
    assert not any(value for row in kept for column, value in row.items() if is_seen(column))
    assert kept == [row | {c: "" for c in row if is_seen(c)} for row in whole[:2]]
    assert measured.of("totals.csv", kind)[0]["message"].endswith(", after conv")


def test_what_a_reading_left_behind_is_told(measured: Measured) -> None:
    """Flags that are others after a reading stand in its row; the record has those of the rest."""
    left = {
        "default-dtype": "default dtype float64",
        "default-device": "default device meta",
        "precision": "matmul precision high, tf32 matmul on",
        "benchmark": "cudnn benchmark on",
        "autocast": "autocast cpu",
    }
    for kind, told in left.items():
        assert f"it left behind: {told}" in measured.of("totals.csv", kind)[0]["message"]
    flags = json.loads((measured.out / "record.json").read_text())["flags"]
    assert flags["matmul_precision"] == "highest" and not flags["cudnn_benchmark"]
    assert (flags["default_dtype"], flags["autocast"], flags["threads"]) == ("float32", "off", 2)


def test_nothing_outlives_the_run(measured: Measured) -> None:
    """Processes that a reading left running, in sessions of their own, are gone."""
    pids = [int(file.stem) for file in measured.study.glob("*.daemon")]
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_batches_of_any_size_have_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings that are only counted have the same rows, one child each or several in one."""
    kinds = ["default-dtype", "seed", "patched-class"]
    together = Measured(tmp_path / "a", kinds, "meta", "cpu")
    monkeypatch.setattr(process, "BATCH", 1)
    apart = Measured(tmp_path / "b", kinds, "meta", "cpu")
    assert apart.tables == together.tables


THREAD = """
import sys, threading, time
if "reconcile.measure.zygote" in sys.orig_argv:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
"""


def test_without_fork_a_fresh_process_does_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process with another thread must not fork: each reading then has one that is started."""
    kinds = ["ends-late"]
    forked = Measured(tmp_path / "a", kinds, "auto", "cpu")
    (tmp_path / "sitecustomize.py").write_text(THREAD)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with Zygote(Measuring(device="cpu")) as zygote:
        assert zygote._introduction["forks"] is False
    fresh = Measured(tmp_path / "b", kinds, "auto", "cpu")
    assert fresh.tables == forked.tables


def ended(code: int | None = None, **facts: Any) -> Outcome:
    """A child that gave no answer and ended in some way."""
    return Outcome(code=code, **facts)


def swept(study: Path, *kinds: str) -> list[dict[str, Any]]:
    """Requests for combinations of a sweep that are only counted."""
    same = {"network": "main", "file": str(study / "network.py"), "class": "Meddling"}
    same |= {"placement": "meta", "swept": True}
    return [
        same | {"interpretation": f"r-{number}", "arguments": {"kind": kind}}
        for number, kind in enumerate(kinds)
    ]


def test_once_chance_plays_a_part_every_combination_is_counted_twice(tmp_path: Path) -> None:
    """Some combinations are counted twice; from the first that differs on, all are."""
    study = meddling_study(tmp_path / "study", [], "meta")
    asked = swept(study, *["skips-every-other"] * 60)
    with Zygote(Measuring(device="cpu", repeats=0)) as zygote:
        found = [answer["status"] for _, answer in zygote.ask_all(asked)]
    first = found.index("not-deterministic")
    assert set(found[:first]) <= {"measured-on-meta"}
    assert set(found[first:]) == {"not-deterministic"}


def test_combinations_have_the_rows_of_a_reading_alone(tmp_path: Path) -> None:
    """Whatever one of a sweep leaves behind, the others are what they are alone, in order."""
    study = meddling_study(tmp_path / "study", [], "meta")
    kinds = [*["nothing"] * 25, "patched-class", "seed", "ends-late", *["nothing"] * 5]
    kinds.append("bears-no-mode")
    asked = swept(study, *kinds)
    with Zygote(Measuring(device="cpu", repeats=0)) as zygote:
        answers = [(request, answer) for request, answer in zygote.ask_all(asked)]
        ((_, alone),) = zygote.ask_all(asked[:1])
    assert [request for request, _ in answers] == asked
    for request, answer in answers:
        if request["arguments"]["kind"] == "nothing":
            assert answer["layers"] == alone["layers"] and answer["message"] == alone["message"]
    assert answers[27][1]["status"] == "killed"
    assert answers[-1][1]["layers"] == alone["layers"], "built again, by itself"


def test_receptive_fields_in_a_batch(tmp_path: Path) -> None:
    """A study's own readings have them on the meta device too, combinations of a sweep none."""
    study = meddling_study(tmp_path / "study", [], "meta")
    asked = swept(study, *["nothing"] * 2)
    with Zygote(Measuring(device="cpu", repeats=0)) as zygote:
        combinations = [answer["layers"][1] for _, answer in zygote.ask_all(asked)]
        own = [a["layers"][1] for _, a in zygote.ask_all(r | {"swept": False} for r in asked)]
    seen = ("receptive_field", "effective_stride", "effective_padding")
    assert [[row[column] for column in seen] for row in own] == [[3, 1, 0], [3, 1, 0]]
    assert not any(is_seen(column) and row[column] for row in combinations for column in row)


OWN = {
    "exit": (ended(7), "killed"),
    "announced signal": (ended(-signal.SIGKILL, announced=9), "killed"),
    "announced, with the zygote": (ended(None, announced=9), "killed"),
    "slow": (ended(-signal.SIGKILL, timed_out=True, waited=0.1), "timed-out"),
    "rubbish": (ended(-signal.SIGKILL, rubbish=True), "does-not-run"),
    "took the memory": (ended(-signal.SIGKILL, starved=True, peak_bytes=1 << 60), "out-of-memory"),
}
AGAIN = {
    "killed": ended(-signal.SIGKILL),
    "terminated": ended(-signal.SIGTERM),
    "zygote killed": ended(None),
    "memory gone": ended(-signal.SIGKILL, starved=True, peak_bytes=1),
    "busy machine": ended(-signal.SIGKILL, timed_out=True, waited=0.9),
    "crash": ended(-signal.SIGSEGV),
    "killed, and could itself": ended(-signal.SIGKILL, means={"os.fork"}),
}
ITS_OWN_TWICE = {"crash", "killed, and could itself"}


@pytest.mark.parametrize("name", OWN)
def test_ends_that_say_something_about_a_reading(name: str) -> None:
    """What a process does to itself is its reading's status, at once."""
    outcome, status = OWN[name]
    answer = outcome.result(1)
    assert answer is not None and answer["status"] == status


@pytest.mark.parametrize("name", AGAIN)
def test_ends_that_are_tried_again(name: str) -> None:
    """What others do is none; a crash, or a death that it could have caused, is one if repeated."""
    outcome = AGAIN[name]
    assert outcome.result(1) is None
    assert outcome.is_its_own_when(outcome) is (name in ITS_OWN_TWICE)
    later = ended(outcome.code, means=outcome.means, layers={"conv": {"layer": "conv"}})
    assert not later.is_its_own_when(outcome)


def test_a_process_that_ends_while_it_is_timed_keeps_its_counts() -> None:
    """Counts that were told stay; the message says what is missing."""
    counted = {"status": "measured", "message": "", "layers": [{"layer": "conv"}]}
    answer = ended(-signal.SIGKILL, announced=9, answer=counted).result(1)
    assert answer == counted | {
        "message": "the rest was not measured: the measuring process ended (signal 9)"
    }


@pytest.mark.parametrize("frame", [{"what": 1}, {"layer": 1}, {"done": 3}, {"signals-itself": "x"}])
def test_messages_that_are_none_of_a_child_s(frame: dict[str, Any]) -> None:
    """A message of another form is rubbish, not an error of ours."""
    with pytest.raises(RubbishError):
        Outcome().take(frame)


def eventually(condition: Callable[[], object], limit: float = 30) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_zygote_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The process that forks may be killed between readings: the next one starts another."""
    study = meddling_study(tmp_path / "study", [], "auto")
    request = {"interpretation": "r", "network": "main", "arguments": {"kind": "nothing"}}
    request |= {"file": str(study / "network.py"), "class": "Meddling", "placement": "auto"}
    with Zygote(Measuring(device="cpu", repeats=0)) as zygote:
        assert zygote._process is not None
        os.kill(zygote._process.pid, signal.SIGKILL)
        eventually(lambda: zygote._process is None or zygote._process.poll() is not None)
        ((_, answer),) = zygote.ask_all([request])
    assert answer["status"] == "measured"
    assert "was ended (with the one that started it): once again" in zygote.notices[0]


PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
LARGE = """
import os, re
from pathlib import Path
from torch import nn

class Large(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4096, 4096)

    def forward(self, x):
        if x.is_meta:
            return self.fc(x)
        held = re.search(r"AnonHugePages: *(\\d+)", Path("/proc/self/smaps_rollup").read_text())
        raise RuntimeError(f"{held[1]} kB, {os.environ.get('THP_MEM_ALLOC_ENABLE')}")
"""


@pytest.mark.skipif(
    not PAGES.is_file() or "[never]" in PAGES.read_text(), reason="no large pages here"
)
def test_weights_lie_in_large_pages(tmp_path: Path) -> None:
    """The first touch of large weights is cheap, and networks find the environment of before."""
    (tmp_path / "network.py").write_text(LARGE)
    request = {
        "file": str(tmp_path / "network.py"),
        "class": "Large",
        "arguments": {},
        "inputs": [{"name": "", "shape": [1, 4096], "dtype": "float32", "range": None, "value": 1}],
        "interpretation": "large",
        "network": "main",
        "placement": "auto",
    }
    with Zygote(Measuring(device="cpu", repeats=0)) as zygote:
        ((_, answer),) = zygote.ask_all([request])
    kib, environment = answer["message"].removeprefix("RuntimeError: ").split(" kB, ")
    assert int(kib) + 4096 >= 4096 * 4096 * 4 // 1024
    assert environment.startswith(str(os.environ.get("THP_MEM_ALLOC_ENABLE")))
