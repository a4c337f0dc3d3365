"""The names that people give to accounts and keys: one line of text, shown to others as it was written."""

from __future__ import annotations

import unicodedata

from licet.characters import hidden
from registry.errors import Invalid


def line_of(field: str, text: str, longest: int, *, least: int = 0) -> str:
    """Return ``text`` in NFC without outer spaces; raises ``Invalid`` for ``field`` if it is not such a line."""
    plain = unicodedata.normalize("NFC", text).strip()
    if not least <= len(plain) <= longest:
        span = f"{least} to {longest}" if least else f"at most {longest}"
        raise Invalid.field(field, f"{span} characters", text)
    if (unseen := hidden(plain)) is not None:
        raise Invalid.field(field, f"one line without hidden characters such as {unseen}", text)
    return plain
