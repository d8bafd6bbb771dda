"""The process that has imported torch and forks a child for each reading.

Started as ``python -m reconcile.measure.zygote SOCKET``. It has one thread and runs nothing that
would start another, since a child of several threads hangs; where it cannot fork (or has more than
one thread) it serves once itself and ends. It hands each child a socket of its own, lets it end
alone, kills what it left running, and ends with all below it when the other side of its socket is
gone.
"""

from __future__ import annotations

import gc
import importlib
import operator
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from reconcile.measure.answers import BY_CHANCE, Answer, Channel
from reconcile.measure.building import first_line, imported
from reconcile.measure.counting import count_by, count_layers
from reconcile.measure.device import DeviceError
from reconcile.measure.worker import META, NotAsFoundError, Worker, flags
from reconcile.proc import children, kept_waiting, threads
from reconcile.run.processes import adopt_orphans, end_children, end_with_parent

try:
    import resource
except ImportError:  # not a Unix, where nothing is measured
    resource = None  # type: ignore[assignment]

PRELOADED = (
    "torch.utils.flop_counter",
    "torch._meta_registrations",
    "torch.fx.experimental.symbolic_shapes",
    "torch._dynamo",
)
"""What torch loads at its first run on the meta device, and every child would load again."""
LOOK_EVERY, LOOK_EVERY_S = 20, 1.0
"""After so many readings of a batch, or seconds, the state of the process is looked at.

That takes as long as some layers, and what is found changed is measured again from there.
"""
KILLING = ("kill", "killpg", "tgkill", "tkill", "raise", "pthread_kill", "syscall", "abort")
MEANS = {
    *("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"),
    *("resource.setrlimit", "resource.prlimit", "os.kill", "os.killpg", "signal.pthread_kill"),
}
"""Audit events of what may end a process in a roundabout way."""
ELSEWHERE = ("socket.getaddrinfo", "socket.connect", "socket.gethostbyname")
"""Audit events of what leads to another machine, unless the address is a path of this one."""


def main() -> int:
    """Entry point of the process."""
    control = Channel(socket.socket(fileno=int(sys.argv[1])))
    adopt_orphans()
    settings = control.receive()
    if settings is None:
        return 1
    try:
        sys.addaudithook(_offline)
        count_by(settings["quantities"])
        _preload(settings["package"])
    except (ImportError, AttributeError) as error:
        control.send({"fatal": str(error)})
        return 1
    control.send({"ready": True})
    while (message := control.receive()) is not None:
        end = control.sockets.pop()
        if not _may_fork():
            _child(settings, message, end, control)
        control.send(_fork(control, settings, message, end))
    end_children()
    return 0


def _preload(package: str | None) -> None:
    """Import what children would import otherwise, each by itself.

    Args:
        package: the installed package that the study's network is from. One that does not import
            says so where a network is built.
    """
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    if package is not None:
        with suppress(Exception, SystemExit):
            imported(package, "__name__")
    torch.empty(1)  # torch asks the environment how to allocate once, and children have another
    # On the meta device nothing is computed, so no thread is started.
    with torch.device(META):
        model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.LocalResponseNorm(1), nn.Flatten())
        count_layers(model.eval(), (torch.ones(1, 1, 2, 2),))
    _SPACES[:] = _spaces()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page


def _may_fork() -> bool:
    """Whether a child would work: any other thread than this one would be missing in it."""
    return sys.platform == "linux" and hasattr(os, "fork") and threads() == 1


def _fork(control: Channel, settings: Answer, message: Answer, end: int) -> Answer:
    """Have a child serve, and say how it ended."""
    parent = os.getpid()
    child = os.fork()
    if not child:
        end_with_parent(parent)
        os.setsid()
        _child(settings, message, end, None)
    os.close(end)
    waited = _wait(control, child)
    _, status, used = os.wait4(child, 0)
    end_children()
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "waited": waited, "peak_bytes": used.ru_maxrss * 1024}


