"""Finding one's own works by words: no dictionary, so that it works alike for every language.

A work's words are put into one form: compatibility characters and letter case folded, accents of Latin, Greek and
Cyrillic letters left off, single spaces. Its pieces of one and two characters are what the index holds; a search first
asks for all pieces of what is looked for, then for the text itself. Chinese needs no segmentation this way, and a word
is found from any part of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_QUERY: Final = 200
FORM: Final = 1  # counts up when `searchable` or `grams` change: what was kept in an older form is made anew
_BETWEEN: Final = "\n"
_ACCENTED: Final = (range(0x0530), range(0x1E00, 0x2000))  # letters whose marks are left off


def haystack(parts: Iterable[str | None]) -> str:
    """Return ``parts`` in the one form that is searched in, a line each."""
    return _BETWEEN.join(line for line in (searchable(part) for part in parts if part) if line)


def words_of(title: str | None, creator: str | None, external_id: str | None, tags: Iterable[str]) -> str:
    """Return what a work with this metadata is found by."""
    return haystack([title, creator, external_id, *tags])


def searchable(text: str) -> str:
    """Return ``text`` in the form that is searched in and for: one line."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFC", "".join(_unaccented(unicodedata.normalize("NFD", folded))))
    return " ".join(plain.split())


def grams(text: str) -> list[str]:
    """Return the pieces of one and two characters of ``text`` (`haystack` or `searchable`), sorted, each once."""
    lines = text.split(_BETWEEN)
    return sorted({line[place : place + size] for line in lines for size in (1, 2) for place in range(len(line))})


def _unaccented(decomposed: str) -> Iterable[str]:
    base = ""
    for each in decomposed:
        mark = unicodedata.category(each) == "Mn"
        if not mark:
            base = each
        elif base and any(ord(base) in letters for letters in _ACCENTED):
            continue
        yield each
