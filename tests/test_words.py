"""How the report writes numbers, what it folds, and what its fonts and colours can show."""

from __future__ import annotations

import re

import pytest
from fontTools.ttLib import TTFont
from report_support import TEMPLATES

from reconcile.report.figures.svg import COLOURS, number
from reconcile.report.pages import FONTS
from reconcile.report.readings import folded
from reconcile.words import MARKS, beside, digits, listed, milliseconds, percent, share, typeset


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("290400", "290,400"),
        (4096, "4,096"),
        ("-3", "−3"),
        ("12345.50", "12,345.50"),
        ("96 maps", "96 maps"),
        ("", ""),
    ],
)
def test_digits_are_grouped(value: object, shown: str) -> None:
    """Numbers are grouped in threes; what is no number stays as it is."""
    assert digits(value) == shown


@pytest.mark.parametrize(
    ("printed", "measured", "shown"),
    [
        ("1%", "0.0145182", "1.45%"),
        ("60 million", "60965224", "60,965,224"),
        ("3.8", "3.758912", "3.76"),
        ("12%", "0.1234567", "12.35%"),
        ("0.1 percent", "0.000012345", "0.0012%"),
        ("0.12", "0.1234567", "0.1235"),
        ("0.25", "1.5e-08", "1.5e-08"),
        ("12", "", ""),
    ],
)
def test_measured_numbers_take_the_unit_of_the_printed_one(
    printed: str, measured: str, shown: str
) -> None:
    """A share stands beside a percentage as a percentage."""
    assert beside(printed, measured) == shown


def test_text_of_searches_is_typeset() -> None:
    """Long numbers are grouped, products get their sign; years and printed numbers stay."""
    assert typeset("55 -> 48 in 55*55*48*2 = 290400") == "55 → 48 in 55 × 55 × 48 × 2 = 290,400"
    assert typeset("of 4096 in 2012, as 253,440") == "of 4096 in 2012, as 253,440"


def test_small_words() -> None:
    """Lists, durations, probabilities and coordinates read well."""
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [milliseconds(v) for v in (0.01234, 1.234, 12.34, 1234.5)] == [
        "0.012",
        "1.23",
        "12.3",
        "1,234",
    ]
    assert (share("0"), share("-0.5")) == ("0%", "-50.00%")
    assert (percent("1.33e-05"), percent("0.0213"), percent("")) == ("0.0013%", "2.1%", "")
    assert (number(-0.001), number(-0.5), number(12.0)) == ("0", "-0.5", "12")


def layer(name: str, neurons: int) -> dict[str, str]:
    """A row of layers.csv."""
    columns = ("kind", "channels", "height", "width", "parameters", "macs", "connections")
    return {"layer": name, "neurons": str(neurons), **dict.fromkeys(columns, "")}


def test_equal_numbered_blocks_are_told_once() -> None:
    """Three or more equal blocks become one, and their number is kept."""
    rows = [layer("embed", 7)]
    rows += [layer(f"h.{i}.{part}", n) for i in range(12) for part, n in (("attn", 3), ("mlp", 4))]
    told = folded([*rows, layer("head", 9)])
    names = [(row.name, row.times) for row in told]
    assert names == [("embed", 1), ("h.0…11.attn", 12), ("h.0…11.mlp", 12), ("head", 1)]
    whole = sum(int(row.row["neurons"]) * row.times for row in told)
    assert whole == sum(int(row["neurons"]) for row in [*rows, layer("head", 9)])


def test_blocks_that_differ_are_told_in_full() -> None:
    """A block of other counts, or a number left out, ends a run."""
    rows = [layer(f"h.{i}.mlp", n) for i, n in ((0, 4), (1, 4), (2, 5), (4, 5), (5, 5))]
    assert [row.name for row in folded(rows)] == [row["layer"] for row in rows]


def test_layers_that_change_nothing_are_idle() -> None:
    """Idle is an activation, dropout or normalisation of the size before that adds to no total."""
    rows = [
        layer("input", 9) | {"kind": "input", "height": "3"},
        layer("conv", 9) | {"kind": "conv", "height": "3"},
        layer("relu", 9) | {"kind": "activation", "height": "3"},
        layer("norm", 9) | {"kind": "norm", "height": "3", "parameters": "2"},
        layer("pool", 4) | {"kind": "pool", "height": "2"},
        layer("dropout", 4) | {"kind": "dropout", "height": "2", "macs": "0"},
        layer("subsample", 4) | {"kind": "other", "height": "2"},
        layer("tanh", 4) | {"kind": "activation", "height": "2", "connections": "5"},
        layer("cut", 2) | {"kind": "activation", "height": "1"},
        layer("solid", 8) | {"kind": "pool"},
        layer("sizeless", 8) | {"kind": "activation"},
    ]
    assert [row.name for row in folded(rows) if row.idle] == ["relu", "dropout"]


def test_bundled_fonts_have_every_character_of_the_templates() -> None:
    """A missing glyph would silently come from a font of the system."""
    texts = [file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.*") if "." in file.name
             and file.suffix in (".jinja", ".css", ".js")]  # fmt: skip
    wanted = set("".join(texts) + "".join(mark.glyph for mark in MARKS.values())) - {"\n"}
    for name in FONTS.values():
        cmap = TTFont(TEMPLATES / "fonts" / name).getBestCmap()
        assert not {c for c in wanted if ord(c) not in cmap}, name


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
