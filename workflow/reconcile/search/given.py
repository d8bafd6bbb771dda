"""What a search is given: the study, what was measured, what was judged, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.judge.measurements import Measurements
from reconcile.study.model import Study
from reconcile.tables.frames import read_table

Report = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """What every search is given; each takes of it what it needs.

    Attributes:
        study: the study.
        folder: its folder, which faults name.
        measured: its layers and totals.
        results: the folder of its results, for tables that few searches need.
        report: is told a line of progress.
    """

    study: Study
    folder: Path
    measured: Measurements
    results: Path
    report: Report

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables that were measured or judged.

        Raises:
            InputError: the file is missing or is not of this release.
        """
        return read_table(self.results / name)
