"""Finding one's own works by words: no dictionary, so that it works alike for every language.

A work's words are put into one form (NFKC, case folded, single spaces). Its two-character pieces are what the index
holds; a search first asks for all pieces of what is looked for, then for the text itself. Chinese needs no
segmentation this way, and a word may be found from any part of it that is two characters or longer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_QUERY: Final = 200
_BETWEEN: Final = "\n"


def haystack(parts: Iterable[str | None]) -> str:
    """Return ``parts`` in the one form that is searched in, a line each."""
    return _BETWEEN.join(line for line in (searchable(part) for part in parts if part) if line)


def searchable(text: str) -> str:
    """Return ``text`` in the form that is searched in and for: one line."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def grams(text: str) -> list[str]:
    """Return the two-character pieces of ``text`` (`haystack` or `searchable`), sorted, each once."""
    lines = text.split(_BETWEEN)
    return sorted({line[place : place + 2] for line in lines for place in range(len(line) - 1)})
