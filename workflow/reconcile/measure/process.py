"""The measuring process: started once, asked one network at a time, replaced when it dies or hangs.

This side needs no torch. The two talk over a pair of pipes, a line of JSON each way, so whatever a
network prints or reads stays out of it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

from reconcile.study.settings import Measuring
from reconcile.tables.contract import QUANTITIES

START_LIMIT_S = 300
"""Importing torch and waking a GPU can be slow on a shared file system."""

MOST_WAITING, LONGEST_WAITING = 16, 2000
"""Requests that wait in the pipe, and characters of each: half of what Linux lets a pipe hold."""

STOP_LIMIT_S = 5

Answer = dict[str, Any]


FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that people and systems send; a fault of the process's own raises another one."""


class MeasureError(Exception):
    """The run cannot go on: no usable device, or a measuring process that is killed again."""


class WorkerProcess:
    """The measuring process, started on first use and again after it died."""

    def __init__(self, settings: Measuring) -> None:
        self.settings = settings
        self.policy = settings.device
        self.notices: list[str] = []
        self._off_the_gpu: list[str] = []
        self._killed: Answer | None = None
        self._ends_itself_by = 0
        self._introduction: Answer = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._started = 0

    @property
    def introduction(self) -> Answer:
        """What the record says about the measuring process: and why not always the GPU."""
        device = self._introduction["device"]
        reasons = [*filter(None, [device["fallback"]]), *self._off_the_gpu]
        told = {"policy": self.policy, "fallback": "; ".join(reasons) or None}
        return self._introduction | {"device": device | told}

    def __enter__(self) -> WorkerProcess:
        self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def _start(self) -> None:
        read_requests, send_requests = os.pipe()
        self._requests = os.fdopen(send_requests, "w", encoding="utf-8")
        self._answers, write_answers = os.pipe()
        command = [sys.executable, "-m", "reconcile.measure.worker"]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this library
                [*command, str(read_requests), str(write_answers), str(os.getpid())],
                pass_fds=(read_requests, write_answers),
                stdin=subprocess.DEVNULL,
                # What a network prints belongs to the log, not to what this process writes.
                stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
            )
        except OSError as error:
            raise MeasureError(f"the measuring process cannot be started: {error}") from None
        finally:
            os.close(read_requests)
            os.close(write_answers)
        self._pending = b""
        self._ends_itself_by = 0
        self._started += 1
        functions = {q.name: q.counted_by for q in QUANTITIES.values() if q.counted_by}
        self._send(self.settings.model_dump() | {"quantities": functions})
        try:
            answer = self._receive(START_LIMIT_S)
        except TimeoutError:
            answer = {"fatal": f"the measuring process did not start in {START_LIMIT_S} s"}
        if answer is None or "fatal" in answer:
            self._stop()
            reason = answer["fatal"] if answer else "the measuring process did not start"
            raise MeasureError(reason)
        self._introduction = answer

    def _stop(self, patience_s: float = STOP_LIMIT_S) -> int | None:
        """End the process and return its exit code; one that does not end in time is killed."""
        if self._process is None:
            return None
        with suppress(BrokenPipeError):
            self._requests.close()
        os.close(self._answers)
        try:
            code = self._process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        return code

    def _send(self, message: Answer) -> None:
        # A process that ended shows when its answer is read.
        with suppress(BrokenPipeError):
            self._requests.write(json.dumps(message) + "\n")
            self._requests.flush()

    def _receive(self, limit: float) -> Answer | None:
        """The next answer, None if the process ended; TimeoutError after ``limit`` seconds.

        Raises:
            ValueError: something else than the process wrote to its pipe.
        """
        deadline = time.monotonic() + limit
        while b"\n" not in self._pending:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self._answers], [], [], wait)[0]:
                raise TimeoutError
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        answer: Answer = json.loads(line)
        if "signals-itself" in answer:
            self._ends_itself_by = answer["signals-itself"]
            return self._receive(limit)
        return answer

    def ask(self, request: Answer) -> Answer:
        """Have one network measured; a process that dies or hangs over it is replaced."""
        self._send(request)
        return self._answer_to(request)

    def ask_all(self, requests: Iterable[Answer]) -> Iterator[tuple[Answer, Answer]]:
        """Have networks measured in turn, each with its answer.

        Networks that are only counted take less time than a word to the process and back, so the
        next few wait in its pipe; a timed one runs while this side does nothing.
        """
        waiting: deque[Answer] = deque()
        for upcoming in chain(requests, repeat(None)):
            while waiting and not (upcoming and _may_wait(waiting, upcoming)):
                started, request = self._started, waiting.popleft()
                yield request, self._answer_to(request)
                for unanswered in waiting if self._started != started else ():
                    self._send(unanswered)
            if upcoming is None:
                return
            self._send(upcoming)
            waiting.append(upcoming)

    def _answer_to(self, request: Answer) -> Answer:
        try:
            answer = self._receive(self.settings.time_limit_s)
            if answer is None:
                return self._after_the_end(request)
            if "lost" in answer:
                return self._ask_on_cpu(request, answer["lost"])
            if "device" in answer:
                name = request["interpretation"]
                self._leave_gpu(f"{name} ran out of memory on the GPU and was run on the CPU")
            return {key: answer[key] for key in ("status", "message", "layers")} | answer
        except TimeoutError:
            self._kill()
            return _failed("timed-out", f"no answer in {self.settings.time_limit_s:g} s")
        except (ValueError, TypeError, KeyError):
            self._kill()
            return _failed("does-not-run", "it wrote to the pipe of the measuring process")

    def _after_the_end(self, request: Answer) -> Answer:
        """What to make of a process that ended over a network, when another one has started.

        A process that ends or crashes by itself, or announced that it would send itself a signal,
        says something about the network. One that is killed from outside does not: the network is
        measured again, and nothing at all is stored if that is killed as well.
        """
        # A process that is about to end is left to say how: that is part of the results.
        code = self._stop(START_LIMIT_S) or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        outside = -code in FROM_OUTSIDE and -code != self._ends_itself_by
        if outside and request == self._killed:
            name = f"{request['interpretation']}/{request['network']}"
            raise MeasureError(
                f"{name}: the measuring process was killed twice from outside ({how}), perhaps for "
                "want of memory; nothing is stored, run again"
            )
        self._start()
        if not outside:
            return _failed("killed", f"the measuring process ended ({how})")
        self._killed = request
        self.notices.append(f"the measuring process was killed from outside ({how}): once again")
        return self.ask(request)

    def _leave_gpu(self, why: str) -> None:
        self.notices.append(why)
        self._off_the_gpu.append(why)

    def _ask_on_cpu(self, request: Answer, problem: str) -> Answer:
        """Go on with a measuring process that leaves the GPU alone, where the policy allows it."""
        trouble = f"the GPU stopped working at {request['interpretation']}: {problem}"
        if self.settings.device != "auto":
            raise MeasureError(f"{trouble}; device: {self.settings.device} was asked for")
        self._stop()
        self._leave_gpu(f"{trouble}; from there on the CPU was used")
        self.settings = self.settings.model_copy(update={"device": "cpu"})
        self._start()
        return self.ask(request)

    def _kill(self) -> None:
        """End a process that cannot be asked any more, and start another one."""
        if self._process is not None:
            self._process.kill()
        self._stop()
        self._start()


def _failed(status: str, message: str) -> Answer:
    return {"status": status, "message": message, "layers": []}


def _may_wait(waiting: Sequence[Answer], upcoming: Answer) -> bool:
    """Whether a request may be sent before the ones in front of it are answered."""
    counted = all(r.get("placement") == "meta" for r in (*waiting, upcoming))
    return counted and len(waiting) < MOST_WAITING and len(str(upcoming)) < LONGEST_WAITING


def _has_fileno(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError):
        return False
    return True
