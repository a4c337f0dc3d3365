"""Whether keys are answered at once, in the thread of all requests, or in another one.

Handing over costs about as much as a thousand keys do, and while the loop answers itself everybody else waits. How many
keys make a millisecond depends on the index, the machine and whether there are compiled loops, from some thousands to
twenty thousand: so each process measures it.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 0.001  # seconds that everybody else may wait
_FIRST: Final = 1e-6  # seconds a key, until something was measured
_TELLING: Final = 256  # keys; with fewer most of the time is spent beside them
_WEIGHT: Final = 0.25  # of the last measurement


class Pace:
    """Seconds that a key takes in this process, from the calls before."""

    def __init__(self) -> None:
        self._key = _FIRST

    def fits(self, keys: int) -> bool:
        """Return whether so many keys are answered within `AT_ONCE`."""
        return keys * self._key <= AT_ONCE

    def took(self, keys: int, seconds: float) -> None:
        """``keys`` were answered in so many seconds of the processor."""
        if keys >= _TELLING:
            self._key += _WEIGHT * (seconds / keys - self._key)
