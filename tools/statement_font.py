"""Make the font that statements are printed with: `python tools/statement_font.py NotoSansCJK-Regular.ttc OUT.otf`.

Needs fonttools. It is a subset of Noto Sans CJK SC (SIL OFL 1.1): GB 2312 without kana, and Latin, under another name.
"""

from __future__ import annotations

import sys
from typing import Any

NAME = "Licet Sans SC"


def characters() -> set[str]:
    """Return what the font has; `licet.audit.drawing.paper` goes by the same."""
    found = {chr(code) for code in range(0x20, 0x180)} | set("–—‘’“”…€¥−·•〓允\u200b")
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.add(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found - {chr(code) for code in range(0x3041, 0x3100)}


def main(source: str, out: str) -> None:
    """Write the font."""
    from fontTools import subset
    from fontTools.ttLib import TTCollection

    fonts: Any = TTCollection(source, lazy=True).fonts
    options = subset.Options()
    options.font_number = next(i for i, font in enumerate(fonts) if font["name"].getDebugName(1) == "Noto Sans CJK SC")
    options.layout_features = ["kern", "locl", "ccmp", "tnum", "lnum", "halt", "palt"]
    options.name_IDs, options.hinting, options.notdef_outline = [0, 13, 14], False, True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(each) for each in characters()])
    subsetter.subset(font)
    named = {1: NAME, 2: "Regular", 3: f"{NAME} 1", 4: NAME, 5: "Version 1", 6: "LicetSansSC-Regular"}
    for number, text in named.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    compact = font["CFF "].cff
    compact.fontNames = ["LicetSansSC-Regular"]
    for name in ("FullName", "FamilyName"):
        if hasattr(compact.topDictIndex[0], name):
            setattr(compact.topDictIndex[0], name, NAME)
    font["head"].created = font["head"].modified = 0
    font.recalcTimestamp = False
    font.save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
