"""The real studies, run as a user runs them, for all tests of what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import Ran, snakemake, told, whole_project


@pytest.fixture(scope="session")
def all_studies(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All studies, run with a home folder in which nothing lies."""
    project = whole_project(tmp_path_factory.mktemp("all") / "project")
    home = {"HOME": str(tmp_path_factory.mktemp("home")), "XDG_CACHE_HOME": None}
    done = snakemake(project, "--verbose", "--config", "studies=all", **home)
    assert done.returncode == 0, told(done)
    return Ran(project, told(done))


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all studies, in which AlexNet's has been run; tests only read it.

    Where other tests want all of them run, AlexNet's is not run once more.
    """
    if any("all_studies" in getattr(item, "fixturenames", ()) for item in request.session.items):
        ran: Ran = request.getfixturevalue("all_studies")
        return ran.project
    project = whole_project(tmp_path_factory.mktemp("pipeline") / "first")
    done = snakemake(project)
    assert done.returncode == 0, told(done)
    return project


@pytest.fixture(scope="session")
def rendered(project: Path) -> Path:
    """The results of AlexNet's study."""
    return project / "results" / "alexnet"
