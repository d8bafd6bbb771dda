"""What all figures share: SVG built by hand, since dark pages, phones and equal bytes ask for it.

It is escaped, deterministic, and painted so that it works everywhere. A figure is a file here,
which says its caption and draws it, and a line of ``drawings`` in ``report.render``.

WeasyPrint does not apply a page's CSS to inline SVG, so every shape carries its colour as a
presentation attribute. It also carries a class, by which the page repaints it in the dark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape

from reconcile.tables.contract import FIGURES

COLOURS = {
    "paper": "#ffffff",
    "ink": "#1a1e24",
    "muted": "#57606b",
    "rule": "#d5dae1",
    "wash": "#eef1f5",
    "accent": "#0b5cad",
    "soft": "#cfe1f5",
    "bad": "#b42318",
}
"""The light palette; ``report.css`` has the same names for both palettes, and a test compares."""
SANS = "Reconcile Sans, IBM Plex Sans, Helvetica, Arial, sans-serif"
WIDTHS = {"wide": 720.0, "narrow": 340.0}
"""For a page, and for a phone or a paper's column (9 cm), in pixels."""
_ADVANCE = 0.56
"""Width of an average letter, as a part of the font's size."""


@dataclass(frozen=True)
class Drawing:
    """A figure: it is drawn for a page and again for a phone.

    Attributes:
        name: one of ``FIGURES``; its file is ``figures/<name>.svg``, its anchor ``#figure-<name>``.
        caption: what it shows and in which unit.
        title: its alternative text: what is to be seen, in a sentence or two.
        draw: gives the height and the parts of a drawing of some width, in pixels.
    """

    name: str
    caption: str
    title: str
    draw: Callable[[float], tuple[float, list[Markup]]]

    def __post_init__(self) -> None:
        if self.name not in FIGURES:
            raise ValueError(
                f"{self.name} is no figure of the contract, and no archive would have it"
            )

    def drawn(self, size: str, css: str | None = None) -> Markup:
        """The drawing at one of ``WIDTHS``, of a class."""
        identifier, width = f"figure-{self.name}-{size}-title", WIDTHS[size]
        height, parts = self.draw(width)
        return element(
            "svg",
            element("title", escape(self.title), id=identifier),
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
            width=width,
            height=height,
            role="img",
            aria_labelledby=identifier,
            class_=css,
        )


def coordinate(value: float) -> str:
    """A coordinate with two decimals at most, and no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attribute(value: object) -> object:
    return coordinate(value) if isinstance(value, int | float) else value


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """An SVG element; ``class_`` is ``class`` and underscores are hyphens."""
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(children)
    return Markup(f"<{tag}{pairs}>{inside}</{tag}>" if inside else f"<{tag}{pairs}/>")  # noqa: S704 - escaped above


def paint(fill: str | None = None, stroke: str | None = None) -> dict[str, object]:
    """The attributes of a shape filled and stroked with colours of the palette."""
    classes = [f"fill-{fill}"] * bool(fill) + [f"stroke-{stroke}"] * bool(stroke)
    attributes: dict[str, object] = {"class_": " ".join(classes)}
    attributes["fill"] = COLOURS[fill] if fill else "none"
    if stroke:
        attributes["stroke"] = COLOURS[stroke]
    return attributes


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> Markup:
    """A rectangle; negative rounding of its corner is never drawn."""
    return element("rect", x=x, y=y, width=width, height=height, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, colour: str, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **paint(stroke=colour), **attributes)


def label(
    x: float,
    y: float,
    text: str,
    *,
    colour: str = "ink",
    size: float = 12,
    anchor: str = "start",
    bold: bool = False,
) -> Markup:
    """A line of text; ``y`` is its base line."""
    return element(
        "text",
        escape(text),
        x=x,
        y=y,
        **paint(fill=colour),
        font_family=SANS,
        font_size=size,
        font_weight="600" if bold else None,
        text_anchor=None if anchor == "start" else anchor,
    )


def width_of(text: str, size: float = 12) -> float:
    """A close upper estimate of the width of a text."""
    return len(text) * size * _ADVANCE


def clipped(text: str, room: float, size: float = 12) -> str:
    """The text, or as much of its end as there is room for: names differ in their last parts."""
    if width_of(text, size) <= room:
        return text
    kept = max(int(room / width_of("x", size)) - 1, 1)
    return f"…{text[-kept:]}"
