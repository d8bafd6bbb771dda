"""Figures are drawn from measured values, for any study, and are the same every time.

Drawings keep to their room, and have the colours of the page.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from report_support import TEMPLATES, results_in, tiny_results, write_results, write_rows
from support import study_data

from reconcile.errors import InputError
from reconcile.report.figures import COLOURS, clipped, width_of
from reconcile.report.render import drawings, write_figures
from reconcile.report.views import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the tiny study."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


def test_figures_are_written_as_svg_and_pdf(tmp_path: Path) -> None:
    """Each is well-formed, has an alternative text and its own fonts."""
    results = tiny_results(tmp_path)
    written = write_figures(results, 24)
    names = ["windows", "neurons", "latency-layers", "latency-networks", "coverage"]
    widths = [f"{name}{ending}" for name in names for ending in ("", "-column")]
    assert [file.name for file in written] == [f"{n}.{s}" for n in widths for s in ("svg", "pdf")]
    for file in written[::2]:
        root = ET.fromstring(file.read_text())  # noqa: S314 - written by the line above
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert len(title.text or "") > 20
        assert root.get("width") == ("340" if file.stem.endswith("-column") else "720")
    assert b"Reconcile-Sans" in written[1].read_bytes() or written[1].read_bytes()[:5] == b"%PDF-"


def test_nothing_to_draw_is_an_empty_folder(tmp_path: Path) -> None:
    """The folder is there also where no figure is: Snakemake looks for it."""
    study, out = write_results(tmp_path, no_figures())
    for name in ("windows.csv", "coverage.csv", "timings.csv"):
        write_rows(out / name, [])
    assert write_figures(results_in(study, out), 24) == []
    assert list((out / "figures").iterdir()) == []


def no_figures() -> dict[str, Any]:
    """The tiny study without a claim about the neurons of a layer."""
    data = study_data()
    data["claims"][0]["quantity"] = "channels"
    return data


def test_figures_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    """A figure that is no longer drawn is removed; what is no figure is nobody's to remove."""
    study, out = write_results(tmp_path)
    write_figures(results_in(study, out), 24)
    (out / "figures" / "notes.txt").write_text("kept\n")
    write_rows(out / "timings.csv", [])
    written = write_figures(results_in(study, out), 24)
    names = {file.stem.removesuffix("-column") for file in written}
    assert names == {"windows", "neurons", "coverage"}
    assert {*(out / "figures").iterdir()} == {*written, out / "figures" / "notes.txt"}


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in the place of the folder is named, and nothing is written."""
    study, out = write_results(tmp_path, no_figures())
    for name in ("windows.csv", "coverage.csv", "timings.csv"):
        write_rows(out / name, [])
    (out / "figures").write_text("in the way\n")
    with pytest.raises(InputError, match="figures: cannot be written"):
        write_figures(results_in(study, out), 24)


PAGE = 1_000
"""Pixels that a page of paper has room for below a heading, of a drawing as wide as its text."""


def test_a_figure_fits_a_page_however_much_there_is(tmp_path: Path) -> None:
    """Any number of claims, layers, walks and readings are drawn as far as a page of paper goes."""
    data = study_data()
    data["claims"] += [data["claims"][0] | {"id": f"conv-{i}"} for i in range(120)]
    many = [f"reading-{i}" for i in range(120)]
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
        assert float(ET.fromstring(drawing.drawn("wide")).get("height", 0)) < PAGE, name  # noqa: S314
    assert "first 24 of 121 claims" in drawn["neurons"].caption
    assert "the 40 slowest of 300 layers of slip" in drawn["latency-layers"].caption
    assert "one forward pass of the 40 slowest of" in drawn["latency-networks"].caption
    assert "first 12 of 20 distinct walks" in drawn["coverage"].caption
    assert "reading-119" not in drawn["latency-networks"].drawn("wide")
    assert "a-block-of-a-long-name.299.conv" in drawn["latency-layers"].drawn("wide")


def test_structural_figures_do_not_depend_on_the_record(tmp_path: Path) -> None:
    """Another device and other times leave windows, neurons and coverage as they are."""
    study, out = write_results(tmp_path)
    before = drawings(results_in(study, out), 24)
    rows = [("floor", "main", "network", "cpu", 9, 77, 70, 80, "")]
    write_rows(out / "timings.csv", rows)
    after = drawings(results_in(study, out), 24)
    for name in ("windows", "neurons", "coverage"):
        assert before[name].drawn("wide") == after[name].drawn("wide")
    assert before["latency-networks"].drawn("wide") != after["latency-networks"].drawn("wide")


def test_nothing_is_drawn_outside_the_picture(results: Results) -> None:
    """Wide or narrow, every rectangle and dot lies within the drawing."""
    for drawing in drawings(results, 24).values():
        for svg in (drawing.drawn("wide"), drawing.drawn("narrow")):
            root = ET.fromstring(svg)  # noqa: S314 - our own drawing
            width, height = float(root.get("width", 0)), float(root.get("height", 0))
            for shape in root.iter("{http://www.w3.org/2000/svg}rect"):
                x, y, w, h = (float(shape.get(k, 0)) for k in ("x", "y", "width", "height"))
                assert 0 <= x <= x + w <= width + 1, drawing.name
                assert 0 <= y <= y + h <= height + 1, drawing.name


def test_long_names_keep_to_their_room() -> None:
    """What is too long loses its beginning: layers differ in the end of their names."""
    assert clipped("layer1.0.conv1", 200) == "layer1.0.conv1"
    short = clipped("encoder.layers.11.self_attn.out_proj", 100)
    assert short.startswith("…")
    assert short.endswith(".out_proj")
    assert width_of(short) <= 100


def palette(css: str) -> dict[str, str]:
    """The colours that a block of CSS sets."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


LIGHT, DARK = (
    palette(part)
    for part in re.split(r"prefers-color-scheme: dark", (TEMPLATES / "report.css").read_text())
)


def test_drawings_and_page_share_one_palette() -> None:
    """A drawing in the PDF has the colours of the page."""
    assert {name: LIGHT[name] for name in COLOURS} == COLOURS
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_enough_contrast(colours: dict[str, str]) -> None:
    """Every text colour has the 4.5:1 of WCAG AA on every background it stands on."""
    pairs = [(text, "paper") for text in ("ink", "muted", "accent", "good", "bad", "slip")]
    pairs += [(text, "wash") for text in ("ink", "muted", "accent", "good", "bad")]
    pairs += [
        ("bad", "bad-wash"),
        ("ink", "bad-wash"),
        ("muted", "bad-wash"),
        ("slip", "slip-wash"),
    ]
    low = {pair for pair in pairs if contrast(*(colours[name] for name in pair)) < 4.5}
    assert not low
