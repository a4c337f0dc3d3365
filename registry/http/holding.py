"""How much of what callers send lies in the memory of this process at a time, together and of each.

One body has its limit, but many come at once: without a limit of all, whoever sends the largest ones side by side takes
the memory of everybody. Nobody holds more than is left free beside it (the dynamic thresholds of Choudhury and Hahne,
1998): one may take half of everything, and whoever comes next half of what is left, so that however few take what they
can, something is left for others.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from registry.errors import Unavailable

MOST: Final = 1 << 30  # bytes of bodies


class Holding:
    """What is held, of whom (an account, or an address without a token); whoever takes gives back what it took."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: Counter[str] = Counter()
        self.total = 0  # the sum of all of them

    def take(self, who: str, size: int) -> None:
        """``size`` more bytes of ``who`` are held; raises ``Unavailable`` and holds nothing more where it is full."""
        if self._of[who] + size > self._most - self.total - size:
            raise Unavailable("too much is being sent at once; send it again in a moment, less of it side by side")
        if size:
            self._of[who] += size
            self.total += size

    def give(self, who: str, size: int) -> None:
        """``size`` bytes of ``who`` are not held any more."""
        self.total -= size
        self._of[who] -= size
        if not self._of[who]:
            del self._of[who]
