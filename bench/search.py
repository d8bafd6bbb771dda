"""How many combinations a second the searches for slips and geometries compute on one core.

Run from anywhere: `python bench/search.py [--runs 7] [--json]`. Everything is elementwise numpy
in one process and one thread. The numbers are those of the flagship study's first layer; a
combination counts only if it was computed (see the docstrings of the searches). The rate of a
group is its combinations over its time, short searches with their fixed cost included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow"))

from reconcile.search.geometries import (
    KernelAndStride,
    Sought,
    Space,
    rectangular_maps,
    separate_axes,
    square_maps,
)
from reconcile.search.slips import Misprint, search_product, search_sum

TARGET = 20e6
PRINTED = 253_440
FACTORS = (("height", 55), ("width", 55), ("channels per tower", 48), ("towers", 2))
LAYERS = (290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000)
# About as many numbers as a paper prints in its description of a network.
VOCABULARY = (
    *(2, 3, 4, 5, 8, 10, 11, 13, 16, 27, 48, 55, 96, 128, 192, 224, 256, 384, 1000, 2048, 4096),
    *(43_264, 64_896, 150_528, 186_624),
)
# Twice as many, as in a paper with tables.
LONG_VOCABULARY = (*VOCABULARY, *range(17, 26), *range(400, 3600, 200))

Run = Callable[[], Sequence[int]]


def slips(vocabulary: Sequence[int]) -> Sequence[int]:
    """Search every slip of a product and of a sum, and return how many were tried."""
    terms = [(f"layer {i}", value) for i, value in enumerate(LAYERS, start=1)]
    found = (
        *search_product(Misprint.of(PRINTED, FACTORS, vocabulary)),
        *search_sum(Misprint.of(sum(LAYERS) - 36_960, terms, vocabulary)),
    )
    return [search.tried for search in found]


def runs() -> dict[str, dict[str, Run]]:
    """Return what is timed, by group."""
    given, free = (
        Sought(PRINTED, (96,), KernelAndStride(11, 4)),
        Sought(PRINTED, (), KernelAndStride(11, 4)),
    )
    wide = Space(range(16, 513), range(1, 33), range(1, 17), range(32))
    ends = Space(range(190, 260), range(3, 17), range(1, 9), range(4), free_sides=True)
    near = Space(range(190, 260), range(3, 17), range(1, 9), range(4))
    crops = Space((224, 226, 227, 256), range(1, 33), range(1, 17))
    return {
        "slips": {
            f"{len(VOCABULARY)} numbers": partial(slips, VOCABULARY),
            f"{len(LONG_VOCABULARY)} numbers": partial(slips, LONG_VOCABULARY),
        },
        "geometries": {
            "square, 96 channels": lambda: [square_maps(given, wide).tried],
            "square, any channels": lambda: [square_maps(free, wide).tried],
            "square, any channels, ends apart": lambda: [square_maps(free, ends).tried],
            "rectangular": lambda: [rectangular_maps(given, near).tried],
            "separate axes": lambda: [separate_axes(given, crops).tried],
        },
    }


def timed(run: Run, number: int) -> tuple[int, float]:
    """Return the combinations of one run and the median time of several, after a first one."""
    tried = sum(run())
    seconds = []
    for _ in range(number):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return tried, median(seconds)


def rows(number: int) -> list[dict[str, str | int | float]]:
    """Time every run, and add a row for each group."""
    table: list[dict[str, str | int | float]] = []
    for group, searches in runs().items():
        results = {name: timed(run, number) for name, run in searches.items()}
        totals = [sum(column) for column in zip(*results.values(), strict=True)]
        for name, (tried, seconds) in [*results.items(), ("all", (int(totals[0]), totals[1]))]:
            rate = tried / seconds
            table.append(
                {"group": group, "search": name, "tried": tried, "seconds": seconds, "rate": rate}
            )
    return table


def main() -> None:
    """Print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="runs to take the median of")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    table = rows(arguments.runs)
    if arguments.json:
        print(json.dumps({"target": TARGET, "rows": table}, indent=2))
        return
    print(
        f"{'group':<11}{'search':<34}{'tried':>12}{'seconds':>10}{'million/s':>11}{'/ target':>10}"
    )
    for row in table:
        rate = float(row["rate"])
        print(
            f"{row['group']:<11}{row['search']:<34}{row['tried']:>12,}{row['seconds']:>10.4f}"
            f"{rate / 1e6:>11.1f}{rate / TARGET:>10.2f}"
        )


if __name__ == "__main__":
    main()
