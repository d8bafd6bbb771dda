"""How the first layer walks over its input is read from measured windows."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_support import results_in, tiny_results, write_results, write_rows

from reconcile.report.figures.windows import Walk, all_walks, describe_walk, telling_walks
from reconcile.report.views import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the tiny study."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


def walks_of(folder: Path, coverage: list[object], windows: list[list[object]]) -> list[Walk]:
    """The walks found where one reading has these rows."""
    study, out = write_results(folder)
    own = ("floor", "main", "conv")
    write_rows(out / "coverage.csv", [(*own, *coverage)])
    write_rows(out / "windows.csv", [(*own, *row) for row in windows])
    return all_walks(results_in(study, out))


def test_walks_are_read_from_measured_windows(results: Results) -> None:
    """Rounded down, the last pixel is never seen; rounded up, a zero is read beyond it."""
    floor, ceil = all_walks(results)
    assert (floor.readings, floor.starts, floor.unseen) == (("floor",), (0, 2, 4), [7])
    assert (ceil.readings, ceil.starts, ceil.zeros) == (("ceil", "slip"), (0, 2, 4, 6), (0, 1))
    assert telling_walks(results) == [floor, ceil]


def test_the_picture_says_what_happens_at_the_end(results: Results) -> None:
    """The sentence names the pixel that is missed and the zeros that are read."""
    floor, ceil = (describe_walk(walk) for walk in all_walks(results))
    assert floor.endswith("the last spans pixels 4 to 6, and pixel 7 is never seen.")
    assert ceil.endswith("the last spans pixels 6 to 8, reading 1 zero after the row.")


def test_padding_on_both_sides(tmp_path: Path) -> None:
    """Windows that begin before the image are placed by those that lie within it."""
    windows = [[0, 4, 0, 1, 3, 1], [1, 4, 1, 3, 3, 0], [2, 4, 3, 5, 3, 0], [3, 4, 5, 7, 3, 0]]
    (walk,) = walks_of(tmp_path, [8, 8, 64, 64], windows)
    assert (walk.starts, walk.zeros, walk.unseen) == ((-1, 1, 3, 5), (1, 0), [])


def test_pixels_between_windows(tmp_path: Path) -> None:
    """A stride beyond the window leaves gaps; they count as unseen and nothing is drawn wrongly."""
    windows = [[0, 3, 0, 1, 2, 0], [1, 3, 3, 4, 2, 0], [2, 3, 6, 7, 2, 0]]
    (walk,) = walks_of(tmp_path, [8, 8, 64, 36], windows)
    assert walk.unseen == [2, 5]


@pytest.mark.parametrize(
    ("coverage", "windows"),
    [
        ([8, 8, 64, 64], [[0, 6, 0, 2, 3, 0], [1, 6, 1, 3, 3, 0], [5, 6, 5, 7, 3, 0]]),
        ([8, 8, 64, 63], [[0, 4, 0, 2, 3, 0], [1, 4, 2, 4, 3, 0], [3, 4, 6, 7, 3, 1]]),
        ([8, 8, 64, 64], [[0, 1, 0, 7, 8, 0]]),
        ([8, 8, 64, 64], [[0, 3, 0, 2, 3, 0], [1, 3, 2, 4, 3, 0], [2, 3, 5, 7, 3, 0]]),
    ],
    ids=["stride one", "disagrees with the coverage", "a single window", "an uneven stride"],
)
def test_nothing_is_drawn_that_does_not_add_up(
    tmp_path: Path, coverage: list[object], windows: list[list[object]]
) -> None:
    """No stride, or windows that contradict the measured coverage: no picture."""
    assert walks_of(tmp_path, coverage, windows) == []
