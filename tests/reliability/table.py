"""The table of results that `make reliability` writes into docs/reliability.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from projects import WHOLE
from support import PROJECT

from reconcile.measure.provenance import versions

PAGE = PROJECT / "docs" / "reliability.md"
START = "<!-- What follows is written by `make reliability`. -->\n"
Place = tuple[str, str]
"""Of a row: what its section is about, and what the rule says."""


class Row(NamedTuple):
    """How the cases of a rule came out.

    Attributes:
        cases: how many were tried; of a rule that was not tried, how many there are.
        outcome: in words: holds, or what does not, or why it was not tried.
    """

    cases: int
    outcome: str


@dataclass
class Rule:
    """One test function, as it runs."""

    place: Place
    outcomes: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    def row(self) -> Row:
        """Its row in the table."""
        tried = [outcome for outcome in self.outcomes if outcome != "skipped"]
        failed = tried.count("failed")
        if failed:
            return Row(len(tried), f"**{failed} of {len(tried)} fail**")
        if not tried:
            return Row(len(self.outcomes), f"not tried: {'; '.join(sorted(self.reasons))}")
        return Row(len(tried), "holds")


class Table:
    """Collects what pytest reports and writes it down in the end.

    Where only a part is run, the rows of what was not run stay as they were.
    """

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Learn what each test is about, before some are deselected."""
        for item in items:
            says, section = item.function.__doc__ or "", item.module.__doc__ or ""
            name = item.nodeid.partition("[")[0]
            self.rules.setdefault(name, Rule((_line(section), _line(says))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count an outcome: of the call, or of a set-up that did not come that far."""
        rule = self.rules[report.nodeid.partition("[")[0]]
        if report.when == "call" or not report.passed:
            rule.outcomes.append(report.outcome)
        if report.skipped and isinstance(report.longrepr, tuple):
            rule.reasons.add(report.longrepr[2].removeprefix("Skipped: "))

    def pytest_sessionfinish(self) -> None:
        """Put the table below the page's own words, where anything was run."""
        if any(rule.outcomes for rule in self.rules.values()):
            words, _, table = PAGE.read_text("utf-8").partition(START)
            lines = _lines(self._with({} if WHOLE else dict(_rows(table))))
            PAGE.write_text(f"{words}{START}\n{''.join(lines)}", "utf-8")

    def _with(self, before: dict[Place, Row]) -> dict[Place, Row]:
        """The rows that were there and those that ran, without rules that are no more."""
        collected = {rule.place[0] for rule in self.rules.values()}
        rows = {place: row for place, row in before.items() if place[0] not in collected}
        for rule in self.rules.values():
            if rule.outcomes:
                rows[rule.place] = rule.row()
            elif rule.place in before:
                rows[rule.place] = before[rule.place]
        return rows


def _rows(table: str) -> Iterator[tuple[Place, Row]]:
    """The rows of a table that was written before."""
    section = ""
    for line in table.splitlines():
        if line.startswith("**"):
            section = line.strip("*")
        elif match := re.fullmatch(r"\| (.+) \| ([\d,]+) \| (.+) \|", line):
            yield (section, match[1]), Row(int(match[2].replace(",", "")), match[3])


def _lines(rows: dict[Place, Row]) -> Iterator[str]:
    """The lines of a table, its sum first."""
    cases = sum(row.cases for row in rows.values())
    failed = sum(int(found[1]) for row in rows.values() if (found := _FAIL.match(row.outcome)))
    left = sum(row.cases for row in rows.values() if row.outcome.startswith("not tried"))
    yield f"{cases - failed - left:,} cases passed, {failed:,} failed, "
    yield f"{left:,} not tried ({_machine()}).\n"
    for section in sorted({section for section, _ in rows}):
        yield f"\n**{section}**\n\n| rule | cases | outcome |\n|---|--:|---|\n"
        for (of, says), row in rows.items():
            if of == section:
                yield f"| {says} | {row.cases:,} | {row.outcome} |\n"


_FAIL = re.compile(r"\*\*(\d+) of \d+ fail")


def _line(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def _machine() -> str:
    known = versions()
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {known['python']}, "
        f"Snakemake {known['snakemake']}"
    )
