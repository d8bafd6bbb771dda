"""Figures are drawn from measured values, for any study, and are the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from report_support import TEMPLATES, tiny_results, write_results, write_rows

from reconcile.report.figures.drawings import drawings
from reconcile.report.figures.scale import Scale
from reconcile.report.figures.walks import Walk, all_walks, telling_walks
from reconcile.report.figures.windows import describe_walk
from reconcile.report.figures.write import write_figures
from reconcile.report.read import Results, read_results


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
    return all_walks(read_results(study, out))


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


def test_figures_are_written_as_svg_and_pdf(tmp_path: Path) -> None:
    """Each is well-formed, has an alternative text and its own fonts."""
    results = tiny_results(tmp_path)
    written = write_figures(results, TEMPLATES, 24)
    names = ["windows", "neurons", "latency-layers", "latency-networks", "coverage"]
    assert [file.name for file in written] == [f"{n}.{s}" for n in names for s in ("svg", "pdf")]
    for file in written[::2]:
        root = ET.fromstring(file.read_text())  # noqa: S314 - written by the line above
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert len(title.text or "") > 20
    assert b"Reconcile-Sans" in written[1].read_bytes() or written[1].read_bytes()[:5] == b"%PDF-"


def test_structural_figures_do_not_depend_on_the_record(tmp_path: Path) -> None:
    """Another device and other times leave windows, neurons and coverage as they are."""
    study, out = write_results(tmp_path)
    before = drawings(read_results(study, out), 24)
    rows = [("floor", "main", "network", "cpu", 9, 77, 70, 80, "")]
    write_rows(out / "timings.csv", rows)
    after = drawings(read_results(study, out), 24)
    for name in ("windows", "neurons", "coverage"):
        assert before[name].wide() == after[name].wide()
    assert before["latency-networks"].wide() != after["latency-networks"].wide()


def test_nothing_is_drawn_outside_the_picture(results: Results) -> None:
    """Wide or narrow, every rectangle and dot lies within the drawing."""
    for drawing in drawings(results, 24).values():
        for svg in (drawing.wide(), drawing.narrow()):
            root = ET.fromstring(svg)  # noqa: S314 - our own drawing
            width, height = float(root.get("width", 0)), float(root.get("height", 0))
            for shape in root.iter("{http://www.w3.org/2000/svg}rect"):
                x, y, w, h = (float(shape.get(k, 0)) for k in ("x", "y", "width", "height"))
                assert 0 <= x <= x + w <= width + 1, drawing.name
                assert 0 <= y <= y + h <= height + 1, drawing.name


def test_ticks_are_round_numbers() -> None:
    """An axis has few, round ticks within its range."""
    assert Scale(0, 301_056, 0, 500).ticks(5) == [0, 100_000, 200_000, 300_000]
    assert Scale(0, 6.1, 0, 500).ticks(4) == [0, 2, 4, 6]
