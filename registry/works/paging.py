"""Cursors: where a page ended, opaque to the caller and worthless to anybody who edits it.

A cursor names its list, so that one of another list or sort is refused instead of giving a wrong page. It carries no
right: who may see a row is decided by the query.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec

from registry.errors import Invalid

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 200
_MAX_CURSOR: Final = 4096


def checked_limit(limit: int) -> int:
    """Return ``limit`` if a page may be that long; raises ``Invalid``."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise Invalid.field("?limit", f"1 to {LARGEST_LIMIT}", limit)
    return limit


def to_cursor(listed: str, *place: str) -> str:
    """Return the cursor after ``place`` in the list called ``listed``."""
    return base64.urlsafe_b64encode(msgspec.json.encode([listed, *place])).decode().rstrip("=")


def from_cursor(cursor: str | None, listed: str, parts: int) -> list[str] | None:
    """Return the ``parts`` of the place that `to_cursor` put in, None without a cursor; raises ``Invalid``."""
    if cursor is None:
        return None
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(data, type=list[str])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        place = []
    if len(place) != parts + 1 or place[0] != listed:
        raise Invalid.field("?cursor", "the cursor of the page before, of the same list and sort", cursor)
    return place[1:]
