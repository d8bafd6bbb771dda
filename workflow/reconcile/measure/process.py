"""The measuring processes, from the side that needs no torch.

A *zygote* imports torch once and forks a child for each reading, so that nothing a reading does can
reach another. Readings that are only counted share a child a batch, which looks every few of them
whether the state of its process is still what it was: only then do their answers stand. Where it is
not, or anything else goes wrong, those that do not stand are measured again, one child a reading.
What a reading does wrong is its answer. What others do to it (a signal from outside, memory that is
gone, a machine that is busy) is no result: the reading is measured once more, and stops the run if
that happens again.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from itertools import groupby, islice
from typing import Any

from reconcile.measure.answers import BY_CHANCE, Answer, Channel, Outcome, RubbishError
from reconcile.proc import children, oom_kills
from reconcile.run.processes import adopt_orphans, end_children
from reconcile.study.settings import Measuring
from reconcile.tables.contract import QUANTITIES

START_LIMIT_S = 300
"""Importing torch and waking a GPU can be slow on a shared file system."""
STOP_LIMIT_S = 10
BATCH = 1000
"""Readings that are only counted and share a child, unless one of them leaves something behind."""
MOST_KEPT = 100
"""Answers kept for readings of the same network: readings that differ in a slip only, say."""


_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # a thread more forbids to fork
    "THP_MEM_ALLOC_ENABLE": "1",  # pages of 2 MiB: the first touch of weights takes half the time
}
"""What the zygote is started with; networks find the environment of before."""


class MeasureError(Exception):
    """The run cannot go on: no usable device, or a measuring process that is killed again."""


class Zygote:
    """The process that measuring processes come from, started on first use and after it died.

    Args:
        settings: how to measure.
        package: the installed package that networks are from, if any.
    """

    def __init__(self, settings: Measuring, package: str | None = None) -> None:
        self.settings = settings
        self.package = package
        self.policy = settings.device
        self.notices: list[str] = []
        self._off_the_gpu: list[str] = []
        self._introduction: Answer = {}
        self._flags: Answer = {}
        self._kept: dict[str, Answer] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._others: set[int] = set()
        self._by_chance = False

    @property
    def introduction(self) -> Answer:
        """What the record says about the measuring processes: and why not always the GPU."""
        device = self._introduction["device"]
        reasons = [*filter(None, [device["fallback"]]), *self._off_the_gpu]
        told = {"policy": self.policy, "fallback": "; ".join(reasons) or None}
        flags = {"flags": self._flags or self._introduction["flags"]}
        return self._introduction | {"device": device | told} | flags

    def __enter__(self) -> Zygote:
        self._others = children()
        adopt_orphans()
        try:
            self._introduce()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()
        adopt_orphans(False)

    def _introduce(self) -> None:
        """Have a child choose the device and say what it is."""
        self._start()
        outcome = self._run([{"introduce": self.settings.device}], START_LIMIT_S)
        if not outcome.answers:
            raise MeasureError(f"the measuring process did not start ({outcome.how()})")
        if "fatal" in outcome.answers[0]:
            raise MeasureError(outcome.answers[0]["fatal"])
        self._introduction = outcome.answers[0]

    def _start(self) -> None:
        if sys.platform == "win32":
            told = "networks are measured on Linux; on Windows use WSL, the Linux in it"
            raise MeasureError(told)
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this library
                [sys.executable, "-m", "reconcile.measure.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=_log(),
                env=os.environ | _ENVIRONMENT,
                # A signal to this process's group is for this process, which then ends it.
                start_new_session=True,
            )
        except OSError as error:
            raise MeasureError(f"the measuring process cannot be started: {error}") from None
        finally:
            theirs.close()
        self._control = Channel(ours)
        functions = {q.name: q.counted_by for q in QUANTITIES.values() if q.counted_by}
        before = {name: os.environ.get(name) for name in _ENVIRONMENT}
        asked = {"quantities": functions, "environment": before, "package": self.package}
        self._control.send(self.settings.model_dump() | asked)
        ready = self._message(START_LIMIT_S)
        if ready is None or "fatal" in ready:
            self._stop()
            raise MeasureError(ready["fatal"] if ready else "the measuring process did not start")

    def _message(self, limit_s: float) -> Answer | None:
        """The zygote's next message; None if it ended or says nothing of use for so long."""
        deadline = time.monotonic() + limit_s
        with suppress(RubbishError):
            while (message := self._control.take()) is None:
                wait = deadline - time.monotonic()
                ready = wait > 0 and select.select([self._control.end], [], [], wait)[0]
                if not ready or not self._control.read():
                    return None
            return message
        return None

    def _stop(self) -> int | None:
        """End the zygote, which ends its child and all below it, and return its exit code."""
        if self._process is None:
            return None
        self._control.end.close()
        try:
            code = self._process.wait(timeout=STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        end_children(but=self._others)
        return code

    def ask_all(self, requests: Iterable[Answer]) -> Iterator[tuple[Answer, Answer]]:
        """Have networks measured in turn, each with its answer."""
        for placement, group in groupby(requests, key=lambda request: request["placement"]):
            asked = map(self._as_asked, group)
            for batch in _batches(asked, BATCH if placement == "meta" else 1):
                yield from zip(batch, self._measured(batch), strict=True)

    def _measured(self, batch: list[Answer]) -> Iterator[Answer]:
        """The answers to a batch, each as soon as it stands."""
        while len(batch) > 1:
            outcome = yield from self._together(batch)
            # The next one may have been what ended the process.
            doubtful = max(outcome.finished + (not outcome.changed), outcome.standing + 1)
            batch = [self._as_asked(request) for request in batch]
            yield from map(self._by_itself, batch[outcome.standing : doubtful])
            batch = batch[doubtful:]
        yield from map(self._by_itself, batch)

    def _together(self, batch: list[Answer]) -> Generator[Answer, None, Outcome]:
        """Have one child measure a batch, and give the answers that stand."""
        outcome = Outcome()
        for _ in self._progress(outcome, batch, self.settings.time_limit_s):
            yield from map(self._noted, outcome.take_standing())
        yield from map(self._noted, outcome.take_standing())
        self._by_chance |= any(a["status"] == BY_CHANCE for a in outcome.answers)
        return outcome

    def _as_asked(self, request: Answer) -> Answer:
        """A request; none is spared a second count once two counts of one have differed."""
        return request | {"twice": True} if self._by_chance else request

    def _by_itself(self, request: Answer) -> Answer:
        """The answer to a reading; a network that was measured for another has that one."""
        network = json.dumps({**request, "interpretation": "", "network": ""}, sort_keys=True)
        answer = self._kept.get(network)
        if answer is None:
            answer = self._noted(self._alone(request))
            # One that failed, or had to leave the GPU, is tried again.
            if answer["status"] == "measured" and "device" not in answer:
                self._kept[network] = answer
                if len(self._kept) > MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
        return answer

    def _noted(self, answer: Answer) -> Answer:
        """The answer as it is written down: what the reading left behind stands in its message."""
        flags: Answer = answer.get("flags", {})
        left = {n: v for n, v in flags.items() if v != self._introduction["flags"].get(n)}
        if not left:
            self._flags = flags or self._flags
            return answer
        told = ", ".join(f"{name.replace('_', ' ')} {_word(v)}" for name, v in left.items())
        message = "; ".join(filter(None, (answer["message"], f"it left behind: {told}")))
        return answer | {"message": message}

    def _alone(self, request: Answer) -> Answer:
        """Measure a reading in a child of its own; what is no result is tried once more."""
        limit = self.settings.time_limit_s
        first = self._run([request], limit)
        if first.sketched:
            request = request | first.sketched
            first = self._run([request], limit)
        answer = first.result(limit)
        if answer is None:
            told = f"{_name(request)}: the measuring process was ended ({first.how()}): once again"
            self.notices.append(told)
            again = self._run([request], limit)
            answer = again.result(limit)
            if answer is None and not again.is_its_own_when(first):
                raise MeasureError(_twice(request, again))
            answer = answer or again.failed(
                "killed", f"the measuring process ended ({again.how()})"
            )
        if "lost" in answer:
            return self._on_cpu(request, answer["lost"])
        if "device" in answer:
            name = request["interpretation"]
            self._leave_gpu(f"{name} ran out of memory on the GPU and was run on the CPU")
        return answer

    def _leave_gpu(self, why: str) -> None:
        self.notices.append(why)
        self._off_the_gpu.append(why)

    def _on_cpu(self, request: Answer, problem: str) -> Answer:
        """Go on without the GPU, where the policy allows it."""
        trouble = f"the GPU stopped working at {request['interpretation']}: {problem}"
        if self.settings.device != "auto":
            raise MeasureError(f"{trouble}; device: {self.settings.device} was asked for")
        self._leave_gpu(f"{trouble}; from there on the CPU was used")
        self.settings = self.settings.model_copy(update={"device": "cpu"})
        self._stop()
        self._introduce()
        return self._alone(request)

    def _run(self, requests: list[Answer], limit_s: float) -> Outcome:
        """Have one child measure some networks, each in so many seconds, and see it end."""
        outcome = Outcome()
        for _ in self._progress(outcome, requests, limit_s):
            pass
        return outcome

    def _progress(self, outcome: Outcome, requests: list[Answer], limit_s: float) -> Iterator[None]:
        """The same, a step each time that the child has said something."""
        if self._process is None:
            self._start()
        ours, theirs = socket.socketpair()
        device = self._introduction.get("device", {}).get("type", "cpu")
        self._control.send({"requests": requests, "device": device}, theirs.fileno())
        theirs.close()
        killed = oom_kills()
        with ours:
            ended = yield from self._followed(Channel(ours), outcome, len(requests), limit_s)
        if ended is None:
            code = self._stop()
            # Where there is no fork, the zygote itself is the measuring process.
            outcome.code = code if self._introduction.get("forks") is False else None
        else:
            outcome.code, outcome.waited = ended["code"], ended["waited"]
            outcome.peak_bytes = ended["peak_bytes"]
        outcome.starved = oom_kills() > killed

    def _followed(
        self, channel: Channel, outcome: Outcome, number: int, limit_s: float
    ) -> Generator[None, None, Answer | None]:
        """Take what a child says until it ended; None if the zygote ended first."""
        deadline, asked_to_end = time.monotonic() + limit_s, False
        listening = [channel.end, self._control.end]
        while True:
            wait = deadline - time.monotonic()
            ready = select.select(listening, [], [], wait)[0] if wait > 0 else []
            if channel.end in ready:
                done = outcome.finished
                if not _taken(channel, outcome):
                    listening.remove(channel.end)
                if outcome.finished > done:
                    deadline = time.monotonic() + limit_s
                if outcome.finished == number or outcome.rubbish:
                    patience_s = 0 if outcome.rubbish else STOP_LIMIT_S
                    deadline = min(deadline, time.monotonic() + patience_s)
                paused = time.monotonic()
                yield
                deadline += time.monotonic() - paused  # what is done with an answer is not its time
            elif self._control.end in ready:
                message = self._message(STOP_LIMIT_S)
                # What it said before it ended may have come between two looks.
                while select.select([channel.end], [], [], 0)[0] and _taken(channel, outcome):
                    pass
                return message
            elif not ready and asked_to_end:
                return None  # the zygote itself is held up
            elif not ready:
                outcome.timed_out = outcome.finished < number and not outcome.rubbish
                asked_to_end, deadline = True, time.monotonic() + STOP_LIMIT_S
                self._control.send({"end": True})


def _taken(channel: Channel, outcome: Outcome) -> bool:
    """Take what a child has said; False when it will say no more."""
    try:
        more = channel.read()
        while (frame := channel.take()) is not None:
            outcome.take(frame)
    except RubbishError:
        outcome.rubbish = True
        return False
    return more


def _batches(requests: Iterable[Answer], size: int) -> Iterator[list[Answer]]:
    left = iter(requests)
    while batch := list(islice(left, size)):
        yield batch


def _name(request: Answer) -> str:
    return f"{request['interpretation']}/{request['network']}"


def _twice(request: Answer, again: Outcome) -> str:
    cause = ", for want of memory" if again.starved else ", perhaps for want of memory"
    if again.timed_out:
        told = "no answer in time twice while the machine was busy with other work"
        return f"{_name(request)}: {told}; nothing is stored, run again"
    return (
        f"{_name(request)}: the measuring process was killed twice from outside "
        f"({again.how()}){cause}; nothing is stored, run again"
    )


def _word(value: Any) -> str:
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def _log() -> int:
    """Where what networks print goes: to the log, not to what this process writes."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError):
        return subprocess.DEVNULL
