"""Single fields of terms and offers as people fill them in: days, lengths of time, shares.

Nothing is guessed: what cannot be read is an error that says what was expected, and the caller names the field.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from licet import times
from licet.errors import InputError
from licet.terms import durations, figures

CURRENCIES: Final = ("CNY", "USD", "EUR")
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAYS: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))? ?%?", re.ASCII)


def last_moment(until: str) -> str | None:
    """Return the moment after the last day that is named; raises ``InputError`` for a day that is none or past."""
    if not until:
        return None
    try:
        day = date.fromisoformat(until)
        after = day + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InputError.field("until", "a day such as 2027-12-31", until) from None
    if day <= times.now().date():
        raise InputError.field("until", "a day to come", until)
    return f"{after}T00:00:00.000Z"


def share(text: str, field: str = "share") -> int:
    """Return the basis points of ``30``, ``12.5`` or ``12.5 %``."""
    found = _PERCENT.fullmatch(text)
    bps = 0 if found is None else int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if not 1 <= bps <= 10_000:
        raise InputError.field(field, "a share from 0.01 to 100 percent", text or "nothing")
    return bps


def percent(basis_points: int | None) -> str:
    """Return a share as `share` reads it; empty for none."""
    return "" if basis_points is None else figures.percent(basis_points)


def notice(text: str) -> int:
    """Return a number of days from 0 to 3650."""
    if _DAYS.fullmatch(text) is None or int(text) > 3650:
        raise InputError.field("notice", "a number of days from 0 to 3650", text or "nothing")
    return int(text)


def duration(number: str, unit: str, units: str, field: str) -> str | None:
    """Return the duration of ``number`` of a ``unit`` out of ``units`` (letters of ISO 8601), None for no number.

    In the place of a number a whole duration may stand, such as P1Y6M10D.
    """
    if not number:
        return None
    if unit not in units or len(unit) != 1:
        raise InputError.field(f"{field}_unit", " or ".join(units), unit)
    if number.isascii() and number.isdigit():
        number = f"P{number}{unit}"
    try:
        return str(durations.parse(number.upper()))
    except InputError as error:
        raise InputError.field(field, f"a whole number, or {error.details.get('expected')}", number) from None


def lasting(text: str | None, units: str) -> tuple[str, str]:
    """Return the number and the unit that say ``text`` as `duration` reads it, in one of ``units`` where one can."""
    if text is None:
        return "", units[0]
    span = durations.parse(text)
    days, rest = divmod(span.seconds, 86_400)
    for unit, count, exact in (
        ("Y", span.months // 12, not (span.seconds or span.months % 12)),
        ("M", span.months, not span.seconds),
        ("D", days, not (span.months or rest)),
    ):
        if exact and unit in units and count < 100_000:
            return str(count), unit
    return text, units[0]
