"""Time as the log writes it: RFC 3339, UTC, exactly milliseconds, ``Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from licet.errors import InputError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def now() -> datetime:
    """Return this moment in UTC, cut to the millisecond so that it survives a round trip through text."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_text(moment: datetime) -> str:
    """Return ``moment`` (aware) as ``2026-11-22T21:40:00.123Z``; finer digits are cut off."""
    if moment.tzinfo is None:
        raise InputError.field("time", "an aware datetime", moment)
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def to_microseconds(moment: datetime) -> int:
    """Return the microseconds from 1970 to ``moment`` (aware)."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_text(text: str, field: str = "time") -> datetime:
    """Return the moment that ``text`` names; only the one canonical spelling is accepted.

    Raises ``InputError`` that names ``field``.
    """
    if isinstance(text, str) and _SHAPE.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise InputError.field(field, "RFC 3339 in UTC with milliseconds, such as 2026-11-22T21:40:00.000Z", text)
