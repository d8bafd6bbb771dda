"""The real study, run as a user runs it, for all tests of what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import snakemake, told, whole_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all studies, in which AlexNet's has been run; tests only read it."""
    project = whole_project(tmp_path_factory.mktemp("pipeline") / "first")
    done = snakemake(project)
    assert done.returncode == 0, told(done)
    return project


@pytest.fixture(scope="session")
def rendered(project: Path) -> Path:
    """The results of AlexNet's study."""
    return project / "results" / "alexnet"
