"""Measure how fast the pipeline is, as ratios to peers, and write docs/benchmarks.md.

    make bench                                every row, as docs/benchmarks.md shows them
    python bench/run.py --only cold --runs 3  one of them

Whole processes run in a clone of the last commit, in turn with their peers; see docs/benchmarks.md
for what is compared and how.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import library
import pipeline
import scale
from page import PAGE, keep
from processes import tell
from project import BUILD, Project
from rows import Outcome

Benchmark = Callable[[Project, int], Outcome]
BENCHMARKS: dict[str, Benchmark] = {
    "cold": pipeline.cold,
    "studies": pipeline.studies,
    "memory": pipeline.memory,
    "no-op": pipeline.no_op,
    "explain": pipeline.explain,
    "edits": pipeline.edits,
    "forward": library.forward,
    "child": library.child,
    "counters": library.counters,
    "sweep": library.sweep,
    "scaling": library.scaling,
    "search": library.search,
    "verify": pipeline.verify,
    "scale": scale.scale,
    "profile": pipeline.profile,
}
RUNS = 5


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="run this one only")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each peer (default: 5)")
    arguments = parser.parse_args()
    project = Project(BUILD / "project")
    for name in arguments.only or BENCHMARKS:
        outcome = BENCHMARKS[name](project, arguments.runs)
        keep(name, outcome.plain(), list(BENCHMARKS))
        for row in outcome.rows:
            tell(f"{row.what}: {row.value:.3g} {row.unit} (target {row.target or 'none'})")
    tell(f"written: {PAGE}")


if __name__ == "__main__":
    main()
