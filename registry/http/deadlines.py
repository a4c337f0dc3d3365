"""A moment at which something ends, and that is often put off: one timer, where each change would set another."""

from __future__ import annotations

import asyncio


class Deadline:
    """Ends ``clock`` (a timeout that has been entered) at ``moment``, wherever it is moved to, by the loop's time.

    The timer rings at ``first`` and, where it is too early by then, again at the moment that is meant: putting off
    costs nothing.
    """

    def __init__(self, clock: asyncio.Timeout, moment: float, first: float) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._moment: float | None = moment
        self._timer: asyncio.TimerHandle | None = self._loop.call_at(min(first, moment), self._ring)

    def move(self, moment: float | None) -> None:
        """It ends at ``moment``; None: never."""
        self._moment = moment
        if self._clock.when() is not None:  # it has rung this very moment, and nobody has been cancelled yet
            self._clock.reschedule(None)
        if moment is not None and (self._timer is None or moment < self._timer.when()):
            self.end()
            self._timer = self._loop.call_at(moment, self._ring)

    def end(self) -> None:
        """It rings no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        self._timer = None
        if self._moment is None:
            return
        if self._loop.time() < self._moment:
            self._timer = self._loop.call_at(self._moment, self._ring)
        else:
            self._clock.reschedule(self._moment)
