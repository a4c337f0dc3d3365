"""Characters that nobody sees: they turn round what stands beside them, or make two names look like one.

Unicode Standard Annex 9 has the first, its property Default_Ignorable_Code_Point most of the second. Joiners are part
of how Persian, Indic scripts and emoji are written: they may stand between two characters beyond ASCII. Variation
selectors choose how a character looks, and are no character of their own.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNASSIGNABLE: Final = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"
_TURNING: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_EMPTY: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_BESIDE: Final = "[^\x00-\xbf\u2000-\u206f]"  # what a joiner can join
_HIDDEN: Final = re.compile(
    f"[{_UNASSIGNABLE}{_TURNING}{_EMPTY}]|(?<!{_BESIDE})[\u200c\u200d]|[\u200c\u200d](?!{_BESIDE})"
)
_TURNS: Final = re.compile(f"[{_TURNING}]")
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def hidden(text: str) -> str | None:
    """Return the first character of ``text`` that nobody would see, as ``U+202E RIGHT-TO-LEFT OVERRIDE``; else None."""
    found = _HIDDEN.search(text)
    if found is None:
        return None
    code = ord(found[0])
    return f"U+{code:04X} {unicodedata.name(found[0], '')}".rstrip()


def without_hidden(text: str, instead: str = "") -> str:
    """Return ``text`` with ``instead`` for each character that nobody would see."""
    return _HIDDEN.sub(instead, text)


def apart(text: str) -> str:
    """Return one line of a stranger so that it turns round nothing beside it, wherever it is shown.

    What is written from right to left stands between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE; controls of
    its own, which an older release may have taken, are left out. Any other text comes back as it is.
    """
    if text.isascii():
        return text
    plain = _TURNS.sub("", text)
    return f"\u2068{plain}\u2069" if _RIGHT_TO_LEFT.search(plain) else plain
