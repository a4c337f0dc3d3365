"""The times that people put into what they sign: any time past, for nobody knows better; none that is to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from licet import times
from registry.errors import Invalid

AHEAD: Final = timedelta(minutes=5)  # how far the clock of a signer may be before ours


def past(text: str, field: str) -> datetime:
    """Return the moment that ``text`` names, at most `AHEAD` of now.

    A statement that says it will be made is a wrong clock or a lie. Raises ``Invalid`` or ``InputError`` naming
    ``field``.
    """
    moment = times.from_text(text, field)
    if is_to_come(moment, times.now()):
        raise Invalid.field(field, expected(times.now()), text)
    return moment


def is_to_come(moment: datetime, now: datetime) -> bool:
    """Return whether ``moment`` is further ahead of ``now`` than a clock may be."""
    return moment > now + AHEAD


def expected(now: datetime) -> str:
    """Return what a time must be, in words that tell the clock that it is held against."""
    return f"a time that is not to come (it is {times.to_text(now)} here; set the clock)"
