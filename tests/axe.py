"""What axe finds on a page, and what it leaves open, settled by what stands behind each text."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page
from support import PROJECT

SCRIPT = PROJECT / "tools" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """([within, rules]) => axe.run(
  within, { runOnly: rules, resultTypes: ["violations", "incomplete"] }
)"""
"""Without naming each element that a rule is content with, which takes half of the time."""
LEAST = 4.5
"""The contrast of text by WCAG 2.2, 1.4.3."""
FAINT = """([targets, least]) => {
  const rgba = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const shapes = ["rect", "circle", "path", "polygon", "ellipse"];
  const ground = (e) => {
    const drawn = e instanceof SVGElement;
    if (drawn && !shapes.includes(e.localName)) return null;
    const style = getComputedStyle(e);
    const colour = rgba(drawn ? style.fill : style.backgroundColor);
    return colour.length && (colour[3] ?? 1) === 1 ? colour : null;
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (text) => {
    text.scrollIntoView({ block: "center", behavior: "instant" });
    const range = document.createRange();
    range.selectNodeContents(text);
    const boxes = [...range.getClientRects(), text.getBoundingClientRect()];
    const box = boxes.find((r) => r.width > 0);
    const at = [box.left + box.width / 2, box.top + box.height / 2];
    const behind = document.elementsFromPoint(...at).map(ground).find(Boolean);
    const style = getComputedStyle(text);
    const own = rgba(text instanceof SVGElement ? style.fill : style.color);
    const [dark, bright] = [light(own), light(behind)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const texts = targets.map((target) => document.querySelector(target));
  return texts.filter((t) => contrast(t) < least).map((t) => t.outerHTML.slice(0, 200));
}"""


def troubles(page: Page, within: str = "html") -> list[Any]:
    """What axe finds on a page, what it can decide nothing of, and texts too faint to be read.

    ``within`` is a part of a page whose rest was looked at before.

    It leaves the contrast of glyphs and of labels in drawings open: that is computed here, from the
    colour of what is painted behind them.
    """
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=SCRIPT)
    found = page.evaluate(RUN, [within, RULES])
    told: list[Any] = [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]]
    contrast = [v for v in found["incomplete"] if v["id"] == "color-contrast"]
    told += [v["id"] for v in found["incomplete"] if v not in contrast]
    targets = [node["target"][0] for v in contrast for node in v["nodes"]]
    return told + list(page.evaluate(FAINT, [targets, LEAST]))
