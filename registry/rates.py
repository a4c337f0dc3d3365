"""Rates as settings write them: ``6000/1m``, so many in so long; ``off`` for no limit."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_RATE: Final = re.compile(r"([0-9]{1,15})/([0-9]{1,4})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Rate(NamedTuple):
    """At most ``most`` in ``seconds``; ``most`` 0 means no limit."""

    most: int
    seconds: int

    def __str__(self) -> str:
        if not self.most:
            return "off"
        unit, size = next((unit, size) for unit, size in reversed(_SECONDS.items()) if self.seconds % size == 0)
        return f"{self.most}/{self.seconds // size}{unit}"


OFF: Final = Rate(0, 60)


def rate_of(value: object) -> Rate:
    """Return the rate that ``value`` writes; raises ``ValueError`` that says what was expected."""
    if isinstance(value, Rate):
        return value
    if value == "off":
        return OFF
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]) or not int(match[2]):
        raise ValueError("expected a rate such as 6000/1m, or off")
    return Rate(int(match[1]), int(match[2]) * _SECONDS[match[3]])
