"""Figures as people read them, the same in every language."""

from __future__ import annotations

from datetime import datetime


def percent(basis_points: int) -> str:
    """Return basis points as a percentage without needless zeros: 1250 → ``12.5``."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)


def clock(at: datetime) -> str:
    """Return the time of day, as fine as it was written: ``12:00``, ``12:00:30``, ``12:00:30.500``."""
    if at.microsecond:
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
