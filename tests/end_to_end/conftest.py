"""One real report for all tests of what readers see."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import PROJECT, render

from reconcile.judge.measurements import Measurements
from reconcile.search.given import Given
from reconcile.search.run import search_all
from reconcile.study.load import load_study
from reconcile.tables.frames import write_table


@pytest.fixture(scope="session")
def rendered(alexnet_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the real AlexNet study with its searches and its report."""
    folder = PROJECT / "studies" / "alexnet"
    out = tmp_path_factory.mktemp("rendered") / "alexnet"
    shutil.copytree(alexnet_results, out)
    study, measured = load_study(folder), Measurements.read(out)
    for name, content in search_all(Given(study, folder, measured, out, lambda line: None)):
        write_table(out, name, content)
    render(study, out)
    return out
