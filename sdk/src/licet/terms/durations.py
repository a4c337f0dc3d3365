"""Durations of terms: ISO 8601, whole numbers, in one spelling each.

A month has no fixed length, so a duration is a pair (months, seconds) and two of them are ordered only where
both parts agree: ``P1M`` is neither longer nor shorter than ``P30D``.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import Final

import msgspec

from licet.errors import InputError

_SHAPE: Final = re.compile(
    r"P(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?"
    r"(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?",
    re.ASCII,
)
_DAY: Final = 86_400
_AVERAGE_MONTH: Final = 2_629_746  # seconds: a 400-year cycle of the calendar over 4,800 months


class Duration(msgspec.Struct, frozen=True):
    """A length of time: calendar months, then seconds."""

    months: int
    seconds: int

    def __le__(self, other: Duration) -> bool:
        """Whether this is no longer than ``other``, whatever months they fall in."""
        return self.months <= other.months and self.seconds <= other.seconds

    @property
    def measure(self) -> tuple[int, int]:
        """A total order for choosing one of several: average seconds, then months."""
        return self.months * _AVERAGE_MONTH + self.seconds, self.months

    @property
    def parts(self) -> tuple[int, int, int, int, int, int]:
        """Years, months, days, hours, minutes, seconds."""
        days, rest = divmod(self.seconds, _DAY)
        return *divmod(self.months, 12), days, rest // 3600, rest // 60 % 60, rest % 60

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """Return the moment that lies ``times`` of this after ``moment``: months first, in the calendar, where a day
        that the month does not have is its last one, then seconds. Raises ``InputError`` beyond the year 9999."""
        year, month = divmod(moment.year * 12 + moment.month - 1 + self.months * times, 12)
        try:
            day = min(moment.day, monthrange(year, month + 1)[1])
            return moment.replace(year=year, month=month + 1, day=day) + timedelta(seconds=self.seconds * times)
        except (ValueError, OverflowError):
            raise InputError.field("duration", "a time before the year 10000", f"{self} × {times}") from None

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many times of 0, 1, 2 … of this after ``since`` are before ``until``."""
        if until <= since:
            return 0
        low, high = 0, 1  # the one at `low` is before `until`, the one at `high` is not
        while self._before(since, high, until):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._before(since, middle, until) else (low, middle)
        return high

    def _before(self, since: datetime, times: int, until: datetime) -> bool:
        try:
            return self.after(since, times) < until
        except InputError:
            return False

    def __str__(self) -> str:
        written = [f"{number}{unit}" if number else "" for number, unit in zip(self.parts, "YMDHMS", strict=True)]
        time = "".join(written[3:])
        return f"P{''.join(written[:3])}" + (f"T{time}" if time else "")


def parse(text: str, field: str = "duration") -> Duration:
    """Return the duration that ``text`` writes, longer than nothing; raises ``InputError`` naming ``field``."""
    match = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if match and not text.endswith(("P", "T")):
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        duration = Duration(years * 12 + months, (weeks * 7 + days) * _DAY + hours * 3600 + minutes * 60 + seconds)
        if duration.measure[0]:
            return duration
    raise InputError.field(field, "an ISO 8601 duration such as P1Y, P3M or P14D", text)
