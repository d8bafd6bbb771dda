"""Fixtures of the whole suite; functions that several files need are in support.py."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from support import PROJECT, measure, measured, one_zygote, study_data, write_study

from reconcile.files import write_json
from reconcile.judge.evidence import consistency_table
from reconcile.judge.measurements import Measurements
from reconcile.judge.reconciliation import reconcile_study
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.tables.frames import write_table

CHROMIUM = Path("/usr/bin/chromium")
YOUNG = 20_000
"""Objects that are made before garbage is looked for: pandas makes Python's 700 in no time."""
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]

# What hundreds of processes import is compiled once, wherever these tests are run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Threads of a measuring process that wait for each other sleep, where they would spin on a core
# that another test needs.
os.environ["OMP_WAIT_POLICY"] = "passive"

# The same examples on every machine, and none fails because a machine was busy.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that rewrites the golden tables."""
    parser.addoption(
        "--refresh-golden",
        action="store_true",
        help="rewrite tests/golden/ from what is measured now; read the diff before you commit it",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage in what tests make, and not each time in all that they import."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


@pytest.fixture(scope="session", autouse=True)
def _never_synced() -> Iterator[None]:
    """What tests write need not outlive a machine that loses its power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., Study]:
    """Write the tiny study, changed by a function, and load it."""

    def make(change: Callable[[dict[str, Any]], None] = lambda data: None) -> Study:
        data = study_data()
        change(data)
        return load_study(write_study(tmp_path / "tiny", data))

    return make


@pytest.fixture
def tiny(make_study: Callable[..., Study]) -> Study:
    """The tiny study as it stands in support.py."""
    return make_study()


@pytest.fixture
def tiny_measured(tiny: Study) -> Measurements:
    """What measuring the tiny study gives, written down by hand."""
    return measured(tiny, TINY_LAYERS)


def _layers(reading: str, side: int) -> list[dict[str, Any]]:
    neurons, own = 4 * side * side, {"interpretation": reading}
    return [
        own | _map("input", "input", 1, 8, 64),
        own | _map("conv", "conv", 4, side, neurons) | {"parameters": 40, "macs": 9 * neurons},
        own | _map("relu", "activation", 4, side, neurons),
        own | _map("fc", "fc", 10, 1, 10) | {"parameters": 10 * neurons + 10, "macs": 10 * neurons},
    ]


def _map(layer: str, kind: str, channels: int, side: int, neurons: int) -> dict[str, Any]:
    sides = {"channels": channels, "height": side, "width": side}
    return {"layer": layer, "kind": kind, **sides, "neurons": neurons}


TINY_LAYERS = [*_layers("floor", 3), *_layers("ceil", 4), *_layers("slip", 4)]


@pytest.fixture(scope="module")
def shared_zygote() -> Iterator[None]:
    """All studies of a file are measured by children of one process."""
    with one_zygote():
        yield


@pytest.fixture(scope="session")
def alexnet() -> Study:
    """The AlexNet study."""
    return load_study(PROJECT / "studies" / "alexnet")


@pytest.fixture(scope="session")
def alexnet_results(alexnet: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real AlexNet study, measured on the CPU with one timed pass and reconciled."""
    folder = PROJECT / "studies" / "alexnet"
    out = measure(folder, tmp_path_factory.mktemp("results") / "alexnet", repeats=1, seed=2012)
    done = reconcile_study(alexnet, folder, Measurements.read(out))
    tables = done.tables | {"consistency.csv": consistency_table(alexnet, folder)}
    for name, content in tables.items():
        write_table(out, name, content)
    write_json(out / "reconciliation.json", done.summary)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, without a window: one for all, since playwright takes no second one."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
