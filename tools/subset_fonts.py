"""Make templates/fonts/ from IBM Plex as its makers publish it.

Run by hand when the fonts change; needs npm. A subset is a modified version, and the fonts' licence
keeps the name "Plex" for unmodified ones, so the families are renamed. That also keeps a Plex that
happens to be installed out of the report.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.woff2 import WOFF2FlavorData

FONTS = Path(__file__).parent.parent / "templates" / "fonts"
PACKAGES = {"@ibm/plex-sans@1.1.0": ("Regular", "Italic", "SemiBold")}
PACKAGES["@ibm/plex-mono@2.5.0"] = ("Regular", "SemiBold")
# Latin with its accents, Greek, punctuation, arrows, signs of arithmetic and the check mark.
CHARACTERS = (
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x218, 0x21C), *range(0x391, 0x3CA),
    *range(0x2010, 0x2027), *range(0x2070, 0x208A), *range(0x2190, 0x219A), 0x1E9E, 0x2030,
    0x2032, 0x2033, 0x2039, 0x203A, 0x2044, 0x20AC, 0x2122,
    *map(ord, "∂∆∏∑−√∞≈≠≤≥✓"),
)  # fmt: skip
FAMILY, UNIQUE, FULL, POSTSCRIPT, TYPOGRAPHIC = 1, 3, 4, 6, 16


def options() -> subset.Options:
    """What a subset keeps besides its glyphs: kerning, marks, copyright and licence."""
    kept = subset.Options(flavor="woff2", hinting=False, recalc_timestamp=False)
    kept.layout_features = ["kern", "mark", "mkmk", "ccmp"]
    kept.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    return kept


def rename(font: TTFont, family: str, style: str) -> None:
    """Give the font its own name, and every style its own family entry."""
    names = font["name"]
    full = f"{family} {style}"
    texts = {FAMILY: family, UNIQUE: full, FULL: full, POSTSCRIPT: full.replace(" ", "-")}
    for name_id, text in texts.items():
        names.setName(text, name_id, 3, 1, 0x409)
    names.removeNames(TYPOGRAPHIC)
    if "CFF " in font:
        font["CFF "].cff.fontNames = [texts[POSTSCRIPT]]


def make(source: Path, style: str) -> None:
    """Write one subset."""
    family = "Reconcile Mono" if "Mono" in source.name else "Reconcile Sans"
    font = subset.load_font(str(source), options())
    subsetter = subset.Subsetter(options())
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    rename(font, family, style)
    # Glyphs as they are, a seventh larger: to put them together again takes WeasyPrint, which does
    # it in Python for every PDF, twenty times as long as to unpack them.
    font.flavorData = WOFF2FlavorData(transformedTables=())
    target = FONTS / f"{family.replace(' ', '')}-{style}.woff2"
    subset.save_font(font, str(target), options())


def main() -> None:
    """Fetch both families and write their subsets and the licence."""
    FONTS.mkdir(parents=True, exist_ok=True)
    for package, styles in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            pack = ["npm", "pack", "--silent", package]
            name = subprocess.run(pack, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603 - a constant command, run by hand
            with tarfile.open(Path(folder) / name.stdout.strip()) as archive:
                archive.extractall(folder, filter="data")
            fonts = Path(folder) / "package" / "fonts" / "complete" / "woff2"
            for style in styles:
                make(next(fonts.glob(f"IBMPlex*-{style}.woff2")), style)
            shutil.copyfile(Path(folder) / "package" / "LICENSE.txt", FONTS / "OFL.txt")


if __name__ == "__main__":
    main()
