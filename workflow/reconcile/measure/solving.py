"""Measure counts at the values of an argument that a study solves for.

Which values follows from what was measured before (``exploring``), so that a few networks are built
and not a hundred thousand. They are no readings: nothing is judged by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, Final

from reconcile.measure.exploring import Method, Value, explore
from reconcile.measure.process import Zygote
from reconcile.study.expressions import (
    ExpressionError,
    Row,
    UnknownNameError,
    number_in,
    number_or_none,
    refuse_several,
    selected,
    total_of,
)
from reconcile.tables.contract import MEASURED, MULTIPLIED, NETWORK, QUANTITIES
from reconcile.words import Seldom, count_of

LARGEST_STRIDE: Final = 1024

Answer = dict[str, Any]
Report = Callable[[str], None]


class AnswerScope:
    """What expressions ask of the networks of one value, as they were measured.

    Args:
        answers: of each network.
        arguments: of each network.
        network: the one that is asked where none is named.
    """

    def __init__(
        self, answers: Mapping[str, Answer], arguments: Mapping[str, Answer], network: str
    ) -> None:
        self.answers, self.arguments, self.network = answers, arguments, network

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """The quantity of the network, of one layer or of all that a pattern matches."""
        known, answer = QUANTITIES[name], self.answers[self.network]
        if known.table != "layers.csv" or answer["status"] not in MEASURED:
            raise UnknownNameError(f"{name} was not measured: {answer['status']}")
        column, factor = known.multiple_of or (name, 1)
        rows = {row["layer"]: row for row in answer["layers"]}
        if selector == NETWORK:
            _refuse_incomplete(column, rows.values())
            return [factor * Fraction(total_of(rows.values(), column))]
        asked = selected(rows, selector)
        _refuse_incomplete(column, asked)
        refuse_several(name, column, selector, asked)
        return [factor * number_in(row, column, row["layer"]) for row in asked]

    def lookup(self, function: str, name: str) -> Any:
        """``argument(name)``; what the paper says is nothing measured."""
        if function != "argument" or name not in self.arguments[self.network]:
            raise UnknownNameError(f"{function}({name}) is not known here")
        return self.arguments[self.network][name]

    def other(self, network: str) -> AnswerScope:
        """Another network of the same value."""
        if network not in self.answers:
            raise UnknownNameError(f"there is no network {network!r}")
        return AnswerScope(self.answers, self.arguments, network)

    def count(self, function: str, claims: list[str]) -> int:
        """Results are counted where they are known."""
        raise ExpressionError(f"{function}({', '.join(claims)}) counts results")

    def errors(self, claims: list[str]) -> list[Fraction]:
        """What the paper prints is nothing measured."""
        raise UnknownNameError(f"the errors of {', '.join(claims)} are not known here")


def _refuse_incomplete(column: str, rows: Iterable[Row]) -> None:
    if column in MULTIPLIED and any(row.get("uncounted") for row in rows):
        raise UnknownNameError(f"{column}: not all products were counted")


class Solving:
    """One argument of one reading, measured at whatever values are asked for.

    Args:
        search: its id.
        planned: what the plan says of it.
        network: where the study's network is, as in every request.
        pool: the measuring processes.
        report: is told how far it is.
    """

    def __init__(
        self,
        search: str,
        planned: Answer,
        network: Mapping[str, Any],
        pool: Zygote,
        report: Report,
    ) -> None:
        self.search, self.planned, self.network, self.pool = search, planned, network, pool
        self.progress = Seldom(report)
        self.numbers: dict[int, dict[str, Value]] = {}
        self.stride = cache(self._stride)

    def solve(self, claim: str) -> tuple[dict[int, Value], Method]:
        """Measure what is needed to know at which values a claim holds, and how it was chosen."""
        planned, measured = self.planned, dict[int, Value]()

        def ask(values: Iterable[int]) -> list[Value]:
            wanted = list(values)
            answers = self._ask(claim, wanted)
            measured.update(zip(wanted, answers, strict=True))
            return answers

        values = range(planned["first"], planned["last"] + 1, planned["step"])
        bounds = [
            (Fraction(low), Fraction(high)) for low, high in planned["claims"][claim]["bounds"]
        ]
        return measured, explore(ask, values, bounds, self.stride)

    def _ask(self, claim: str, wanted: list[int]) -> list[Value]:
        """The count of a claim at each value."""
        new = [value for value in dict.fromkeys(wanted) if value not in self.numbers]
        requests = (self._request(value, name) for value in new for name in self._networks())
        answers: dict[int, dict[str, Answer]] = {value: {} for value in new}
        for request, answer in self.pool.ask_all(requests):
            answers[request["value"]][request["network"]] = answer
            told = f"{self.planned['argument']} {request['value']:,}"
            self.progress.line(f"{self.search}: {claim}: {told} measured")
        for value, found in answers.items():
            self.numbers[value] = self._counted(value, found)
        return [self.numbers[value][claim] for value in wanted]

    def _networks(self) -> list[str]:
        return list(self.planned["networks"])

    def _arguments(self, value: int) -> dict[str, Answer]:
        own = {} if "axes" in self.planned else {self.planned["argument"]: value}
        return {name: given | own for name, given in self.planned["networks"].items()}

    def _inputs(self, value: int) -> Answer:
        """The network's inputs, the first one of another size where that is solved for."""
        if "axes" not in self.planned:
            return {}
        axes, (first, *others) = self.planned["axes"], self.network["inputs"]
        shape = [*first["shape"][:-axes], *[value] * axes]
        return {"inputs": [first | {"shape": shape}, *others]}

    def _request(self, value: int, network: str, *, swept: bool = True) -> Answer:
        return {
            "interpretation": f"{self.search}: {self.planned['argument']} {value}",
            "network": network,
            "value": value,
            "arguments": self._arguments(value)[network],
            **self.network,
            **self._inputs(value),
            "placement": "meta",
            "solved": True,
            "swept": swept,
        }

    def _counted(self, value: int, answers: dict[str, Answer]) -> dict[str, Value]:
        return {
            claim: number_or_none(
                asked["count"], AnswerScope(answers, self._arguments(value), asked["network"])
            )
            for claim, asked in self.planned["claims"].items()
        }

    def _stride(self) -> int:
        """The effective stride of all layers at the largest value that has a network."""
        known = [value for value, counts in self.numbers.items() if any(counts.values())]
        strides = {1}
        for name in self._networks() if known else ():
            # Of what is only counted nobody measures what a layer sees of its input.
            wanted = self._request(max(known), name, swept=False)
            for _, answer in self.pool.ask_all([wanted]):
                cells = (
                    row.get(column)
                    for row in answer["layers"]
                    for column in QUANTITIES
                    if column.startswith("effective_stride")
                )
                strides |= {int(cell) for cell in cells if cell and Fraction(cell) >= 1}
        together = lcm(*strides)
        return together if together <= LARGEST_STRIDE else max(strides)


def solution_rows(
    searches: Mapping[str, Answer], network: Mapping[str, Any], pool: Zygote, report: Report
) -> Iterator[Row]:
    """solutions_measured.csv: the counts at the values that were chosen, claim after claim.

    Arguments are as of ``Solving``; ``searches`` are those of the plan, by id.
    """
    for search, planned in searches.items():
        solving = Solving(search, planned, network, pool, report)
        for claim in planned["claims"]:
            measured, method = solving.solve(claim)
            told = count_of(len(measured), "value")
            report(f"{search}: {claim}: {planned['argument']} measured at {told} ({method.name})")
            shared = {"search": search, "claim": claim, "method": method.name, "step": method.step}
            for value, count in sorted(measured.items()):
                yield shared | {"value": value, "measured": None if count is None else str(count)}
