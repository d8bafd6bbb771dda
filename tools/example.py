"""Refresh docs/example/ and the pictures of the README from the results of the AlexNet study.

Run by `make example`; needs results/alexnet/ and Debian's chromium.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
RESULTS, EXAMPLE = ROOT / "results" / "alexnet", ROOT / "docs" / "example"
IMAGES = ROOT / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# Width and height of each window, and how many pixels of the picture each of its pixels gets.
PICTURES = {"report-desktop": (1280, 1190, 1), "report-phone": (390, 780, 1.5)}


def take(browser: Browser, name: str, width: int, height: int, scale: float) -> None:
    """Write one picture of the first screen of the report."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto((EXAMPLE / "report.html").as_uri())
    if name.endswith("phone"):
        page.evaluate("document.querySelector('#matrix tbody').scrollIntoView()")
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def main() -> None:
    """Copy the report, then take its pictures."""
    for folder in (EXAMPLE, IMAGES):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.html", "report.pdf"):
        shutil.copyfile(RESULTS / name, EXAMPLE / name)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for name, size in PICTURES.items():
            take(browser, name, *size)
        browser.close()


if __name__ == "__main__":
    main()
