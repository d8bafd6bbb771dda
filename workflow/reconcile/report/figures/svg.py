"""Build SVG by hand: escaped, deterministic, and painted so that it works everywhere.

WeasyPrint does not apply a page's CSS to inline SVG, so every shape carries its colour as a
presentation attribute. It also carries a class, by which the page repaints it in the dark.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

COLOURS = {
    "paper": "#ffffff",
    "ink": "#1a1e24",
    "muted": "#57606b",
    "rule": "#d5dae1",
    "wash": "#eef1f5",
    "accent": "#0b5cad",
    "soft": "#cfe1f5",
    "bad": "#b42318",
    "bad-soft": "#fbd9d5",
    "slip": "#8a5300",
}
"""The light palette; ``report.css`` has the same names for both palettes, and a test compares."""
SANS = "Reconcile Sans, IBM Plex Sans, Helvetica, Arial, sans-serif"
MONO = "Reconcile Mono, IBM Plex Mono, Menlo, Consolas, monospace"
_ADVANCE = {"sans": 0.56, "mono": 0.6}


def number(value: float) -> str:
    """A coordinate with two decimals at most, and no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attribute(value: object) -> object:
    return number(value) if isinstance(value, int | float) else value


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
    mono: bool = False,
) -> Markup:
    """A line of text; ``y`` is its base line."""
    return element(
        "text",
        escape(text),
        x=x,
        y=y,
        **paint(fill=colour),
        font_family=MONO if mono else SANS,
        font_size=size,
        font_weight="600" if bold else None,
        text_anchor=None if anchor == "start" else anchor,
    )


def width_of(text: str, size: float = 12, *, mono: bool = False) -> float:
    """A close upper estimate of the width of a text."""
    return len(text) * size * _ADVANCE["mono" if mono else "sans"]


def clipped(text: str, room: float, size: float = 12) -> str:
    """The text, or as much of its end as there is room for: names differ in their last parts."""
    if width_of(text, size) <= room:
        return text
    kept = max(int(room / width_of("x", size)) - 1, 1)
    return f"…{text[-kept:]}"


def figure(
    identifier: str, title: str, size: tuple[float, float], parts: Iterable[Markup], css: str = ""
) -> Markup:
    """A whole drawing; its title is its alternative text.

    Args:
        identifier: unique in the page.
        title: what the picture shows, in a sentence or two.
        size: width and height in pixels.
        parts: what is drawn.
        css: class of the drawing.
    """
    width, height = size
    return element(
        "svg",
        element("title", escape(title), id=f"{identifier}-title"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{identifier}-title",
        class_=css or None,
    )
