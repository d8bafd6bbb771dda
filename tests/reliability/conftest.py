"""Fixtures of the tests of reliability; `make reliability` also has the table written here."""

from __future__ import annotations

import time

import pytest
from projects import (
    TABLE,
    TARGETS,
    Undisturbed,
    outputs,
    snakemake,
    tiny_project,
    told,
)
from reliability.table import Table


def pytest_configure(config: pytest.Config) -> None:
    """Have the table written where everything runs."""
    if TABLE:
        config.pluginmanager.register(Table())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A project with the tiny study after a whole run that nothing disturbed."""
    project = tiny_project(tmp_path_factory.mktemp("undisturbed") / "project")
    begun = time.monotonic()
    done = snakemake(project, *TARGETS)
    assert done.returncode == 0, told(done)
    return Undisturbed(project, outputs(project), time.monotonic() - begun)
