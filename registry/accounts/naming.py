"""The names that people give to accounts and keys: one line of text, shown to others as it was written."""

from __future__ import annotations

import unicodedata
from typing import Final

from registry.errors import Invalid

_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# They turn around what stands beside them: a name could make a page say something else than it does.
_BIDI: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def line_of(field: str, text: str, longest: int, *, least: int = 0) -> str:
    """Return ``text`` in NFC without outer spaces; raises ``Invalid`` for ``field`` if it is not such a line."""
    plain = unicodedata.normalize("NFC", text).strip()
    odd = any(unicodedata.category(each) in _UNPRINTABLE or each in _BIDI for each in plain)
    if not least <= len(plain) <= longest or odd:
        span = f"{least} to {longest}" if least else f"at most {longest}"
        raise Invalid.field(field, f"{span} characters without control characters", text)
    return plain
