"""How the report writes numbers, what it folds, and what its fonts and colours can show."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont
from report_support import TEMPLATES

from reconcile.report.figures import coordinate
from reconcile.report.pages import FONTS
from reconcile.words import (
    MARKS,
    Seldom,
    beside,
    digits,
    listed,
    milliseconds,
    percent,
    share,
    typeset,
)


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
    assert (coordinate(-0.001), coordinate(-0.5), coordinate(12.0)) == ("0", "-0.5", "12")


def test_bundled_fonts_have_every_character_of_the_templates() -> None:
    """A missing glyph would silently come from a font of the system."""
    texts = [file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.*") if "." in file.name
             and file.suffix in (".jinja", ".css", ".js")]  # fmt: skip
    wanted = set("".join(texts) + "".join(mark.glyph for mark in MARKS.values())) - {"\n"}
    for name in FONTS.values():
        cmap = TTFont(TEMPLATES / "fonts" / name).getBestCmap()
        assert not {c for c in wanted if ord(c) not in cmap}, name


def test_progress_is_told_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short work says nothing, long work a line now and then; two that follow at once are one."""
    now = [10.0]
    monkeypatch.setattr("reconcile.words.time.monotonic", lambda: now[0])
    told: list[str] = []
    progress = Seldom(told.append, now[0])
    for step, text in ((0.5, "early"), (0.6, "first"), (0.1, "at once"), (1.0, "second")):
        now[0] += step
        progress.line(text)
    assert told == ["first", "second"]
