"""Figures are drawn from measured values, for any study, and are the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from report_support import TEMPLATES, results_in, tiny_results, write_results, write_rows
from support import study_data

from reconcile.errors import InputError
from reconcile.report.figures import drawings, write_figures
from reconcile.report.figures.charts import (
    LayerClaim,
    Scale,
    chart_in_words,
    draw_neurons,
    layer_latencies,
)
from reconcile.report.figures.svg import clipped, width_of
from reconcile.report.figures.windows import Walk, all_walks, describe_walk, telling_walks
from reconcile.report.read import Results


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


def test_nothing_to_draw_is_an_empty_folder(tmp_path: Path) -> None:
    """The folder is there also where no figure is: Snakemake looks for it."""
    study, out = write_results(tmp_path, no_figures())
    for name in ("windows.csv", "coverage.csv", "timings.csv"):
        write_rows(out / name, [])
    assert write_figures(results_in(study, out), TEMPLATES, 24) == []
    assert list((out / "figures").iterdir()) == []


def no_figures() -> dict[str, Any]:
    """The tiny study without a claim about the neurons of a layer."""
    data = study_data()
    data["claims"][0]["quantity"] = "channels"
    return data


def test_figures_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    """A figure that is no longer drawn is removed; what is no figure is nobody's to remove."""
    study, out = write_results(tmp_path)
    write_figures(results_in(study, out), TEMPLATES, 24)
    (out / "figures" / "notes.txt").write_text("kept\n")
    write_rows(out / "timings.csv", [])
    written = write_figures(results_in(study, out), TEMPLATES, 24)
    assert {file.stem for file in written} == {"windows", "neurons", "coverage"}
    assert {*(out / "figures").iterdir()} == {*written, out / "figures" / "notes.txt"}


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in the place of the folder is named, and nothing is written."""
    study, out = write_results(tmp_path, no_figures())
    for name in ("windows.csv", "coverage.csv", "timings.csv"):
        write_rows(out / name, [])
    (out / "figures").write_text("in the way\n")
    with pytest.raises(InputError, match="figures: cannot be written"):
        write_figures(results_in(study, out), TEMPLATES, 24)


PAGE = 1_000
"""Pixels that a page of paper has room for below a heading, of a drawing as wide as its text."""


def test_a_figure_fits_a_page_however_much_there_is(tmp_path: Path) -> None:
    """Hundreds of claims, layers, walks and readings are drawn as far as a page of paper goes."""
    data = study_data()
    data["claims"] += [data["claims"][0] | {"id": f"conv-{i}"} for i in range(300)]
    many = [f"reading-{i}" for i in range(300)]
    data["interpretations"] += [data["interpretations"][0] | {"id": name} for name in many]
    study, out = write_results(tmp_path, data)
    layers = [f"a-block-of-a-long-name.{i}.conv" for i in range(300)]
    timed = [("slip", "main", layer, "cpu", 9, i, i, i, "") for i, layer in enumerate(layers)]
    timed += [(name, "main", "network", "cpu", 9, 7, 7, 8, "") for name in many]
    write_rows(out / "timings.csv", timed)
    walks = [("floor", f"net-{i}", "conv", 8 + i) for i in range(20)]
    walks += [(name, "main", "conv", 8) for name in many]
    coverage = [
        (*walk, walk[3], walk[3] ** 2, (walk[3] - (walk[3] + 1) % 2) ** 2) for walk in walks
    ]
    write_rows(out / "coverage.csv", coverage)
    windows = []
    for *own, side in walks:
        last = (side - 3) // 2
        windows += [(*own, i, last + 1, 2 * i, 2 * i + 2, 3, 0) for i in range(last + 1)]
    write_rows(out / "windows.csv", windows)
    drawn = drawings(results_in(study, out), 200)
    assert {"neurons", "latency-layers", "latency-networks", "coverage"} <= set(drawn)
    for name, drawing in drawn.items():
        assert float(ET.fromstring(drawing.wide()).get("height", 0)) < PAGE, name  # noqa: S314
    assert "first 24 of 301 claims" in drawn["neurons"].caption
    assert "the 40 slowest of 300 layers of slip" in drawn["latency-layers"].caption
    assert "one forward pass of the 40 slowest of" in drawn["latency-networks"].caption
    assert "first 12 of 20 distinct walks" in drawn["coverage"].caption
    assert "reading-299" not in drawn["latency-networks"].wide()
    assert "a-block-of-a-long-name.299.conv" in drawn["latency-layers"].wide()


def test_layers_of_several_networks_are_told_apart(tmp_path: Path) -> None:
    """Where a reading has several networks, a layer is drawn with the name of its own."""
    study, out = write_results(tmp_path)
    rows = [("slip", name, "conv", "cpu", 9, 7, 7, 8, "") for name in ("main", "large")]
    write_rows(out / "timings.csv", rows)
    bars = layer_latencies(results_in(study, out))
    assert [bar.name for bar in bars] == ["conv", "large/conv"]


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({"floor": 48}, "The reading ceil was not measured."),
        ({"floor": 36, "ceil": 48}, "The reading ceil gives every printed number."),
        ({"ceil": 64}, "Under the reading ceil, conv is printed as 48, measured 64."),
    ],
)
def test_the_chart_of_neurons_says_what_was_measured(measured: dict[str, int], told: str) -> None:
    """Its words claim nothing of a reading that was not measured, nor of layers that are not."""
    claim = LayerClaim("conv", "conv", "48", 48, measured, 0)
    assert told in chart_in_words([claim], "ceil")
    _, parts = draw_neurons([claim], "ceil", 720)
    assert any(">ceil</text>" in part for part in parts) == ("ceil" in measured)


def test_long_names_keep_to_their_room() -> None:
    """What is too long loses its beginning: layers differ in the end of their names."""
    assert clipped("layer1.0.conv1", 200) == "layer1.0.conv1"
    short = clipped("encoder.layers.11.self_attn.out_proj", 100)
    assert short.startswith("…")
    assert short.endswith(".out_proj")
    assert width_of(short) <= 100


def test_structural_figures_do_not_depend_on_the_record(tmp_path: Path) -> None:
    """Another device and other times leave windows, neurons and coverage as they are."""
    study, out = write_results(tmp_path)
    before = drawings(results_in(study, out), 24)
    rows = [("floor", "main", "network", "cpu", 9, 77, 70, 80, "")]
    write_rows(out / "timings.csv", rows)
    after = drawings(results_in(study, out), 24)
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
