"""The table of results that `make reliability` writes into docs/reliability.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from support import PROJECT

from reconcile.measure.provenance import versions

PAGE = PROJECT / "docs" / "reliability.md"
START = "<!-- What follows is written by `make reliability`. -->\n"


@dataclass
class Rule:
    """One test function: the rule that it guards, and how its cases came out."""

    section: str
    says: str
    outcomes: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        """In words: holds, or what does not, or why it was not tried."""
        failed = sum(outcome == "failed" for outcome in self.outcomes)
        if failed:
            return f"**{failed} of {len(self.outcomes)} fail**"
        if "passed" not in self.outcomes:
            return f"not tried: {'; '.join(sorted(self.reasons))}"
        return "holds"


class Table:
    """Collects what pytest reports and writes it down in the end."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Learn what each test is about."""
        for item in items:
            says, section = item.function.__doc__ or "", item.module.__doc__ or ""
            name = item.nodeid.partition("[")[0]
            self.rules.setdefault(name, Rule(_line(section), _line(says)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count an outcome: of the call, or of a set-up that did not come that far."""
        rule = self.rules[report.nodeid.partition("[")[0]]
        if report.when == "call" or not report.passed:
            rule.outcomes.append(report.outcome)
        if report.skipped and isinstance(report.longrepr, tuple):
            rule.reasons.add(report.longrepr[2].removeprefix("Skipped: "))

    def pytest_sessionfinish(self) -> None:
        """Put the table below the page's own words, where anything was run."""
        if not any(rule.outcomes for rule in self.rules.values()):
            return
        words = PAGE.read_text("utf-8").partition(START)[0]
        PAGE.write_text(f"{words}{START}\n{''.join(self._lines())}", "utf-8")

    def _lines(self) -> Iterator[str]:
        cases = [outcome for rule in self.rules.values() for outcome in rule.outcomes]
        yield f"{cases.count('passed'):,} cases passed, {cases.count('failed'):,} failed, "
        yield f"{cases.count('skipped'):,} not tried ({_machine()}).\n"
        for section in dict.fromkeys(rule.section for rule in self.rules.values()):
            own = [rule for rule in self.rules.values() if rule.section == section]
            yield f"\n**{section}**\n\n| rule | cases | outcome |\n|---|--:|---|\n"
            for rule in own:
                yield f"| {rule.says} | {len(rule.outcomes)} | {rule.outcome} |\n"


def _line(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def _machine() -> str:
    known = versions()
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {known['python']}, "
        f"Snakemake {known['snakemake']}"
    )
