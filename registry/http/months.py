"""Months in queries: those of the calendars that this registry can have."""

from __future__ import annotations

from typing import Final

#: A month such as 2026-11, from 2000 to 2199: the months before and after it are dates, too.
MONTH: Final = r"2[01][0-9]{2}-(0[1-9]|1[0-2])"
