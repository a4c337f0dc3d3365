"""Figures as people read them, the same in every language."""

from __future__ import annotations

from datetime import datetime
from typing import Final

_WHOLE: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())


def amount(decimal: str, currency: str) -> str:
    """Return a decimal with thousands parted and at least the currency's own decimals: ``1248.5`` → ``1,248.50``."""
    whole, _, part = decimal.partition(".")
    part = part if currency in _WHOLE else part.ljust(2, "0")
    return f"{int(whole):,}.{part}" if part else f"{int(whole):,}"


def percent(basis_points: int) -> str:
    """Return basis points as a percentage without needless zeros: 1250 → ``12.5``."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)


def clock(at: datetime) -> str:
    """Return the time of day, as fine as it was written: ``12:00``, ``12:00:30``, ``12:00:30.500``."""
    if at.microsecond:
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
