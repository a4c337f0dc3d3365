"""Columns of a list, each as wide as its widest cell on a terminal, where Chinese characters take two places."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

_GAP = "  "


def width(text: str) -> int:
    """Return how many places ``text`` takes on a terminal: two for a wide character, none for one that combines."""
    return sum(_places(each) for each in text)


def cut(text: str, places: int) -> str:
    """Return ``text`` in at most ``places`` places, an ellipsis at its end where something is left out."""
    if width(text) <= places:
        return text
    kept, left = [], places - 1
    for each in text:
        left -= _places(each)
        if left < 0:
            break
        kept.append(each)
    return "".join(kept) + "…"


def aligned(rows: Iterable[Sequence[str]], *, widest: int | None = None) -> list[str]:
    """Return a line for each of ``rows``, their cells below one another; none takes more than ``widest`` places."""
    table = [[each if widest is None else cut(each, widest) for each in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    return [
        _GAP.join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _places(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