def _wait(control: Channel, child: int) -> float:
    """Wait until a child has ended or is to be ended; the share of its time it was kept waiting."""
    handle, waited = os.pidfd_open(child), 0.0
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(control.end, select.POLLIN)
    while not any(fd == handle for fd, _ in poll.poll()):
        if not control.read():  # there is nobody left to measure for
            os.kill(child, signal.SIGKILL)
            end_children()
            os._exit(1)
        if control.take() is not None:
            waited = kept_waiting(child)
            os.kill(child, signal.SIGKILL)
    os.close(handle)
    return waited


def _child(settings: Answer, message: Answer, end: int, control: Channel | None) -> None:
    """Serve what was asked for, and end this process.

    Args:
        settings: how to measure.
        message: the requests, and the device.
        end: the socket for answers.
        control: of a process that was not forked: that it closes says that it ended.
    """
    code = 1
    try:
        answers = _apart(end, [] if control is None else [control.end.fileno()])
        _serve(settings, message, answers, control is None)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a network may have closed it
                stream.flush()
        # Neither threads nor functions that a reading registered hold it.
        os._exit(code)


def _apart(end: int, kept: list[int]) -> Channel:
    """Keep nothing but the socket of the answers, the log, and what else is to be kept."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    low = 3
    for high in sorted((end, *kept, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(low, high)
        low = high + 1
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open until the end
    return Channel(socket.socket(fileno=end))


def _serve(settings: Answer, message: Answer, answers: Channel, forked: bool) -> None:
    for name, value in settings["environment"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    before: list[State] = []
    requests = message["requests"]
    worker = Worker(
        settings, message["device"], answers.send, lambda: [c for b in before for c in b.changes()]
    )
    if "introduce" in requests[0]:
        answers.send({"answer": _introduction(worker, requests[0]["introduce"], forked)})
        answers.send({"done": flags()})
        return
    sys.addaudithook(_announcing(answers.send))
    before.append(State())
    if len(requests) > 1:
        _serve_together(worker, requests, before[0], answers)
        return
    try:
        worker.measure(requests[0])
    except NotAsFoundError as error:
        answers.send({"sketched": {"sketch": error.sketch}})
        return
    answers.send({"done": flags()})


def _serve_together(
    worker: Worker, requests: list[Answer], before: State, answers: Channel
) -> None:
    """Measure a batch, up to where somebody left something behind; say which answers stand."""
    since, looked = 0, time.monotonic()
    for number, request in enumerate(requests, 1):
        try:
            answer = worker.measure(request, in_batch=True)
        except NotAsFoundError:
            answers.send({"changed": before.changes()})
            return
        answers.send({"done": flags()})
        since += 1
        spared = request.get("swept") and not request.get("twice")
        by_chance = bool(spared) and answer["status"] == BY_CHANCE
        late = since == LOOK_EVERY or time.monotonic() - looked > LOOK_EVERY_S
        if not (late or by_chance or number == len(requests)):
            continue
        if changed := ["counts"] if by_chance else before.changes():
            answers.send({"changed": changed})
            return
        answers.send({"stand": number})
        since, looked = 0, time.monotonic()


def _introduction(worker: Worker, policy: str, forked: bool) -> Answer:
    try:
        return worker.introduction(policy) | {"forks": forked}
    except DeviceError as error:
        return {"fatal": first_line(error).partition(": ")[2]}


def _offline(event: str, arguments: Any) -> None:
    """An audit hook that forbids what leads to another machine; children inherit it."""
    local = event == "socket.connect" and isinstance(arguments[1], str | bytes)
    if event in ELSEWHERE and not local:
        raise PermissionError("nothing is downloaded while networks are measured")


def _announcing(tell: Callable[[Answer], None]) -> Callable[[str, Any], None]:
    """An audit hook that announces a signal which this process is about to send itself.

    One that ends it leaves no time to say so afterwards, and looks as if it came from outside. What
    may end it in a roundabout way is told too, once.
    """
    process, parent = os.getpid(), os.getppid()
    own = {process, 0, -1, os.getpgrp(), -os.getpgrp(), parent}
    told: set[str] = set()

    def announce(event: str, arguments: Any) -> None:
        lookup = event == "ctypes.dlsym" and arguments[1] in KILLING
        if (not lookup and event not in MEANS) or os.getpid() != process:
            return
        direct = event in ("os.kill", "os.killpg") and arguments[0] in own
        if direct or event == "signal.pthread_kill":
            tell({"signals-itself": int(arguments[1])})
        elif event not in told:
            told.add(event)
            tell({"means": event})

    return announce


class State:
    """What of a process a reading may change for the next: compared, never put back.

    What cannot be seen here is what a reading changes inside an object of another module.
    """

    def __init__(self) -> None:
        self._spaces = _SPACES or _spaces()
        self._parts = _parts()

    def changes(self) -> list[str]:
        """Names of what is not as it was."""
        now = _parts()
        found = [name for name, value in self._parts.items() if now[name] != value]
        return found + [name for name, *both in self._spaces if not _same(*both)]


def _same(space: Any, before: dict[str, Any]) -> bool:
    return all(map(operator.is_, map(space.get, before), before.values()))


WATCHED = ("torch.nn", "torch._tensor", "torch.functional", "torch.utils.flop_counter", "reconcile")
ALSO_WATCHED = ("torch", "builtins", "os", "math", "random")
"""Modules whose functions and classes a reading may replace, with all below the former."""


def _namespaces() -> Iterator[tuple[str, Any]]:
    """The names of the watched modules, and of the classes that they define."""
    modules: list[tuple[str, Any]] = [*sys.modules.items()]  # whatever somebody put there
    for name, module in modules:
        below = any(name == w or name.startswith(f"{w}.") for w in WATCHED)
        if not isinstance(module, ModuleType) or not (below or name in ALSO_WATCHED):
            continue
        yield name, vars(module)
        for value in [*vars(module).values()] if below else ():
            if isinstance(value, type) and value.__module__ == name:
                yield f"{name}.{value.__qualname__}", vars(value)
    yield "torch.Tensor", vars(torch.Tensor)


def _spaces() -> list[tuple[str, Any, dict[str, Any]]]:
    """Each watched namespace with what stands in it now."""
    return [(name, space, dict(space)) for name, space in _namespaces()]


_SPACES: list[tuple[str, Any, dict[str, Any]]] = []
"""The same before anything of a study was imported: children inherit it."""


def _parts() -> dict[str, Any]:
    hooks = vars(nn.modules.module)
    return {
        **flags(),
        "sys.path": [*sys.path],
        "importers": [*map(id, (*sys.meta_path, *sys.path_hooks))],
        "working folder": os.getcwd(),  # noqa: PTH109 - a path object takes longer than a layer
        "environment": dict(os.environ),
        "signal handlers": [*map(signal.getsignal, signal.valid_signals())],
        "limits": [*map(resource.getrlimit, _LIMITS)],
        "open files": [*filter(os.path.exists, (f"/proc/self/fd/{n}" for n in range(64)))],
        "threads": threading.active_count(),
        "children": children(),
        "recursion limit": sys.getrecursionlimit(),
        "streams": [*map(id, (sys.stdin, sys.stdout, sys.stderr))],
        "warnings": [*map(id, warnings.filters)],
        "hooks on all modules": [
            (name, [*map(id, value.values())])
            for name, value in hooks.items()
            if name.startswith("_global_") and isinstance(value, dict)
        ],
        "modes": (torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()),
        "tracing": (sys.gettrace(), sys.getprofile(), threading.gettrace()),
        "collector": (gc.isenabled(), gc.get_threshold()),
    }


_LIMITS = tuple(getattr(resource, n) for n in dir(resource) if n.startswith("RLIMIT_"))


if __name__ == "__main__":
    sys.exit(main())
