"""When to ask again, how long to wait first, and when to give up: decisions about numbers, made without waiting.

Waits double from 0.5 s to 8 s, spread over their upper half so that many clients do not come back at once.
``Retry-After`` (RFC 9110 §10.2.3) wins where it is longer. Only what may be asked twice is asked twice.
"""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from licet.errors import InputError

ATTEMPTS: Final = 6
CONNECTS: Final = 3  # attempts where nobody listens at all
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 8.0
LONGEST_WAIT: Final = 60.0  # a Retry-After beyond this is not waited for
RETRIED: Final = frozenset({429, 502, 503, 504})
VARIABLE: Final = "LICET_TIMEOUT"
_PART: Final = re.compile(r"(?:(connect|read|total)=)?(\d{1,6}(?:\.\d{1,3})?)s?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to ``connect``, to ``read`` the next bytes, and in ``total`` for a call with all of its attempts.

    A download of a large file is held to the first two alone. ``total`` None waits as long as bytes come.
    """

    connect: float = 5.0
    read: float = 60.0
    total: float | None = 600.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "total"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, (int, float)) and 0 < value < 1e7):
                raise InputError.field(f"timeout.{name}", "seconds above 0", value)

    @classmethod
    def of(cls, given: Timeouts | float | None) -> Timeouts:
        """Return what was given: a number holds each step and the whole; None reads ``LICET_TIMEOUT``."""
        if isinstance(given, Timeouts):
            return given
        if given is not None:
            if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < 1e7:
                raise InputError.field("timeout", "seconds above 0", given)
            return cls(min(cls().connect, given), given, given)
        text = os.environ.get(VARIABLE, "").strip()
        return cls.parse(text) if text else cls()

    @classmethod
    def parse(cls, text: str) -> Timeouts:
        """Return ``30`` (each step and the whole) or ``connect=2,read=30,total=300``; raises ``InputError``."""
        named: dict[str, float] = {}
        for part in text.split(","):
            match = _PART.fullmatch(part.strip())
            if match is None or (match[1] is None and "," in text) or float(match[2]) <= 0:
                raise InputError.field(VARIABLE, "seconds such as 30, or connect=5,read=60,total=600", text)
            if match[1] is None:
                return cls.of(float(match[2]))
            named[match[1]] = float(match[2])
        return cls(**named)


@dataclass(slots=True)
class Tries:
    """One call with all of its attempts: what to do after each. ``clock`` is monotonic, ``chance`` in [0, 1)."""

    timeouts: Timeouts
    repeatable: bool = True
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    attempt: int = 0
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        total = self.timeouts.total
        self._end = float("inf") if total is None else self.clock() + total

    @property
    def left(self) -> float:
        """Seconds until the call as a whole is given up."""
        return self._end - self.clock()

    def begin(self) -> float | None:
        """Count an attempt; return seconds left for it, None for no end."""
        self.attempt += 1
        return None if self.timeouts.total is None else max(self.left, 0.001)

    def after_fault(self, *, sent: bool = True) -> float | None:
        """Return seconds to wait after no (whole) answer came, None to give up; ``sent``: the request may be there."""
        if not sent and self.attempt >= CONNECTS:
            return None
        return self._within(delay(self.attempt, None, {}, self.chance())) if self.repeatable or not sent else None

    def after_answer(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Return seconds to wait after an answer of ``status``, None where it is final.

        A 429 was not worked on, so that even what may not be repeated is asked again.
        """
        if not self.repeatable and status != 429:
            return None
        return self._within(delay(self.attempt, status, headers, self.chance()))

    def _within(self, wait: float | None) -> float | None:
        return None if wait is None or wait >= self.left else wait


def delay(attempt: int, status: int | None, headers: Mapping[str, str], chance: float) -> float | None:
    """Return seconds to wait before trying again, or ``None`` to give up.

    ``attempt`` counts from 1; ``status`` is None when no answer came; ``chance`` in [0, 1) spreads the retries of
    many clients (full jitter over the upper half). ``Retry-After`` wins where it is longer.
    """
    if attempt >= ATTEMPTS or (status is not None and status not in RETRIED):
        return None
    wait: float = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (attempt - 1)) * (0.5 + chance / 2)
    asked = retry_after(headers.get("retry-after"))
    if asked is not None:
        if asked > LONGEST_WAIT:
            return None
        wait = max(wait, asked)
    return wait


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for (a number or a date), None for one that says nothing."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        moment = email.utils.parsedate_to_datetime(value)
        if moment.tzinfo is not None:
            return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
    return None


def idempotency_key(*parts: bytes | str) -> str:
    """Return the key that stands for this content: equal requests share it, any other request has another."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]
