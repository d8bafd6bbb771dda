"""What a measuring process says, and what its end says about the reading that it measured.

Messages go over a socket, one for each layer as it ends. What a process does to itself is its
reading's answer; what others do to it is none.
"""

from __future__ import annotations

import json
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from reconcile.measure.provenance import memory_limit

BY_CHANCE = "not-deterministic"
"""The status of a reading whose counts differ from run to run."""
NO_INPUTS = "it has no example_inputs(), and the study gives no `inputs`"
"""Why a network is not built that nobody gave inputs."""
LARGEST_FRAME = 1 << 28
FROM_OUTSIDE = tuple(
    getattr(signal, name)
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
    if hasattr(signal, name)  # Windows has not all of them
)
"""Signals that people and systems send; a fault of the process's own raises another one."""

Answer = dict[str, Any]


class RubbishError(ValueError):
    """Something else than the measuring process wrote to its socket."""


class Channel:
    """Messages over a socket: four bytes of length, then JSON; and the sockets sent with them."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.sockets: list[int] = []
        self._pending = bytearray()

    def send(self, message: Answer, *sockets: int) -> None:
        """Send a message; whether the other side is gone shows when it is read from."""
        text = json.dumps(message).encode()
        with suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.end, [len(text).to_bytes(4, "big")], sockets)
            self.end.sendall(text)

    def receive(self) -> Answer | None:
        """The next message, however long it takes; None when there will be no more."""
        while (message := self.take()) is None:
            if not self.read():
                return None
        return message

    def read(self) -> bool:
        """Read what is there, waiting for something; False when there will be no more."""
        try:
            chunk, sockets, _, _ = socket.recv_fds(self.end, 1 << 18, 1)
        except ConnectionResetError:
            return False
        self.sockets += sockets
        self._pending += chunk
        return bool(chunk)

    def take(self) -> Answer | None:
        """The next message of what was read, if it is whole.

        Raises:
            RubbishError: this is no message.
        """
        size = int.from_bytes(self._pending[:4], "big")
        if size > LARGEST_FRAME:
            raise RubbishError("a message that is too long")
        if len(self._pending) < 4 + size or not size:
            return None
        text = bytes(self._pending[4 : 4 + size])
        del self._pending[: 4 + size]
        try:
            message = json.loads(text)
        except ValueError:
            raise RubbishError("a message that is no JSON") from None
        if not isinstance(message, dict):
            raise RubbishError("a message that is no object")
        return message


@dataclass
class Outcome:
    """What came of one child.

    Attributes:
        answers: of the readings that were finished, in order, but for those that were taken.
        finished: how many readings were finished.
        standing: how many of them, in a batch, left nothing behind.
        answer: what there is of the one that was not.
        layers: its rows of the layers that ran, by name.
        announced: the signal that it said it would send itself, or 0.
        means: how else it might have ended itself.
        changed: what a reading of a batch left behind.
        sketched: ``sketch``, where the rest must be measured in another child.
        rubbish: something wrote into its socket.
        timed_out: it was ended for want of an answer.
        code: how it ended, as of ``subprocess``; None where the zygote ended first.
        waited: share of its time in which it could run and was not let.
        peak_bytes: the most memory that it had.
        starved: the kernel killed processes for want of memory meanwhile.
    """

    answers: list[Answer] = field(default_factory=list)
    finished: int = 0
    standing: int = 0
    answer: Answer = field(default_factory=dict)
    layers: dict[str, Answer] = field(default_factory=dict)
    announced: int = 0
    means: set[str] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)
    sketched: Answer = field(default_factory=dict)
    rubbish: bool = False
    timed_out: bool = False
    code: int | None = None
    waited: float = 0
    peak_bytes: int = 0
    starved: bool = False

    def take(self, frame: Answer) -> None:
        """Take one message of the child.

        Raises:
            RubbishError: it is none of a child's.
        """
        for name, value in frame.items():
            try:
                self._note(name, value)
            except (KeyError, TypeError, AttributeError, ValueError):
                raise RubbishError(f"a message about {name!r}") from None

    def _note(self, name: str, value: Any) -> None:
        match name:
            case "pass":
                self.layers.clear()
            case "layer":
                self.layers[value["layer"]] = dict(value)
            case "answer":
                self.answer |= value
            case "signals-itself":
                self.announced = int(value)
            case "means":
                self.means.add(str(value))
            case "sketched":
                self.sketched = {"sketch": value["sketch"]}
            case "changed":
                self.changed += value
            case "done":
                self.answers.append(self.answer | {"flags": dict(value)})
                self.finished += 1
                self.answer, self.layers = {}, {}
            case "stand":
                self.standing = self.finished
            case _:
                raise KeyError(name)

    def take_standing(self) -> list[Answer]:
        """The answers that stand and were not taken before."""
        number = len(self.answers) - (self.finished - self.standing)
        taken, self.answers = self.answers[:number], self.answers[number:]
        return taken

    def result(self, limit_s: float) -> Answer | None:
        """The answer of a child with one reading; None where this says nothing about the reading.

        A process that ends by itself, sends itself a signal or takes too long says something
        about its reading. One that crashes does so if it crashes again.
        """
        if self.answers:
            return self.answers[0]
        if self.rubbish:
            return self.failed("does-not-run", "it wrote to the pipe of the measuring process")
        if self.timed_out:
            slow = self.failed("timed-out", f"no answer in {limit_s:g} s")
            return None if self.waited > 0.5 else slow  # noqa: PLR2004 - half of the time
        if self.starved:
            limit, told = memory_limit(), "the kernel ended it for want of memory"
            took_it = limit is not None and self.peak_bytes > limit / 2
            return self.failed("out-of-memory", told) if took_it else None
        if (self.code is not None and self.code >= 0) or self.announced:
            return self.failed("killed", f"the measuring process ended ({self.how()})")
        return None

    def failed(self, status: str, message: str) -> Answer:
        """An answer for a reading that did not finish; what it counted before stays.

        One whose layers are counted already was ended while it was timed.
        """
        if "status" in self.answer:
            also = f"the rest was not measured: {message}"
            return self.answer | {
                "message": "; ".join(filter(None, (self.answer["message"], also)))
            }
        # How far one came that was ended with its zygote is chance.
        known = len(self.layers) > 1 and self.code is not None
        rows = list(self.layers.values()) if known else []
        where = f", after {rows[-1]['layer']}" if rows else ""
        return {"status": status, "message": message + where, "layers": rows}

    def how(self) -> str:
        """How the process ended."""
        if self.timed_out:
            return "it got no answer while the machine was busy"
        number = -self.code if self.code is not None and self.code < 0 else self.announced
        if number:
            return f"signal {number}"
        return "with the one that started it" if self.code is None else f"exit code {self.code}"

    def is_its_own_when(self, before: Outcome) -> bool:
        """Whether it is the reading that ended its process twice in the same way."""
        # One that outlived its zygote for a moment may have come further.
        same = self.code == before.code and (
            self.code is None or [*self.layers] == [*before.layers]
        )
        crashed = self.code is not None and -self.code not in FROM_OUTSIDE
        means = bool(self.means and before.means)
        return same and not self.timed_out and not self.starved and (crashed or means)
